"""Targets: what a command's TARGET names, and what is said when it names nothing."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from trioweb.app.app import App
from trioweb.run.target import TargetError, load

HANDLER = "async def {}(request): ..."


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory, and an interpreter as it was before."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    modules = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def write(path: str, text: str) -> None:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(text), encoding="utf-8")


def test_a_file_is_served_by_its_app() -> None:
    write(
        "hello_t.py",
        f"from trioweb import App\napp = App()\n{HANDLER.format('handler')}",
    )
    assert isinstance(load("hello_t.py"), App)


def test_without_an_app_it_is_served_by_its_handler() -> None:
    write("hello_t.py", f"app = None\n{HANDLER.format('handler')}")
    found = load("hello_t.py")
    assert not isinstance(found, App)
    assert getattr(found, "__name__", "") == "handler"


@pytest.mark.parametrize(
    "target",
    [
        "shop_t/web.py:site",
        "./shop_t/web.py:site",
        "shop_t.web:site",
        "shop_t.web:inner.site",
        "shop_t/web.py:partial",
        "shop_t/web.py:Site.instance",
    ],
)
def test_a_name_may_be_given_of_a_file_or_a_module(target: str) -> None:
    write(
        "shop_t/web.py",
        """
        import functools, types

        async def site(request, more=None): ...

        class Site:
            async def __call__(self, request): ...

        Site.instance = Site()
        inner = types.SimpleNamespace(site=site)
        partial = functools.partial(site, more=1)
        """,
    )
    assert callable(load(target))


def test_a_file_runs_under_its_own_name_beside_its_siblings() -> None:
    write("shop_t/prices_t.py", "PRICE = 7")
    write(
        "shop_t/till_t.py",
        """
        from dataclasses import dataclass
        from prices_t import PRICE

        @dataclass
        class Sale:
            price: "int" = PRICE

        async def handler(request): ...
        handler.name = __name__
        handler.file = __file__

        if __name__ == "__main__":
            raise SystemExit("this is for python shop_t/till_t.py")
        """,
    )
    found = load("shop_t/till_t.py")
    assert getattr(found, "name", "") == "till_t"
    assert getattr(found, "file", "") == str(Path("shop_t/till_t.py").resolve())
    assert sys.path[0] == str(Path("shop_t").resolve())


def test_a_file_runs_once_however_often_it_is_loaded() -> None:
    write("hello_t.py", HANDLER.format("handler"))
    assert load("hello_t.py") is load("hello_t.py:handler")


REFUSED = [
    ("", "'' names nothing to serve; give FILE.py"),
    (":app", "':app' names nothing to serve"),
    ("has_t.py:", "'has_t.py:' names nothing to serve"),
    ("hat_t.py", "hat_t.py is not there; did you mean has_t.py"),
    ("sub_t/hat_t.py", "sub_t/hat_t.py is not there; did you mean sub_t/has_t.py?"),
    ("sub_t/has_t", "sub_t/has_t is not there; did you mean sub_t/has_t.py?"),
    ("sub_t/", "sub_t is a directory; give one of its files, as sub_t/app.py"),
    ("zzzzzzzz.py", "zzzzzzzz.py is not there; give FILE.py"),
    ("hat_t", "there is no module 'hat_t'; did you mean has_t"),
    ("has_t.more", "there is no module 'has_t.more'; did you mean has_t"),
    ("no.such.module", "there is no module 'no'; give FILE.py"),
    ("not-a-module", "'not-a-module' is no module; give FILE.py"),
    ("..", "'..' is no module"),
    (
        "has_t.py",
        "it has site (App), answer (async function): trioweb run has_t.py:site",
    ),
    ("has_t:sight", "has_t has no sight; did you mean site?"),
    ("has_t:site.no_such_thing", "has_t has no site.no_such_thing; it has site (App)"),
    ("has_t:zzzz", "has_t has no zzzz; it has site (App)"),
    ("has_t:make", "make in has_t is neither an App nor an async function that takes"),
    ("has_t:lonely", "lonely in has_t is neither an App nor an async function that"),
    ("has_t:Site", "Site in has_t is neither"),
    ("bare_t.py", "an async function called handler; make one of them there"),
    ("json.py", "json.py has the name of the module 'json'; rename the file"),
]


@pytest.mark.parametrize(("target", "message"), REFUSED, ids=[r[0] for r in REFUSED])
def test_a_target_that_names_nothing_is_answered_with_what_there_is(
    target: str, message: str
) -> None:
    write("json.py", HANDLER.format("handler"))
    write("bare_t.py", "")
    for path in ("has_t.py", "sub_t/has_t.py"):
        write(
            path,
            """
            from trioweb import App, file

            async def answer(request): ...
            async def _hidden(request): ...
            async def lonely(): ...
            def make(): return App()
            class Site: ...
            site = App()
            """,
        )
    with pytest.raises(TargetError) as caught:
        load(target)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_the_file_raises_comes_out_as_it_is_and_leaves_no_module() -> None:
    write("broken_t.py", "1 / 0")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            load("broken_t.py")
    assert "broken_t" not in sys.modules


@pytest.mark.parametrize("target", ["needy_t", "needy_t.py"])
def test_a_module_that_the_file_misses_is_not_the_target(target: str) -> None:
    write("needy_t.py", "import no_such_module_t")
    with pytest.raises(ModuleNotFoundError, match="no_such_module_t"):
        load(target)
