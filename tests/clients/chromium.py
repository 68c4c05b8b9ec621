"""Chromium, headless, driven over its DevTools protocol."""

from __future__ import annotations

import base64
import json
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio
import trio_websocket

from tests.clients.process import START, started
from tests.needs import program

# Without a sandbox because tests may run as root, in a container; and with nothing that
# would call home.
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)

_LISTENING = re.compile(rb"DevTools listening on (ws://\S+)")

# Bytes: a screenshot of a long page.
_LARGEST = 32 * 1024 * 1024

# Seconds that anything a page is asked for may take.
_PATIENCE = 20


class Page:
    """One tab."""

    def __init__(self, socket: trio_websocket.WebSocketConnection) -> None:
        self._socket = socket
        self._session: str | None = None
        self._number = 0

    async def attach(self, **context: object) -> None:
        """Open the tab that this page is."""
        made = await self.call("Target.createTarget", url="about:blank", **context)
        attached = await self.call(
            "Target.attachToTarget", targetId=made["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        await self.call("Page.enable")

    async def another(self, *, private: bool = False) -> Page:
        """Another tab; a *private* one has cookies of its own."""
        tab, context = Page(self._socket), {}
        if private:
            context = await tab.call("Target.createBrowserContext")
        await tab.attach(**context)
        return tab

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        """Call a method of the protocol; its result."""
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method}
        message["params"] = params
        if self._session is not None:
            message["sessionId"] = self._session
        await self._socket.send_message(json.dumps(message))
        answer = await self._until("id", self._number)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    async def open(self, url: str) -> None:
        """Go to *url*, and wait until it is loaded with all that belongs to it."""
        await self.call("Page.navigate", url=url)
        await self.loaded()

    async def loaded(self) -> None:
        """Wait until the page that was asked for is loaded."""
        await self._until("method", "Page.loadEventFired")

    async def evaluate(self, script: str) -> Any:  # noqa: ANN401  # JSON is anything
        """What *script* comes to, awaited if it is a promise."""
        result = await self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    async def until(self, condition: str) -> None:
        """Wait until *condition* holds; the page itself looks, at every frame or so."""
        await self.evaluate(
            "new Promise((resolve) => { const look = () => "
            f"({condition}) ? resolve(true) : setTimeout(look, 20); look(); }})"
        )

    async def screenshot(self) -> bytes:
        """The page as a PNG, as long as it is."""
        taken = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        return base64.b64decode(taken["data"])

    async def _until(self, member: str, value: object) -> dict[str, Any]:
        with trio.fail_after(_PATIENCE):
            while True:
                message: dict[str, Any] = json.loads(await self._socket.get_message())
                ours = message.get("sessionId") == self._session
                if ours and message.get(member) == value:
                    return message


@asynccontextmanager
async def browsing() -> AsyncIterator[Page]:
    """A tab of a new Chromium with a profile of its own."""
    command = program("chromium")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        async with started([command, *FLAGS, f"--user-data-dir={profile}"]) as browser:
            with trio.fail_after(START):
                match = await browser.until(_LISTENING)
            async with trio_websocket.open_websocket_url(
                match[1].decode(), max_message_size=_LARGEST
            ) as socket:
                page = Page(socket)
                await page.attach()
                yield page
                # Its own processes end with it, which a kill would leave behind.
                await socket.send_message('{"id": 0, "method": "Browser.close"}')
            with trio.move_on_after(5):
                await browser.process.wait()
