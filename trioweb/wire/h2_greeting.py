"""Greeting: the preface that a peer of HTTP/2 begins with (RFC 9113 section 3.4)."""

from __future__ import annotations

from trioweb.message.transport import Transport
from trioweb.wire.h2_codes import PREFACE
from trioweb.wire.limits import READ_SIZE


async def greeting(transport: Transport, ahead: bytes) -> bytes | None:
    """What has come behind the preface; None where no preface comes.

    *ahead* was read before.  Cancelling it loses what has come.
    """
    data = ahead
    while PREFACE.startswith(data) and len(data) < len(PREFACE):
        more = await transport.receive_some(READ_SIZE)
        if not more:
            return None
        data += more
    return data[len(PREFACE) :] if data.startswith(PREFACE) else None
