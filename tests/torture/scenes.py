"""Scenes: what a peer asks, who answers, and what it hears if nothing goes wrong."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field

import trio

from tests.torture.ground import Ground
from tests.torture.sockets import ASKED, DEFLATED, HEARD, OFFERED, SENT, socket
from tests.wire.handlers import GET, G, P, T, counting, echo
from trioweb.message.exchange import Ending
from trioweb.message.handler import Handler
from trioweb.message.request import Request
from trioweb.message.response import Response, Send
from trioweb.rules.headers import Headers


class Promise(enum.Enum):
    """Whose doing cannot keep work that was begun from being done."""

    NOBODY = enum.auto()
    PEER = enum.auto()  # the peer's
    ANYBODY = enum.auto()  # nor the server's own


@dataclass(frozen=True)
class Said:
    """A whole response."""

    body: bytes
    status: int = 200
    to: str = "GET"  # the method it answers
    interim: tuple[int, ...] = ()


@dataclass(frozen=True)
class Scene:
    """One connection: all that its peer sends, and all that it hears."""

    handler: Callable[[Ground], Handler]
    sent: tuple[bytes, ...]  # pieces, each once the server waits for it
    heard: tuple[Said, ...]
    endings: tuple[Ending, ...] = (Ending.COMPLETE,)
    logs: int = 0
    promise: Promise = Promise.NOBODY
    # What comes after a switch of protocols; whoever speaks then minds the time.
    tunnel: bytes | None = None
    # The same of a WebSocket: the messages, before it is closed.
    messages: tuple[bytes, ...] | None = None
    # The server says by a break that what it sent is not the whole.
    broken: bool = field(default=False, kw_only=True)
    # Bytes between the two ends: so few that writes have to wait, and can be cut there.
    room: int = field(default=24, kw_only=True)

    @property
    def switches(self) -> bool:
        """Whether another protocol is spoken in the end."""
        return self.tunnel is not None or self.messages is not None


LAST = G + b"Connection: close\r\n\r\n"
OLD = b"GET / HTTP/1.0\r\n\r\n"
CHUNKS = b"5\r\nhello\r\n6;a=b\r\n world\r\n0\r\n\r\n"
CLOSING = b"Connection: close\r\n"
UPLOAD = T.replace(b"\r\n\r\n", b"\r\n" + CLOSING + b"\r\n")
SIZED = P + b"Content-Length: 11\r\n\r\n"
HELLO = Said(b"hello world")
EMPTY = Said(b"")
COUNTED = Said(b"one two three")


def alike(handler: Handler) -> Callable[[Ground], Handler]:
    return lambda ground: handler


async def plain(request: Request) -> Response:
    return Response(200, body=b"hello world")


async def late(request: Request) -> Response:
    """Three pieces, with time between them in which anything can happen."""

    async def write(send: Send) -> None:
        for piece in (b"one ", b"two ", b"three"):
            await send(piece)
            await trio.sleep(0.1)

    return Response(200, body=write)


async def nursery(request: Request) -> Response:
    """Two tasks at work for each request."""
    found: list[bytes] = []

    async def find(piece: bytes, seconds: float) -> None:
        await trio.sleep(seconds)
        found.append(piece)

    async with trio.open_nursery() as finders:
        finders.start_soon(find, b"world", 0.2)
        finders.start_soon(find, b"hello ", 0.1)
    return Response(200, body=b"".join(found))


async def trailing(request: Request) -> Response:
    """The body, and its trailer as ours."""
    response = Response(200)

    async def write(send: Send) -> None:
        async for piece in request.stream():
            await send(piece)
        response.trailers = Headers({"x-sum": request.trailers.get("x-sum", "")})

    response.body = write
    return response


async def repeated(request: Request) -> Response:
    """The body, once all of it is here."""
    return Response(200, body=await request.body())


async def slow(request: Request) -> Response:
    """No answer within its time."""
    request.exchange.limit(2)
    await trio.sleep_forever()
    raise AssertionError


async def failing(request: Request) -> Response:
    """An answer that fails in the middle of its content."""

    async def write(send: Send) -> None:
        await send(b"one ")
        await trio.sleep(0.1)
        msg = "planted"
        raise ValueError(msg)

    return Response(200, body=write)


async def tunnelling(request: Request) -> Response:
    """An echo without HTTP, until the peer says goodbye."""

    async def talk(stream: trio.abc.Stream) -> None:
        said = bytearray()
        while not said.endswith(b"bye"):
            piece = await stream.receive_some(16)
            if not piece:
                return
            said += piece
            await stream.send_all(piece)

    return Response(426, tunnel=talk)


def filed(ground: Ground) -> Handler:
    async def handler(request: Request) -> Response:
        return Response(200, body=ground.file(b"hello world"))

    return handler


def shrunk(ground: Ground) -> Handler:
    """A file that has less than was promised."""

    async def handler(request: Request) -> Response:
        return Response(200, body=ground.file(b"hello", 11))

    return handler


def finishing(ground: Ground) -> Handler:
    """Work that is done, whoever leaves or stops."""

    async def handler(request: Request) -> Response:
        await trio.sleep(0.1)
        with request.finish(5), ground.work():
            await trio.sleep(1)
        return await plain(request)

    return handler


def staying(ground: Ground) -> Handler:
    """A handler that its peer's leaving does not end."""

    async def handler(request: Request) -> Response:
        request.exchange.on_disconnect("finish")
        with ground.work():
            await trio.sleep(2)
        return await plain(request)

    return handler


FAILED, TIMEOUT, COMPLETE = Ending.FAILED, Ending.TIMEOUT, Ending.COMPLETE

SCENES: dict[str, Scene] = {
    "plain": Scene(alike(plain), (LAST,), (HELLO,)),
    "pipelined": Scene(
        alike(counting), (GET + GET + LAST,), (COUNTED,) * 3, (COMPLETE,) * 3
    ),
    # Where there is room for a whole head, and there is a lane, these take it.
    "kept": Scene(alike(plain), (GET, LAST), (HELLO,) * 2, (COMPLETE,) * 2, room=32),
    "answers": Scene(
        alike(plain),
        (GET + GET.replace(b"GET", b"HEAD") + GET, LAST),
        (HELLO, Said(b"", to="HEAD"), HELLO, HELLO),
        (COMPLETE,) * 4,
        room=96,
    ),
    "lengths": Scene(
        alike(repeated),
        (SIZED + b"hello", b" world" + SIZED, b"hello world", LAST),
        (HELLO, HELLO, EMPTY),
        (COMPLETE,) * 3,
        room=64,
    ),
    "streamed length": Scene(
        alike(echo),
        (SIZED + b"hello", b" world", LAST),
        (HELLO, EMPTY),
        (COMPLETE,) * 2,
        room=64,
    ),
    "unread length": Scene(
        alike(plain),
        (SIZED + b"hello", b" world", LAST),
        (HELLO,) * 2,
        (COMPLETE,) * 2,
        room=64,
    ),
    "kept file": Scene(filed, (GET, LAST), (HELLO,) * 2, (COMPLETE,) * 2, room=32),
    "refused behind": Scene(
        alike(plain),
        (GET + b"GET  / HTTP/1.1\r\n\r\n",),
        (HELLO, Said(b"", 400)),
        (COMPLETE, Ending.REFUSED),
        room=32,
    ),
    "upload": Scene(alike(echo), (UPLOAD + CHUNKS,), (HELLO,)),
    "streamed": Scene(alike(late), (LAST,), (COUNTED,)),
    "file": Scene(filed, (LAST,), (HELLO,)),
    "file to 1.0": Scene(filed, (OLD,), (HELLO,)),
    "until the end": Scene(alike(late), (OLD,), (COUNTED,)),
    "continue": Scene(
        alike(echo),
        (UPLOAD.replace(CLOSING, CLOSING + b"Expect: 100-continue\r\n"), CHUNKS),
        (Said(b"hello world", interim=(100,)),),
    ),
    "head": Scene(
        alike(late),
        (LAST.replace(b"GET", b"HEAD"),),
        (Said(b"", to="HEAD"),),
    ),
    "unread": Scene(alike(plain), (T + CHUNKS + LAST,), (HELLO,) * 2, (COMPLETE,) * 2),
    "too much unread": Scene(
        alike(plain), (P + b"Content-Length: 99999\r\n\r\n", b"a" * 400), (HELLO,)
    ),
    "tunnel": Scene(
        alike(tunnelling),
        (G + b"Connection: upgrade\r\nUpgrade: any\r\n\r\nhello ", b"bye"),
        (Said(b"", 101),),
        tunnel=b"hello bye",
    ),
    "websocket": Scene(
        socket(),
        (G + ASKED + SENT[0], *SENT[1:]),
        (Said(b"", 101),),
        messages=HEARD,
    ),
    "deflated websocket": Scene(
        socket(deflate=True),
        (G + OFFERED + ASKED + DEFLATED[0], *DEFLATED[1:]),
        (Said(b"", 101),),
        messages=HEARD,
    ),
    "trailers": Scene(
        alike(trailing),
        (UPLOAD + CHUNKS[:-2] + b"X-Sum: 11\r\n\r\n",),
        (HELLO,),
    ),
    "nursery": Scene(alike(nursery), (LAST,), (HELLO,)),
    "finish": Scene(finishing, (LAST,), (HELLO,), promise=Promise.ANYBODY),
    "staying": Scene(staying, (LAST,), (HELLO,), promise=Promise.PEER),
    "handler's time": Scene(alike(slow), (LAST,), (Said(b"", 503),), (TIMEOUT,)),
    "head's time": Scene(alike(plain), (G,), (Said(b"", 408),), (TIMEOUT,)),
    "refused": Scene(
        alike(plain), (b"GET / HTTP/1.1\r\n\r\n",), (Said(b"", 400),), (Ending.REFUSED,)
    ),
    "failing": Scene(alike(failing), (LAST,), (), (FAILED,), 1, broken=True),
    "failing to 1.0": Scene(alike(failing), (OLD,), (), (FAILED,), 1, broken=True),
    "shrunk file": Scene(shrunk, (LAST,), (), (FAILED,), 1, broken=True),
    "shrunk file to 1.0": Scene(shrunk, (OLD,), (), (FAILED,), 1, broken=True),
}
