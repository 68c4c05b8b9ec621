"""Content: what the programs answer with where it is more than a line."""

from __future__ import annotations

import functools
import os

# A streamed body: so many pieces of so many bytes, each written by itself.
PIECE = b"s" * 4096
PIECES = 16

# More than what is uploaded: the usual limits of a body are below it.
MOST = 8 * 1024 * 1024


# Made when it is asked for: memory is compared too, of servers that never are.
@functools.cache
def big() -> bytes:
    """The large body that is downloaded in one."""
    return b"b" * (4 * 1024 * 1024)


def path() -> str:
    """Where the file is that is served from a disk."""
    return os.environ["BENCHMARK_FILE"]
