"""What an application counts, and how it says so where it is mounted."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import trio

from tests.app.asking import ask, said
from trioweb import App, Request, health, metrics
from trioweb.app.health import operations
from trioweb.message.errors import SetupError
from trioweb.message.health import Health
from trioweb.message.site import Site


async def figures() -> str:
    await trio.lowlevel.checkpoint()
    return "figures 1\n"


def site(*, ready: bool = True) -> Site:
    return Site(1, 0, Path("/nowhere"), health=Health(figures, ready=ready))


async def test_mounted_it_tells_the_figures_as_prometheus_wants_them() -> None:
    app = App()
    app.mount("/metrics", metrics())
    async with app.open(site()):
        answer = await ask(app, "GET", "/metrics")
    assert said(answer) == "figures 1\n"
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "ready", "status"),
    [
        ("/health/live", True, 200),
        ("/health/live", False, 200),
        ("/health/ready", True, 200),
        ("/health/ready", False, 503),
        ("/health", True, 404),
    ],
)
async def test_mounted_it_tells_how_the_server_is(
    path: str, ready: bool, status: int
) -> None:
    app = App()
    app.mount("/health", health())
    async with app.open(site(ready=ready)):
        assert (await ask(app, "GET", path)).status == status


async def test_admins_have_all_of_it_under_the_names_they_know() -> None:
    app = operations()
    here = site()
    async with app.open(here):
        assert said(await ask(app, "GET", "/metrics")) == "figures 1\n"
        assert said(await ask(app, "GET", "/healthz")) == "live\n"
        assert said(await ask(app, "GET", "/readyz")) == "ready\n"
        here.health.ready = False
        assert said(await ask(app, "GET", "/readyz")) == "not ready\n"
        assert (await ask(app, "POST", "/readyz")).status == 405


async def test_a_handler_counts() -> None:
    app = App()
    orders = app.counter("orders_total", "Orders.", ["paid"])
    items = app.histogram("items", "Items in an order.", bounds=[1, 2, 5])

    @app.post("/order/{paid}")
    async def order(request: Request, paid: str) -> None:
        orders.add(paid=paid)
        items.observe(3)

    await ask(app, "POST", "/order/card")
    assert [each.family.name for each in app.measures()] == ["orders_total", "items"]
    assert [each.series()[0].values for each in app.measures()] == [
        (1,),
        (0, 0, 1, 0, 3),
    ]


def test_what_is_mounted_is_counted_once() -> None:
    inner, middle, app = App(), App(), App()
    inner.counter("a_total", "A.")
    middle.counter("b_total", "B.")
    app.counter("c_total", "C.")
    middle.mount("/inner", inner)
    app.mount("/middle", middle)
    app.mount("/inner", inner)
    names = sorted(each.family.name for each in app.measures())
    assert names == ["a_total", "b_total", "c_total"]


def test_two_of_one_name_are_refused() -> None:
    inner, app = App(), App()
    inner.counter("a_total", "A.")
    app.histogram("a_total", "A.")
    app.mount("/inner", inner)
    with pytest.raises(SetupError, match="two measures have the name 'a_total'"):
        app.measures()


def test_a_refusal_names_the_place() -> None:
    app = App()
    with pytest.raises(SetupError) as refused:
        app.counter("trioweb_x", "X.")
    line = inspect.currentframe().f_lineno - 1  # type: ignore[union-attr]  # CPython
    assert str(refused.value).startswith(f"{__file__}:{line}: 'trioweb_x' cannot be")
    app.freeze()
    with pytest.raises(SetupError, match="frozen already"):
        app.counter("late_total", "Late.")
