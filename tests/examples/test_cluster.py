"""cluster.py and its page of the documents: one is killed, all are reloaded."""

from __future__ import annotations

import re
import sys

import httpx2
import pytest
import trio

from tests.clients.process import ROOT, by_python
from tests.run.cluster.crews import Crew, crewed

PATH = "examples/cluster.py"
PAGE = (ROOT / "docs/cluster.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


async def another(crew: Crew, web: httpx2.AsyncClient, before: set[int]) -> int:
    """The process id of a worker that is none of those."""
    with trio.fail_after(30):
        while True:
            pid = int((await web.get("/who")).json()["pid"])
            if pid not in before:
                return pid
            crew.workers()


async def test_who_is_killed_is_replaced_and_all_are_reloaded() -> None:
    async with (
        crewed(program=by_python(PATH)) as crew,
        httpx2.AsyncClient(
            base_url=crew.server.url, headers={"connection": "close"}
        ) as web,
    ):
        both = await crew.everybody(2)
        assert "Kill this one" in (await web.get("/")).text
        with pytest.raises(httpx2.TransportError):
            await web.post("/kill")
        await another(crew, web, both)
        both = await crew.everybody(2)
        assert (await web.post("/reload")).status_code == 303
        await crew.everybody(2, but=both)
        assert await crew.stop() == 0


async def test_by_itself_it_has_nobody_to_reload_it() -> None:
    command = [sys.executable, "-m", "trioweb", "run", PATH, "--bind", "localhost:0"]
    async with (
        crewed(program=[*command]) as crew,
        httpx2.AsyncClient(base_url=crew.server.url) as web,
    ):
        answer = await web.post("/reload")
        assert answer.status_code == 409
        assert "serves by itself" in answer.text


@pytest.mark.parametrize("block", BLOCKS)
def test_the_programs_of_the_page_can_be_loaded(block: str) -> None:
    exec(compile(block, "docs/cluster.md", "exec"), {"__name__": "page"})  # noqa: S102  # our own page


def test_the_page_names_every_option_of_workers() -> None:
    for word in ("--workers", "--grace", "SIGHUP", "recycling", "silence", "startup"):
        assert word in PAGE
