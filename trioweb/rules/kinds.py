"""The kinds of a path parameter: which texts match, and what they become."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

# Digits.  Eighteen always fit a signed 64 bit integer, which is what stands behind most
# identifiers: a longer number names nothing and would fail in the database instead.
INT_DIGITS = 18

# Characters.  Far more than a float can tell apart (17 significant digits).
FLOAT_LENGTH = 32

# ASCII digits only: \d would take every script's, and one page would have many URLs.
_INT = re.compile(rf"-?[0-9]{{1,{INT_DIGITS}}}")
_FLOAT = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of parameter.

    *name* is what a pattern writes, *rank* its place in the order of specificity (the
    lower, the more specific; a literal is 0), *convert* makes the value of a decoded
    segment, or None if the segment does not match.
    """

    name: str
    rank: int
    convert: Callable[[str], object | None]


def _uuid(text: str) -> uuid.UUID | None:
    return uuid.UUID(text) if _UUID.fullmatch(text) else None


def _int(text: str) -> int | None:
    return int(text) if _INT.fullmatch(text) else None


def _float(text: str) -> float | None:
    if len(text) > FLOAT_LENGTH or not _FLOAT.fullmatch(text):
        return None
    return float(text)


def _str(text: str) -> str | None:
    return text or None


def _path(text: str) -> str:
    return text


UUID = Kind("uuid", 1, _uuid)
INT = Kind("int", 2, _int)
FLOAT = Kind("float", 3, _float)
STR = Kind("str", 4, _str)
PATH = Kind("path", 5, _path)

KINDS = {kind.name: kind for kind in (UUID, INT, FLOAT, STR, PATH)}


def joined(segments: Sequence[str]) -> str | None:
    """The value of a path parameter that takes *segments*, all that remain of a target.

    None, no match, if there are none, or if one contains a slash: that slash was
    encoded, and joining would let it split the segment after all.

    >>> joined(["css", "main.css"]), joined([""]), joined(["a/b"])
    ('css/main.css', '', None)
    """
    if not segments or any("/" in segment for segment in segments):
        return None
    return "/".join(segments)
