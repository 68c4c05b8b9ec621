"""The work of the comparison, as a bare ASGI application for peers that serve one."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.apps.content import PIECE, PIECES, big, path

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_USER = re.compile(r"/users/(\d+)")

_TEXT = b"text/plain; charset=utf-8"
_JSON = b"application/json"
_OCTETS = b"application/octet-stream"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one request."""
    asked = scope["path"]
    if asked == "/":
        await _answer(send, _TEXT, b"Hello, World!")
    elif asked == "/json":
        await _answer(send, _JSON, json.dumps({"message": "Hello, World!"}).encode())
    elif match := _USER.fullmatch(asked):
        await _answer(send, _JSON, json.dumps({"id": int(match[1])}).encode())
    elif asked == "/echo":
        await _answer(send, _OCTETS, await _body(receive))
    elif large := _LARGE.get(asked):
        await large(receive, send)
    else:
        await _answer(send, _TEXT, b"", 404)


async def _answer(send: Send, kind: bytes, body: bytes, status: int = 200) -> None:
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


async def _stream(receive: Receive, send: Send) -> None:
    headers = [(b"content-type", _OCTETS)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for left in reversed(range(PIECES)):
        await send({"type": "http.response.body", "body": PIECE, "more_body": left > 0})


async def _file(receive: Receive, send: Send) -> None:
    """By an extension that few servers offer, for ASGI knows of no files."""
    headers = [(b"content-type", _OCTETS)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.pathsend", "path": path()})


async def _big(receive: Receive, send: Send) -> None:
    await _answer(send, _OCTETS, big())


async def _upload(receive: Receive, send: Send) -> None:
    length, more = 0, True
    while more:
        event = await receive()
        length += len(event.get("body", b""))
        more = event.get("more_body", False)
    await _answer(send, _TEXT, b"%d" % length)


_LARGE = {"/stream": _stream, "/file": _file, "/big": _big, "/upload": _upload}
