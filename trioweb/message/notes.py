"""Notes: a mapping kept as fields, which knows what has changed since it was read.

Each key stands by itself, as JSON, so that requests which run at the same time and
change different keys both keep what they wrote.  A value is decoded when it is first
read; one that can be changed in place is encoded again to see whether it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar, overload

import msgspec

from trioweb.message.fields import SESSION_LIMIT, Fields, decoded, encoded, size

T = TypeVar("T")

# Keys that begin so are ours: users neither see nor set them.
PRIVATE = "~"

# What cannot be changed where it is: another value is another object.
_SCALARS = frozenset({str, int, float, bool, type(None), bytes})

_REQUIRED = object()

_SEALED = (
    "the response has begun, and this change to the session would be lost; make it "
    "before you return the response, or write at once with "
    "`await request.session.save({...})`"
)


class Notes(Mapping[str, object]):
    """Names and values; `changes` says what is to be written.

    Values are what JSON can say, and whatever else msgspec encodes (datetime, UUID,
    bytes, Struct, dataclass).  They are read back as JSON, or by `value` as a type.
    """

    __slots__ = ("_before", "_stored", "_values", "_written", "sealed")

    def __init__(self, fields: Fields | None = None) -> None:
        self._stored: dict[str, bytes] = dict(fields) if fields else {}
        self._written: dict[str, bytes | None] = {}  # None: removed
        self._values: dict[str, Any] = {}  # as they were read or set
        self._before: dict[str, bytes] = {}  # how those were that can change in place
        self.sealed = False

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401  # whatever was stored
        """The value of *key*: as it was set, or what its JSON says; KeyError."""
        if key in self._values:
            return self._values[key]
        return self._read(key, Any)

    def value(self, key: str, type: type[T]) -> T:  # noqa: A002
        """The value of *key* converted to *type*: a datetime, a Struct, ``set[int]``.

        KeyError where there is none, ValueError where it does not fit.
        """
        try:
            value: T = self._read(key, type)
        except msgspec.DecodeError as error:
            name = getattr(type, "__name__", type)
            msg = f"session[{key!r}] is no {name}: {error}"
            raise ValueError(msg) from error
        return value

    def __setitem__(self, key: str, value: object) -> None:
        """Set *key*; TypeError or ValueError at once for what cannot be stored."""
        self.require_open()
        require_key(key)
        self._write(key, encoded(key, value))
        self._remember(key, value)

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self.require_open()
        self._write(key, None)

    def __iter__(self) -> Iterator[str]:
        return (key for key in self._fields() if not key.startswith(PRIVATE))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, key: object) -> bool:
        if key in self._written:
            return self._written[str(key)] is not None
        return key in self._stored

    @overload
    def pop(self, key: str) -> Any: ...  # noqa: ANN401
    @overload
    def pop(self, key: str, default: T) -> Any | T: ...  # noqa: ANN401
    def pop(self, key: str, default: object = _REQUIRED) -> object:
        """Remove *key* and return what it was; *default*, or KeyError, if absent."""
        if key not in self and default is not _REQUIRED:
            return default
        value: object = self[key]
        del self[key]
        return value

    def setdefault(self, key: str, default: object) -> Any:  # noqa: ANN401
        """The value of *key*, which is set to *default* first where it is absent."""
        if key not in self:
            self[key] = default
        return self[key]

    def clear(self) -> None:
        """Remove every key; the session itself goes on."""
        for key in list(self):
            del self[key]

    def changes(self) -> dict[str, bytes | None]:
        """What is to be written: the new fields, and None for what was removed.

        ValueError where the whole has grown over 16 KiB, which names the largest key.
        """
        for key, before in self._before.items():
            now = encoded(key, self._values[key])
            if now != before:
                self._before[key] = self._written[key] = now
        if self._written:
            _require_room(self._fields())
        return dict(self._written)

    def saved(self, fields: Mapping[str, bytes | None]) -> None:
        """Note that *fields* have been written (None: removed)."""
        for key, field in fields.items():
            if self._written.get(key, field) == field:
                self._written.pop(key, None)
            if field is None:
                self._stored.pop(key, None)
            else:
                self._stored[key] = field

    def require_open(self) -> None:
        """RuntimeError once a change would no longer be saved."""
        if self.sealed:
            raise RuntimeError(_SEALED)

    def _fields(self) -> dict[str, bytes]:
        if not self._written:
            return self._stored
        both = {**self._stored, **self._written}
        return {key: field for key, field in both.items() if field is not None}

    def _read(self, key: str, type: Any) -> Any:  # noqa: A002, ANN401
        field = self._written[key] if key in self._written else self._stored.get(key)
        if field is None:
            raise KeyError(key)
        value = decoded(field, type)
        self._remember(key, value)
        return value

    def _remember(self, key: str, value: object) -> None:
        self._values[key] = value
        if type(value) not in _SCALARS:
            # Not the field: a Struct may say the same in another way.
            self._before[key] = encoded(key, value)

    def _write(self, key: str, field: bytes | None) -> None:
        self._forget([key])
        if field is None and key not in self._stored:
            self._written.pop(key, None)
        else:
            self._written[key] = field
        if field is not None:
            _require_room(self._fields())

    def _forget(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._values.pop(key, None)
            self._before.pop(key, None)

    def _erase(self) -> None:
        for held in (self._stored, self._written, self._values, self._before):
            held.clear()


def require_key(key: object) -> None:
    """TypeError or ValueError for what cannot name a value."""
    if not isinstance(key, str):
        msg = f"a session's keys are str, not {type(key).__name__}; convert it first"
        raise TypeError(msg)
    if key.startswith(PRIVATE):
        msg = f"session[{key!r}]: keys that begin with {PRIVATE!r} are taken"
        raise ValueError(msg)


def _require_room(fields: Fields) -> None:
    if (total := size(fields)) > SESSION_LIMIT:
        largest = max(fields, key=lambda key: len(fields[key]))
        msg = (
            f"the session would have {total} bytes, more than {SESSION_LIMIT}; most of "
            f"it is session[{largest!r}]: keep that in a database, and its key here"
        )
        raise ValueError(msg)
