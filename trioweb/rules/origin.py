"""Origins: whether a browser says that a request was made by another site (Fetch)."""

from __future__ import annotations

from collections.abc import Collection

from trioweb.rules.target import TargetError, parse_authority

# RFC 9110 9.2.1: these ask for nothing to be changed, and links use them.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

_PORTS = {"http": 80, "https": 443}


def foreign(
    fetch_site: str | None,
    origin: str | None,
    authority: str,
    trusted: Collection[str] = (),
) -> bool:
    """Whether another origin has made the request.

    *fetch_site* and *origin* are the values of Sec-Fetch-Site and Origin, *authority*
    the host the request is for; *trusted* are origins, as "https://www.example.com",
    which are not foreign.  What says neither comes from no browser, which would.

    >>> foreign("cross-site", "https://evil.example", "example.com")
    True
    >>> foreign(None, "http://example.com:8080", "example.com:8080")
    False
    """
    if origin is not None and origin in trusted:
        return False
    if fetch_site is not None:
        # "same-site" is a neighbour under the same domain, which may be anybody's.
        return fetch_site not in {"same-origin", "none"}
    return origin is not None and not same_host(origin, authority)


def same_host(origin: str, authority: str) -> bool:
    """Whether *origin* names the host and port of *authority*.

    The scheme is not compared: behind a proxy that ends TLS ours is another.  "null",
    the origin of a sandbox, is nobody's.

    >>> same_host("https://example.com", "EXAMPLE.com:443")
    True
    """
    if not is_origin(origin):
        return False
    scheme, _, place = origin.partition("://")
    default = _PORTS[scheme]
    try:
        host, port = parse_authority(authority)
    except TargetError:
        return False  # HTTP/1.0 may name none
    theirs, their_port = parse_authority(place)
    return (theirs, their_port or default) == (host, port or default)


def is_origin(text: str) -> bool:
    """Whether *text* is the origin of a page as browsers write it (RFC 6454 6.2).

    In lower case, and of one host: neither a path nor a star.

    >>> is_origin("https://example.com"), is_origin("example.com"), is_origin("null")
    (True, False, False)
    """
    scheme, _, place = text.partition("://")
    try:
        parse_authority(place)
    except TargetError:
        return False
    return scheme in _PORTS and place == place.lower() and "*" not in place
