"""An application that says what it sees of who asks.

GET  /seen   peer and URL; sets a session
GET  /shout  switches to a protocol that says everything back in capitals
GET  /who    the process that answers
POST /write  appends the content to the file $KEPT, and then says so
"""

from __future__ import annotations

import os
from pathlib import Path

import trio

from trioweb import App, Request, Response, sessions

app = App()
app.use(sessions())


@app.get("/seen")
async def seen(request: Request) -> dict[str, str]:
    """Say who asks for what."""
    request.session["seen"] = True
    return {"peer": request.peer.host, "url": request.url}


@app.get("/shout")
async def shout(request: Request) -> Response:
    """Speak another protocol."""

    async def shouting(stream: trio.abc.Stream) -> None:
        while piece := await stream.receive_some():
            await stream.send_all(piece.upper())

    return Response(200, {"upgrade": "shout"}, tunnel=shouting)


@app.get("/who")
async def who(request: Request) -> dict[str, int]:
    """Say which process answers."""
    return {"pid": os.getpid()}


@app.post("/write")
async def write(request: Request) -> str:
    """Keep the content before it is acknowledged."""
    line = await request.body() + b"\n"
    keep(line)
    return "kept"


def keep(line: bytes) -> None:
    """Write *line* to the file in one piece."""
    with Path(os.environ["KEPT"]).open("ab", buffering=0) as file:
        file.write(line)
