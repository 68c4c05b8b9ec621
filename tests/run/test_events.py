"""Streams of events on real sockets: who leaves, and what other clients see."""

from __future__ import annotations

import subprocess

import pytest
import trio

from tests.app.telling import OPENING
from tests.clients.chromium import browsing
from tests.clients.process import output
from tests.needs import needs, program
from tests.run.crowds import LAST, place, reset, until
from trioweb import App, EventStream, Request, Response, events, html, open_server
from trioweb.message.handler import Handler

CROWD = 1000
LISTEN = b"GET /listen HTTP/1.1\r\nHost: a\r\n\r\n"


async def test_x9_a_thousand_that_leave_leave_no_task_and_no_descriptor() -> None:
    at_work: set[EventStream] = set()
    app = App()

    @app.get("/")
    async def home(request: Request) -> str:
        return "home"

    @app.get("/listen")
    async def listen(request: Request) -> Response:
        async def talk(stream: EventStream) -> None:
            at_work.add(stream)
            try:
                while True:
                    await stream.send("tick")
                    await trio.sleep(0.5)
            finally:
                at_work.discard(stream)

        return events(talk)

    # Leaving the block waits until the tasks and descriptors are those of before.
    async with place(app) as server:
        peers = []
        for _ in range(CROWD):
            stream = await server.connect()
            await stream.send_all(LISTEN)
            peers.append(stream)
        await until(lambda: len(at_work) == CROWD)
        for number, stream in enumerate(peers):
            if number % 2:
                reset(stream)
            else:
                stream.socket.close()
        await until(lambda: not at_work)
        assert b"home" in await server.asked(LAST)
        # On a busy machine a thousand at once may hold up the loop.
        assert {record.module for record in server.logs} <= {"watchdog"}


def counting(*, ends: int) -> App:
    """Events with ids from another script; a stream ends after *ends* of them."""
    app = App()

    @app.get("/")
    async def page(request: Request) -> Response:
        return html("""<!doctype html><title>heard</title><script>
          const heard = [], lasts = [];
          const source = new EventSource("/listen");
          source.addEventListener("last", (event) => lasts.push(event.data));
          source.onmessage = (event) => {
            heard.push([event.data, event.lastEventId]);
            if (heard.length === 7) source.close();
          };
        </script>""")

    @app.get("/listen")
    async def listen(request: Request) -> Response:
        async def talk(stream: EventStream) -> None:
            last = int(stream.last_event_id.removeprefix("물-") or 0)
            await stream.send([stream.last_event_id], event="last")
            for number in range(last + 1, last + 1 + ends):
                await stream.send(f"{number}\r\n\u2028 물", id=f"물-{number}")

        return events(talk, retry=10)

    return app


@needs("chromium")
async def test_an_event_source_comes_back_with_the_last_id() -> None:
    async with open_server(counting(ends=3), port=0) as server, browsing() as page:
        await page.open(server.url)
        await page.until("source.readyState === EventSource.CLOSED")
        assert await page.evaluate("heard") == [
            [f"{number}\n\u2028 물", f"물-{number}"] for number in range(1, 8)
        ]
        assert await page.evaluate("lasts") == ['[""]', '["물-3"]', '["물-6"]']


@needs("chromium")
@pytest.mark.parametrize("status", [204, 502])
async def test_an_event_source_comes_back_to_no_other_status(status: int) -> None:
    app = counting(ends=1)
    asked = 0

    async def once(request: Request, handler: Handler) -> Response:
        nonlocal asked
        asked += request.path == "/listen"
        return Response(status) if asked > 1 else await handler(request)

    app.use(once)
    async with open_server(app, port=0) as server, browsing() as page:
        await page.open(server.url)
        await page.until("source.readyState === EventSource.CLOSED")
        assert (await page.evaluate("heard.length"), asked) == (1, 2)


@needs("curl")
async def test_curl_prints_a_stream_of_either_version() -> None:
    curl = program("curl")
    async with open_server(counting(ends=1), port=0) as server:
        url = f"{server.url}/listen"
        for version in ("--http1.0", "--http1.1"):
            printed = await output(
                curl, "-sN", version, "-H", "Last-Event-ID: 물-6", url
            )
            assert printed == (
                OPENING.decode().replace("3000", "10")
                + 'event: last\ndata: ["물-6"]\n\n'
                + "id: 물-7\ndata: 7\ndata: \u2028 물\n\n"
            )


@needs("curl")
async def test_curl_sees_each_event_when_it_is_sent() -> None:
    app = App()
    seen = trio.Event()

    @app.get("/")
    async def listen(request: Request) -> Response:
        async def talk(stream: EventStream) -> None:
            await stream.send("first")
            await seen.wait()
            await stream.send("second")

        return events(talk)

    async with open_server(app, port=0) as server:
        curl = await trio.lowlevel.open_process(
            [str(program("curl")), "-sN", server.url], stdout=subprocess.PIPE
        )
        assert curl.stdout is not None
        printed = b""
        try:
            with trio.fail_after(20):
                while not printed.endswith(b"data: first\n\n"):
                    printed += await curl.stdout.receive_some()
                seen.set()
                while piece := await curl.stdout.receive_some():
                    printed += piece
        finally:
            curl.kill()
            with trio.CancelScope(shield=True):
                await curl.wait()
                await curl.stdout.aclose()
    assert printed == OPENING + b"data: first\n\ndata: second\n\n"
