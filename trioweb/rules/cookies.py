"""Cookies: the Cookie field read, the Set-Cookie field written (RFC 6265bis).

The parser is our own because the standard library's drops every cookie after an odd
one, and lets a quote swallow the cookies behind it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from trioweb.rules.dates import format_date
from trioweb.rules.headers import TOKEN
from trioweb.rules.multimap import MultiMap

if TYPE_CHECKING:
    from collections.abc import Iterable

    SameSite = Literal["strict", "lax", "none"]

# Cookies of one request.  Twice what a browser keeps per site at least (RFC 6265bis
# 6.1: 50); more would only be work for whoever looks one up.
COOKIE_LIMIT = 100

# One Set-Cookie value, bytes.  Browsers may ignore a cookie whose name and value are
# longer (RFC 6265bis 5.6), so a longer one would be lost without a sound.
COOKIE_SIZE_LIMIT = 4096

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# RFC 6265bis 5.6 step 1: a cookie with one of these is ignored.  HTAB is no offence.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

# RFC 6265bis 4.1.1: what stands in a value, a path and a domain.
_VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")
_PATH = re.compile(r"/[\x21-\x3a\x3c-\x7e]*")
_DOMAIN = re.compile(r"\.?[0-9A-Za-z_-]+(?:\.[0-9A-Za-z_-]+)*")

_SAME_SITES = {"strict": "Strict", "lax": "Lax", "none": "None"}


def parse_cookies(values: Iterable[str], limit: int = COOKIE_LIMIT) -> MultiMap:
    """The cookies of all Cookie fields of a request, in order.

    A pair without a name or with a control character is skipped, and costs no other
    pair.  Values are as received: neither unquoted nor percent-decoded.  The
    first *limit* are kept.  Never fails; the time is linear in the length.

    >>> parse_cookies(['a=1; b[]=3; c="4'])
    MultiMap([('a', '1'), ('b[]', '3'), ('c', '"4')])
    """
    pairs: list[tuple[str, str]] = []
    for value in values:
        for pair in value.split(";"):
            name, _, text = pair.partition("=")
            name = name.strip(" \t")
            if not name or "=" not in pair or _CONTROL.search(pair):
                continue
            pairs.append((name, text.strip(" \t")))
            if len(pairs) == limit:
                return MultiMap(pairs)
    return MultiMap(pairs)


def format_cookie(  # the attributes RFC 6265bis has
    name: str,
    value: str,
    *,
    expires: datetime | None = None,
    max_age: int | None = None,
    domain: str | None = None,
    path: str | None = "/",
    secure: bool = False,
    http_only: bool = False,
    same_site: SameSite | None = None,
    partitioned: bool = False,
    now: float,
) -> str:
    """The value of a Set-Cookie field.

    *max_age* is in seconds, *now* in seconds since the epoch.  With *expires* alone
    Max-Age is computed and written beside it, since it wins and does not depend on the
    browser's clock.  ValueError for a name, value or attribute that is not allowed, for
    a promise of the name's prefix that is not kept, and for more than 4096 bytes.

    >>> format_cookie("theme", "dark", max_age=60, same_site="lax", now=0)
    'theme=dark; Max-Age=60; Path=/; SameSite=Lax'
    """
    _require(name, TOKEN, name, "name", "use only letters, digits and !#$%&'*+-.^_`|~")
    _require(name, _VALUE, value, "value", "percent-encode it (urllib.parse.quote)")
    _require_prefix(name, domain, path, secure=secure)
    parts = [f"{name}={value}", *_lifetime(name, expires, max_age, now)]
    if domain is not None:
        _require(name, _DOMAIN, domain, "domain", "write a host name, in ASCII (IDNA)")
        parts.append(f"Domain={domain}")
    if path is not None:
        _require(name, _PATH, path, "path", "start with / and percent-encode the rest")
        parts.append(f"Path={path}")
    parts += ["Secure"] * secure + ["HttpOnly"] * http_only
    if same_site is not None:
        parts.append(f"SameSite={_same_site(name, same_site, secure=secure)}")
    if partitioned:
        if not secure:
            raise ValueError(f"cookie {name!r}: partitioned needs secure=True")
        parts.append("Partitioned")
    line = "; ".join(parts)
    if len(line) > COOKIE_SIZE_LIMIT:
        raise ValueError(
            f"cookie {name!r}: {len(line)} bytes are more than {COOKIE_SIZE_LIMIT}; "
            "keep the value on the server and a key to it in the cookie"
        )
    return line


def expire_cookie(  # what a cookie is identified by, and its promises
    name: str,
    *,
    domain: str | None = None,
    path: str | None = "/",
    secure: bool = False,
    http_only: bool = False,
    same_site: SameSite | None = None,
    partitioned: bool = False,
    now: float,
) -> str:
    """The value of a Set-Cookie field that makes the browser forget the cookie.

    *domain*, *path* and *partitioned* must be those it was set with.  The prefixes
    __Host- and __Secure- imply *secure*.  Errors as in format_cookie.
    """
    return format_cookie(
        name,
        "",
        expires=EPOCH,
        max_age=0,
        domain=domain,
        path=path,
        secure=secure or name.lower().startswith(("__host-", "__secure-")),
        http_only=http_only,
        same_site=same_site,
        partitioned=partitioned,
        now=now,
    )


def cookie_identity(line: str) -> tuple[str, str, str]:
    """Which cookie a Set-Cookie *line* sets: its name, domain and path.

    A browser keeps one cookie for each (RFC 6265bis section 5.8); domains are compared
    in lower case.

    >>> cookie_identity("a=1; Path=/; Secure")
    ('a', '', '/')
    """
    pair, *attributes = line.split("; ")
    named = dict(attribute.partition("=")[::2] for attribute in attributes)
    name = pair.partition("=")[0]
    return name, named.get("Domain", "").lower(), named.get("Path", "")


def _require(
    cookie: str, grammar: re.Pattern[str], text: str, what: str, remedy: str
) -> None:
    if not isinstance(text, str):
        raise TypeError(
            f"cookie {cookie!r}: the {what} must be str, not {type(text).__name__}; "
            "convert it first"
        )
    if not grammar.fullmatch(text):
        raise ValueError(f"cookie {cookie!r}: the {what} {text!r} is refused; {remedy}")


def _require_prefix(
    name: str, domain: str | None, path: str | None, *, secure: bool
) -> None:
    # RFC 6265bis 4.1.3.  In any case: so browsers compare, and servers might.
    lower = name.lower()
    if lower.startswith(("__host-", "__secure-")) and not secure:
        raise ValueError(f"cookie {name!r}: the prefix of the name needs secure=True")
    if lower.startswith("__host-") and (domain is not None or path != "/"):
        raise ValueError(
            f"cookie {name!r}: the prefix of the name needs path='/' and no domain"
        )


def _lifetime(
    name: str, expires: datetime | None, max_age: int | None, now: float
) -> list[str]:
    if max_age is not None and type(max_age) is not int:
        raise TypeError(f"cookie {name!r}: max_age must be int, in seconds")
    parts = []
    if expires is not None:
        if expires.utcoffset() is None:
            raise ValueError(
                f"cookie {name!r}: expires has no time zone; "
                "make it with one (datetime.now(UTC) + timedelta(...))"
            )
        seconds = expires.timestamp()
        parts.append(f"Expires={format_date(seconds)}")
        if max_age is None:
            max_age = max(0, round(seconds - now))
    if max_age is not None:
        parts.append(f"Max-Age={max_age}")
    return parts


def _same_site(name: str, same_site: str, *, secure: bool) -> str:
    word = _SAME_SITES.get(str(same_site).lower())
    if word is None:
        raise ValueError(
            f"cookie {name!r}: same_site {same_site!r} is unknown; "
            "use 'strict', 'lax' or 'none'"
        )
    if word == "None" and not secure:
        raise ValueError(f"cookie {name!r}: same_site='none' needs secure=True")
    return word
