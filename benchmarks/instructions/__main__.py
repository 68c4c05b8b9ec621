"""``python -m benchmarks.instructions``: what an exchange costs, in instructions.

With ``added`` what each of many things adds to the least of them.  A figure differs by
less than 1 % from run to run, on a busy machine too; it counts no kernel, and says
nothing of how long anything takes.
"""

from __future__ import annotations

import argparse
import compileall
import dataclasses
import platform
import shlex
import ssl
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks.command import run_apart
from benchmarks.instructions import recorded
from benchmarks.instructions.counting import NotCounted, counted
from benchmarks.instructions.exchanges import count
from benchmarks.instructions.trust import certified
from benchmarks.instructions.works import ADDED, PLAINTEXT, WORKS, YARDSTICK, Work
from benchmarks.programs import ROOT
from benchmarks.progress import Progress
from benchmarks.results import record
from benchmarks.serving import NotServing
from benchmarks.table import markdown


def main(arguments: Sequence[str] | None = None) -> int:
    """Count, print the table, and compare or record it if asked to; the exit code."""
    return run_apart(partial(_run, _parser().parse_args(arguments)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.instructions")
    add = parser.add_argument
    add("what", nargs="?", choices=("works", "added"), default="works")
    add("--work", nargs="+", metavar="NAME", help="only these; default: all")
    add("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting")
    add("--check", action="store_true", help="fail if one is much dearer than recorded")
    add("--write", action="store_true", help="record the table in results.md")
    return parser


async def _run(options: argparse.Namespace) -> int:
    first, works = (YARDSTICK, WORKS) if options.what == "works" else (PLAINTEXT, ADDED)
    chosen = [work for work in works if _wanted(work, first, options.work)]
    try:
        counts = await _counted([_told(work, options.set) for work in chosen])
    except (NotCounted, NotServing) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    added, known = options.what == "added", recorded.read()
    if options.write:
        command = ["python", "-m", "benchmarks.instructions", *sys.argv[1:]]
        section = "what things add" if added else recorded.SECTION
        text = (_added if added else recorded.table)(counts)
        record(section, shlex.join(command), f"{_explained()}\n\n{text}")
    if added:
        print(_added(counts))
        return 0
    verdict = recorded.judged(counts, known)
    print(recorded.compared(counts, known), *verdict.lines, sep="\n")
    return int(verdict.failed and options.check)


def _wanted(work: Work, first: Work, names: Sequence[str] | None) -> bool:
    return work is first or names is None or work.name in names


def _told(work: Work, settings: Sequence[str]) -> Work:
    """*work*, by a server that is told *settings* besides; but for the yardstick."""
    if work is YARDSTICK:
        return work
    words = [word for setting in settings for word in ("--set", setting)]
    served = dataclasses.replace(work.served, words=(*work.served.words, *words))
    return dataclasses.replace(work, served=served)


async def _counted(works: Sequence[Work]) -> dict[str, int]:
    """What an exchange of each of *works* takes, by one server at a time."""
    progress = Progress()
    # A server that had to be compiled has its objects elsewhere: half a per cent.
    for folder in ("trioweb", "benchmarks"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    counts = dict.fromkeys((work.name for work in works), 0)
    with tempfile.TemporaryDirectory(prefix="trioweb-benchmark-") as place:
        words, believing = certified(Path(place))
        for served in dict.fromkeys(work.served for work in works):
            trust: ssl.SSLContext | None = believing if served.secure else None
            more = words if served.secure else []
            async with counted([*served.words, *more]) as server:
                await server.begin()
                for work in (each for each in works if each.served == served):
                    progress.show(f"counting {work.name}")
                    counts[work.name] = await count(server, work, trust)
    progress.keep(f"counted {', '.join(counts)}")
    return counts


def _explained() -> str:
    build = f"{platform.python_implementation()}, {platform.python_compiler()}"
    return (
        "User-space instructions of one exchange, by callgrind: one connection, and "
        "the next request\nwhen the server has come to rest.  The yardstick is h11 on "
        f"Trio by hand, without trioweb.\nThe Python is {build}."
    )


def _added(counts: Mapping[str, int]) -> str:
    """One row for each work: how much more than the first it takes."""
    (_, least), *_ = counts.items()
    rows = [
        [name, f"{count / 1000:.1f}", f"{(count - least) / 1000:+.1f}", share]
        for name, count in counts.items()
        for share in [f"{100 * (count / least - 1):+.0f} %"]
    ]
    return markdown(("work", "thousand instructions", "more", "in all"), rows)


if __name__ == "__main__":
    sys.exit(main())
