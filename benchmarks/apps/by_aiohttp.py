"""The work of the comparison, by aiohttp: ``by_aiohttp PORT [--cert C --key K]``."""

from __future__ import annotations

import argparse
import ssl
from importlib import import_module
from typing import Any, TypeAlias

from benchmarks.apps.content import PIECE, PIECES, path

# Not by an import statement: it is not installed where types are checked.
_web: Any = import_module("aiohttp.web")
_Request: TypeAlias = Any
_Response: TypeAlias = Any


async def plaintext(request: _Request) -> _Response:
    """Text."""
    return _web.Response(text="Hello, World!")


async def message(request: _Request) -> _Response:
    """A small object."""
    return _web.json_response({"message": "Hello, World!"})


async def user(request: _Request) -> _Response:
    """A parameter of the path, converted."""
    return _web.json_response({"id": int(request.match_info["id"])})


async def echo(request: _Request) -> _Response:
    """The body, as it came."""
    return _web.Response(body=await request.read())


async def stream(request: _Request) -> _Response:
    """A body in pieces."""
    response = _web.StreamResponse()
    await response.prepare(request)
    for _ in range(PIECES):
        await response.write(PIECE)
    return response


async def file(request: _Request) -> _Response:
    """A file."""
    return _web.FileResponse(path())


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--cert")
    parser.add_argument("--key")
    options = parser.parse_args()
    tls = None
    if options.cert:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(options.cert, options.key)
    app = _web.Application()
    app.add_routes(
        [
            _web.get("/", plaintext),
            _web.get("/json", message),
            _web.get(r"/users/{id:\d+}", user),
            _web.post("/echo", echo),
            _web.get("/stream", stream),
            _web.get("/file", file),
        ]
    )
    _web.run_app(
        app,
        host="127.0.0.1",
        port=options.port,
        ssl_context=tls,
        print=None,
        access_log=None,
    )


if __name__ == "__main__":
    main()
