"""One target under atheris, in the process that the command starts for it."""

from __future__ import annotations

import importlib
import sys


def main() -> None:
    """Fuzz the target named first; the rest of the arguments are libFuzzer's."""
    atheris = importlib.import_module("atheris")
    # Only what is imported in here is watched.
    with atheris.instrument_imports(include=["trioweb"]):
        targets = importlib.import_module("tests.fuzz.targets")
    program, name, *rest = sys.argv
    atheris.Setup([program, *rest], targets.TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
