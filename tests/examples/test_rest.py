"""rest.py, run as a process: one resource, spoken to by curl, Node and Chromium."""

from __future__ import annotations

import json

import pytest

from tests.clients.chromium import browsing
from tests.clients.node import node
from tests.clients.process import Way, both_ways, by_python, curl, serving
from tests.needs import needs

PATH = "examples/rest.py"


@needs("curl")
@both_ways
async def test_curl_creates_reads_replaces_changes_lists_and_deletes(way: Way) -> None:
    async with serving(way(PATH)) as server:
        teas, tea = f"{server.url}/teas", f"{server.url}/teas/4"

        made = await curl("-d", '{"name": "유자차", "minutes": 5}', teas)
        assert made.status == 201
        assert "location: /teas/4" in made.fields
        body = {"name": "유자차", "minutes": 5, "liked": False, "number": 4}
        assert json.loads(made.body) == body
        assert json.loads((await curl(tea)).body) == body

        replaced = await curl("-X", "PUT", "-d", '{"name": "모과차"}', tea)
        body |= {"name": "모과차", "minutes": 3}
        assert (replaced.status, json.loads(replaced.body)) == (200, body)

        changed = await curl("-X", "PATCH", "-d", '{"liked": true}', tea)
        body |= {"liked": True}
        assert (changed.status, json.loads(changed.body)) == (200, body)

        found = await curl("-G", "--data-urlencode", "name=모과", teas)
        assert json.loads(found.body) == [body]

        gone = await curl("-X", "DELETE", tea)
        assert (gone.status, gone.body) == (204, "")
        assert not any(field.startswith("content-length") for field in gone.fields)
        assert (await curl(tea)).status == 404
        assert len(json.loads((await curl(teas)).body)) == 3
        assert await server.stop() == 0


REFUSED = [
    (["-d", '{"name": 5}'], "/teas", 400, "$.name"),
    (["-d", "not JSON"], "/teas", 400, "JSON"),
    (["-d", "{}"], "/teas", 400, "name"),
    (["-X", "PATCH", "-d", '{"colour": 1}'], "/teas/1", 400, "colour"),
    (["-X", "PUT", "-d", '{"name": "x"}'], "/teas/99", 404, "99"),
    (["-X", "DELETE"], "/teas/99", 404, "99"),
    ([], "/teas/one", 404, ""),
]


@needs("curl")
@pytest.mark.parametrize(("arguments", "path", "status", "detail"), REFUSED)
async def test_what_is_wrong_is_said_as_a_problem(
    arguments: list[str], path: str, status: int, detail: str
) -> None:
    async with serving(by_python(PATH)) as server:
        answer = await curl(*arguments, server.url + path)
        assert answer.status == status
        assert "content-type: application/problem+json" in answer.fields
        problem = json.loads(answer.body)
        assert problem["status"] == status
        assert detail in problem.get("detail", "")


@needs("curl")
async def test_a_url_knows_its_methods() -> None:
    async with serving(by_python(PATH)) as server:
        allow = "allow: DELETE, GET, HEAD, OPTIONS, PATCH, PUT"
        refused = await curl("-X", "POST", "-d", "{}", f"{server.url}/teas/1")
        assert refused.status == 405
        assert allow in refused.fields
        options = await curl("-X", "OPTIONS", f"{server.url}/teas/1")
        assert (options.status, options.body) == (204, "")
        assert allow in options.fields
        head = await curl("-I", f"{server.url}/teas/1")
        whole = await curl(f"{server.url}/teas/1")
        assert head.body == ""
        assert undated(head.fields) == undated(whole.fields)


def undated(fields: list[str]) -> list[str]:
    return [field for field in fields if not field.startswith("date: ")]


@needs("node")
async def test_node_fetches_with_every_method() -> None:
    script = """
      const ask = async (method, path, value) => {
        const body = value && JSON.stringify(value);
        const response = await fetch(given[0] + path, { method, body });
        return [response.status, await response.text()];
      };
      return [
        await ask("POST", "/teas", { name: "감잎차" }),
        await ask("PUT", "/teas/4", { name: "솔잎차", minutes: 7 }),
        await ask("PATCH", "/teas/4", { liked: true }),
        await ask("GET", "/teas?name=솔잎"),
        await ask("DELETE", "/teas/4"),
        await ask("GET", "/teas/4"),
      ];
    """
    async with serving(by_python(PATH)) as server:
        answers = await node(script, server.url)
        assert [status for status, _ in answers] == [201, 200, 200, 200, 204, 404]
        tea = {"name": "솔잎차", "minutes": 7, "liked": True, "number": 4}
        assert json.loads(answers[3][1]) == [tea]


NAMES = "[...document.querySelectorAll('#shelf b')].map((one) => one.textContent)"


@needs("chromium")
async def test_the_page_creates_replaces_changes_deletes_and_lists() -> None:
    async with serving(by_python(PATH)) as server, browsing() as page:

        async def press(button: str) -> None:
            await page.evaluate(f"document.querySelector({button!r}).click()")

        async def write(name: str) -> None:
            await page.evaluate(
                f"document.querySelector('#new [name=name]').value = {name!r}"
            )

        await page.open(server.url)
        await page.until("document.querySelectorAll('#shelf li').length === 3")
        listed = ["보성 녹차, 2 min", "Earl Grey, 4 min", "오미자차, 6 min"]
        assert await page.evaluate(NAMES) == listed

        await write("대추차")
        await press("#new button")
        await page.until("document.querySelector('#tea-4') !== null")
        assert await page.evaluate(NAMES) == [*listed, "대추차, 3 min"]

        await press("#tea-4 button:nth-of-type(1)")
        await page.until("document.querySelector('#tea-4').className === 'liked'")

        await write("생강차")
        await press("#tea-4 button:nth-of-type(2)")
        await page.until("document.querySelector('#tea-4').innerText.includes('생강')")
        assert await page.evaluate(NAMES) == [*listed, "생강차, 1 min"]

        await press("#tea-4 button:nth-of-type(3)")
        await page.until("document.querySelector('#tea-4') === null")
        assert await page.evaluate(NAMES) == listed
        # The server has seen the same as the page.
        assert await server.stop() == 0
        for line in ("POST /teas 201", "PATCH /teas/4 200", "PUT /teas/4 200"):
            assert line.encode() in server.said
        assert b"DELETE /teas/4 204" in server.said
