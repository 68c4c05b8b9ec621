"""Settings: the fields of Config by their names, as words and values say them.

A setting has one name everywhere: ``limits.head_time`` here and on the command line,
``head_time`` below ``[limits]`` in a file, ``TRIOWEB_LIMITS_HEAD_TIME`` outside.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import NoneType
from typing import (
    TYPE_CHECKING,
    Literal,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec

from trioweb.message.errors import SetupError
from trioweb.run.config import Config

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

# The word for no value at all: TOML has none, and an empty variable is one not set.
NONE = "none"


class SettingError(SetupError):
    """A setting that was given wrongly; one line with the place and the remedy."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One value that was given, and where: a file, a variable or an option."""

    name: str
    value: object
    source: str
    key: str = ""  # its name there, in a file

    @property
    def place(self) -> str:
        """Where it stands, for whoever has to correct it."""
        return f"{self.source}:{self.key}" if self.key else self.source


@dataclass(frozen=True, slots=True)
class Settled:
    """A config, and for what was given its settings by name, the deciding one each."""

    config: Config
    given: Mapping[str, Setting]


def settle(config: Config, settings: Iterable[Setting]) -> Settled:
    """*config* with *settings* in the place of what it says; of two the later counts.

    SettingError for one that is no value of a config.
    """
    given = {}
    for each in settings:
        config = _changed(config, each)
        given[each.name] = each
    return Settled(config, given)


def _changed(config: Config, setting: Setting) -> Config:
    table, _, field = setting.name.rpartition(".")
    try:
        if not table:
            return _replaced(config, field, setting.value)
        inner = _replaced(getattr(config, table), field, setting.value)
        return _replaced(config, table, inner)
    except SetupError as error:
        msg = f"{setting.place}: {error}"
        raise SettingError(msg) from error


def _replaced(owner: T, field: str, value: object) -> T:
    return dataclasses.replace(owner, **{field: value})


def value_of(config: Config, name: str) -> object:
    """What *config* has for the setting *name*."""
    value: object = config
    for part in name.split("."):
        value = getattr(value, part)
    return value


# ------------------------------------------------------------------- names and types


def _kinds(owner: type, prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, kind in get_type_hints(owner).items():
        if isinstance(kind, type) and dataclasses.is_dataclass(kind):
            yield from _kinds(kind, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", kind


KINDS: Mapping[str, object] = dict(_kinds(Config))
"""The type of every setting, by its name."""


def variable(name: str) -> str:
    """The environment variable of a setting.

    >>> variable("limits.head_time")
    'TRIOWEB_LIMITS_HEAD_TIME'
    """
    return f"TRIOWEB_{name.replace('.', '_').upper()}"


# What other servers call the place where they listen.
_ELSEWHERE = {"port", "host", "listen"}


def nearest(word: str, words: Iterable[str]) -> str:
    """What *word* may have been meant for, as the end of a sentence.

    >>> nearest("head_tiem", ["limits.head_time", "grace"])
    'did you mean limits.head_time?'
    """
    all_of_them = list(words)
    last = word.lower().rpartition("_")[2]
    if last in _ELSEWHERE:
        found = [each for each in all_of_them if each.lower().endswith("bind")]
        return f"did you mean {found[0]}?"
    # The last part alone is what people remember.
    ends = {each.rpartition(".")[2]: each for each in all_of_them}
    for choice in ({each: each for each in all_of_them}, ends):
        if near := difflib.get_close_matches(word, choice, n=1, cutoff=0.7):
            return f"did you mean {choice[near[0]]}?"
    return "`trioweb run TARGET --show-config` lists all there are"


def is_list(name: str) -> bool:
    """Whether the setting *name* has any number of values."""
    return get_origin(KINDS[name]) is tuple


# ---------------------------------------------------------------------------- values


def from_text(name: str, text: str) -> object:
    """The value of the setting *name* that *text* is; ValueError with what to give.

    A list has commas, "none" is no value.

    >>> from_text("bind", "localhost:80, unix:/run/shop.sock")
    ('localhost:80', 'unix:/run/shop.sock')
    """
    kind = KINDS[name]
    if is_list(name) and not _means_none(text):
        return tuple(part for each in text.split(",") if (part := each.strip()))
    return _converted(kind, text, text=True)


def from_value(name: str, value: object) -> object:
    """The same for a value that has a type of its own, as in TOML."""
    return _converted(KINDS[name], value, text=False)


def _means_none(value: object) -> bool:
    return isinstance(value, str) and value.lower() == NONE


def _converted(kind: object, value: object, *, text: bool) -> object:
    if _means_none(value):
        if get_origin(kind) is tuple:
            return ()
        if NoneType in get_args(kind):
            return None
    try:
        converted: object = msgspec.convert(value, kind, strict=not text)
    except msgspec.ValidationError as error:
        msg = f"{value!r} is not {_told(kind)}"
        raise ValueError(msg) from error
    return converted


def _told(kind: object) -> str:
    """What values there are of a type.

    >>> _told(int | Literal["auto"] | None)
    'a whole number, "auto" or "none"'
    """
    *most, last = _words(kind)
    return f"{', '.join(most)} or {last}" if most else last


_WORDS: Mapping[object, str] = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    NoneType: f'"{NONE}"',
}


def _words(kind: object) -> list[str]:
    if kind in _WORDS:
        return [_WORDS[kind]]
    if get_origin(kind) is Literal:
        return [f'"{each}"' for each in get_args(kind)]
    if get_origin(kind) is tuple:
        return ["a list of texts"]
    return [word for each in get_args(kind) for word in _words(each)]
