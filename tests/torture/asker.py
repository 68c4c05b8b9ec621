"""Asker: the peer of one connection, which sends, listens, and may leave anywhere."""

from __future__ import annotations

import contextlib

import trio
import trio.testing

from tests.torture.ground import CANARY
from tests.torture.harms import Harm, Heard, Leave, Sent, Then
from tests.torture.lines import Near
from tests.wire.talking import End
from trioweb.testing.transport import MemoryTransport

LEFT = (trio.BrokenResourceError, trio.ClosedResourceError)

# Virtual seconds that anybody waits for an answer which is at hand.
PATIENCE = 5.0

ASK = b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % CANARY.encode()


class Asker:
    """Sends its pieces, keeps what it hears, and leaves where *harm* says so."""

    def __init__(self, near: Near, harm: Harm) -> None:
        self.received = b""
        self.end: End | None = None  # how the server ended it; None: we left
        self.struck = False  # it has left early
        self.leaving = trio.Event()  # it is told to
        self._near = near
        self._sends = harm.at if isinstance(harm.how, Sent) else None
        self._hears = harm.at if isinstance(harm.how, Heard) else None
        self._how = _way(harm)

    async def talk(self, pieces: tuple[bytes, ...]) -> None:
        """Send the pieces and listen, until the connection has ended."""
        try:
            async with trio.open_nursery() as both_ways:
                both_ways.start_soon(self._leave_when_told)
                with contextlib.suppress(*LEFT):
                    await self._near.handshake()
                    both_ways.start_soon(self._send, pieces)
                await self._listen()
                both_ways.cancel_scope.cancel(reason="the connection is over")
        finally:
            # Whoever waits for us behind a shield waits no longer.
            self._near.abort()

    async def _send(self, pieces: tuple[bytes, ...]) -> None:
        left = self._sends
        # Busy: it is saying at the moment that it sends no more.
        with contextlib.suppress(*LEFT, trio.BusyResourceError):
            for piece in pieces:
                await self._near.send_all(piece[:left])
                if left is not None and left <= len(piece):
                    await self._leave()
                    return
                left = None if left is None else left - len(piece)
                await trio.testing.wait_all_tasks_blocked()

    async def _listen(self) -> None:
        left = self._hears
        try:
            while data := await self._near.receive_some(left):
                self.received += data
                left = None if left is None else left - len(data)
                if left == 0:
                    await self._leave()
                    return
            self.end = End.FIN
        except trio.BrokenResourceError:
            self.end = End.RESET
        except trio.ClosedResourceError:
            return
        await self._near.aclose()

    async def _leave_when_told(self) -> None:
        await self.leaving.wait()
        with contextlib.suppress(*LEFT, trio.BusyResourceError):
            await self._leave()

    async def _leave(self) -> None:
        self.struck = True
        match self._how:
            case Leave.HALF:
                await self._near.send_eof()
            case Leave.RESET:
                self._near.abort()
            case _:
                await self._near.aclose()


def _way(harm: Harm) -> Leave | None:
    match harm.how:
        case Sent(way) | Heard(way) | Then(way):
            return way
        case _:
            return None


async def alive(near: MemoryTransport) -> bool:
    """Whether a request on *near* is answered."""
    heard = b""
    with contextlib.suppress(*LEFT), trio.move_on_after(PATIENCE):
        await near.send_all(ASK)
        while data := await near.receive_some():
            heard += data
            if heard.endswith(b"alive"):
                break
    return heard.startswith(b"HTTP/1.1 200 ") and heard.endswith(b"alive")
