"""Talk: one WebSocket from its acceptance to its end.

Its nursery holds the library's reader and one task that minds it; the handler runs in
the connection's own.  Whichever way it ends, each side has said its Close, or the wire
breaks off visibly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import trio

from trioweb.app.websocket.gated import CLOSING, Gated
from trioweb.app.websocket.library import CLOSED, question, wrap
from trioweb.app.websocket.options import Conversation, WebSocketSettings
from trioweb.message.errors import PeerGone
from trioweb.message.request import Request
from trioweb.rules.deflate import Agreement, deflate
from trioweb.rules.frames import FrameGate
from trioweb.rules.inflate import Inflater

if TYPE_CHECKING:
    from trio_websocket import WebSocketConnection

# Codes of a Close (RFC 6455 section 7.4.1).
NORMAL = 1000
GOING_AWAY = 1001
INTERNAL_ERROR = 1011

# Seconds that a handler may go on for once its WebSocket is closed, as it cleans up;
# then it is cancelled.  As long as a close may take.
AFTERWARDS = CLOSING

# Seconds more that a Close may wait for what is sent before it.
STUCK = 1.0

_LEFT = (*CLOSED, PeerGone)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What the handshake has settled: the subprotocol, and how messages are packed."""

    protocol: str | None
    deflate: Agreement | None


class Talk:
    """What *handler* and a peer say to each other; called with the wire's tunnel."""

    def __init__(
        self,
        handler: Conversation,
        request: Request,
        settings: WebSocketSettings,
        agreed: Agreed,
    ) -> None:
        self._handler = handler
        self._request = request
        self._params = request.params
        self._settings = settings
        self._agreed = agreed
        self._handling = trio.CancelScope()

    async def __call__(self, tunnel: trio.abc.Stream) -> None:
        """Talk until either side has had enough.

        Raises what the handler has raised, once the peer has been told, and PeerGone
        where there was no Close.
        """
        gated = self._gated(tunnel)
        failure = None
        async with trio.open_nursery() as speaking:
            ws = await wrap(
                gated,
                speaking,
                largest=self._settings.limits.message,
                protocol=self._agreed.protocol,
            )
            gated.reason = lambda: ws.closed
            speaking.start_soon(self._mind, gated, ws, speaking)
            failure = await self._handle(ws)
            code = NORMAL if failure is None else INTERNAL_ERROR
            await _finish(gated, ws, code)
            speaking.cancel_scope.cancel(reason="the WebSocket is closed")
        if gated.polite:
            await tunnel.aclose()
        if failure is not None:
            raise failure
        if not gated.polite:
            raise PeerGone

    def _gated(self, tunnel: trio.abc.Stream) -> Gated:
        target, limits = self._request.target, self._settings.limits
        query = f"?{target.query}" if target.query else ""
        asked = question(
            target.raw_path + query, self._request.authority, self._agreed.protocol
        )
        if self._agreed.deflate is None:
            return Gated(tunnel, FrameGate(limits), asked, self._over, compress=bytes)
        return Gated(
            tunnel,
            FrameGate(limits, Inflater(limits.message)),
            asked,
            self._over,
            compress=partial(deflate, bits=self._agreed.deflate.bits),
        )

    async def _handle(self, ws: WebSocketConnection) -> Exception | None:
        """Run the handler; what it failed with, if that is its own doing."""
        try:
            with self._handling:
                try:
                    await self._handler(self._request, ws, **self._params)
                except* _LEFT:
                    pass  # it knows now, and so do we
        except Exception as error:  # noqa: BLE001  # the boundary of a talk
            return error
        return None

    def _over(self) -> None:
        """Nothing can be said any more: who has not heard it by itself is told."""
        if self._settings.route.on_disconnect == "cancel":
            self._handling.deadline = trio.current_time() + AFTERWARDS

    async def _mind(
        self, gated: Gated, ws: WebSocketConnection, speaking: trio.Nursery
    ) -> None:
        """Ping a silent peer, and say goodbye when the server stops."""
        pinged_at = -math.inf
        while not gated.over.is_set():
            with trio.CancelScope(deadline=self._due(gated, pinged_at)) as waiting:
                await self._request.draining.wait()
            if not waiting.cancelled_caught:
                await _finish(gated, ws, GOING_AWAY)
                return
            now = trio.current_time()
            if self._due(gated, pinged_at) > now:
                continue  # something has come meanwhile
            if gated.writing:
                # A ping would come after that; and the wire sees by its pace whether
                # anybody takes it.
                gated.heard_at = now
            elif gated.heard_at >= pinged_at or not gated.listening:
                # Nobody listens while the handler is behind: what the peer has
                # answered may be there for long.
                pinged_at = now
                # In a task of its own, so that a stop is heard meanwhile.
                speaking.start_soon(gated.ping)
            else:
                await self._lose(gated)
                return

    def _due(self, gated: Gated, pinged_at: float) -> float:
        """When the peer has been silent for too long."""
        settings = self._settings
        if settings.ping is None:
            return math.inf
        if gated.heard_at < pinged_at:
            return pinged_at + settings.pong
        return gated.heard_at + settings.ping

    async def _lose(self, gated: Gated) -> None:
        """Give up on a peer that shows no sign of life."""
        if self._settings.route.on_disconnect == "cancel":
            self._handling.cancel(reason="the peer does not answer")
        await gated.close(INTERNAL_ERROR, "no answer to a ping")
        gated.give_up()


async def _finish(gated: Gated, ws: WebSocketConnection, code: int) -> None:
    """Close with *code* unless it is closed; give up in time."""
    with trio.move_on_after(CLOSING + STUCK) as waiting:
        await ws.aclose(code)
        await gated.over.wait()
    if waiting.cancelled_caught:
        gated.give_up()  # as where the library cannot answer the peer's own Close
