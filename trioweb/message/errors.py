"""Faults, by whose fault they are; what the wire and the application both raise.

TriowebError
├ HTTPError(status, detail, headers=)   the handler refuses; raise it anywhere
│  ├ BadRequest 400           ├ Conflict 409
│  ├ Unauthorized 401         ├ TooLarge 413
│  ├ Forbidden 403            ├ UnsupportedMediaType 415
│  ├ NotFound 404             ├ UnprocessableContent 422
│  ├ MethodNotAllowed 405     ├ TooManyRequests 429
│  └ NotAcceptable 406        └ ServiceUnavailable 503
├ PeerGone     nobody is listening any more; there is nothing to answer
└ SetupError   the programmer's: a bad pattern, conflicting routes, a layer missing
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from trioweb.rules.headers import Headers

Fields = Mapping[str, str] | Iterable[tuple[str, str]]
"""What header fields may be given as: a mapping, or pairs where a name repeats."""


class TriowebError(Exception):
    """The root of every fault that trioweb raises on purpose."""


class HTTPError(TriowebError):
    """A refusal: raised anywhere in a handler, it becomes the response.

    *status* is 400 to 599 (ValueError otherwise), *detail* one sentence for the peer,
    *headers* fields that the response carries.  The answer is an RFC 9457 problem.
    """

    def __init__(self, status: int, detail: str = "", *, headers: Fields = ()) -> None:
        if not 400 <= status <= 599:
            msg = (
                f"HTTPError takes a status from 400 to 599, not {status}; "
                "return a Response for any other"
            )
            raise ValueError(msg)
        super().__init__(status, detail)
        self.status = status
        self.detail = detail
        self.headers = Headers(headers)

    def __str__(self) -> str:
        return f"{self.status} {self.detail}".rstrip()


class _Named(HTTPError):
    """An HTTPError whose class says the status."""

    code: ClassVar[int]

    def __init__(self, detail: str = "", *, headers: Fields = ()) -> None:
        super().__init__(self.code, detail, headers=headers)


class BadRequest(_Named):
    """400: the request cannot be understood (RFC 9110 section 15.5.1)."""

    code = 400


class Unauthorized(_Named):
    """401: who is asking?  Give the challenge (RFC 9110 section 15.5.2).

    *challenge* is the value of WWW-Authenticate, which a 401 must carry.
    """

    code = 401

    def __init__(
        self, detail: str = "", *, challenge: str = "Bearer", headers: Fields = ()
    ) -> None:
        super().__init__(detail, headers=headers)
        self.headers.setdefault("www-authenticate", challenge)


class Forbidden(_Named):
    """403: understood and refused (RFC 9110 section 15.5.4)."""

    code = 403


class NotFound(_Named):
    """404: nothing here (RFC 9110 section 15.5.5)."""

    code = 404


class MethodNotAllowed(_Named):
    """405: not with this method (RFC 9110 section 15.5.6).

    *allow* are the methods the URL does answer; they become the Allow field, sorted.
    """

    code = 405

    def __init__(
        self, allow: Iterable[str], detail: str = "", *, headers: Fields = ()
    ) -> None:
        super().__init__(detail, headers=headers)
        self.headers["allow"] = ", ".join(sorted(allow))


class NotAcceptable(_Named):
    """406: no representation that the peer accepts (RFC 9110 section 15.5.7)."""

    code = 406


class Conflict(_Named):
    """409: not in the resource's present state (RFC 9110 section 15.5.10)."""

    code = 409


class TooLarge(_Named):
    """413: more content than the route takes (RFC 9110 section 15.5.14)."""

    code = 413


class UnsupportedMediaType(_Named):
    """415: content in a form the route does not read (RFC 9110 section 15.5.16)."""

    code = 415


class UnprocessableContent(_Named):
    """422: well-formed, yet it makes no sense (RFC 9110 section 15.5.21)."""

    code = 422


class TooManyRequests(_Named):
    """429: too often (RFC 6585 section 4).  *retry_after*: whole seconds."""

    code = 429

    def __init__(
        self, detail: str = "", *, retry_after: int | None = None, headers: Fields = ()
    ) -> None:
        super().__init__(detail, headers=headers)
        if retry_after is not None:
            self.headers["retry-after"] = str(retry_after)


class ServiceUnavailable(_Named):
    """503: not now (RFC 9110 section 15.6.4).  *retry_after*: whole seconds."""

    code = 503

    def __init__(
        self, detail: str = "", *, retry_after: int | None = None, headers: Fields = ()
    ) -> None:
        super().__init__(detail, headers=headers)
        if retry_after is not None:
            self.headers["retry-after"] = str(retry_after)


class PeerGone(TriowebError):
    """The peer left before the exchange was complete: nobody is there to answer."""


class SetupError(TriowebError):
    """The application is put together wrongly; it says where, and the remedy."""


def sole(error: Exception) -> Exception:
    """What *error* is, or the only leaf of the group that it is.

    A nursery wraps whatever its tasks raise in a group; a NotFound raised in a child
    task must still be a 404.
    """
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def departed(error: Exception) -> bool:
    """Whether *error* says no more than that the peer is gone, however many find it."""
    if isinstance(error, ExceptionGroup):
        return error.split(PeerGone)[1] is None
    return isinstance(error, PeerGone)
