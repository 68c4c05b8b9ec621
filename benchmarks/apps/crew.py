"""What is served while its workers are killed: who answers, and a file of writes.

GET /who     the process id
POST /write  appends the content to the file $CREW, and then says "kept"
"""

from __future__ import annotations

import os
from pathlib import Path

from trioweb import App, Request

app = App()


@app.get("/who")
async def who(request: Request) -> dict[str, int]:
    """Say which process answers."""
    return {"pid": os.getpid()}


@app.post("/write")
async def write(request: Request) -> str:
    """Keep the content before it is acknowledged."""
    _keep(await request.body() + b"\n")
    return "kept"


def _keep(line: bytes) -> None:
    with Path(os.environ["CREW"]).open("ab", buffering=0) as file:
        file.write(line)
