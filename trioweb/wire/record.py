"""Record: what is written down of an exchange when it is over."""

from __future__ import annotations

from typing import Protocol

from trioweb.message.exchange import Ending, Exchanged
from trioweb.message.request import Request
from trioweb.message.transport import Peer


class Taking(Protocol):
    """What has come of a request's content, by either protocol."""

    @property
    def taken(self) -> int:
        """Bytes of it so far."""


class Leaving(Protocol):
    """What has left of a response, by either protocol."""

    @property
    def status(self) -> int | None:
        """Its status, once it has begun to leave."""

    @property
    def sent(self) -> int:
        """Bytes of it so far."""


def exchanged(
    request: Request | None,
    peer: Peer,
    *,
    inbound: Taking,
    outbound: Leaving,
    seconds: float,
    ending: Ending,
    version: str = "1.1",
) -> Exchanged:
    """The record of an exchange; *request* is None where the head was no request.

    *peer* is who has connected: a proxy perhaps, that spoke for the request's peer.
    *version* is what was spoken where there is no request to say so.
    """
    if request is None:
        return Exchanged(
            "", "", None, peer, outbound.status, 0, outbound.sent, 0.0, ending, version
        )
    target = request.target
    return Exchanged(
        request.method,
        f"{target.raw_path}?{target.query}" if target.query else target.raw_path,
        request.route,
        request.peer,
        outbound.status,
        inbound.taken,
        outbound.sent,
        seconds,
        ending,
        request.version,
    )
