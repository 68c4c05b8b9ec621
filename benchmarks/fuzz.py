"""``python -m benchmarks.fuzz [TARGET ...] [--seconds N]``: the targets under atheris.

Each runs in a process of its own, guided by what its inputs reach in the code.
"""

from __future__ import annotations

import argparse
import importlib
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.corpus import CORPUS


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz the targets asked for; 1 if one of them failed, 2 without a fuzzer."""
    options = _parser().parse_args(arguments)
    try:
        importlib.import_module("atheris")
    except ImportError:
        print("this needs a fuzzer: pip install atheris", file=sys.stderr)
        return 2
    failed = [
        name
        for name in options.targets or CORPUS
        if not _fuzz(name, options.seconds, options.corpus)
    ]
    print(f"failed: {', '.join(failed)}" if failed else "all of them hold")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz")
    parser.add_argument(
        "targets", nargs="*", choices=[*CORPUS, []], metavar="TARGET",
        help=f"any of {', '.join(CORPUS)}; default: all",
    )  # fmt: skip
    parser.add_argument("--seconds", type=int, default=60, help="for each of them")
    parser.add_argument(
        "--corpus", type=Path, help="a folder in which to keep what was found"
    )
    return parser


def _fuzz(name: str, seconds: int, kept: Path | None) -> bool:
    print(f"-- {name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        corpus = (kept or Path(folder)) / name
        corpus.mkdir(parents=True, exist_ok=True)
        for number, data in enumerate(CORPUS[name]):
            (corpus / f"seed-{number}").write_bytes(data)
        command = [
            *(sys.executable, "-m", "tests.fuzz.one", name, str(corpus)),
            f"-max_total_time={seconds}",
            # Longer ones reach nothing that these do not: the limits are small.
            "-max_len=600",
            f"-artifact_prefix={tempfile.gettempdir()}/trioweb-{name}-",
        ]
        return subprocess.run(command, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())
