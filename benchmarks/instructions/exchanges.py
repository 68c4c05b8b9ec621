"""Exchanges: a peer that asks on one connection, and what its asking has cost.

One connection, and the next request when the server has come to rest after the last:
so it does the same in every exchange, however quick or slow the machine is today.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio

from benchmarks.instructions.counting import Counted
from benchmarks.instructions.works import Work
from benchmarks.serving import NotServing

# Exchanges before the first that counts: Python adapts its code to what passes through
# it (PEP 659), and names and dates are made once.
WARM_UP = 24

# Exchanges of a small and of a large batch, whose difference counts: what lies between
# a batch and the look at its count is in both.
FEW = 2
MANY = 6

# Batches of each size, of which the cheapest counts.  What comes by the clock, twice a
# second the sign of life that the watchdog asks for, falls into a tenth of those that
# last so short, and never into all.
BATCHES = 8

# Seconds for an answer, at a fiftieth of the usual speed on a busy machine.
ANSWER = 20

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_COOKIE = re.compile(rb"\r\nset-cookie: ([^;\r]+)", re.IGNORECASE)
_END = b"\r\n\r\n"
_LAST_CHUNK = b"\r\n0\r\n\r\n"


async def count(server: Counted, work: Work, trust: ssl.SSLContext | None) -> int:
    """The instructions of one exchange of *work*; NotServing if it is answered wrong.

    *trust* is how a peer goes about TLS, if it does.
    """
    async with _line(server.port, trust) as stream:
        peer = _Peer(server, stream, work)
        await peer.ask(WARM_UP)
        costs: dict[int, list[int]] = {FEW: [], MANY: []}
        before = await server.so_far()
        for _ in range(BATCHES):
            for size, found in costs.items():
                await peer.ask(size)
                now = await server.so_far()
                found.append(now - before)
                before = now
    return (min(costs[MANY]) - min(costs[FEW])) // (MANY - FEW)


@asynccontextmanager
async def _line(
    port: int, trust: ssl.SSLContext | None
) -> AsyncIterator[trio.abc.Stream]:
    plain = await trio.open_tcp_stream("127.0.0.1", port)
    if trust is None:
        async with plain:
            yield plain
        return
    secure = trio.SSLStream(plain, trust, server_hostname="localhost")
    try:
        yield secure
    finally:
        await trio.aclose_forcefully(secure)


class _Peer:
    """Who asks for *work* on a connection, and keeps the cookie if it is a visitor."""

    def __init__(self, server: Counted, stream: trio.abc.Stream, work: Work) -> None:
        self._server = server
        self._stream = stream
        self._work = work
        self._asked = 0
        self._cookie = b""

    async def ask(self, times: int) -> None:
        """So many exchanges, one after the other."""
        for _ in range(times):
            request = self._work.request(self._asked)
            if self._cookie:
                field = b"\r\nCookie: " + self._cookie + _END
                request = request.replace(_END, field, 1)
            head = b""
            with trio.move_on_after(ANSWER):
                await self._stream.send_all(request)
                head, body = await self._answer()
            if not head:
                raise NotServing(f"no answer to {self._work.name}")
            self._check(head, body)
            self._asked += 1
            await self._server.rest()

    def _check(self, head: bytes, body: bytes) -> None:
        if self._work.visits and not self._asked:
            given = _COOKIE.search(head)
            self._cookie = given[1] if given else b""
            return
        if not head.startswith(b"HTTP/1.1 200 ") or self._work.answer not in body:
            raise NotServing(f"{self._work.name} is answered with {head + body!r}")

    async def _answer(self) -> tuple[bytes, bytes]:
        """The next answer, which has a length or is chunked: its head and its body."""
        data = bytearray()
        while True:
            piece = await self._stream.receive_some()
            if not piece:
                raise NotServing(f"the server has closed on {self._work.name}")
            data += piece
            head, end, body = bytes(data).partition(_END)
            if not end:
                continue
            length = _LENGTH.search(head + b"\r\n")
            if len(body) == int(length[1]) if length else body.endswith(_LAST_CHUNK):
                return head, body
