"""html_file.py, run as a process: pages from files."""

from __future__ import annotations

import pytest

from tests.clients.node import node
from tests.clients.process import ROOT, Way, both_ways, by_python, curl, serving
from tests.needs import needs

PATH = "examples/html_file.py"
PAGES = ROOT / "examples/pages"
HELLO = (PAGES / "안녕.html").read_text("utf-8")


@needs("curl")
@both_ways
@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/", "welcome.html"),
        ("/welcome", "welcome.html"),
        ("/안녕", "안녕.html"),
        ("/%EC%95%88%EB%85%95", "안녕.html"),
    ],
)
async def test_a_page_comes_whole_with_type_and_date(
    way: Way, path: str, page: str
) -> None:
    async with serving(way(PATH)) as server:
        answer = await curl(server.url + path)
        assert answer.status == 200
        assert answer.body == (PAGES / page).read_text("utf-8")
        assert "content-type: text/html; charset=utf-8" in answer.fields
        length = (PAGES / page).stat().st_size
        assert f"content-length: {length}" in answer.fields
        assert any(field.startswith("last-modified: ") for field in answer.fields)
        assert await server.stop() == 0


@needs("curl")
async def test_what_is_no_page_is_not_found_whatever_it_leads_to() -> None:
    async with serving(by_python(PATH)) as server:
        for path in ("/없음", "/rest%2Fshelf", "/..%2F..%2FREADME", "/../rest.py"):
            answer = await curl("--path-as-is", server.url + path)
            assert answer.status in {400, 404}, path
        answer = await curl("-H", "Accept: text/html", server.url + "/없음")
        assert "없음" in answer.body


@needs("node")
async def test_node_fetches_a_page_with_a_korean_name() -> None:
    script = "return await (await fetch(given[0] + '/안녕')).text();"
    async with serving(by_python(PATH)) as server:
        assert await node(script, server.url) == HELLO
