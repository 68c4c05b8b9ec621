"""Two workers on one port: who answers, and what happens when one is killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys

from trioweb import App, Conflict, Request, Response, html, redirect, run

PAGE = """<!doctype html>
<meta charset="utf-8">
<title>Two workers</title>
<h1>Worker {worker} of {workers}, process {pid}</h1>
<p>Load this page again: a new connection may go to the other one.</p>
<form method="post" action="/kill"><button>Kill this one</button></form>
<form method="post" action="/reload"><button>Reload all</button></form>
"""

app = App()


@app.get("/")
async def page(request: Request) -> Response:
    """Show who answers; the next request is a new connection, perhaps to another."""
    site = app.site
    shown = PAGE.format(worker=site.worker, workers=site.workers, pid=os.getpid())
    answer = html(shown)
    answer.headers["connection"] = "close"
    return answer


@app.get("/who")
async def who(request: Request) -> dict[str, int]:
    """Say who answers, to programs."""
    return {"worker": app.site.worker, "pid": os.getpid()}


@app.post("/kill")
async def kill(request: Request) -> Response:
    """End this very process as a crash would: its peers see their connection end."""
    os.kill(os.getpid(), signal.SIGKILL)
    return redirect("/")


@app.post("/reload")
async def reload(request: Request) -> Response:
    """Have all workers replaced one by one, as `kill -HUP` of the supervisor does."""
    supervisor = multiprocessing.parent_process()
    if supervisor is None or supervisor.pid is None:
        raise Conflict("there is no supervisor: this process serves by itself")
    os.kill(supervisor.pid, signal.SIGHUP)
    return redirect("/", 303)


if __name__ == "__main__":
    run(app, bind=sys.argv[1:] or "localhost:8080", workers=2)
