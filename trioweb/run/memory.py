"""Memory: how much of it this process holds."""

from __future__ import annotations

import os
from pathlib import Path


def memory() -> int:
    """Bytes of this process in RAM; where the system does not tell, the most so far."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        import resource  # noqa: PLC0415  # some systems have no such thing

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")
