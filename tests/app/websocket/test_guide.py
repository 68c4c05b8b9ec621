"""docs/websockets.md: its programs do what it says."""

from __future__ import annotations

import re

import pytest
import trio.testing

from tests.clients.process import QUICKLY, ROOT
from trioweb import App
from trioweb.testing import WebSocketRefused, client

PAGE = (ROOT / "docs/websockets.md").read_text("utf-8")
BLOCKS = dict(
    re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
)


def loaded(name: str) -> App:
    """The application in the block *name*."""
    found: dict[str, object] = {"__name__": name}
    exec(compile(BLOCKS[name], name, "exec"), found)  # noqa: S102  # our own page
    app = found["app"]
    assert isinstance(app, App)
    return app


def test_every_program_of_the_page_is_tried() -> None:
    assert PAGE.count("```python\n") == len(BLOCKS)
    tried = {"echo.py", "origins.py", "remembering.py", "rooms.py", "test_echo.py"}
    assert BLOCKS.keys() == tried


async def test_one_url_has_a_page_and_a_websocket() -> None:
    async with client(loaded("echo.py")) as web:
        assert "new WebSocket" in (await web.get("/you")).text
        async with web.websocket("/you") as ws:
            assert await ws.receive() == "Hello, you!"
            await ws.send("and you")
            assert await ws.receive() == "and you"


async def test_pages_of_one_other_site_are_let_in() -> None:
    async with client(loaded("origins.py")) as web:
        fields = {"origin": "https://www.example.com", "sec-fetch-site": "cross-site"}
        offered = ["prices.v1", "prices.v3"]
        async with web.websocket("/prices", headers=fields, subprotocols=offered) as ws:
            assert await ws.receive() == "we speak prices.v1"
            await ws.send("tea")
            assert await ws.receive() == "tea costs 3"
        with pytest.raises(WebSocketRefused, match="403"):
            async with web.websocket("/prices", headers={"origin": "https://a.com"}):
                pass


async def test_a_session_is_saved_at_once() -> None:
    async with client(loaded("remembering.py")) as web:
        assert (await web.get("/")).text == "nothing"
        async with web.websocket("/") as ws:
            await ws.send("tea")
            assert await ws.receive() == "saved"
            assert (await web.get("/")).text == "tea"


async def test_a_room_hears_what_one_says() -> None:
    async with (
        client(loaded("rooms.py")) as web,
        web.websocket("/rooms/a") as one,
        web.websocket("/rooms/a") as two,
    ):
        await trio.testing.wait_all_tasks_blocked()
        await one.send("hello")
        assert [await one.receive(), await two.receive()] == ["hello", "hello"]


def test_the_test_of_the_page_passes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("echo.py", "test_echo.py"):
        pytester.path.joinpath(name).write_text(BLOCKS[name], "utf-8")
    pytester.makeini("[pytest]\ntrio_mode = true")
    monkeypatch.setenv("PYTHONPATH", str(pytester.path), prepend=":")
    options = ("-W", "error", *QUICKLY)
    pytester.runpytest_subprocess(*options, timeout=60).assert_outcomes(passed=2)
