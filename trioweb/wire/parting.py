"""Parting: ending a connection so that the peer gets to read our last words."""

from __future__ import annotations

import contextlib

import trio

from trioweb.message.transport import Transport
from trioweb.wire.limits import READ_SIZE, Limits


async def part(transport: Transport, limits: Limits) -> None:
    """Finish sending, then wait for the peer to finish too.

    Closing with bytes unread would reset the connection, and the reset would eat
    an answer that the peer has not read yet (RFC 9112 section 9.6).
    """
    with (
        contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError),
        trio.move_on_after(limits.linger),
    ):
        await transport.send_eof()
        left = limits.lingering
        # Read and forget until the peer finishes, but not without end.
        while left > 0 and (size := len(await transport.receive_some(READ_SIZE))):
            left -= size
