"""SessionCookie: the cookie that names a session, and how browsers are to keep it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from trioweb.message.errors import SetupError
from trioweb.message.request import Request
from trioweb.message.response import Response, SameSite

Secure = Literal["auto"] | bool
"""Whether a cookie is for https alone; "auto": where the request came by it."""

NAME = "sid"

_Finder = Callable[[str], list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCookie:
    """How the cookie is named and kept; SetupError for what a browser would refuse.

    Where it is secure its name gets the prefix ``__Host-`` (with a *domain*
    ``__Secure-``), under which no neighbour can plant one (RFC 6265bis section 4.1.3).
    It lasts as long as the browser runs, or *max_age* seconds.
    """

    name: str = NAME
    secure: Secure = "auto"
    same_site: SameSite = "lax"
    domain: str | None = None
    max_age: int | None = None
    # What finds its values in a Cookie field, by http and by https.
    _finders: list[_Finder] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.secure not in {"auto", True, False}:
            msg = f'secure is "auto", True or False, not {self.secure!r}'
            raise SetupError(msg)
        if self.name.lower().startswith(("__host-", "__secure-")):
            msg = f"the name {self.name!r} has a prefix, which is added by itself"
            raise SetupError(msg)
        try:
            for secure in {self.secure} if self.secure != "auto" else {True, False}:
                self._set(Response(), "", secure=bool(secure))
        except (ValueError, TypeError) as error:
            raise SetupError(str(error)) from error
        finders = [
            _finder(self._name(secure=https if self.secure == "auto" else self.secure))
            for https in (False, True)
        ]
        object.__setattr__(self, "_finders", finders)  # frozen, but not yet

    def sent(self, request: Request) -> list[str]:
        """Every value the peer sent under the cookie's name, once each.

        They are those that `Request.cookies` has, found without taking all apart.
        """
        found: list[str] = []
        for name, line in request.headers.raw:
            # Most requests without a session have no cookie at all.
            if name == b"cookie":
                found += self._finders[request.scheme == "https"](
                    line.decode("latin-1")
                )
        return list(dict.fromkeys(value.rstrip(" \t") for value in found))

    def set(self, request: Request, response: Response, value: str) -> None:
        """Let *response* set the cookie to *value*."""
        self._set(response, value, secure=self._secure(request))

    def expire(self, request: Request, response: Response) -> None:
        """Let *response* make the browser forget the cookie."""
        secure = self._secure(request)
        response.delete_cookie(
            self._name(secure=secure),
            domain=self.domain,
            secure=secure,
            http_only=True,
            same_site=self.same_site,
        )

    def _secure(self, request: Request) -> bool:
        if self.secure == "auto":
            return request.scheme == "https"
        return self.secure

    def _name(self, *, secure: bool) -> str:
        if not secure:
            return self.name
        return f"__Host-{self.name}" if self.domain is None else f"__Secure-{self.name}"

    def _set(self, response: Response, value: str, *, secure: bool) -> None:
        response.set_cookie(
            self._name(secure=secure),
            value,
            max_age=self.max_age,
            domain=self.domain,
            secure=secure,
            http_only=True,
            same_site=self.same_site,
        )


def _finder(name: str) -> _Finder:
    """What finds each value of the cookie *name*, as `parse_cookies` would."""
    value = r"([^;\x00-\x08\x0a-\x1f\x7f]*)(?=;|$)"
    return re.compile(rf"(?:^|;)[ \t]*{re.escape(name)}[ \t]*=[ \t]*{value}").findall
