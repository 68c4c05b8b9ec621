"""The work of the comparison, as a bare ASGI application for peers that serve one."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_USER = re.compile(r"/users/(\d+)")

_TEXT = b"text/plain; charset=utf-8"
_JSON = b"application/json"


async def app(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Answer one request."""
    path = scope["path"]
    status, kind, body = 200, _TEXT, b""
    if path == "/":
        body = b"Hello, World!"
    elif path == "/json":
        kind, body = _JSON, json.dumps({"message": "Hello, World!"}).encode()
    elif match := _USER.fullmatch(path):
        kind, body = _JSON, json.dumps({"id": int(match[1])}).encode()
    elif path == "/echo":
        kind, body = b"application/octet-stream", await _body(receive)
    else:
        status = 404
    length = b"%d" % len(body)
    headers = [(b"content-type", kind), (b"content-length", length)]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    return body
