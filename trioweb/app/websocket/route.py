"""Routes of WebSockets: the handshake as a handler, whose answer is a tunnel."""

from __future__ import annotations

from dataclasses import dataclass

from trioweb.app.websocket.options import Conversation, WebSocketSettings
from trioweb.app.websocket.talk import Agreed, Talk
from trioweb.message.errors import HTTPError
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.rules import deflate
from trioweb.rules.handshake import Refusal, agree, check_origin, choose


@dataclass(frozen=True, slots=True)
class Doorkeeper:
    """Answers handshakes: layers stand around it as around any handler."""

    handler: Conversation
    settings: WebSocketSettings

    async def __call__(self, request: Request, **_: object) -> Response:
        """The acceptance of *request*; HTTPError for what cannot be accepted."""
        headers, settings = request.headers, self.settings
        # A HEAD comes here where a GET would, and asks for no more than to be told.
        upgrade = request.upgrade if request.method == "GET" else None
        try:
            fields = agree(headers, upgrade, request.version)
            check_origin(headers, request.authority, settings.origins)
            protocol = choose(headers, settings.subprotocols)
        except Refusal as refusal:
            raise HTTPError(
                refusal.status, refusal.detail, headers=refusal.fields
            ) from None
        if protocol is not None:
            fields["sec-websocket-protocol"] = protocol
        packed = None
        if settings.deflate:
            packed = deflate.agree(headers.get("sec-websocket-extensions", ""))
        if packed is not None:
            fields["sec-websocket-extensions"] = packed.answer
        agreed = Agreed(protocol, packed)
        return Response(
            headers=fields, tunnel=Talk(self.handler, request, settings, agreed)
        )
