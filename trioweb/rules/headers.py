"""Header fields: an ordered mapping that ignores case (RFC 9110 section 5)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, TypeVar, overload

if TYPE_CHECKING:
    from _typeshed import SupportsKeysAndGetItem

T = TypeVar("T")

# RFC 9110 5.6.2: token.
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_NOT_TOKEN = re.compile(r"[^!#$%&'*+\-.^_`|~0-9A-Za-z]")

# RFC 9110 5.5: what no field value may contain; HTAB is allowed inside it.
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

# RFC 9110 8.6: Content-Length.  15 digits are a petabyte, and safe in any arithmetic.
LENGTH = re.compile(rb"[0-9]{1,15}")

# RFC 9110 5.6.4: quoted-string.  The first expression also takes one that never ends,
# so that it matches at every quote and is never tried again from the next one: with
# the possessive quantifiers that makes whatever is built of it linear.
_ANY_QUOTED = r'"(?:[^"\\]++|\\.?)*+"?'
_ELEMENT = re.compile(rf'(?:[^",]++|{_ANY_QUOTED})++', re.DOTALL)
_PARAMETER = re.compile(rf'(?:[^";]++|{_ANY_QUOTED})++', re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)

# RFC 9110 5.3: the one field whose lines must not be joined, because a comma may
# stand inside its value.
_UNJOINED = b"set-cookie"


class Headers(MutableMapping[str, str]):  # noqa: PLW1641  # it can change
    """Header fields in the order they were added.

    *raw* is the storage: (lower-case name, value) in bytes, one item per line, written
    to the wire as it stands.  Names are found in any case.  A name or value that HTTP
    does not allow raises ValueError at the moment it is set; one that is not text
    raises TypeError.  White space around a value is not part of it (RFC 9110 5.5).

    >>> headers = Headers({"Content-Type": "text/plain"})
    >>> headers.add("Vary", "Accept")
    >>> headers.add("vary", "Cookie")
    >>> headers["VARY"]
    'Accept, Cookie'
    """

    __slots__ = ("raw",)

    raw: list[tuple[bytes, bytes]]

    def __init__(
        self, fields: Mapping[str, str] | Iterable[tuple[str, str]] = ()
    ) -> None:
        if isinstance(fields, Headers):
            self.raw = fields.raw.copy()
            return
        self.raw = []
        for name, value in fields.items() if isinstance(fields, Mapping) else fields:
            self.add(name, value)

    @classmethod
    def from_wire(cls, raw: list[tuple[bytes, bytes]]) -> Headers:
        """Adopt a list that the wire has validated, without copying or checking it."""
        headers = cls.__new__(cls)
        headers.raw = raw
        return headers

    def __getitem__(self, name: str) -> str:
        """All values of the field joined by ", " (RFC 9110 5.3); KeyError if absent.

        Of set-cookie it is the first value; get_all has all of them.
        """
        value = self._joined(name)
        if value is None:
            raise KeyError(name)
        return value

    @overload
    def get(self, key: str, /) -> str | None: ...
    @overload
    def get(self, key: str, /, default: str) -> str: ...
    @overload
    def get(self, key: str, /, default: T) -> str | T: ...
    def get(self, key: str, /, default: object = None) -> object:
        """As the subscript, with *default* in place of a KeyError."""
        # The inherited one raises and catches: absent fields are the usual case.
        value = self._joined(key)
        return default if value is None else value

    def _joined(self, name: str) -> str | None:
        key = _key(name)
        values = [value for field, value in self.raw if field == key]
        if not values:
            return None
        if key == _UNJOINED:
            return values[0].decode("latin-1")
        return b", ".join(values).decode("latin-1")

    def get_all(self, name: str) -> list[str]:
        """The value of every line of the field, in order; empty if absent."""
        key = _key(name)
        return [value.decode("latin-1") for field, value in self.raw if field == key]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Every line in order, as text."""
        for name, value in self.raw:
            yield name.decode("ascii"), value.decode("latin-1")

    def __setitem__(self, name: str, value: str) -> None:
        """Replace all lines of the field by one, which stands where the first stood."""
        line = (field_name(name), field_value(name, value))
        for index, (field, _) in enumerate(self.raw):
            if field == line[0]:
                rest = [other for other in self.raw[index + 1 :] if other[0] != field]
                self.raw[index:] = [line, *rest]
                return
        self.raw.append(line)

    def add(self, name: str, value: str) -> None:
        """Append a line, beside those the field has already."""
        self.raw.append((field_name(name), field_value(name, value)))

    def __delitem__(self, name: str) -> None:
        key = _key(name)
        kept = [line for line in self.raw if line[0] != key]
        if len(kept) == len(self.raw):
            raise KeyError(name)
        self.raw[:] = kept

    def update(
        self,
        other: SupportsKeysAndGetItem[str, str] | Iterable[tuple[str, str]] = (),
        /,
        **named: str,
    ) -> None:
        """Replace the fields *other* has; from Headers every line is taken over."""
        # The inherited one reads joined values, and so would lose a second cookie.
        if isinstance(other, Headers):
            lines = other.raw.copy()
            replaced = {name for name, _ in lines}
            self.raw[:] = [line for line in self.raw if line[0] not in replaced]
            self.raw += lines
            other = ()
        super().update(other, **named)

    def copy(self) -> Headers:
        """An independent Headers with the same lines."""
        return Headers.from_wire(self.raw.copy())

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str):
            return False
        key = _key(name)
        return any(field == key for field, _ in self.raw)

    def __iter__(self) -> Iterator[str]:
        """Each name once, in lower case."""
        for name in dict.fromkeys(name for name, _ in self.raw):
            yield name.decode("ascii")

    def __len__(self) -> int:
        """The number of different names."""
        return len({name for name, _ in self.raw})

    def __eq__(self, other: object) -> bool:
        """Equal lines; the order of different names means nothing (RFC 9110 5.3)."""
        if isinstance(other, Headers):
            return sorted(self.raw, key=_name) == sorted(other.raw, key=_name)
        return super().__eq__(other)

    def __repr__(self) -> str:
        return f"Headers({list(self.pairs())!r})"


def field_name(name: str) -> bytes:
    """The name as it is stored: a token in lower case (RFC 9110 5.1).

    ValueError if it is no token, TypeError if it is no text.
    """
    if not isinstance(name, str):
        raise _not_text("the name of a header field", name)
    if bad := _NOT_TOKEN.search(name):
        raise ValueError(
            f"header field {name!r}: {bad[0]!r} cannot stand in a name; "
            "use only letters, digits and !#$%&'*+-.^_`|~"
        )
    if not name:
        raise ValueError("the name of a header field is empty; give it one")
    return name.lower().encode("ascii")


def field_value(name: str, value: str) -> bytes:
    """The value as it is stored: latin-1, without white space around it (RFC 9110 5.5).

    ValueError if it has a control character or one outside latin-1, TypeError if it is
    no text.
    """
    if not isinstance(value, str):
        raise _not_text(f"the value of header field {name!r}", value)
    try:
        line = value.encode("latin-1").strip(b" \t")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"header field {name!r}: {value[error.start]!r} is outside latin-1; "
            "percent-encode it (urllib.parse.quote) or use the form of RFC 8187"
        ) from None
    if bad := CONTROL.search(line):
        raise ValueError(
            f"header field {name!r}: {bad[0].decode('ascii')!r} cannot stand in a "
            "value; remove it or percent-encode it (urllib.parse.quote)"
        )
    return line


def parse_list(value: str) -> list[str]:
    """The elements of a comma separated list, empty ones dropped (RFC 9110 5.6.1).

    A comma inside a quoted string separates nothing; quotes stay as they are.  Never
    fails; the time is linear in the length.

    >>> parse_list('"a, b", , c')
    ['"a, b"', 'c']
    """
    elements = [element.strip(" \t") for element in _ELEMENT.findall(value)]
    return [element for element in elements if element]


def parse_parameters(value: str) -> tuple[str, dict[str, str]]:
    """What stands before the first semicolon, and the parameters (RFC 9110 5.6.6).

    The first part and the names are in lower case, quoted values without their quotes.
    Of equal names the first wins; what is no parameter is skipped.  Never fails; the
    time is linear in the length.

    >>> parse_parameters('Text/HTML; Charset="utf-8"')
    ('text/html', {'charset': 'utf-8'})
    """
    first, _, rest = value.partition(";")
    parameters: dict[str, str] = {}
    for piece in _PARAMETER.findall(rest):
        name, _, text = piece.strip(" \t").partition("=")
        if not TOKEN.fullmatch(name):
            continue
        if quoted := _QUOTED.fullmatch(text):
            parameters.setdefault(name.lower(), _ESCAPE.sub(r"\1", quoted[1]))
        elif TOKEN.fullmatch(text):
            parameters.setdefault(name.lower(), text)
    return first.strip(" \t").lower(), parameters


def _not_text(what: str, value: object) -> TypeError:
    found = type(value).__name__
    return TypeError(f"{what} must be str, not {found}; convert it first")


def _key(name: str) -> bytes:
    # Bytes are lowered after encoding because text would turn the Kelvin sign into a
    # k; the "?" of a character outside ASCII is no token, so it is never found.
    return name.encode("ascii", "replace").lower()


def _name(line: tuple[bytes, bytes]) -> bytes:
    return line[0]
