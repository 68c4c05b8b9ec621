"""Sources: what the file and the environment say of how a server is to run."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

from trioweb.run.settings import (
    KINDS,
    Setting,
    SettingError,
    from_text,
    from_value,
    nearest,
    variable,
)

# Only in the working directory: one that lies above may be anybody's, as in /tmp.
OWN_FILE = Path("trioweb.toml")
SHARED_FILE = Path("pyproject.toml")

PREFIX = "TRIOWEB_"

# The variable that names the file, as `--config` does.
CONFIG = "TRIOWEB_CONFIG"

# What Kubernetes tells every container of a service that is called trioweb, or begins
# so: TRIOWEB_SERVICE_HOST, TRIOWEB_SHOP_PORT_80_TCP_ADDR, TRIOWEB_PORT=tcp://...
_LINK = re.compile(
    r"TRIOWEB(_\w+)?_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)"
)
_LINKED = ("tcp://", "udp://", "sctp://")


def surroundings(
    environment: Mapping[str, str] = os.environ, file: Path | None = None
) -> list[Setting]:
    """What the file and the environment say, in the order in which it counts.

    *file* is by default what $TRIOWEB_CONFIG names, else ``trioweb.toml`` or what
    ``[tool.trioweb]`` in ``pyproject.toml`` says in the working directory.
    SettingError for what is no setting, and for a file that cannot be read.
    """
    if file is None and (named := environment.get(CONFIG)):
        file = Path(named)
    return [*_from_file(file), *_from_environment(environment)]


def _from_environment(environment: Mapping[str, str]) -> Iterator[Setting]:
    names = {variable(name): name for name in KINDS}
    for key, text in environment.items():
        # An empty one is how a line of a compose file says that there is none.
        if not key.startswith(PREFIX) or not text or key == CONFIG:
            continue
        if _LINK.fullmatch(key) or text.startswith(_LINKED):
            continue
        if key not in names:
            msg = f"{key} is no setting; {nearest(key, [*names, CONFIG])}"
            raise SettingError(msg)
        try:
            value = from_text(names[key], text)
        except ValueError as error:
            msg = f"{key}: {error}"
            raise SettingError(msg) from error
        yield Setting(names[key], value, key)


def _from_file(named: Path | None) -> Iterator[Setting]:
    if named is not None:
        table, prefix = _table(_parsed(named), named)
        yield from _settings(table, named, prefix)
        return
    own = _parsed(OWN_FILE) if OWN_FILE.is_file() else None
    shared = _parsed_if_ours(SHARED_FILE)
    if own is not None and shared is not None:
        msg = f"both {OWN_FILE} and {SHARED_FILE} have settings; keep one of them"
        raise SettingError(msg)
    if own is not None:
        yield from _settings(own, OWN_FILE, "")
    elif shared is not None:
        table, prefix = _table(shared, SHARED_FILE)
        yield from _settings(table, SHARED_FILE, prefix)


def _settings(
    table: Mapping[str, object], file: Path, prefix: str, outer: str = ""
) -> Iterator[Setting]:
    for key, value in table.items():
        name = f"{outer}{key}"
        if isinstance(value, dict):
            yield from _settings(value, file, prefix, f"{name}.")
            continue
        place = f"{file}:{prefix}{name}"
        if name not in KINDS:
            msg = f"{place} is no setting; {nearest(name, KINDS)}"
            raise SettingError(msg)
        try:
            converted = from_value(name, value)
        except ValueError as error:
            msg = f"{place}: {error}"
            raise SettingError(msg) from error
        yield Setting(name, converted, str(file), f"{prefix}{name}")


def _parsed(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}"
        raise SettingError(msg) from error
    except ValueError as error:  # neither UTF-8 nor, then, TOML
        msg = f"{file} is no TOML: {error}"
        raise SettingError(msg) from error


def _parsed_if_ours(file: Path) -> dict[str, object] | None:
    """What *file* says, if it has a table for us; others' faults are not ours."""
    if not file.is_file():
        return None
    try:
        if b"trioweb" not in file.read_bytes():
            return None
    except OSError as error:
        msg = f"{file} cannot be read: {error.strerror}"
        raise SettingError(msg) from error
    parsed = _parsed(file)
    tools = parsed.get("tool")
    return parsed if isinstance(tools, dict) and "trioweb" in tools else None


def _table(
    parsed: Mapping[str, object], file: Path
) -> tuple[Mapping[str, object], str]:
    """The table of settings in a file, and what its keys begin with there."""
    if file.name != SHARED_FILE.name:
        return parsed, ""
    tools = parsed.get("tool", {})
    table = tools.get("trioweb", {}) if isinstance(tools, dict) else None
    if not isinstance(table, dict):
        msg = f"{file}:tool.trioweb is no table; write [tool.trioweb]"
        raise SettingError(msg)
    return table, "tool.trioweb."
