"""An application that says which worker answers, and that can be harmed.

GET  /who                    its process, its place among the workers, its version
POST /write                  appends the content to the file $CREW, and then says so
GET  /sleep/{seconds:float}  an answer after that time
GET  /endless                pieces, one each 0.1 s, for ever
GET  /open                   the listening sockets in this process and its children
GET  /stuck                  blocks the event loop for ever
GET  /fork                   forks one that sleeps, as a pool of processes does
GET  /crash                  ends the process

The environment says how it starts: $CREW_FAILS names a file whose content, if it is
there, is run when it is loaded.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import trio

from trioweb import App, Request, Response, Send, run, stream, text
from trioweb.message.site import Site

app = App()

_START = Path(os.environ.get("CREW_FAILS", "/nowhere"))
VERSION = 1
if _START.is_file():
    exec(_START.read_text("utf-8"))  # noqa: S102  # the test's own words

_site: list[Site] = []


@app.lifespan
async def crew(site: Site) -> AsyncIterator[None]:
    """Know the place among the workers."""
    _site.append(site)
    yield


@app.get("/who")
async def who(request: Request) -> dict[str, object]:
    """Say which worker answers."""
    (site,) = _site
    return {
        "pid": os.getpid(),
        "worker": site.worker,
        "workers": site.workers,
        "directory": str(site.directory),
        "version": VERSION,
    }


@app.post("/write")
async def write(request: Request) -> str:
    """Keep the content, in one piece, before it is acknowledged."""
    line = await request.body() + b"\n"
    keep(line)
    return "kept"


def keep(line: bytes) -> None:
    """Write *line* to the file in one piece."""
    with Path(os.environ["CREW"]).open("ab", buffering=0) as file:
        file.write(line)


@app.get("/sleep/{seconds:float}")
async def sleep(request: Request, seconds: float) -> str:
    """Answer later."""
    await trio.sleep(seconds)
    return "slept"


@app.get("/endless")
async def endless(request: Request) -> Response:
    """Answer for ever."""

    async def pieces(send: Send) -> None:
        while True:
            await send(b"more\n")
            await trio.sleep(0.1)

    return stream(pieces, "text/plain")


@app.get("/open")
async def opened(request: Request) -> Response:
    """List what a process that a handler starts has inherited."""
    code = "import os; print(*os.listdir('/proc/self/fd'))"
    program = [sys.executable, "-S", "-c", code]
    done = await trio.run_process(program, capture_stdout=True, close_fds=False)
    return text(done.stdout.decode())


@app.get("/stuck")
async def stuck(request: Request) -> str:
    """Block the loop."""
    while True:
        time.sleep(3600)  # noqa: ASYNC251  # the mistake itself


@app.get("/fork")
async def fork(request: Request) -> dict[str, int]:
    """Leave a process behind that has what this one has."""
    if pid := os.fork():
        return {"pid": pid}
    time.sleep(60)  # noqa: ASYNC251  # there is no loop
    os._exit(0)


@app.get("/crash")
async def crash(request: Request) -> str:
    """End at once."""
    os._exit(7)


if __name__ == "__main__":
    run(app, bind=sys.argv[1], workers=2, access_log="off")
