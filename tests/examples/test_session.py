"""session.py, run as a process: a counter, and signing in and out, everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.clients.chromium import Page, browsing
from tests.clients.process import Way, both_ways, by_python, curl, serving
from tests.needs import needs

PATH = "examples/session.py"

LISTED = "document.querySelectorAll('.sessions li').length"

_TOKEN = re.compile(r'name="csrf" value="([\w-]+)"')


def token_in(page: str) -> str:
    found = _TOKEN.search(page)
    assert found is not None, page
    return found[1]


@needs("curl")
@both_ways
async def test_curl_counts_signs_in_and_signs_out(way: Way, tmp_path: Path) -> None:
    jar = ["-c", str(tmp_path / "jar"), "-b", str(tmp_path / "jar")]
    async with serving(way(PATH)) as server:

        async def post(path: str, **fields: str) -> int:
            page = await curl(*jar, server.url)
            fields["csrf"] = token_in(page.body)
            data = [f"{name}={value}" for name, value in fields.items()]
            encoded = [word for each in data for word in ("--data-urlencode", each)]
            return (await curl(*jar, *encoded, f"{server.url}{path}")).status

        first = await curl(*jar, server.url)
        (cookie,) = [each for each in first.fields if each.startswith("set-cookie")]
        attributes = "; Path=/; HttpOnly; SameSite=Lax"
        assert re.fullmatch(rf"set-cookie: sid=[\w-]{{43}}{attributes}", cookie)
        assert "cache-control: private, no-store" in first.fields
        assert [await post("/count") for _ in range(3)] == [303, 303, 303]
        assert await post("/login", name="세종 <b>") == 303
        page = (await curl(*jar, server.url)).body
        assert '<span id="name">세종 &lt;b&gt;</span>' in page
        assert '<output id="count">3</output>' in page
        assert "<b>curl</b>" in page
        assert "Hello, 세종 &lt;b&gt;." in page
        assert "Hello" not in (await curl(*jar, server.url)).body
        assert await post("/logout") == 303
        page = (await curl(*jar, server.url)).body
        assert '<output id="count">0</output>' in page
        assert 'id="visitor"' in page
        assert await server.stop() == 0


@needs("curl")
async def test_a_form_without_its_token_and_a_name_of_no_length_are_refused(
    tmp_path: Path,
) -> None:
    jar = ["-c", str(tmp_path / "jar"), "-b", str(tmp_path / "jar")]
    async with serving(by_python(PATH)) as server:
        page = await curl(*jar, server.url)
        token = f"csrf={token_in(page.body)}"
        for path in ("/count", "/login", "/logout", "/logout-everywhere"):
            answer = await curl(*jar, "-d", "name=eve", f"{server.url}{path}")
            assert answer.status == 403
            other = await curl("-d", f"name=eve&{token}", f"{server.url}{path}")
            assert other.status == 403
        login = f"{server.url}/login"
        for name in ("", "%20%20", "x" * 41):
            refused = await curl(*jar, "-d", f"name={name}&{token}", login)
            assert refused.status == 400
        assert (await curl(*jar, "-d", token, login)).status == 400
        many = "&a" * 2000
        assert (await curl(*jar, "-d", token + many, login)).status == 400


async def text(page: Page, selector: str) -> object:
    return await page.evaluate(f"document.querySelector({selector!r})?.innerText")


async def press(page: Page, action: str) -> None:
    await page.evaluate(
        f"document.querySelector('form[action=\"{action}\"]').requestSubmit()"
    )
    await page.loaded()


async def sign_in(page: Page, name: str) -> None:
    await page.evaluate(f"document.querySelector('[name=name]').value = {name!r}")
    await press(page, "/login")


@needs("chromium")
async def test_chromium_signs_in_reloads_and_is_signed_out_everywhere() -> None:
    async with serving(by_python(PATH)) as server, browsing() as page:
        await page.open(server.url)
        await press(page, "/count")
        await sign_in(page, "세종")
        assert await text(page, "#name") == "세종"
        assert await text(page, ".flash") == "Hello, 세종."
        await page.call("Page.reload")
        await page.loaded()
        assert await text(page, "#name") == "세종"
        assert await text(page, ".flash") is None

        # A second tab is the same session, and what it counts counts here.
        tab = await page.another()
        await tab.open(server.url)
        assert await text(tab, "#name") == "세종"
        await press(tab, "/count")
        await press(page, "/count")
        assert await text(page, "#count") == "3"

        # A private window is another browser: it has a session of its own.
        private = await page.another(private=True)
        await private.open(server.url)
        assert await text(private, "#count") == "0"
        await sign_in(private, "세종")
        assert await private.evaluate(LISTED) == 2
        assert "Chromium on Linux" in str(await text(private, ".sessions .here"))

        await press(private, "/logout-everywhere")
        assert await text(private, ".flash") == "You are signed out everywhere."
        for each in (tab, page):
            await each.call("Page.reload")
            await each.loaded()
            assert await text(each, "#visitor h2") == "Who are you?"
            assert await text(each, "#count") == "0"


@needs("chromium")
async def test_chromium_ends_one_of_its_sessions_from_another() -> None:
    async with serving(by_python(PATH)) as server, browsing() as page:
        private = await page.another(private=True)
        for each in (page, private):
            await each.open(server.url)
            await sign_in(each, "ada")
        await page.call("Page.reload")
        await page.loaded()
        await page.evaluate(
            "document.querySelector('.sessions li:not(.here) form').requestSubmit()"
        )
        await page.loaded()
        assert await page.evaluate(LISTED) == 1
        await private.call("Page.reload")
        await private.loaded()
        assert await text(private, "#name") is None


@needs("chromium")
async def test_c4_chromium_keeps_the_cookie_from_scripts() -> None:
    async with serving(by_python(PATH)) as server, browsing() as page:
        await page.open(server.url)
        await sign_in(page, "ada")
        (cookie,) = (await page.call("Network.getCookies"))["cookies"]
        kept = ("name", "path", "httpOnly", "sameSite", "session", "domain")
        assert {name: cookie[name] for name in kept} == {
            "name": "sid",
            "path": "/",
            "httpOnly": True,
            "sameSite": "Lax",
            "session": True,
            "domain": "127.0.0.1",
        }
        assert len(cookie["value"]) == 43
        assert await page.evaluate("document.cookie") == ""
        assert await text(page, "#seen") == "nothing"


@needs("chromium")
async def test_chromium_says_that_another_site_asks_and_it_is_refused() -> None:
    async with serving(by_python(PATH)) as server, browsing() as page:
        await page.open(server.url)
        await sign_in(page, "ada")
        # By its name the same server is another site.
        evil = server.url.replace("127.0.0.1", "localhost")
        assert evil != server.url
        await page.open(evil)
        form = f'<form method=post action="{server.url}/logout"></form>'
        submit = "document.forms[0].submit()"
        await page.evaluate(f"document.body.innerHTML = '{form}'; {submit}")
        await page.loaded()
        await page.open(server.url)
        assert await text(page, "#name") == "ada"


@pytest.mark.parametrize("width", [360, 1280])
@needs("chromium")
async def test_the_page_fits_a_telephone_and_a_screen(width: int) -> None:
    async with serving(by_python(PATH)) as server, browsing() as page:
        size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
        await page.call("Emulation.setDeviceMetricsOverride", **size)
        await page.open(server.url)
        await sign_in(page, "w" * 40)
        fits = "document.documentElement.scrollWidth <= window.innerWidth"
        assert await page.evaluate(fits) is True
