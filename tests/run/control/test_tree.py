"""The tree of tasks: which request is where, and for how long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import msgspec
import trio
import trio.testing

from tests.run.cluster.crews import until
from trioweb import App, Request
from trioweb.run.control.branches import drawn
from trioweb.run.control.protocol import Grown
from trioweb.run.control.tree import ROOM, TURN, Task, grow
from trioweb.run.server import open_server
from trioweb.run.serving import Server

app = App()


@app.get("/wait/{name}")
async def wait(request: Request, name: str) -> str:
    async with trio.open_nursery() as inner:
        inner.start_soon(inside)
        await trio.sleep_forever()
    return name


async def inside() -> None:
    await trio.sleep_forever()


def all_of(task: Task) -> Iterator[Task]:
    yield task
    for each in task.tasks:
        yield from all_of(each)


@asynccontextmanager
async def asked(server: Server, *requests: bytes) -> AsyncIterator[None]:
    """Connections on which so much was sent; they are cut in the end."""
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    streams = [await trio.open_tcp_stream(host, int(port)) for _ in requests]
    for stream, request in zip(streams, requests, strict=True):
        await stream.send_all(request)
    try:
        yield
    finally:
        for stream in streams:
            await trio.aclose_forcefully(stream)


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: a\r\n\r\n".encode()


async def test_a_request_is_seen_with_its_route_its_age_and_where_it_waits() -> None:
    root = trio.lowlevel.current_task()
    async with trio.open_nursery() as own, open_server(app, port=0) as server:
        own.start_soon(trio.sleep_forever)
        async with asked(server, get("/wait/x%1b?password=secret"), b"", b"GET /"):
            await until(lambda: server.room.taken == 3)
            await trio.testing.wait_all_tasks_blocked(0.05)
            tree = await grow(root)
        await until(lambda: server.room.taken == 0)
        own.cancel_scope.cancel()
    (task,) = (each for each in all_of(tree) if each.connection is not None)
    caller = task.connection
    assert caller is not None
    assert caller.peer.startswith("127.0.0.1:")
    assert (caller.request.method, caller.request.path) == ("GET", "/wait/x%1b")
    assert caller.request.route == "/wait/{name}"
    assert 0 < caller.request.seconds <= caller.seconds < 5
    assert "test_tree.py:" in task.where
    assert task.where.endswith(" wait")
    (child,) = task.tasks
    assert child.where.endswith(" inside")
    assert sum(each.idle for each in all_of(tree)) == 2
    text = drawn(Grown(3, 77, tree))
    assert text.startswith("worker 3 (pid 77): 1 request at work, 2 idle connections\n")
    assert "GET /wait/x%1b (/wait/{name})" in text
    assert "secret" not in text
    assert "sleep_forever" in text  # a task of the application's own
    assert "of the server itself" in text


async def test_a_tree_has_bounds_and_others_get_their_turn(
    autojump_clock: object,
) -> None:
    turns = []

    async def other() -> None:
        while True:
            turns.append(1)
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as many:
        for _ in range(20 * TURN):
            many.start_soon(trio.sleep_forever)
        await trio.testing.wait_all_tasks_blocked()
        many.start_soon(other)
        tree = await grow(trio.lowlevel.current_task())
        many.cancel_scope.cancel()
    assert len(turns) >= 15
    assert len(msgspec.json.encode(tree)) <= ROOM + 500
    assert tree.left_out + len(tree.tasks) == 20 * TURN + 1


async def test_nurseries_in_nurseries_without_end_are_cut(
    autojump_clock: object,
) -> None:
    async def deeper(left: int) -> None:
        async with trio.open_nursery() as below:
            if left:
                below.start_soon(deeper, left - 1)
            else:
                below.start_soon(trio.sleep_forever)

    async with trio.open_nursery() as deep:
        deep.start_soon(deeper, 300)
        await trio.testing.wait_all_tasks_blocked()
        tree = await grow(trio.lowlevel.current_task())
        deep.cancel_scope.cancel()
    assert sum(each.left_out for each in all_of(tree)) == 1


def test_a_worker_that_does_not_answer_is_said_not_to() -> None:
    assert "does not answer" in drawn(Grown(0, 7, None))
