"""Naming: under which name workers find an application that a program has made."""

from __future__ import annotations

import sys
from pathlib import Path

from trioweb.app.app import App, Served
from trioweb.message.errors import SetupError

_NO_FILE = "workers load the application from a file; write this program into one"


def target_of(app: Served) -> str:
    """The target (see `load`) that *app* is, in the program that runs.

    An object cannot be given to a worker, only a name: that is how a reload finds new
    code.  SetupError, with the line to write, for one that has no name.
    """
    program = sys.modules["__main__"]
    spec = getattr(program, "__spec__", None)
    file = getattr(program, "__file__", None)
    if spec is None and file is None:
        raise SetupError(_NO_FILE)
    place = spec.name if spec is not None else str(Path(str(file)).absolute())
    if "__main__" in {place, Path(place).stem} or file == "<stdin>":
        raise SetupError(_NO_FILE)  # a directory or an archive, or standard input
    names = [name for name, found in vars(program).items() if found is app]
    if not names:
        kind = "app = App()" if isinstance(app, App) else "app = ..."
        msg = (
            "workers find the application by its name, and this one has none in "
            f"{place}; write `{kind}` at the top level there, and give run() that"
        )
        raise SetupError(msg)
    return f"{place}:{names[0]}"


def refuse_in_worker() -> None:
    """SetupError, with the line to write, for a program that runs anew in a worker."""
    msg = (
        "the program calls run() again in each worker that loads it; "
        'write `if __name__ == "__main__":` before that call'
    )
    raise SetupError(msg)
