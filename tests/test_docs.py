"""The documents say what is: their programs run, and what they name exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
import trio

from tests.clients.process import QUICKLY, ROOT, by_trioweb, serving

README = (ROOT / "README.md").read_text("utf-8")
FROM_NODE = (ROOT / "docs/from-node.md").read_text("utf-8")
SESSIONS = (ROOT / "docs/sessions.md").read_text("utf-8")
TOPICS = (ROOT / "docs/topics.md").read_text("utf-8")
METRICS = (ROOT / "docs/metrics.md").read_text("utf-8")
WALK = (ROOT / "docs/walk.md").read_text("utf-8")

# A block of Python, whose first line is a comment with the file's name.
_BLOCK = re.compile(r"^```python\n# (\w+\.py)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def programs(text: str) -> dict[str, str]:
    """The blocks of Python in *text*, by their names."""
    return {found[1]: found[2] for found in _BLOCK.finditer(text)}


PAGES = (README, FROM_NODE, SESSIONS, TOPICS, METRICS)
BLOCKS = {name: code for page in PAGES for name, code in programs(page).items()}

# What is asked of each program: method, path, and what the answer has.
ASKED: dict[str, list[tuple[str, str, int, str]]] = {
    "hello.py": [("GET", "/세계", 200, "Hello, /세계!")],
    "notes.py": [
        ("POST", '/notes {"text": "물"}', 201, '"물"'),
        ("POST", '/notes {"text": "x", "stars": "y"}', 400, "got `str` - at `$.stars`"),
        ("GET", "/notes?text=물", 200, '[{"text":"물","stars":0}]'),
        ("GET", "/notes/1", 200, "물"),
        ("PATCH", "/notes/1", 405, ""),
        ("DELETE", "/notes/1", 204, ""),
        ("GET", "/notes/1", 404, "there is no note 1"),
    ],
    "ticks.py": [
        ("GET", "/ticks/2", 200, "tick 0\ntick 1\n"),
        ("POST", "/length 안녕", 200, '{"bytes":6}'),
    ],
    "theme.py": [
        ("GET", "/", 200, "none"),
        ("POST", "/theme/dark", 303, ""),
        ("GET", "/", 200, "dark"),
        ("POST", "/forget", 303, ""),
        ("GET", "/", 200, "none"),
    ],
    "live.py": [
        ("GET", "/chat/a", 426, "this is for WebSockets"),
        ("GET", "/ticks", 200, 'data: {"tick":2}'),
    ],
    "guarded.py": [
        ("GET", "/inside/name", 401, "say who you are"),
        ("GET", "/outside", 404, "<h1>Nothing here</h1>"),
    ],
    "create_server.py": [("GET", "/", 200, "Hello, Trio!")],
    "write_end.py": [("GET", "/", 200, "<h1>Hello!</h1><p>안녕하세요!</p>")],
    "html_page.py": [("GET", "/", 404, "")],
    "status_codes.py": [
        ("GET", "/users/sejong", 200, "sejong"),
        ("GET", "/users/nobody", 404, "no such user"),
        ("POST", "/users", 201, "new"),
        ("GET", "/me", 302, ""),
    ],
    "rest_users.py": [
        ("POST", '/users {"name": "세종"}', 200, "1"),
        ("PUT", '/users/1 {"name": "정조"}', 204, ""),
        ("GET", "/users", 200, '{"1":"정조"}'),
        ("DELETE", "/users/1", 204, ""),
        ("DELETE", "/users/1", 404, ""),
    ],
    "login_cookie.py": [
        ("GET", "/login", 400, "name"),
        ("GET", "/login?name=세종", 302, ""),
        ("GET", "/", 200, "안녕하세요, 세종"),
    ],
    "login_session.py": [
        ("POST", "/login", 400, "name"),
        ("GET", "/", 200, "안녕하세요, 손님"),
        ("POST", "/login?name=세종", 302, ""),
        ("GET", "/", 200, "안녕하세요, 세종"),
        ("POST", "/logout", 302, ""),
        ("GET", "/", 200, "안녕하세요, 손님"),
    ],
    "cart.py": [
        ("POST", "/cart/tea", 200, '["tea"]'),
        ("POST", "/cart/잔", 200, '["tea","잔"]'),
    ],
    "visits.py": [
        ("GET", "/", 200, "visit number 1"),
        ("GET", "/", 200, "visit number 2"),
    ],
    "counter.py": [("POST", "/add", 200, "1"), ("POST", "/add", 200, "2")],
    "streamed.py": [
        ("GET", "/state", 200, "None"),
        ("GET", "/", 200, "working"),
        ("GET", "/state", 200, "done"),
    ],
    "members.py": [
        ("GET", "/", 200, '"user":null'),
        ("POST", "/login/세종", 303, ""),
        ("GET", "/", 200, '"user":"세종","messages":["Hello, 세종."]'),
        ("GET", "/", 200, '"messages":[],"signed in":["python-httpx2'),
        ("POST", "/logout-everywhere", 303, ""),
        ("GET", "/", 200, '"user":null'),
        ("POST", "/login/정조", 303, ""),
        ("POST", "/logout", 303, ""),
        ("GET", "/", 200, '"user":null,"messages":[]'),
    ],
    "forms.py": [
        ("GET", "/", 200, '<input type="hidden" name="csrf" value="'),
        ("POST", "/order csrf=made-up", 403, "not of your session"),
    ],
    "carried.py": [
        ("GET", "/", 200, "light"),
        ("POST", "/theme/dark", 204, ""),
        ("GET", "/", 200, "dark"),
    ],
}

ASKED |= {
    "chat.py": [("POST", "/say hello", 204, "")],
    "prices.py": [
        ("GET", "/price/tea", 200, '{"tea":3}'),
        ("PUT", "/price/tea", 204, ""),
        ("GET", "/price/tea", 200, '{"tea":3}'),
    ],
    "shop.py": [
        ("POST", "/order/card", 204, ""),
        ("POST", "/order/cash", 204, ""),
        ("GET", "/metrics", 200, 'orders_total{paid="card"} 1'),
        ("GET", "/health/ready", 200, "ready"),
    ],
}

# Those that are no application to be served by name.
OTHERS = {"two_servers.py", "test_notes.py"}


def test_every_program_of_the_documents_is_asked_something() -> None:
    count = sum(page.count("```python\n") for page in PAGES)
    assert len(BLOCKS) == count
    assert BLOCKS.keys() == ASKED.keys() | OTHERS


@pytest.mark.parametrize("name", ASKED)
async def test_a_program_of_the_documents_does_what_it_says(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    await trio.Path(path).write_text(BLOCKS[name], "utf-8")
    async with (
        serving(by_trioweb(path)) as server,
        httpx2.AsyncClient(base_url=server.url) as web,
    ):
        for method, target, status, text in ASKED[name]:
            where, _, content = target.partition(" ")
            answer = await web.request(method, where, content=content or None)
            assert answer.status_code == status, (method, target, answer.text)
            assert text in answer.text
            if status == 405:
                assert answer.headers["allow"] in README


async def test_the_layer_of_the_readme_lets_in_who_is_known(tmp_path: Path) -> None:
    path = tmp_path / "guarded.py"
    await trio.Path(path).write_text(BLOCKS["guarded.py"], "utf-8")
    async with serving(by_trioweb(path)) as server, httpx2.AsyncClient() as web:
        fields = {"authorization": "Bearer rosebud"}
        answer = await web.get(f"{server.url}/inside/name", headers=fields)
        assert (answer.status_code, answer.text) == (200, "Kane")
        assert answer.headers["cache-control"] == "private"


async def test_one_program_serves_two_applications() -> None:
    names: dict[str, object] = {"__name__": "two_servers"}
    code = BLOCKS["two_servers.py"].replace("8080", "0").replace("8081", "0")
    exec(compile(code, "two_servers.py", "exec"), names)  # noqa: S102  # our own
    main = names["main"]
    assert callable(main)
    with trio.move_on_after(0.2) as running:
        await main()
    assert running.cancelled_caught


def test_the_test_of_the_readme_passes(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("notes.py", "test_notes.py"):
        pytester.path.joinpath(name).write_text(BLOCKS[name], "utf-8")
    pytester.makeini("[pytest]\ntrio_mode = true")
    monkeypatch.setenv("PYTHONPATH", str(pytester.path), prepend=":")
    options = ("-W", "error", *QUICKLY)
    pytester.runpytest_subprocess(*options, timeout=60).assert_outcomes(passed=1)


@pytest.mark.parametrize("mark", ["showcase", "tests"])
def test_the_readme_has_one_line_to_paste(mark: str) -> None:
    block = re.compile(rf"^<!-- {mark} -->\n```sh\n(.+)\n```$", re.MULTILINE)
    (line,) = block.findall(README)
    assert line.startswith("python3 -m venv .venv && ")


# The walk: `trioweb/x.py` is a file, and `name()` or `Class.name()` something defined
# in the file named last.
_NAMED = re.compile(r"`(trioweb/[\w/]+\.py)`|`([\w.]+)\(\)`")


def test_every_file_and_function_of_the_walk_exists() -> None:
    path: Path | None = None
    found = list(_NAMED.finditer(WALK))
    assert len(found) > 50
    for file, function in (match.groups() for match in found):
        if file is not None:
            path = ROOT / file
            assert path.is_file(), file
        else:
            assert path is not None
            assert function in set(definitions(path)), f"{function} in {path.name}"


def definitions(path: Path) -> Iterator[str]:
    """What is defined in the file at *path*, as ``name`` or ``Class.name``."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield f"{node.name}.{inner.name}"


_LINK = re.compile(r"\]\(([^)#:]+)\)")
_FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "page",
    [
        "README.md",
        "docs/walk.md",
        "docs/ctl.md",
        "docs/from-node.md",
        "docs/metrics.md",
        "docs/performance.md",
        "docs/security.md",
        "docs/sessions.md",
        "docs/testing.md",
        "docs/topics.md",
    ],
)
def test_every_link_leads_to_a_file(page: str) -> None:
    text = _FENCED.sub("", (ROOT / page).read_text("utf-8"))
    for link in _LINK.findall(text):
        assert (ROOT / page).parent.joinpath(link).exists(), link
