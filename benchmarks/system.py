"""System: what Linux says of a process, and where it is allowed to run."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import resource
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")

# A process may end between two looks at it, or be somebody else's.
_VANISHED = (FileNotFoundError, ProcessLookupError, PermissionError)


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process holds at one moment: bytes of memory, and counts."""

    rss: int
    descriptors: int
    threads: int


@dataclass(frozen=True, slots=True)
class Cores:
    """The core of the server, and that of everything that disturbs it."""

    server: int
    others: int


# Asked once: a process that has pinned itself may use but one from then on.
@functools.cache
def cores() -> Cores:
    """Two of the cores this process might use at first; one twice if it had but one."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(server=usable[0], others=usable[-1])


def usage(pid: int) -> Usage:
    """What process *pid* holds now; OSError if there is none."""
    fields = dict(
        line.split(":", 1) for line in (PROC / f"{pid}/status").read_text().splitlines()
    )
    return Usage(
        rss=int(fields["VmRSS"].split()[0]) * 1024,
        descriptors=sum(1 for _ in (PROC / f"{pid}/fd").iterdir()),
        threads=int(fields["Threads"]),
    )


def most_resident(pid: int) -> int:
    """The most that process *pid* has ever had resident, in bytes; OSError if none."""
    status = (PROC / f"{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split(maxsplit=1)[0]) * 1024


def resident(pid: int) -> int:
    """The bytes that process *pid* and all its descendants have resident.

    What they share counts for each of them.
    """
    total = 0
    for member in family(pid):
        with contextlib.suppress(*_VANISHED):
            total += int((PROC / f"{member}/statm").read_text().split()[1])
    return total * os.sysconf("SC_PAGE_SIZE")


def processor_seconds(pid: int) -> float:
    """What process *pid* and all its descendants have used of a core, in seconds.

    Those of them that have ended count where they were waited for.
    """
    return sum(family(pid).values()) / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> dict[int, int]:
    """Process *pid* and its descendants, with the clock ticks each has used."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    ticks: dict[int, int] = {}
    for folder in PROC.iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # The command's name, in parentheses, may hold anything (proc(5)).
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except _VANISHED:
            continue
        children[int(fields[1])].append(int(folder.name))
        ticks[int(folder.name)] = sum(map(int, fields[11:15]))
    members = [pid]
    for member in members:
        members += children[member]
    return {member: ticks.get(member, 0) for member in members}


def waiting_seconds(pid: int) -> float:
    """How long process *pid* was ready to run while others had its core, in seconds."""
    _, waited, _ = (PROC / f"{pid}/schedstat").read_text().split()
    return int(waited) / 1e9


def pin(core: int) -> None:
    """Keep this process, as far as it has threads yet, on core *core*."""
    os.sched_setaffinity(0, {core})


def raise_descriptors() -> int:
    """Let this process and its children open as many files as it may; how many.

    A peer costs a descriptor at each end, and the usual 1024 would be what is measured.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def machine() -> str:
    """This machine in a line: processor, cores, kernel, Python."""
    name = "unknown processor"
    for line in (PROC / "cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            name = line.partition(":")[2].strip()
            break
    return (
        f"{name}, {os.cpu_count()} cores, Linux {platform.release()}, "
        f"Python {platform.python_version()}"
    )
