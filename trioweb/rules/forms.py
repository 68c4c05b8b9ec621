"""Names and values of queries and forms (application/x-www-form-urlencoded).

As the URL standard of the WHATWG says, since that is what browsers send.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import unquote, urlencode

from trioweb.rules.multimap import MultiMap

# Pairs.  More than any form of ours has, and few enough that making them costs less
# than a millisecond; the same number as Django's.
PAIR_LIMIT = 1000

_PAIR = re.compile("[^&]+")


class FormError(ValueError):
    """A query or form that is refused; the message says why."""


def parse_query(text: str, *, limit: int = PAIR_LIMIT) -> MultiMap:
    """The pairs of a query (without "?") or of a form, repeats kept.

    "+" is a space, escapes are UTF-8.  What is not UTF-8 becomes U+FFFD and a "%" that
    begins no escape stays, so there is one error only: FormError for more than *limit*
    pairs.  The time is linear in the length.

    >>> parse_query("q=%ED%95%9C+a&tag=a&tag=b").get_all("tag")
    ['a', 'b']
    """
    pairs: list[tuple[str, str]] = []
    for match in _PAIR.finditer(text):
        if len(pairs) == limit:
            raise FormError(f"there are more than {limit} parameters")
        name, _, value = match[0].partition("=")
        pairs.append((_decoded(name), _decoded(value)))
    return MultiMap(pairs)


def _decoded(text: str) -> str:
    # unquote returns at once when there is no escape.
    return unquote(text.replace("+", " "), errors="replace")


def encode_query(pairs: Mapping[str, object] | Iterable[tuple[str, object]]) -> str:
    """A query that parse_query reads back as *pairs*, each value as str() gives it.

    UnicodeEncodeError (a ValueError) for half a surrogate pair.

    >>> encode_query({"q": "a&b", "page": 2})
    'q=a%26b&page=2'
    """
    if isinstance(pairs, MultiMap):
        pairs = pairs.pairs
    elif isinstance(pairs, Mapping):
        pairs = pairs.items()
    return urlencode([(name, str(value)) for name, value in pairs])
