"""The showcase's connection for bytes by hand: in memory, and served as any other."""

from __future__ import annotations

import trio

from trioweb import App
from trioweb.testing import memory_pair
from trioweb.wire import connection
from trioweb.wire.service import Service

PATIENCE = 3  # seconds until what has come back is all
LONGEST = 32 * 1024  # bytes of it that are shown, and a piece more


async def converse(app: App, said: bytes) -> bytes:
    """What *app* answers on a connection on which *said* is all that comes."""
    ours, theirs = memory_pair()
    answer = bytearray()
    service = Service(app.freeze())
    async with service.running(), trio.open_nursery() as talk, ours:
        talk.start_soon(connection.serve, theirs, service)
        with trio.move_on_after(PATIENCE):
            await ours.send_all(said)
            await ours.send_eof()
            while len(answer) < LONGEST and (piece := await ours.receive_some()):
                answer += piece
        talk.cancel_scope.cancel(reason="the answer is complete")
    return bytes(answer)
