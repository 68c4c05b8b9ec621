"""Tunnel: stepping aside for another protocol, and the bytes from then on."""

from __future__ import annotations

import trio

from trioweb.message.errors import HTTPError
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.message.transport import Transport
from trioweb.rules.headers import parse_list


def offered(request: Request) -> str | None:
    """The protocol that the peer would rather switch to (RFC 9110 section 7.8)."""
    protocols = parse_list(request.headers.get("upgrade", ""))
    options = parse_list(request.headers.get("connection", "").lower())
    if not protocols or "upgrade" not in options or request.version == "1.0":
        return None
    return protocols[0]


def upgrade_required(response: Response) -> HTTPError:
    """The refusal to a peer that did not ask for what *response* would switch to."""
    protocol = response.headers.get("upgrade")
    return HTTPError(426, headers={} if protocol is None else {"upgrade": protocol})


class Tunnel(trio.abc.Stream):
    """A transport after a protocol switch; begins with what was read ahead of it."""

    def __init__(self, transport: Transport, ahead: bytes) -> None:
        self._transport = transport
        self._ahead = ahead

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Write all of *data*; trio.BrokenResourceError once the peer has gone."""
        await self._transport.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there may be room to write."""
        await self._transport.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Wait for bytes; b"" once the peer has finished sending."""
        if not self._ahead:
            return await self._transport.receive_some(max_bytes)
        await trio.lowlevel.checkpoint()
        end = len(self._ahead) if max_bytes is None else max_bytes
        ahead, self._ahead = self._ahead[:end], self._ahead[end:]
        return ahead

    async def aclose(self) -> None:
        """Close the connection."""
        await self._transport.aclose()
