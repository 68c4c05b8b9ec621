"""Route patterns: which paths a route answers, and the path of given parameters."""

from __future__ import annotations

import keyword
import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, NoReturn

from trioweb.rules.kinds import KINDS, PATH, Kind
from trioweb.rules.target import encode_path, encode_segment

if TYPE_CHECKING:
    from collections.abc import Mapping

_PARAMETER = re.compile(r"\{(?P<name>[^{}:]*)(?::(?P<kind>[^{}]*))?\}")


# What is left of a target when its path has been decoded holds none of these: a query,
# a fragment, an escape.
_NOT_DECODED = re.compile(r"\?.*|#.*|%[0-9A-Fa-f]{2}")


class PatternError(ValueError):
    """A pattern that cannot be, or parameters that do not fit it."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A segment that matches the same decoded text."""

    text: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A segment (of kind path: all that remain) handed to the handler by name."""

    name: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern taken apart: one part per segment, and the names of its parameters."""

    text: str
    parts: tuple[Literal | Parameter, ...]
    names: tuple[str, ...]

    def build(self, params: Mapping[str, object]) -> str:
        """The path with *params* in place, percent-encoded.

        A target with this path matches the pattern and gives the same parameters.
        PatternError if one is missing, unexpected or not of its kind.

        >>> parse_pattern("/files/{name}").build({"name": "a/b.txt"})
        '/files/a%2Fb.txt'
        """
        if unexpected := params.keys() - set(self.names):
            self._refuse(f"has no parameter {min(unexpected)!r}; leave it out")
        path = "/" + "/".join(self._encoded(part, params) for part in self.parts)
        if path.startswith("//"):
            # In a link or a Location that is the name of another host (RFC 3986 4.2).
            self._refuse("would begin with //; take the slash off the parameter")
        return path

    def _encoded(self, part: Literal | Parameter, params: Mapping[str, object]) -> str:
        if isinstance(part, Literal):
            return encode_segment(part.text)
        if part.name not in params:
            self._refuse(f"needs the parameter {part.name!r}; give it a value")
        value = params[part.name]
        text = _text(value)
        segments = text.split("/") if part.kind is PATH else [text]
        if part.kind.convert(text) is None or not all(map(_writable, segments)):
            self._refuse(f"takes no {value!r} as {part.name!r} ({part.kind.name})")
        return encode_path(text) if part.kind is PATH else encode_segment(text)

    def _refuse(self, fault: str) -> NoReturn:
        raise PatternError(f"the pattern {self.text!r} {fault}")


def parse_pattern(text: str) -> Pattern:
    """Take apart what a route is registered with.

    Literals are written decoded ("/한글" matches "/%ED%95%9C%EA%B8%80"), parameters as
    {name} or {name:kind}, each a whole segment; {name:path} only as the last.  A slash
    at the end is a last, empty literal.  PatternError says what to write instead.

    >>> parse_pattern("/users/{id:int}").names
    ('id',)
    """
    if not text.startswith("/"):
        raise PatternError(
            f"the pattern {text!r} does not start with /; write '/{text}'"
        )
    parts = tuple(_part(text, segment) for segment in text[1:].split("/"))
    parameters = [part for part in parts if isinstance(part, Parameter)]
    names = tuple(parameter.name for parameter in parameters)
    for name in names:
        if names.count(name) > 1:
            raise PatternError(
                f"the pattern {text!r} has two parameters {name!r}; rename one"
            )
    if any(
        parameter.kind is PATH for parameter in parameters if parameter != parts[-1]
    ):
        raise PatternError(
            f"the pattern {text!r} goes on after a parameter of kind path, which takes "
            "all that remains; move it to the end"
        )
    return Pattern(text, parts, names)


def _part(pattern: str, segment: str) -> Literal | Parameter:
    if match := _PARAMETER.fullmatch(segment):
        kind = KINDS.get("str" if match["kind"] is None else match["kind"])
        if kind is None:
            raise PatternError(
                f"the pattern {pattern!r} has the unknown kind {match['kind']!r}; "
                f"use one of {', '.join(KINDS)}"
            )
        return Parameter(_name(pattern, match["name"]), kind)
    if "{" in segment or "}" in segment:
        raise PatternError(
            f"the pattern {pattern!r} has a brace inside the segment {segment!r}; "
            "a parameter is a whole segment, {name} or {name:kind}"
        )
    if segment and not _writable(segment):
        raise PatternError(
            f"the pattern {pattern!r} has the segment {segment!r}, which no path can "
            "have; remove it"
        )
    if bad := _NOT_DECODED.search(segment):
        raise PatternError(
            f"the pattern {pattern!r} has {bad[0]!r}, which no path it is compared "
            "with contains: leave out query and fragment, and write text decoded"
        )
    return Literal(segment)


def _name(pattern: str, name: str) -> str:
    # As Python itself reads the name of an argument: otherwise a name typed with
    # combining characters would never meet the same name in the function.
    name = unicodedata.normalize("NFKC", name)
    if not name.isidentifier() or keyword.iskeyword(name) or name == "request":
        raise PatternError(
            f"the pattern {pattern!r} has a parameter {name!r}, which no handler can "
            "take as an argument; use an identifier other than a keyword or 'request'"
        )
    return name


def _text(value: object) -> str:
    # No kind takes these, but their str() would pass for one.
    if value is None or isinstance(value, bytes):
        return ""
    # str() writes small and large floats with an exponent.
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    return str(value)


def _writable(segment: str) -> bool:
    # Dots would be resolved away; the rest is what a target refuses to contain.
    if segment in {".", ".."} or "\x00" in segment:
        return False
    return segment.isascii() or not any(
        "\ud800" <= char <= "\udfff" for char in segment
    )


def shape(pattern: Pattern) -> tuple[tuple[int, str], ...]:
    """What the pattern is without the names of its parameters.

    Patterns of equal shape match the same paths: they conflict when they answer the
    same method.
    """
    return tuple(
        (0, part.text) if isinstance(part, Literal) else (part.kind.rank, "")
        for part in pattern.parts
    )


def specificity(pattern: Pattern) -> tuple[tuple[tuple[int, str], ...], str]:
    """A key that sorts the more specific pattern first, segment by segment.

    Literal, uuid, int, float, str, path, in this order; never equal for different
    patterns.
    """
    return shape(pattern), pattern.text
