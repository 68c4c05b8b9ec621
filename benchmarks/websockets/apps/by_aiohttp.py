"""The work of the comparison of WebSockets, by aiohttp at the port named first."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, TypeAlias

# Not by an import statement: it is not installed where types are checked.
_web: Any = import_module("aiohttp.web")
_Request: TypeAlias = Any
_Socket: TypeAlias = Any

_room: set[_Socket] = set()


async def echo(request: _Request) -> _Socket:
    """Each message, as it came."""
    ws = _web.WebSocketResponse(compress=False)
    await ws.prepare(request)
    async for message in ws:
        await ws.send_str(message.data)
    return ws


async def room(request: _Request) -> _Socket:
    """Each message, to everybody who is there."""
    ws = _web.WebSocketResponse(compress=False)
    await ws.prepare(request)
    _room.add(ws)
    try:
        async for message in ws:
            for each in [*_room]:
                await each.send_str(message.data)
    finally:
        _room.discard(ws)
    return ws


def main() -> None:
    """Serve until a signal comes."""
    app = _web.Application()
    app.add_routes([_web.get("/echo", echo), _web.get("/room", room)])
    port = int(sys.argv[1])
    _web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main()
