"""Refusal: what a peer is told with whom there is to be no handshake."""

from __future__ import annotations

import contextlib
from typing import NoReturn

import trio

from trioweb.message.transport import Transport

# Seconds, and bytes, that are given to a peer to take the answer: closing with bytes
# unread would reset the connection, and the reset would eat it.
_LINGER = 1.0
_MOST = 64 * 1024

_TEXT = b"HTTPS is spoken here, and this was plain HTTP: write https://\n"
_ANSWER = (
    b"HTTP/1.1 400 Bad Request\r\n"
    b"connection: close\r\n"
    b"content-type: text/plain; charset=utf-8\r\n"
    b"content-length: %d\r\n\r\n%b" % (len(_TEXT), _TEXT)
)


# A record with the fatal alert unrecognized_name (RFC 8446 section 6, RFC 6066
# section 3).
_UNRECOGNIZED_NAME = b"\x15\x03\x03\0\2\2\x70"


async def refuse(plain: Transport, begun: bytes) -> NoReturn:
    """Answer a peer on *plain* that has *begun* with something else than a handshake.

    What is no HTTP either is not answered.  Always raises trio.BrokenResourceError.
    """
    if begun.isalpha():
        with (
            contextlib.suppress(trio.BrokenResourceError),
            trio.move_on_after(_LINGER),
        ):
            await plain.send_all(_ANSWER)
            await plain.send_eof()
            left = _MOST
            while left > 0 and (piece := await plain.receive_some()):
                left -= len(piece)
    raise trio.BrokenResourceError("it did not begin with a sound handshake of TLS")


async def refuse_name(plain: Transport) -> NoReturn:
    """Tell a peer that the name it asks for is none of ours.

    Always raises trio.BrokenResourceError.
    """
    await plain.send_all(_UNRECOGNIZED_NAME)
    raise trio.BrokenResourceError("there is no certificate for the name it asked for")
