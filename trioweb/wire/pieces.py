"""Pieces: the `Send` of one streamed response, whichever protocol carries it."""

from __future__ import annotations

import trio

from trioweb.message.response import BodyWriter, Send

# Said to whoever sends where an earlier piece is not done with.
TORN = (
    "an earlier write was cut off or goes on still, and nothing can follow it; wait "
    "for each send() to return, outside of any timeout"
)


async def write_pieces(writer: BodyWriter, carry: Send) -> None:
    """Let *writer* write, each piece by *carry*, until it has returned."""
    pieces = _Pieces(carry)
    try:
        await writer(pieces.send)
    finally:
        pieces.open = False


class _Pieces:
    """Open until its writer has returned."""

    __slots__ = ("_carry", "open")

    def __init__(self, carry: Send) -> None:
        self._carry = carry
        self.open = True

    async def send(self, piece: bytes) -> None:
        """Write one piece; an empty one sends the head at once."""
        if not self.open:
            msg = "the response is complete; send() is for its writer alone"
            raise RuntimeError(msg)
        if isinstance(piece, str):
            msg = "send() takes bytes; give it text.encode()"
            raise TypeError(msg)
        # Cancelled here, it has torn nothing: the writer may go on.
        await trio.lowlevel.checkpoint_if_cancelled()
        await self._carry(piece)
