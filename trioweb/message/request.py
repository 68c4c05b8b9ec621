"""Request: what a handler is given."""

from __future__ import annotations

import functools
from contextlib import AbstractContextManager
from typing import Any, TypeVar, overload

import msgspec
import trio

from trioweb.message.body import BODY_LIMIT, Pieces, too_large
from trioweb.message.charsets import codec_of
from trioweb.message.errors import (
    BadRequest,
    Fields,
    HTTPError,
    SetupError,
    TooLarge,
    UnsupportedMediaType,
)
from trioweb.message.exchange import Exchange
from trioweb.message.key import Keyed
from trioweb.message.session import Session
from trioweb.message.transport import Peer
from trioweb.rules.cookies import COOKIE_LIMIT, parse_cookies
from trioweb.rules.forms import FormError, parse_query
from trioweb.rules.headers import Headers, parse_parameters
from trioweb.rules.multimap import MultiMap
from trioweb.rules.target import Target

T = TypeVar("T")


class Request(Keyed):
    """One request: its method, target and header fields, and the door to its body.

    *path* is decoded once, for reading; *segments* are its parts, decoded one by one,
    so that an encoded slash never splits one.  *params* are what the route's pattern
    found, converted.  *upgrade* is the protocol the peer would rather speak, in lower
    case.  ``request[key]`` holds what layers leave for handlers, by `Key`.
    """

    __slots__ = (
        "_authority",
        "_body",
        "_cookies",
        "_query",
        "_refused",
        "_session",
        "_streamed",
        "body_limit",
        "exchange",
        "headers",
        "method",
        "params",
        "path",
        "peer",
        "route",
        "scheme",
        "segments",
        "target",
        "upgrade",
        "version",
        "wants_session",
    )

    def __init__(
        self,
        method: str,
        target: Target,
        headers: Headers,
        exchange: Exchange,
        *,
        peer: Peer,
        scheme: str = "http",
        version: str = "1.1",
    ) -> None:
        self._held = None  # as Keyed has it, without the call
        self.method = method
        self.target = target
        self.path = target.path
        self.segments = target.segments
        self.headers = headers
        self.exchange = exchange
        self.peer = peer
        self.scheme = scheme
        self.version = version
        self.upgrade: str | None = None
        self.params: dict[str, object] = {}
        self.route: str | None = None
        self.body_limit: int = BODY_LIMIT
        self.wants_session = True
        self._authority: str | None = None
        self._body: bytes | None = None
        self._streamed = False
        self._refused = False
        self._query: MultiMap | None = None
        self._cookies: MultiMap | None = None
        self._session: Session | None = None

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.path}>"

    @property
    def authority(self) -> str:
        """The host and port the peer asked for; empty if it (HTTP/1.0) named none."""
        if self._authority is not None:
            return self._authority
        return self.target.authority or self.headers.get("host", "")

    @authority.setter
    def authority(self, authority: str) -> None:
        self._authority = authority

    @property
    def url(self) -> str:
        """The absolute URL asked for (RFC 9110 section 7.1); do not trust its host."""
        query = f"?{self.target.query}" if self.target.query else ""
        return f"{self.scheme}://{self.authority}{self.target.raw_path}{query}"

    @property
    def query(self) -> MultiMap:
        """The query's fields, decoded; repeated names are kept.

        Raises BadRequest when there are more than 1000.  ``query["name"]`` of a missing
        name, left unhandled, is answered with 400.
        """
        if self._query is None:
            try:
                self._query = parse_query(self.target.query)
            except FormError as error:
                raise BadRequest(str(error)) from error
        return self._query

    @property
    def cookies(self) -> MultiMap:
        """The cookies sent (RFC 6265bis section 5.7), as they are: never unquoted.

        Raises HTTPError (431) when there are more than 100.
        """
        if self._cookies is None:
            fields = self.headers.get_all("cookie")
            cookies = parse_cookies(fields, COOKIE_LIMIT + 1)
            # To leave some out could be to leave out the one that says who is asking.
            if len(cookies.pairs) > COOKIE_LIMIT:
                raise HTTPError(431, f"more than {COOKIE_LIMIT} cookies")
            self._cookies = cookies
        return self._cookies

    @property
    def content_type(self) -> str:
        """The media type of the body without its parameters; empty if none is given."""
        return parse_parameters(self.headers.get("content-type", ""))[0]

    @property
    def content_length(self) -> int | None:
        """The length of the body in bytes where the peer has said it, else None."""
        value = self.headers.get("content-length")
        return None if value is None else int(value)

    def stream(self, *, limit: int | None = None) -> Pieces:
        """The body piece by piece: ``async for piece in request.stream():``.

        *limit* in bytes, by default the route's; TooLarge (413) is raised before
        anything is read where the length is known.  A body can be streamed once; one
        that `body` has read comes as a single piece.
        """
        limit = self.body_limit if limit is None else limit
        length = self.content_length if self._body is None else len(self._body)
        if self._refused or (length is not None and length > limit):
            raise too_large(limit)
        if self._body is not None:
            return Pieces(self, limit, self._body)
        if self._streamed:
            msg = "the body has been streamed; stream it once, or keep what body() says"
            raise RuntimeError(msg)
        self._streamed = True
        return Pieces(self, limit)

    async def body(self, limit: int | None = None) -> bytes:
        """The whole body; the same bytes however often it is asked for.

        Raises TooLarge (413) when there are more than *limit* bytes (by default the
        route's), without reading the rest; PeerGone if the peer leaves first.
        Cancelling it loses the connection on HTTP/1.1.
        """
        if self._body is None and not (self._streamed or self._refused):
            # Mostly it has come with the head, and there is nothing to put together.
            most = self.body_limit if limit is None else limit
            self._body = await self.exchange.whole(most)
            if self._body is not None:
                return self._body
        pieces = self.stream(limit=limit)
        if self._body is None:
            try:
                self._body = b"".join([piece async for piece in pieces])
            except TooLarge:
                self._refused = True  # and it stays so, whoever asks next
                raise
        return self._body

    async def text(self, limit: int | None = None) -> str:
        """The body as text in the charset its Content-Type names, UTF-8 by default.

        Raises BadRequest if it is not such text, UnsupportedMediaType for an unknown
        charset, and what `body` raises.
        """
        _, parameters = parse_parameters(self.headers.get("content-type", ""))
        codec = codec_of(parameters.get("charset", "utf-8"))
        if codec is None:
            detail = "the charset of the content is not known here; send UTF-8"
            raise UnsupportedMediaType(detail)
        body = await self.body(limit)
        try:
            return body.decode(codec)
        except UnicodeError as error:
            raise BadRequest(f"the content is not {codec} text") from error

    @overload
    async def json(self, *, limit: int | None = None) -> Any: ...  # noqa: ANN401

    @overload
    async def json(self, type: type[T], *, limit: int | None = None) -> T: ...

    async def json(
        self,
        type: Any = Any,  # noqa: A002
        *,
        limit: int | None = None,
    ) -> Any:
        """The body as JSON (RFC 8259), checked against and converted to *type*.

        *type* is anything msgspec knows: a Struct, a dataclass, ``list[int]``.  Raises
        BadRequest that names the path of the fault, and what `body` raises.
        """
        body = await self.body(limit)
        try:
            return _decoder(type).decode(body)
        except msgspec.DecodeError as error:
            raise BadRequest(f"the JSON does not fit: {error}") from error
        except UnicodeDecodeError as error:
            raise BadRequest("the JSON is not encoded in UTF-8") from error
        except RecursionError as error:
            raise BadRequest("the JSON is nested too deeply") from error

    @property
    def trailers(self) -> Headers:
        """The fields that came after the body (RFC 9110 section 6.5), by themselves.

        Empty until the body has been read to its end.  They are the peer's afterthought
        and never merged into the header fields.
        """
        return self.exchange.trailers

    @property
    def session(self) -> Session:
        """What this visitor's requests remember; SetupError without a session layer."""
        if self._session is None:
            if self.wants_session:
                msg = "request.session needs its layer; add app.use(sessions())"
            else:
                msg = f"the route {self.route} was given session=False; leave that out"
            raise SetupError(msg)
        self._session.used = True
        return self._session

    @session.setter
    def session(self, session: Session) -> None:
        self._session = session

    @property
    def draining(self) -> trio.Event:
        """Set when the server has begun to stop: a stream should end politely."""
        return self.exchange.draining

    async def inform(self, status: int, headers: Fields = ()) -> None:
        """Send an interim response, as 103 Early Hints (RFC 8297), at once.

        *status* is 102 to 199; ValueError otherwise.  An HTTP/1.0 peer is not told, for
        it would not understand.
        """
        if not 102 <= status <= 199:
            msg = f"an interim response has a status from 102 to 199, not {status}"
            raise ValueError(msg)
        await self.exchange.inform(status, Headers(headers))

    def finish(self, seconds: float) -> AbstractContextManager[trio.CancelScope]:
        """Go on, although the peer may leave, for at most *seconds*.

        ``with request.finish(5): await commit()`` is not cancelled when the peer is
        gone or the server stops; after *seconds* it is.
        """
        return self.exchange.finish(seconds)


# One for each type: bounded, because types can be made while a program runs.
@functools.lru_cache(maxsize=1024)
def _decoder(type: Any) -> msgspec.json.Decoder[Any]:  # noqa: A002, ANN401
    return msgspec.json.Decoder(type)
