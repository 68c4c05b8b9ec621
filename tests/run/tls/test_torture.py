"""Whatever goes wrong below TLS, and wherever: no cut response looks complete.

An HTTP/1.0 peer has nothing to go by but the end: a goodbye says that it was the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import trio
import trio.testing

from tests.run.tls.meeting import SERVER, over
from tests.torture.faults import Chance, Fault, FaultyTransport
from tests.wire.talking import logged
from trioweb.message.request import Request
from trioweb.message.response import Response, Send
from trioweb.run.tls.certificates import Certificates
from trioweb.run.tls.streams import StreamTLS
from trioweb.testing.transport import memory_pair
from trioweb.wire.connection import serve
from trioweb.wire.service import Service

# Uses of the transport that one connection can have: a bound for a loop, never reached.
MOST = 200

ASKED = b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"
BODY = b"one two three"

CERTIFICATES = Certificates(SERVER)


async def handler(request: Request) -> Response:
    async def write(send: Send) -> None:
        for piece in (b"one ", b"two ", b"three"):
            await send(piece)
            await trio.sleep(0.1)

    return Response(200, body=write)


@dataclass
class Heard:
    """What a peer has got: *ended* if it was told that this was all."""

    received: bytes
    ended: bool
    struck: bool  # the use that goes wrong has come

    @property
    def honest(self) -> bool:
        """Whether nothing that was cut looks complete."""
        head, end, body = self.received.partition(b"\r\n\r\n")
        if not self.ended or not self.received:
            return True  # cut, or no answer was begun
        # All of it; or all of a refusal, which says how long it is.
        refused = head.startswith((b"HTTP/1.1 408", b"HTTP/1.1 500", b"HTTP/1.1 503"))
        length = b"content-length: %d" % len(body) in head
        return bool(end) and (body == BODY or (refused and length))

    @property
    def whole(self) -> bool:
        return self.ended and self.received.endswith(b"\r\n\r\n" + BODY)


async def heard(fault: Fault, at: int, seed: int) -> Heard:
    ours, theirs = memory_pair()
    serving = trio.CancelScope()
    faulty = FaultyTransport(
        ours, fault=fault, at=at, cancel=serving.cancel, chance=Chance(seed)
    )
    service = Service(handler)
    received, ended = b"", False

    async def answer() -> None:
        with serving:
            await serve(StreamTLS(faulty, CERTIFICATES), service)

    with trio.fail_after(10_000):  # virtual seconds
        async with service.running(), trio.open_nursery() as connection:
            connection.start_soon(answer)
            peer = over(theirs)
            try:
                await peer.send_all(ASKED)
                while piece := await peer.receive_some():
                    received += piece
                ended = True
            except trio.BrokenResourceError:
                pass
            await trio.aclose_forcefully(peer)
    assert not ours.readable or ours.closed
    return Heard(received, ended, faulty.struck)


@pytest.mark.parametrize("fault", Fault, ids=lambda each: each.name.lower())
@pytest.mark.parametrize("seed", [0, 7])
async def test_t6_what_looks_complete_is(
    fault: Fault, seed: int, autojump_clock: trio.testing.MockClock
) -> None:
    whole = 0
    with logged():
        for at in range(1, MOST):
            found = await heard(fault, at, seed)
            assert found.honest, f"{fault} {at}: {found}"
            whole += found.whole
            if not found.struck:
                break
        else:
            pytest.fail(f"more than {MOST} uses")
    assert whole
