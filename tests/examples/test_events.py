"""events.py, run as a process: its page in a browser, and five hundred streams."""

from __future__ import annotations

import json
import re
from contextlib import aclosing

import httpx2
import trio

from tests.clients.chromium import browsing
from tests.clients.process import ROOT, Way, both_ways, by_python, curl, serving
from tests.needs import needs
from trioweb.testing.event_parser import Event, EventParser

PATH = "examples/events.py"
STREAMS = 500
ASK = b"GET /pulse HTTP/1.1\r\nHost: a\r\nLast-Event-ID: 999999999999999\r\n\r\n"


def number(name: str) -> str:
    return f"Number(document.querySelector('#{name}').textContent)"


@needs("curl")
@both_ways
async def test_the_page_and_its_parts_come(way: Way) -> None:
    async with serving(way(PATH)) as server:
        assert "<html" in (await curl(server.url)).body
        for name in ("events.css", "events.js"):
            assert (await curl(f"{server.url}/parts/{name}")).status == 200
        assert (await curl(f"{server.url}/parts/none.js")).status == 404
        assert await server.stop() == 0


@needs("chromium")
async def test_a_page_that_loses_its_stream_misses_nothing() -> None:
    async with serving(by_python(PATH)) as server, browsing() as page:
        await page.open(server.url)
        await page.until(f"{number('heard')} > 4")
        await page.evaluate("document.querySelector('#cut').click()")
        await page.until(f"{number('lost')} === 1")
        await page.until(f"{number('caught')} > 2 && performance.now() > catching")
        heard = await page.evaluate("samples.map((each) => each.at)")
        assert heard == sorted(set(heard))
        taken = [json.loads(event.data)["at"] for event in await minute(server.url)]
        assert [at for at in taken if heard[0] <= at <= heard[-1]] == heard
        assert await page.evaluate("document.querySelector('#state').textContent") == (
            "live"
        )
        # A page that listens does not keep the server from stopping.
        assert await server.stop() == 0
        await page.until(f"{number('lost')} === 2")
        assert "the server stops" in await page.evaluate(
            "document.querySelector('#state').textContent"
        )


@needs("chromium")
async def test_a_page_outlives_a_restart_of_its_server() -> None:
    async with browsing() as page:
        async with serving(by_python(PATH)) as server:
            await page.open(server.url)
            await page.until(f"{number('heard')} > 2")
            assert await server.stop() == 0
            # It finds nobody there at least once.
            await page.until(f"{number('lost')} === 1")
            await trio.sleep(3.5)
        heard = await page.evaluate(number("heard"))
        command = [*by_python(PATH)[:-1], server.url.removeprefix("http://")]
        async with serving(command) as again:
            await page.until(f"{number('heard')} > {heard} + 2")
            assert await page.evaluate(number("lost")) == 1
            assert await again.stop() == 0


async def minute(url: str) -> list[Event]:
    """The samples of the last minute, which come at once, and those of one second."""
    parser, events = EventParser(), list[Event]()
    with trio.move_on_after(1):
        async with (
            httpx2.AsyncClient() as web,
            web.stream("GET", f"{url}/pulse") as response,
            aclosing(response.aiter_raw()) as pieces,
        ):
            async for piece in pieces:
                events += parser.feed(piece)
    return events


async def test_k5_sigterm_says_goodbye_to_each_of_five_hundred() -> None:
    async with serving(by_python(PATH)) as server:
        host, _, port = server.url.removeprefix("http://").rpartition(":")
        ended: list[bytes] = []
        listening = [trio.Event() for _ in range(STREAMS)]
        async with trio.open_nursery() as peers:
            for begun in listening:
                peers.start_soon(listen, host, int(port), begun, ended)
            with trio.fail_after(30):
                for begun in listening:
                    await begun.wait()
                start = trio.current_time()
                assert await server.stop() == 0
            assert trio.current_time() - start < 10
        assert b"Traceback" not in server.said
        # On a busy machine so many at once may hold up the loop.
        assert server.said.count(b"ERROR") == server.said.count(b"ERROR the event loop")
    assert len(ended) == STREAMS
    times = set()
    for last in ended:
        goodbye = re.search(
            rb"\r\nretry: (\d+)\n\nevent: bye\ndata: \n\n\r\n0\r\n\r\n$", last
        )
        assert goodbye
        times.add(int(goodbye[1]))
    assert len(times) > STREAMS / 10  # they do not come back all at once


async def listen(host: str, port: int, begun: trio.Event, ended: list[bytes]) -> None:
    """All that comes on one stream, until its end."""
    received = b""
    async with await trio.open_tcp_stream(host, port) as stream:
        await stream.send_all(ASK)
        while not received.endswith(b"\r\n0\r\n\r\n"):
            piece = await stream.receive_some()
            if not piece:
                break
            received += piece
            if b"retry: 2000\n\n" in received:
                begun.set()
    ended.append(received)


def test_the_example_is_what_its_page_of_the_documents_says() -> None:
    page = (ROOT / "docs/events.md").read_text("utf-8")
    assert f"python {PATH}" in page
