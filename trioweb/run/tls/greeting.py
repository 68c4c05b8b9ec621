"""Greeting: how a connection begins, and who is answered at all."""

from __future__ import annotations

from dataclasses import dataclass

from trioweb.message.transport import Transport
from trioweb.run.tls.hello import LONGEST, first_message, name_in
from trioweb.run.tls.refusal import refuse, refuse_name


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a peer has begun with: all bytes so far, and the first message in them.

    *asked* is the name that it asks for.
    """

    begun: bytes
    hello: bytes
    asked: str | None


async def greeted(plain: Transport) -> Greeting:
    """Wait for the first message of a peer on *plain*.

    A peer that speaks plain HTTP is told so, and one that asks for a name that is no
    text is refused; trio.BrokenResourceError for them and for whatever is no handshake.
    """
    begun = b""
    while (hello := first_message(begun)) is None:
        more = await plain.receive_some(LONGEST - len(begun))
        if not more:
            break
        begun += more
    if not hello:
        await refuse(plain, begun[:1])
    name = name_in(hello)
    if not name.isascii():
        await refuse_name(plain)
    return Greeting(begun, hello, name.decode("ascii") or None)
