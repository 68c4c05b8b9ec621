"""docs/events.md: its programs do what it says."""

from __future__ import annotations

import re

import pytest
import trio.testing

from tests.clients.process import QUICKLY, ROOT
from trioweb import App
from trioweb.testing import Event, client

PAGE = (ROOT / "docs/events.md").read_text("utf-8")
BLOCKS = dict(
    re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
)


def loaded(name: str) -> App:
    """The application in the block *name*."""
    return _app(run(name))


def run(name: str) -> dict[str, object]:
    found: dict[str, object] = {"__name__": name}
    exec(compile(BLOCKS[name], name, "exec"), found)  # noqa: S102  # our own page
    return found


def _app(found: dict[str, object]) -> App:
    app = found["app"]
    assert isinstance(app, App)
    return app


def test_every_program_of_the_page_is_tried() -> None:
    assert PAGE.count("```python\n") == len(BLOCKS)
    assert BLOCKS.keys() == {"clock.py", "news.py", "goodbye.py", "test_clock.py"}


async def test_the_clock_ticks(autojump_clock: trio.testing.MockClock) -> None:
    async with client(loaded("clock.py")) as web:
        assert "EventSource" in (await web.get("/")).text
        async with web.events("/clock") as source:
            for second in range(3):
                assert len((await anext(source)).data) == 8
                assert int(trio.current_time()) == second


async def test_who_comes_back_has_missed_no_news() -> None:
    async with client(loaded("news.py")) as web:
        for text in ("one", "two"):
            await web.post("/news", content=text)
        async with web.events("/news") as source:
            assert await anext(source) == Event("one", id="1")
        async with web.events("/news", last_event_id="1") as source:
            assert await anext(source) == Event("two", id="2")
            await web.post("/news", content="three")
            assert await anext(source) == Event("three", id="3")
        for nonsense in ("9", "9" * 9000, "-1", "two"):
            async with web.events("/news", last_event_id=nonsense) as source:
                await web.post("/news", content="more")
                assert (await anext(source)).data in {"one", "more"}


async def test_the_goodbye_is_said(autojump_clock: trio.testing.MockClock) -> None:
    heard: list[Event] = []

    async with trio.open_nursery() as listening, client(loaded("goodbye.py")) as web:

        async def listen(  # noqa: ASYNC114  # started below
            task_status: trio.TaskStatus[None],
        ) -> None:
            async with web.connect() as peer:
                response = await peer.request("GET", "/watch")
                task_status.started()
                body = await response.body()
                assert body.endswith(b'event: bye\ndata: {"reason":"restart"}\n\n')
                heard.append(Event(body.decode()))

        await listening.start(listen)
    assert len(heard) == 1


def test_the_test_of_the_page_passes(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(clock=BLOCKS["clock.py"], test_clock=BLOCKS["test_clock.py"])
    pytester.makeini("[pytest]\ntrio_mode = true\n")
    ran = pytester.runpytest_subprocess(*QUICKLY, timeout=60)
    ran.assert_outcomes(passed=1)
