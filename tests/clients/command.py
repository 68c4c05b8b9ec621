"""The command line as a program: run to its end, or while it serves."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

# Seconds: a start takes a tenth of one; a machine that is busy may take ten.
PATIENCE = 30

APP = """\
from trioweb import App

app = App()


@app.get("/users/{id:int}", name="user")
async def user(request, id):
    return {"id": id}


@app.post("/users")
async def create(request):
    return await request.body()


async def handler(request):
    return "hello"
"""


def trioweb(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "trioweb", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@contextmanager
def serving(
    *arguments: str, pass_fds: Sequence[int] = ()
) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "trioweb", "run", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        pass_fds=pass_fds,
    ) as server:
        try:
            yield server
        finally:
            server.kill()


def announced(server: subprocess.Popen[str]) -> list[str]:
    """The line the server says when it listens, and its ports."""
    assert server.stderr is not None
    line = server.stderr.readline()
    return [line, *re.findall(r":(\d+)", line)]


def get(port: str, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=PATIENCE)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
