"""Tunnel: stepping aside for another protocol, and the bytes from then on."""

from __future__ import annotations

import trio

from trioweb.message.errors import HTTPError, PeerGone
from trioweb.message.response import Response, Talk
from trioweb.message.transport import Transport
from trioweb.rules.headers import Headers, parse_list
from trioweb.wire.inbound import Inbound
from trioweb.wire.outbound import Outbound
from trioweb.wire.watch import Watch


def offered(headers: Headers) -> str | None:
    """The protocol that a peer would rather speak (RFC 9110 section 7.8), lower-case.

    The first that it names, but "websocket" wherever that stands.
    """
    protocols = parse_list(headers.get("upgrade", "").lower())
    options = parse_list(headers.get("connection", "").lower())
    if not protocols or "upgrade" not in options:
        return None
    return "websocket" if "websocket" in protocols else protocols[0]


def upgrade_required(response: Response) -> HTTPError:
    """The refusal to a peer that did not ask for what *response* would switch to."""
    protocol = response.headers.get("upgrade")
    return HTTPError(426, headers={} if protocol is None else {"upgrade": protocol})


def switching(protocol: str, response: Response) -> Headers:
    """The fields of the 101 that gives a peer the *protocol* it has asked for."""
    fields = response.headers
    fields.setdefault("upgrade", protocol)
    fields["connection"] = "upgrade"
    return fields


class Tunnel(trio.abc.Stream):
    """A transport after a protocol switch; begins with what was read ahead of it.

    A write waits for its peer no longer than an answer's may, and one that was cut off
    is the last: nobody knows how much of it has left.
    """

    def __init__(
        self, transport: Transport, inbound: Inbound, outbound: Outbound, watch: Watch
    ) -> None:
        self._transport = transport
        self._in = inbound
        self._out = outbound
        self._watch = watch
        self._ahead = bytes(inbound.buffer)
        inbound.buffer.clear()
        self._writing = False  # a write has begun and not ended
        self._ending = False
        self.ended = False  # all there was to say has been said

    async def give(self, talk: Talk) -> None:
        """Run *talk* on it; PeerGone if it was not said to the end."""
        try:
            await talk(self)
        except* trio.BrokenResourceError as error:
            raise PeerGone from error
        if self._writing:
            raise PeerGone
        self.ended = True

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of *data*; trio.BrokenResourceError once the peer has gone.

        And after a write that was cut off, as by a timeout around it.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        self._require_whole()
        self._writing = True
        self._watch.write_begins()
        try:
            await self._transport.send_all(data)
        finally:
            self._watch.write_ended()
        self._writing = False
        self._out.sent += len(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there may be room to write."""
        self._require_whole()
        await self._transport.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Wait for bytes; b"" once the peer has finished sending."""
        if self._ahead:
            await trio.lowlevel.checkpoint()
            end = len(self._ahead) if max_bytes is None else max_bytes
            data: bytes | bytearray = self._ahead[:end]
            self._ahead = self._ahead[end:]
        else:
            data = await self._transport.receive_some(max_bytes)
        self._in.taken += len(data)
        return data

    async def aclose(self) -> None:
        """Say that this was all; the wire closes the connection when the talk ends."""
        if self._writing or self._ending:
            await trio.lowlevel.checkpoint()
            return  # what is cut cannot end
        self._ending = True
        try:
            await self._transport.send_eof()
            self.ended = True
        finally:
            self._ending = False

    def _require_whole(self) -> None:
        if self.ended:
            msg = "the tunnel was closed"
            raise trio.ClosedResourceError(msg)
        if self._writing:
            msg = "an earlier write was cut off or goes on still; nothing can follow it"
            raise trio.BrokenResourceError(msg)
