"""The fixtures, in sessions of pytest's own, under the plugins that may run them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.clients.process import QUICKLY

pytest_plugins = ["pytester"]

# Its handler leans on anyio for all that it does, as a library of other people's would:
# tasks, a thread, and a request to another server.
APP = """
import threading

import anyio
import anyio.to_thread
import httpcore2

from trioweb.message.response import Response


async def handler(request):
    if request.path == "/leaf":
        return Response(body=b"leaf")
    parts = {}

    async def fetch():
        network = httpcore2.AnyIOBackend()
        async with httpcore2.AsyncConnectionPool(network_backend=network) as pool:
            answer = await pool.request("GET", request.query["url"] + "/leaf")
        parts["fetched"] = answer.content.decode()

    async def think():
        thread = await anyio.to_thread.run_sync(threading.current_thread)
        parts["elsewhere"] = thread is not threading.current_thread()

    async with anyio.create_task_group() as group:
        group.start_soon(fetch)
        group.start_soon(think)
    return Response(body=f"{parts['fetched']} {parts['elsewhere']}".encode())
"""

TESTS = """
import anyio
import pytest
from service import handler


async def test_both(web_client, web_server):
    response = await web_client.get("/", params={"url": web_server.url})
    assert response.text == "leaf True"
    assert web_server.urls[0] == web_server.url


class TestWithAnAsyncFixture:
    @pytest.fixture
    async def web_app(self):
        await anyio.sleep(0)
        yield handler
        await anyio.sleep(0)

    async def test_client(self, web_client):
        assert (await web_client.get("/leaf")).text == "leaf"

    async def test_server(self, web_server):
        assert web_server.url.startswith("http://")
"""

CONFTEST = """
import pytest
import trio.testing
from service import handler


@pytest.fixture
def web_app():
    return handler
"""

TRIO_MODE = "[pytest]\ntrio_mode = true\n"

TRIO_MARK = "import pytest\npytestmark = pytest.mark.trio\n"
ANYIO_MARK = "import pytest\npytestmark = pytest.mark.anyio\n"

BACKEND = """
@pytest.fixture
def anyio_backend():
    return "trio"
"""

CLOCK_BACKEND = """
@pytest.fixture
def anyio_backend():
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}
"""

TRIO_ONLY = ("-p", "no:anyio")
ANYIO_ONLY = ("-p", "no:trio")


def run(
    pytester: pytest.Pytester, conftest: str, tests: str, *options: str, ini: str = ""
) -> pytest.RunResult:
    pytester.makeini(ini or "[pytest]\n")
    pytester.makeconftest(conftest)
    pytester.makepyfile(service=APP, test_it=tests)
    return pytester.runpytest_subprocess("-W", "error", *QUICKLY, *options, timeout=60)


UNDER = [
    pytest.param(TRIO_MARK, "", TRIO_ONLY, "", id="pytest-trio by mark"),
    pytest.param("", "", TRIO_ONLY, TRIO_MODE, id="pytest-trio by mode"),
    pytest.param(ANYIO_MARK, BACKEND, ANYIO_ONLY, "", id="anyio by mark"),
    pytest.param(
        "", BACKEND, (*ANYIO_ONLY, "--anyio-mode=auto"), "", id="anyio by mode"
    ),
    pytest.param(TRIO_MARK, "", (), "", id="both there, trio by mark"),
    pytest.param("", "", (), TRIO_MODE, id="both there, trio by mode"),
    pytest.param(ANYIO_MARK, BACKEND, (), "", id="both there, anyio by mark"),
]


@pytest.mark.parametrize(("mark", "backend", "options", "ini"), UNDER)
def test_the_fixtures_work(
    pytester: pytest.Pytester,
    mark: str,
    backend: str,
    options: tuple[str, ...],
    ini: str,
) -> None:
    result = run(pytester, CONFTEST + backend, mark + TESTS, *options, ini=ini)
    result.assert_outcomes(passed=3)


CLOCKED = """
import trio


async def test_an_hour_passes(web_client{fixture}):
    start = trio.current_time()
    with trio.move_on_after(3600):
        async with web_client.connect() as peer:
            await peer.receive(1)
    assert trio.current_time() > start
"""


@pytest.mark.parametrize(
    ("mark", "conftest", "fixture"),
    [
        pytest.param(TRIO_MARK, "", ", autojump_clock", id="pytest-trio"),
        pytest.param(ANYIO_MARK, CLOCK_BACKEND, "", id="anyio"),
    ],
)
def test_the_virtual_clock_works(
    pytester: pytest.Pytester, mark: str, conftest: str, fixture: str
) -> None:
    tests = mark + CLOCKED.format(fixture=fixture)
    run(pytester, CONFTEST + conftest, tests).assert_outcomes(passed=1)


def test_without_a_web_app_the_remedy_is_said(pytester: pytest.Pytester) -> None:
    tests = TRIO_MARK + "async def test_it(web_client):\n    pass\n"
    result = run(pytester, "", tests)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines("*define a fixture named web_app*")


@pytest.mark.parametrize("fixture", ["web_client", "web_server"])
def test_under_asyncio_the_remedy_is_said(
    pytester: pytest.Pytester, fixture: str
) -> None:
    backend = BACKEND.replace("trio", "asyncio")
    tests = f"{ANYIO_MARK}\nasync def test_it({fixture}):\n    pass\n"
    result = run(pytester, CONFTEST + backend, tests, *ANYIO_ONLY)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(
        f'*{fixture} runs on Trio*fixture anyio_backend that returns "trio"*'
    )


def test_a_test_that_two_plugins_claim_is_told_so(pytester: pytest.Pytester) -> None:
    tests = ANYIO_MARK + TESTS
    result = run(pytester, CONFTEST + BACKEND, tests, ini=TRIO_MODE)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines("*two plugins claim test_both*")


def test_a_failing_test_shows_its_own_failure(pytester: pytest.Pytester) -> None:
    tests = "async def test_it(web_client):\n    assert 1 == 2\n"
    result = run(pytester, CONFTEST, tests, ini=TRIO_MODE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("*assert 1 == 2*")


def test_a_broken_application_says_what_is_wrong(pytester: pytest.Pytester) -> None:
    web_app = """
import pytest

from trioweb.app.app import App


@pytest.fixture
def web_app():
    app = App()
    app.mount("/", app)
    return app
"""
    tests = "async def test_it(web_client):\n    pass\n"
    result = run(pytester, web_app, tests, ini=TRIO_MODE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines("*SetupError: an application is mounted in itself*")


def test_the_plugin_costs_nobody_anything_who_does_not_use_it() -> None:
    program = (
        "import sys, trioweb.testing.plugin;"
        "print(*{'anyio', 'httpcore2', 'httpx2'} & set(sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.split() == []
