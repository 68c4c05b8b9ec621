"""Requests and answers made by chance, the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from tests.wire.handlers import file_of
from trioweb.message.errors import HTTPError, NotFound
from trioweb.message.request import Request
from trioweb.message.response import Response, Send
from trioweb.rules.headers import Headers

Fields = list[tuple[str, str]]

METHODS = ["GET", "GET", "GET", "HEAD", "POST", "POST", "PUT", "PATCH", "DELETE"]
METHODS += ["OPTIONS", "PROPFIND", "BREW"]
PATHS = ["/", "/a", "/a/b", "/a%2Fb", "/%ED%95%9C", "/a/../b", "/a/./", "/..", "/%zz"]
PATHS += ["/%00", "/a//b", "/~x;y=1,2", "/%ff", "/a+b", "/a%20b", "*"]
QUERIES = ["", "", "?", "?x=1", "?x=1&x=2&y", "?q=%EA%B0%80", "?a=b?c", "?%zz"]
NAMES = ["accept", "x-one", "x-two", "user-agent", "if-none-match", "authorization"]
VALUES = ["", "a", "a, b", '"v1"', "text/html;q=0.5", "\xe9\xff", "a\tb", "x" * 300]
COOKIES = ["a=1", "b=2", "c=3; d", "e"]
STATUSES = [200, 200, 200, 201, 204, 206, 299, 303, 304, 400, 404, 413, 500, 503, 599]


@dataclass(frozen=True)
class Asked:
    """A request, as either version can say it."""

    method: str
    target: str
    fields: Fields
    cookies: list[str]
    body: bytes | None
    declared: bool  # its length is
    trailers: Fields


@dataclass(frozen=True)
class Told:
    """What its handler does."""

    status: int
    fields: Fields
    form: str
    pieces: list[bytes]
    trailers: Fields
    hints: int
    reads: str
    limit: int


@dataclass
class Seen:
    """What the handler has seen."""

    facts: list[object] = field(default_factory=list)


def asked_by(chance: Random) -> Asked:
    method = chance.choice(METHODS)
    target = chance.choice(PATHS) + chance.choice(QUERIES)
    if method == "BREW":
        target = "/"  # of two reasons to refuse, either will do
    body = None
    if chance.random() < 0.5:
        size = chance.choice([0, 1, 10, 1000, 20_000])
        body = chance.randbytes(size)
    declared = chance.random() < 0.5
    trailers: Fields = []
    if body is not None and not declared and chance.random() < 0.3:
        trailers = [("x-check", "1"), ("x-check", "2")]
    return Asked(
        method,
        target,
        _fields(chance),
        chance.sample(COOKIES, chance.choice([0, 0, 1, 3])),
        body,
        declared,
        trailers,
    )


def told_by(chance: Random) -> Told:
    sizes = [0, 1, 5, 1000, 17_000, 70_000]
    pieces = [
        chance.randbytes(chance.choice(sizes)) for _ in range(chance.randrange(4))
    ]
    forms = ["bytes", "written", "written", "file", "raises", "breaks", "refuses"]
    return Told(
        chance.choice(STATUSES),
        _fields(chance),
        chance.choice([*forms, "echo", "shrinks", "short", "long"]),
        pieces,
        [("x-sum", "3")] if chance.random() < 0.2 else [],
        chance.choice([0, 0, 0, 1, 2]),
        chance.choice(["body", "body", "pieces", "nothing", "one"]),
        chance.choice([1 << 20, 1 << 20, 500]),
    )


def _fields(chance: Random) -> Fields:
    return [
        (chance.choice(NAMES), chance.choice(VALUES))
        for _ in range(chance.randrange(5))
    ]


class Handler:
    """Does what it is told, and notes what it sees."""

    def __init__(self) -> None:
        self.told: Told
        self.seen = Seen()

    async def __call__(self, request: Request) -> Response:
        told = self.told
        self.seen.facts = _head(request)
        for _ in range(told.hints):
            await request.inform(103, [("link", "</a>")])
        body = await self._read(request, told)
        match told.form:
            case "raises":
                raise ValueError("mine")
            case "refuses":
                raise NotFound("none")
        return self._answer(told, body)

    async def _read(self, request: Request, told: Told) -> bytes:
        body = b""
        try:
            match told.reads:
                case "body":
                    body = await request.body(told.limit)
                case "pieces":
                    async for piece in request.stream(limit=told.limit):
                        body += piece
                case "one":
                    async for piece in request.stream(limit=told.limit):
                        body = piece[:1]
                        break
        except HTTPError as error:
            # How much had come by then is for the wire to say.
            self.seen.facts.append(error.status)
            raise
        self.seen.facts.append(body)
        if told.reads != "one":  # of which nobody knows whether it was the last
            self.seen.facts += request.trailers.pairs()
        return body

    def _answer(self, told: Told, body: bytes) -> Response:
        whole = b"".join(told.pieces)
        fields = Headers(told.fields)
        if told.status in {204, 304}:
            return Response(told.status, fields)
        match told.form:
            case "bytes":
                return Response(told.status, fields, whole)
            case "echo":
                return Response(told.status, fields, body)
            case "file":
                return Response(told.status, fields, file_of(whole))
            case "shrinks":
                return Response(told.status, fields, file_of(whole, length=80_000))
            case "short":
                fields["content-length"] = str(len(whole) + 1)
            case "long" if whole:
                fields["content-length"] = str(len(whole) - 1)
        return self._written(told, fields)

    def _written(self, told: Told, fields: Headers) -> Response:
        async def write(send: Send) -> None:
            for piece in told.pieces:
                await send(piece)
            if told.form == "breaks":
                raise ValueError("in the middle")

        response = Response(told.status, fields, write)
        if told.trailers:
            response.trailers = Headers(told.trailers)
        return response


def _head(request: Request) -> list[object]:
    # How content is framed is the one thing in which the versions differ.
    fields = sorted(
        pair for pair in request.headers.pairs() if pair[0] != "transfer-encoding"
    )
    return [
        request.method,
        request.target,
        request.path,
        request.segments,
        request.url,
        request.authority,
        fields,
        request.content_length,
        request.content_type,
        request.scheme,
        str(request.peer),
    ]
