"""Vary: which fields of the request have had a say in a response (RFC 9110 12.5.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trioweb.rules.headers import parse_list

if TYPE_CHECKING:
    from trioweb.rules.headers import Headers


def add_vary(headers: Headers, name: str) -> None:
    """Let *headers* say that the response depends on the field *name*, once.

    >>> from trioweb.rules.headers import Headers
    >>> headers = Headers({"vary": "Accept"})
    >>> add_vary(headers, "Cookie")
    >>> headers["vary"]
    'Accept, Cookie'
    """
    named = headers.get("vary")
    if named is None:
        headers["vary"] = name
    elif not {"*", name.lower()} & {each.lower() for each in parse_list(named)}:
        headers["vary"] = f"{named}, {name}"
