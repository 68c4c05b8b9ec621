"""showcase.py, run as a process: what README's first command shows."""

from __future__ import annotations

import json
import signal
from contextlib import suppress

import pytest
import trio

from tests.clients.chromium import browsing
from tests.clients.process import (
    Way,
    both_ways,
    by_python,
    by_trioweb,
    curl,
    serving,
)
from tests.needs import needs

PATH = "examples/showcase.py"

# What each card that asks at once was answered.
SHOWN = """Object.fromEntries([...document.querySelectorAll("[data-first]")].map(
  (card) => [card.dataset.first.split("?")[0],
             card.querySelector(".status")?.textContent]))"""


@needs("curl")
@both_ways
async def test_the_page_and_its_parts_come(way: Way) -> None:
    async with serving(way(PATH)) as server:
        page = await curl(server.url)
        assert "<html" in page.body
        parts = {
            "showcase.css": "text/css",
            "showcase.js": "text/javascript",
            "talk.js": "text/javascript",
            "board.js": "text/javascript",
        }
        for name, kind in parts.items():
            part = await curl(f"{server.url}/parts/{name}")
            assert part.status == 200
            assert f"content-type: {kind}; charset=utf-8" in part.fields
        assert (await curl(f"{server.url}/parts/none.js")).status == 404
        assert await server.stop() == 0


@needs("chromium")
async def test_every_card_shows_an_answer() -> None:
    async with serving(by_python(PATH)) as server, browsing() as page:
        await page.open(server.url)
        await page.until(f"Object.values({SHOWN}).every((status) => status)")
        assert await page.evaluate(SHOWN) == {
            "GET /ticks": "200 OK",
            "GET /pieces": "200 OK",
            "GET /walks/2026/서울/낙산/성곽길": "200 OK",
            "GET /notes": "200 OK",
            "PATCH /notes/1": "405 Method Not Allowed",
            "GET /refuse/409": "409 Conflict",
            "GET /theme": "200 OK",
            "GET /visits": "200 OK",
            "GET /source": "200 OK",
            "GET /whoami": "200 OK",
        }
        await page.until("document.querySelector('#hand .s2') !== null")
        await page.until("document.querySelector('.answer').innerText !== ''")
        # The page that still reads a stream does not keep the server from stopping.
        assert await server.stop() == 0


@needs("chromium")
async def test_whoever_walks_away_cancels_the_handler() -> None:
    async with serving(by_python(PATH)) as server, browsing() as page:
        await page.open(server.url)
        cancelled = "document.querySelector('[data-pulse=cancelled]').innerText"
        await page.until(f"{cancelled} === '0'")
        await page.evaluate("document.querySelector('[data-act=leave]').click()")
        await page.until(f"{cancelled} === '1'")


@needs("curl")
async def test_bytes_by_hand_are_answered_as_they_are() -> None:
    async with serving(by_python(PATH)) as server:
        path = f"{server.url}/by-hand"
        one = "GET /notes/1 HTTP/1.1\r\nHost: here\r\n\r\n"
        answer = await curl("--data-binary", one * 2, path)
        assert answer.body.count("HTTP/1.1 200 OK\r\n") == 2
        assert answer.body.count("물 한 잔") == 2
        nonsense = await curl("--data-binary", "안녕\r\n\r\n", path)
        assert nonsense.body.startswith("HTTP/1.1 400 ")
        within = f"POST /by-hand HTTP/1.0\r\nContent-Length: {len(one)}\r\n\r\n{one}"
        refused = await curl("--data-binary", within, path)
        assert refused.body.startswith("HTTP/1.1 409 ")


@needs("curl")
async def test_paths_queries_and_bodies_come_in_any_script() -> None:
    async with serving(by_python(PATH)) as server:
        walk = await curl(
            "-G",
            *("--data-urlencode", "with=차"),
            *("--data-urlencode", "with=책 & 빵"),
            f"{server.url}/walks/2026/서울/낙산/성곽길",
        )
        found = json.loads(walk.body)
        assert (found["year"], found["city"], found["way"]) == (
            2026,
            "서울",
            "낙산/성곽길",
        )
        assert found["query"] == [["with", "차"], ["with", "책 & 빵"]]
        made = await curl("-d", '{"text": "한 조각의 시"}', f"{server.url}/notes")
        assert (made.status, json.loads(made.body)["text"]) == (201, "한 조각의 시")


@needs("curl")
async def test_a_failure_shows_nothing_and_is_logged_once() -> None:
    async with serving(by_python(PATH)) as server:
        answer = await curl(f"{server.url}/boom")
        assert answer.status == 500
        assert "password" not in answer.body
        assert (await curl(f"{server.url}/deadline")).status == 503
        assert await server.stop() == 0
        assert server.said.count(b"Traceback") == 1
        assert b"RuntimeError: the password of the database" in server.said


COUNTED = """(document.querySelector("#visits .answer")?.innerText
  .match(/"counted":(\\d+)/) ?? [])[1]"""


@needs("chromium")
@pytest.mark.parametrize("workers", [[], ["--workers", "2"]], ids=["one", "two"])
async def test_a_hundred_at_once_are_counted_a_hundred(workers: list[str]) -> None:
    async with (
        serving([*by_trioweb(PATH), *workers]) as server,
        browsing() as page,
    ):
        await page.open(server.url)
        await page.until(f"({COUNTED}) === '0'")
        for total in (100, 200):
            await page.evaluate(
                'document.querySelector("#visits [data-act=hundred]").click()'
            )
            await page.until(f"({COUNTED}) === '{total}'")
            if workers:  # each of whom counts in the same place as those before
                server.process.send_signal(signal.SIGHUP)
        assert await server.stop() == 0


# Others, each with a WebSocket of its own: the numbers of their workers.
DRAW = """
  Promise.all(Array.from({length: 8}, () => new Promise((resolve, reject) => {
    const ws = new WebSocket(location.href.replace("http", "ws") + "board");
    ws.onerror = reject;
    ws.onmessage = ({data}) => {
      const [who, worker, ...dot] = JSON.parse(data);
      if (dot.length > 0) return;
      ws.send("[0,0,true]");
      ws.send("[1000,1000,false]");
      resolve(worker);
    };
  })))
"""

# One that draws beside the board.
BESIDE = """
  new Promise((resolve) => {
    const ws = new WebSocket(location.href.replace("http", "ws") + "board");
    ws.onopen = () => ws.send("[1001,0,true]");
    ws.onclose = ({code}) => resolve(code);
  })
"""


@needs("chromium")
async def test_what_others_draw_in_both_workers_is_seen_on_the_board() -> None:
    others = "Number(document.querySelector('#board').dataset.others ?? 0)"
    back = "document.querySelector('#board .hint').textContent.endsWith(' ms.')"
    async with (
        serving([*by_trioweb(PATH), "--workers", "2"]) as server,
        browsing() as page,
    ):
        await page.open(server.url)
        await page.until(back)
        workers: set[int] = set()
        count = 0
        while workers != {0, 1}:
            workers |= set(await page.evaluate(DRAW))
            count += 16
        await page.until(f"{others} === {count}")
        assert await page.evaluate(BESIDE) == 1008
        assert await server.stop() == 0
        assert b"Traceback" not in server.said


async def test_a_stop_waits_for_no_flood() -> None:
    async with serving(by_trioweb(PATH)) as server, trio.open_nursery() as reading:
        port = int(server.url.rpartition(":")[2])
        stream = await trio.open_tcp_stream("localhost", port)
        await stream.send_all(b"GET /flood HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 200 ")

        async def read_slowly() -> None:
            last = b""
            with suppress(trio.BrokenResourceError):
                while piece := await stream.receive_some(64 * 1024):
                    last = piece
                    await trio.sleep(0.05)
            assert not last.endswith(b"0\r\n\r\n")
            await stream.aclose()

        reading.start_soon(read_slowly)
        start = trio.current_time()
        assert await server.stop() == 0
        assert trio.current_time() - start < 15
        assert b"Traceback" not in server.said
