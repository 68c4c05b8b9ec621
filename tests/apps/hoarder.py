"""An application that takes every descriptor there is, and gives them back.

/take         opens descriptors until there are no more; how many it has
/give         closes them after an answer, and half a second
/sleep        an answer after 3 s
/file         this file
anything else "hello"
"""

from __future__ import annotations

import os
import sys

import trio

from trioweb import App, Request, run

app = App()
hoard: list[int] = []


@app.get("/")
async def hello(request: Request) -> str:
    """Say hello."""
    return "hello"


@app.get("/take")
async def take(request: Request) -> str:
    """Open descriptors until there are no more."""
    take_all()
    return str(len(hoard))


def take_all() -> None:
    """Open descriptors until the system refuses."""
    try:
        while True:
            hoard.append(os.open(os.devnull, os.O_RDONLY))
    except OSError:
        return


@app.get("/give")
async def give(request: Request) -> str:
    """Close them, after a while in which nobody can be accepted."""
    await trio.sleep(2)
    while hoard:
        os.close(hoard.pop())
    return "given"


@app.get("/sleep")
async def sleep(request: Request) -> str:
    """Be at work for a while."""
    await trio.sleep(3)
    return "slept"


@app.get("/file")
async def file(request: Request) -> bytes:
    """Open a file, as any handler may."""
    return await trio.Path(__file__).read_bytes()


if __name__ == "__main__":
    run(app, bind=sys.argv[1:] or "localhost:8080")
