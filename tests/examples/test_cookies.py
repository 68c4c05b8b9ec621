"""cookies.py, run as a process: cookies set, read and deleted."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from tests.clients.chromium import browsing
from tests.clients.process import Way, both_ways, by_python, curl, serving
from tests.needs import needs

PATH = "examples/cookies.py"


@needs("curl")
@both_ways
async def test_curl_keeps_cookies_and_gives_them_back(way: Way, tmp_path: Path) -> None:
    jar = ["-c", str(tmp_path / "jar"), "-b", str(tmp_path / "jar")]
    async with serving(way(PATH)) as server:
        first = await curl(*jar, server.url)
        assert '<b id="visits">1</b>' in first.body
        (cookie,) = [each for each in first.fields if each.startswith("set-cookie")]
        assert cookie == (
            "set-cookie: visits=1; Max-Age=31536000; Path=/; HttpOnly; SameSite=Lax"
        )
        assert '<b id="visits">2</b>' in (await curl(*jar, server.url)).body

        name = ["--data-urlencode", "name=한글 & <b>"]
        named = await curl(*jar, *name, f"{server.url}/name")
        assert (named.status, "location: /" in named.fields) == (303, True)
        body = (await curl(*jar, server.url)).body
        assert '<span id="name">한글 &amp; &lt;b&gt;</span>' in body

        await curl(*jar, "-X", "POST", f"{server.url}/theme/dark")
        assert 'data-theme="dark"' in (await curl(*jar, server.url)).body

        # What a browser does with these is seen below: curl 7.88 writes cookies that
        # are deleted back into the jar it has read them from.
        forgotten = await curl("-X", "POST", f"{server.url}/forget")
        expired = "=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/"
        assert [field for field in forgotten.fields if "cookie" in field] == [
            f"set-cookie: visits{expired}; HttpOnly; SameSite=Lax",
            f"set-cookie: theme{expired}; SameSite=Strict",
            f"set-cookie: name{expired}; HttpOnly; SameSite=Lax",
        ]
        assert await server.stop() == 0


@needs("curl")
async def test_what_a_peer_makes_up_is_not_believed() -> None:
    async with serving(by_python(PATH)) as server:
        for visits in ("many", "-1", "9" * 5000, "٣", '"4"'):
            cookie = f'Cookie: visits={visits}; theme="><script>; name={quote("나")}'
            answer = await curl("-H", cookie, server.url)
            assert answer.status == 200
            assert '<b id="visits">1</b>' in answer.body
            assert "<script>" not in answer.body
            assert '<span id="name">나</span>' in answer.body
        assert (await curl("-d", "", f"{server.url}/theme/pink")).status == 400
        assert (await curl("-d", "", f"{server.url}/name")).status == 400


@needs("chromium")
async def test_chromium_keeps_them_and_forgets_them() -> None:
    async with serving(by_python(PATH)) as server, browsing() as page:

        async def press(form: str) -> None:
            await page.evaluate(
                f"document.querySelector('form[action=\"{form}\"]').requestSubmit()"
            )
            await page.loaded()

        await page.open(server.url)
        await page.open(server.url)
        assert await page.evaluate("document.querySelector('#visits').innerText") == "2"
        await page.evaluate("document.querySelector('[name=name]').value = '세종'")
        await press("/name")
        assert (
            await page.evaluate("document.querySelector('#name').innerText") == "세종"
        )
        await press("/theme/dark")
        scheme = "getComputedStyle(document.documentElement).colorScheme"
        assert await page.evaluate(scheme) == "dark"
        # A script sees the theme, and none of those that are HttpOnly.
        assert await page.evaluate("document.cookie") == "theme=dark"
        await press("/forget")
        assert await page.evaluate("document.querySelector('#visits').innerText") == "1"
        assert await page.evaluate("document.cookie") == ""
