"""Recalled: trioweb's command line, and in the end a word from each of its memos.

``python -m benchmarks.recalled FILE run APP ...`` does what ``python -m trioweb run APP
...`` does, and then writes to FILE, as JSON, how often each memo of trioweb has known
an answer and how often it has not.  They are looked for, not listed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from trioweb.cli import main


def memos() -> dict[str, tuple[int, int]]:
    """Hits and misses of every `functools` memo in the modules of trioweb."""
    found = {}
    for name, module in sorted(sys.modules.items()):
        if name.partition(".")[0] != "trioweb":
            continue
        for word, value in vars(module).items():
            told = getattr(value, "cache_info", None)
            if told is not None and value.__module__ == name:
                hits, misses, *_ = told()
                found[f"{name}.{word}"] = (hits, misses)
    return found


if __name__ == "__main__":
    file, *arguments = sys.argv[1:]
    try:
        code = main(arguments)
    finally:
        Path(file).write_text(json.dumps(memos()))
    sys.exit(code)
