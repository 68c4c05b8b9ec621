"""Record: what is written down of an exchange when it is over."""

from __future__ import annotations

from typing import Protocol

from trioweb.message.exchange import Ending, Exchanged
from trioweb.message.request import Request
from trioweb.message.transport import Peer
from trioweb.rules.target import Target


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
    return Exchanged(
        method="" if request is None else request.method,
        target="" if request is None else _as_received(request.target),
        route=None if request is None else request.route,
        peer=peer if request is None else request.peer,
        status=outbound.status,
        received=inbound.taken,
        sent=outbound.sent,
        seconds=0.0 if request is None else seconds,
        ending=ending,
        version=version if request is None else request.version,
    )


def _as_received(target: Target) -> str:
    return f"{target.raw_path}?{target.query}" if target.query else target.raw_path
