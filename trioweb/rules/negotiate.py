"""Which media type on offer an Accept field prefers (RFC 9110 section 12.5.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trioweb.rules.headers import TOKEN, parse_list, parse_parameters

if TYPE_CHECKING:
    from collections.abc import Sequence

# Elements of one Accept field.  Browsers send fewer than ten; each one more is compared
# with everything on offer.
ACCEPT_LIMIT = 64

# RFC 9110 12.4.2: at most three digits.
_WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


@dataclass(frozen=True, slots=True)
class _Range:
    """A media range or, with the weight of 1, a media type."""

    type: str
    subtype: str
    parameters: frozenset[tuple[str, str]]
    weight: float

    def contains(self, offer: _Range) -> bool:
        return (
            self.type in {"*", offer.type}
            and self.subtype in {"*", offer.subtype}
            and self.parameters <= offer.parameters
        )

    def specificity(self) -> tuple[bool, bool, int]:
        return self.type != "*", self.subtype != "*", len(self.parameters)


def choose(accept: str | None, offered: Sequence[str]) -> str | None:
    """The type of *offered* that *accept*, the value of the field, prefers.

    Each type has the weight of the most specific range it is in; of equal weights the
    one offered first wins.  None if nothing on offer is acceptable.  Without the field,
    or with one that has no valid element, anything is.  Only the first 64 elements
    count.

    >>> choose("text/*;q=0.5, application/json", ["text/html", "application/json"])
    'application/json'
    """
    elements = parse_list(accept or "")[:ACCEPT_LIMIT]
    ranges = [found for element in elements if (found := _range(element))]
    ranges = ranges or [_Range("*", "*", frozenset(), 1)]
    # The sort is stable: of two equally specific ranges the first decides.
    ranges.sort(key=_Range.specificity, reverse=True)
    best, highest = None, 0.0
    for text in offered:
        offer = _range(text)
        weight = _weight(offer, ranges) if offer else 0.0
        if weight > highest:
            best, highest = text, weight
    return best


def _range(element: str) -> _Range | None:
    name, parameters = parse_parameters(element)
    kind, _, subtype = name.partition("/")
    weight = parameters.pop("q", "1")
    if not TOKEN.fullmatch(kind) or not TOKEN.fullmatch(subtype):
        return None
    if (kind == "*" and subtype != "*") or not _WEIGHT.fullmatch(weight):
        return None
    pairs = frozenset((name, value.lower()) for name, value in parameters.items())
    return _Range(kind, subtype, pairs, float(weight))


def _weight(offer: _Range, ranges: list[_Range]) -> float:
    for accepted in ranges:
        if accepted.contains(offer):
            return accepted.weight
    return 0.0
