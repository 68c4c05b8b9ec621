"""The pytest plugin: the fixtures web_client and web_server."""

# Imported by every run of pytest where trioweb is installed: what the fixtures need,
# they import when they are used.

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from trioweb.app.app import Served
    from trioweb.run.serving import Server
    from trioweb.testing.httpx_client import Client


@pytest.fixture
def web_app() -> Served:
    """The application that web_client and web_server are of: a fixture of your own."""
    pytest.fail(
        "web_client and web_server need to know your application: define a fixture "
        "named web_app that returns it, an App or a handler, in conftest.py",
        pytrace=False,
    )


# Asynchronous generators, because that is what the plugins of pytest-trio and of anyio
# turn into fixtures; both run the two halves in one task.
@pytest.fixture
async def web_client(
    web_app: Served, request: pytest.FixtureRequest
) -> AsyncIterator[Client]:
    """An httpx2 client of web_app, served in memory: see trioweb.testing.client."""
    _check_loop(request)
    from trioweb.testing.in_memory import client  # noqa: PLC0415

    async with client(web_app) as opened:
        yield opened


@pytest.fixture
async def web_server(
    web_app: Served, request: pytest.FixtureRequest
) -> AsyncIterator[Server]:
    """web_app on a free port of localhost: see trioweb.open_server."""
    _check_loop(request)
    from trioweb.run.server import open_server  # noqa: PLC0415

    async with open_server(web_app, port=0) as server:
        yield server


def _check_loop(request: pytest.FixtureRequest) -> None:
    """Fail with a remedy where the test does not run in the Trio that we run in."""
    import trio  # noqa: PLC0415

    if not trio.lowlevel.in_trio_run():
        pytest.fail(
            f"{request.fixturename} runs on Trio, and this test on another event loop: "
            'define a fixture anyio_backend that returns "trio", in conftest.py',
            pytrace=False,
        )
    if (
        "anyio_backend" in request.fixturenames
        and request.node.get_closest_marker("trio") is not None
    ):
        pytest.fail(
            f"two plugins claim {request.node.name}, and would run it and "
            f"{request.fixturename} in different event loops: take away its mark "
            "anyio, or trio_mode",
            pytrace=False,
        )
