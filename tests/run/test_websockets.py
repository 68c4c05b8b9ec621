"""WebSockets on real sockets: a stop with hundreds of them, and Chromium's own."""

from __future__ import annotations

import json

import pytest
import trio
import trio_websocket

from tests.app.websocket.frames import ASKED, close
from tests.clients.chromium import Page, browsing
from tests.clients.process import by_trioweb, serving
from tests.needs import needs
from tests.run.crowds import rest
from trioweb import App, Request, Response, html, messages, open_server

CROWD = 500

# Seconds: far less than the grace, which is 30.
SOON = 15


GOING_AWAY = b"\x88\x02\x03\xe9"


async def test_k5_a_signal_says_goodbye_to_five_hundred() -> None:
    told: list[bytes] = []

    async def listen(  # noqa: ASYNC114  # in a loop, and awaited
        port: int, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        async with await trio.open_tcp_stream("localhost", port) as stream:
            fields = "".join(f"{name}: {value}\r\n" for name, value in ASKED.items())
            await stream.send_all(f"GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode())
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 101 ")
            task_status.started()
            said = bytes(await stream.receive_some())
            await stream.send_all(close(1001))
            told.append(said + await rest(stream))

    async with serving(by_trioweb("tests/apps/probe.py")) as server:
        port = int(server.url.rpartition(":")[2])
        async with trio.open_nursery() as peers:
            for _ in range(CROWD):
                await peers.start(listen, port)
            with trio.fail_after(SOON):
                assert await server.stop() == 0
    assert told == [GOING_AWAY] * CROWD


def chatting() -> App:
    app = App()

    @app.get("/")
    async def page(request: Request) -> Response:
        return html("<!doctype html><title>page</title>")

    @app.websocket("/echo", subprotocols=["b"], deflate=True)
    async def echo(request: Request, ws: trio_websocket.WebSocketConnection) -> None:
        async for message in messages(ws):
            await ws.send_message(message)

    @app.websocket("/fail")
    async def fail(request: Request, ws: trio_websocket.WebSocketConnection) -> None:
        raise ValueError("planted")

    return app


# What a page's own WebSocket makes of it: the code of its end, and what came before.
TALK = """
new Promise((resolve) => {
  const ws = new WebSocket(%s, ["a", "b"]), heard = [], said = %s;
  ws.binaryType = "arraybuffer";
  ws.onmessage = ({data}) => {
    heard.push(typeof data === "string" ? data : data.byteLength);
    if (heard.length === said.length) ws.close(4000, "끝");
  };
  ws.onopen = () => said.forEach((each) =>
    ws.send(typeof each === "string" ? each : new Uint8Array(each)));
  ws.onclose = ({code, reason, wasClean}) => resolve(
    {heard, code, reason, wasClean, protocol: ws.protocol, packed: ws.extensions});
})
"""


async def talk(page: Page, url: str, said: list[object]) -> dict[str, object]:
    script = TALK % (json.dumps(url), json.dumps(said))
    told = await page.evaluate(script)
    assert isinstance(told, dict)
    return told


@needs("chromium")
async def test_a_browser_talks_and_is_told(caplog: pytest.LogCaptureFixture) -> None:
    said: list[object] = ["", "물", "a" * 300_000, 5, 900_000]
    async with open_server(chatting(), port=0) as server, browsing() as page:
        await page.open(server.url)
        url = server.url.replace("http", "ws")
        told = await talk(page, f"{url}/echo", said)
        assert told == {
            "heard": said,
            "code": 4000,
            "reason": "끝",
            "wasClean": True,
            "protocol": "b",
            "packed": told["packed"],
        }
        assert "permessage-deflate" in str(told["packed"])
        told = await talk(page, f"{url}/echo", [1 << 21])
        assert (told["heard"], told["code"], told["wasClean"]) == ([], 1009, True)
        told = await talk(page, f"{url}/fail", [])
        # None of the two that it offers is spoken there; a browser takes it for a no.
        assert (told["code"], told["wasClean"]) == (1006, False)
        again = TALK.replace(', ["a", "b"]', "") % (json.dumps(f"{url}/fail"), "[]")
        assert (await page.evaluate(again))["code"] == 1011
    assert len(caplog.records) == 2


@needs("chromium")
async def test_the_page_of_another_site_is_refused() -> None:
    async with (
        open_server(chatting(), port=0) as server,
        open_server(chatting(), port=0) as other,
        browsing() as page,
    ):
        await page.open(other.url)
        told = await talk(page, f"{server.url.replace('http', 'ws')}/echo", ["hello"])
        assert (told["heard"], told["code"]) == ([], 1006)
