"""Visitors: browsers that have a session each, and what is asked in their name."""

from __future__ import annotations

import http.client

import trio

from benchmarks.serving import ANSWER, NotServing
from benchmarks.works import Work

# Visitors who take turns: enough that no store lives on the last few of them, and few
# enough that each is asked for many times in a measurement.
VISITORS = 200

PATHS = ("/none", "/load", "/save")
"""The same handler without a session, with a look into it, with a look and a write."""


async def works(port: int, visitors: int = VISITORS) -> list[Work]:
    """The works of the server at *port*, whose *visitors* have had their first visit.

    Each sends its cookie also where nobody looks at it: what is compared is a session,
    not the bytes of a request.  NotServing if the server gives no cookies.
    """
    cookies = await first_visits(port, "/save", visitors)
    return [
        Work(path.strip("/"), "GET", path, b"", b"known", cookies) for path in PATHS
    ]


async def first_visits(
    port: int, path: str, visitors: int = VISITORS
) -> tuple[str, ...]:
    """The cookies that the server at *port* has given so many visitors of *path*.

    NotServing if it gives none.
    """
    return await trio.to_thread.run_sync(_first_visits, port, path, visitors)


def _first_visits(port: int, path: str, visitors: int) -> tuple[str, ...]:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER)
    try:
        return tuple(_first_visit(line, path) for _ in range(visitors))
    except (OSError, http.client.HTTPException) as error:
        raise NotServing(f"no first visit at port {port}: {error!r}") from error
    finally:
        line.close()


def _first_visit(line: http.client.HTTPConnection, path: str) -> str:
    line.request("GET", path)
    response = line.getresponse()
    body, cookie = response.read(), response.getheader("set-cookie")
    if response.status != 200 or body != b"unknown" or cookie is None:
        raise NotServing(f"a first visit got {response.status} {body[:60]!r}, {cookie}")
    return cookie.partition(";")[0]
