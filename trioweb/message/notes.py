"""Notes: a mapping kept as fields, which knows what has changed since it was read.

Each key stands by itself, as JSON, so that requests which run at the same time and
change different keys both keep what they wrote.  A value is decoded when it is first
read; one that can be changed in place is encoded again to see whether it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, overload

import msgspec

from trioweb.message.fields import SESSION_LIMIT, Fields, decoded, encoded, size

T = TypeVar("T")

# Keys that begin so are ours: users neither see nor set them.
PRIVATE = "~"

# What JSON says as it is, and what cannot be changed where it is either.
_PLAIN = frozenset({str, int, bool, type(None)})
_FIXED = frozenset({float, bytes})

_REQUIRED = object()

_SEALED = (
    "the response has begun, and this change to the session would be lost; make it "
    "before you return the response, or write at once with "
    "`await request.session.save({...})`"
)


@dataclass(slots=True)
class _View:
    """A value as somebody has it in hand, and its JSON then.

    Not the field: a Struct may say the same in another way.  None: it cannot change.
    """

    value: Any
    before: bytes | None


class Notes(Mapping[str, Any]):
    """Names and values; `changes` says what is to be written.

    Values are what JSON can say, and whatever else msgspec encodes (datetime, UUID,
    bytes, Struct, dataclass).  They are read back as JSON, or by `value` as a type.
    """

    __slots__ = ("_size", "_stored", "_views", "_written", "sealed")

    def __init__(self, fields: Fields | None = None) -> None:
        self._stored: dict[str, bytes] = {**fields} if fields else {}
        self._written: dict[str, bytes | None] = {}  # None: removed
        # As they were read or set, by the type that was asked for.
        self._views: dict[str, dict[Any, _View]] = {}
        self._size: int | None = None  # counted when something is written
        self.sealed = False

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401  # whatever was stored
        """The value of *key*: as it was set, or what its JSON says; KeyError."""
        return self._read(key, Any)

    @overload
    def value(self, key: str, type: type[T]) -> T: ...
    @overload
    def value(self, key: str, type: object) -> Any: ...  # noqa: ANN401  # ``int | None``
    def value(self, key: str, type: object) -> object:  # noqa: A002
        """The value of *key* converted to *type*: a datetime, a Struct, ``set[int]``.

        The same object each time, so that what is changed in it counts.  KeyError where
        there is none, ValueError where it does not fit.
        """
        try:
            return self._read(key, type)
        except msgspec.DecodeError as error:
            name = getattr(type, "__name__", type)
            msg = f"session[{key!r}] is no {name}: {error}"
            raise ValueError(msg) from error

    def __setitem__(self, key: str, value: object) -> None:
        """Set *key*; TypeError or ValueError at once for what cannot be stored."""
        self.require_open()
        require_key(key)
        self._write(key, encoded(key, value))
        self._remember(key, Any, value)

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
        for key in list(self._views):
            self._gather(key)
        if self._written and (total := self._total()) > SESSION_LIMIT:
            raise ValueError(_no_room(self._fields(), total))
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
        self._size = None

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
        if views := self._views.get(key):
            if type in views and len(views) == 1:
                return views[type].value
            self._gather(key)
            if (view := self._views[key].get(type)) is not None:
                return view.value
        field = self._field(key)
        if field is None:
            raise KeyError(key)
        value = decoded(field, type)
        self._remember(key, type, value)
        return value

    def _field(self, key: str) -> bytes | None:
        return self._written[key] if key in self._written else self._stored.get(key)

    def _remember(self, key: str, kind: object, value: object) -> None:
        if type(value) not in _PLAIN:
            before = None if type(value) in _FIXED else encoded(key, value)
            self._views.setdefault(key, {})[kind] = _View(value, before)

    def _gather(self, key: str) -> None:
        """Take over what was changed in place in a view of *key*."""
        for kind, view in list(self._views.get(key, {}).items()):
            if view.before is None:
                continue
            now = encoded(key, view.value)
            if now != view.before:
                view.before = self._written[key] = now
                self._size = None
                # The others show what is no longer so.
                self._views[key] = {kind: view}

    def _write(self, key: str, field: bytes | None) -> None:
        old = self._field(key)
        total = self._total() - (0 if old is None else _bytes(key, old))
        if field is not None:
            total += _bytes(key, field)
            if total > SESSION_LIMIT:
                raise ValueError(_no_room({**self._fields(), key: field}, total))
        self._size = total
        self._views.pop(key, None)
        if field is None and key not in self._stored:
            self._written.pop(key, None)
        else:
            self._written[key] = field

    def _total(self) -> int:
        if self._size is None:
            self._size = size(self._fields())
        return self._size

    def _forget(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._views.pop(key, None)

    def _erase(self) -> None:
        for held in (self._stored, self._written, self._views):
            held.clear()
        self._size = None


def require_key(key: object) -> None:
    """TypeError or ValueError for what cannot name a value."""
    if not isinstance(key, str):
        msg = f"a session's keys are str, not {type(key).__name__}; convert it first"
        raise TypeError(msg)
    if key.startswith(PRIVATE):
        msg = f"session[{key!r}]: keys that begin with {PRIVATE!r} are taken"
        raise ValueError(msg)
    try:
        key.encode()
    except UnicodeEncodeError as error:
        msg = f"session[{key!r}]: half of a surrogate pair is no text; convert it first"
        raise ValueError(msg) from error


def _no_room(fields: Fields, total: int) -> str:
    largest = max(fields, key=lambda key: len(fields[key]))
    return (
        f"the session would have {total} bytes, more than {SESSION_LIMIT}; most of "
        f"it is session[{largest!r}]: keep that in a database, and its key here"
    )


def _bytes(key: str, field: bytes) -> int:
    return len(key.encode()) + len(field)
