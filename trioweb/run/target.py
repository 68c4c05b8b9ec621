"""Targets: the application that a command names: ``shop.py``, ``shop.web:app``."""

from __future__ import annotations

import difflib
import importlib
import pkgutil
import sys
import traceback
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

from trioweb.app.app import App, Served
from trioweb.app.call import check
from trioweb.message.errors import SetupError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import ModuleType


# What is served of a file when nothing is named: an App, or a program's one function.
DEFAULTS = ("app", "handler")

_FORMS = "give FILE.py, FILE.py:NAME, MODULE or MODULE:NAME"


class TargetError(SetupError):
    """A target that names nothing to serve; one line with what there is instead."""


def load(target: str) -> Served:
    """The App or the asynchronous function that *target* names.

    *target* is ``path/to/file.py`` or ``package.module``, then perhaps ``:name``, which
    may have dots and is "app", or else "handler", where it is left out.  The file's
    directory (for a module, the working directory) comes first on sys.path, and the
    file runs under its own name, so that its ``if __name__ == "__main__":`` is not for
    us.  Raises TargetError; what the file itself raises comes out as it is.
    """
    place, colon, name = target.partition(":")
    if not place or (colon and not name):
        msg = f"{target!r} names nothing to serve; {_FORMS}"
        raise TargetError(msg)
    is_file = place.endswith(".py") or "/" in place
    module = _run_file(Path(place)) if is_file else _import(place)
    return _named(module, place, name) if name else _default(module, place)


def show_fault(error: Exception) -> None:
    """Print *error*, raised while a target was loaded or served, with its traceback.

    Without our own frames on the way into the user's file.
    """
    trace = error.__traceback__
    while trace is not None and _loads(trace.tb_frame.f_globals):
        trace = trace.tb_next
    traceback.print_exception(type(error), error, trace)


def _loads(module: Mapping[str, object]) -> bool:
    return str(module.get("__name__")).partition(".")[0] in {"trioweb", "importlib"}


def _run_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise TargetError(_missing_file(path))
    path = path.resolve()
    name = path.stem
    if (loaded := sys.modules.get(name)) is not None:
        if getattr(loaded, "__file__", None) == str(path):
            return loaded
        # Under its own name it would take the place of a module that is in use.
        msg = f"{path.name} has the name of the module {name!r}; rename the file"
        raise TargetError(msg)
    sys.path.insert(0, str(path.parent))
    loader = SourceFileLoader(name, str(path))
    spec = ModuleSpec(name, loader, origin=str(path))
    spec.has_location = True
    module = module_from_spec(spec)
    sys.modules[name] = module  # as import does: dataclasses look there for their own
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _missing_file(path: Path) -> str:
    if path.is_dir():
        return f"{path} is a directory; give one of its files, as {path / 'app.py'}"
    found = (str(each) for each in path.parent.glob("*.py"))
    return f"{path} is not there; {_meant(str(path), found) or _FORMS}"


def _import(name: str) -> ModuleType:
    if not all(part.isidentifier() for part in name.split(".")):
        msg = f"{name!r} is no module; {_FORMS}"
        raise TargetError(msg)
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if not f"{name}.".startswith(f"{missing}."):
            raise  # something that the module imports
        found = (each.name for each in pkgutil.iter_modules([here]))
        msg = f"there is no module {missing!r}; {_meant(missing, found) or _FORMS}"
        raise TargetError(msg) from None


def _named(module: ModuleType, place: str, name: str) -> Served:
    found: object = module
    for part in name.split("."):
        if not hasattr(found, part):
            remedy = _meant(part, dir(found)) or _offer(module, place)
            msg = f"{place} has no {name}; {remedy}"
            raise TargetError(msg)
        found = getattr(found, part)
    if _serves(found):
        return found
    msg = (
        f"{name} in {place} is neither an App nor an async function that takes a "
        f"request; {_offer(module, place)}"
    )
    raise TargetError(msg)


def _default(module: ModuleType, place: str) -> Served:
    for name in DEFAULTS:
        found = vars(module).get(name)
        if _serves(found):
            return found
    msg = (
        f"{place} has neither an App called app nor an async function called handler; "
        f"{_offer(module, place)}"
    )
    raise TargetError(msg)


def _serves(found: object) -> TypeGuard[Served]:
    if isinstance(found, App):
        return True
    try:
        check("", found, ("request",))
    except SetupError:
        return False
    return True


def _offer(module: ModuleType, place: str) -> str:
    """What *module* has that can be served, and the command for the first of it."""
    own = {
        name: found
        for name, found in vars(module).items()
        if not name.startswith("_") and _serves(found)
    }
    apps = [name for name, found in own.items() if isinstance(found, App)]
    functions = [
        name
        for name, found in own.items()
        if name not in apps and getattr(found, "__module__", None) == module.__name__
    ]
    shown = [f"{name} (App)" for name in apps]
    shown += [f"{name} (async function)" for name in functions]
    if not shown:
        return "make one of them there"
    return f"it has {', '.join(shown)}: trioweb run {place}:{(apps + functions)[0]}"


def _meant(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, names, n=3)
    return f"did you mean {' or '.join(near)}?" if near else ""
