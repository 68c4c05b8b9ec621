"""Cores: how many processors this process may really use."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath

_PROCESS = Path("/proc/self/cgroup")
_MOUNTED = Path("/sys/fs/cgroup")


def usable_cores(process: Path = _PROCESS, mounted: Path = _MOUNTED) -> int:
    """The cores of its affinity, or fewer where a control group's quota is less.

    A part of a core counts as one, and there is always one.  *process* is where the
    system says which groups it is in, *mounted* where they are.
    """
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # a system without affinity
        cores = os.cpu_count() or 1
    shares = [quota for quota in _quotas(process, mounted) if quota > 0]
    return max(1, min([cores, *(-int(-share // 1) for share in shares)]))


def _quotas(process: Path, mounted: Path) -> Iterator[float]:
    """What each control group that this process is in may use, in cores."""
    for folder in _folders(process, mounted):
        with suppress(OSError, ValueError):  # without a quota, or of another version
            quota, period = (folder / "cpu.max").read_text("ascii").split()
            yield int(quota) / int(period)
        with suppress(OSError, ValueError):
            quota = (folder / "cpu.cfs_quota_us").read_text("ascii")
            period = (folder / "cpu.cfs_period_us").read_text("ascii")
            yield int(quota) / int(period)


def _folders(process: Path, mounted: Path) -> Iterator[Path]:
    try:
        lines = process.read_text("utf-8").splitlines()
    except OSError:  # a system without control groups
        return
    for _, controllers, path in (line.split(":", 2) for line in lines):
        names = controllers.split(",")
        if controllers and "cpu" not in names:
            continue
        root = mounted / "cpu" if controllers else mounted
        # In a container the path may be as the host sees it; the root is ours then.
        parts = PurePosixPath(path).parts[1:]
        for depth in range(len(parts), -1, -1):
            yield root.joinpath(*parts[:depth])
