"""Trusted proxies, by the option: handlers, cookies and the log agree (A7)."""

from __future__ import annotations

import pytest

from trioweb import App, Config, Request, allowed_hosts, sessions
from trioweb.app.sessions.memory import MemoryStore
from trioweb.testing import client

TRUSTED = Config(access_log="human", trusted_proxies=("memory",))
STANDARD = Config(
    access_log="off", trusted_proxies=("memory",), proxy_headers="forwarded"
)
# As a proxy sends it on that has added its peer to what that has made up.
X = {
    "x-forwarded-for": "6.6.6.6, 192.0.2.7",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "shop.example",
}
FORWARDED = {
    "forwarded": "for=6.6.6.6;proto=http;host=bad.example, "
    'for="[2001:db8::7]:4711";proto=https;host=shop.example'
}


def application() -> App:
    app = App()
    app.use(sessions(MemoryStore()))

    @app.get("/")
    async def seen(request: Request) -> str:
        request.session["seen"] = True
        return f"{request.peer} {request.url}"

    return app


async def test_a7_a_trusted_proxy_decides_what_handlers_and_cookies_see() -> None:
    async with client(application(), config=TRUSTED) as web:
        answer = await web.get("/", headers=X)
        assert answer.text == "192.0.2.7 https://shop.example/"
        assert answer.headers["set-cookie"].startswith("__Host-")
        assert "; Secure" in answer.headers["set-cookie"]


async def test_a7_the_access_log_has_the_same_peer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with client(application(), config=TRUSTED) as web:
        await web.get("/", headers=X)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(" 192.0.2.7")


async def test_a7_the_standard_field_is_read_only_where_it_is_asked_for() -> None:
    async with client(application(), config=STANDARD) as web:
        answer = await web.get("/", headers=FORWARDED | X)
        assert answer.text == "[2001:db8::7]:4711 https://shop.example/"
    async with client(application(), config=TRUSTED) as web:
        answer = await web.get("/", headers=FORWARDED)
        assert answer.text == "memory http://test/"


@pytest.mark.parametrize("trusted", [(), ("10.0.0.0/8",), ("unix",)])
async def test_a7_whoever_else_says_so_is_neither_believed_nor_given_secure_cookies(
    trusted: tuple[str, ...],
) -> None:
    config = Config(access_log="off", trusted_proxies=trusted)
    async with client(application(), config=config) as web:
        answer = await web.get("/", headers=X | FORWARDED)
        assert answer.text == "memory http://test/"
        assert not answer.headers["set-cookie"].startswith("__Host-")
        assert "; Secure" not in answer.headers["set-cookie"]


async def test_a7_which_hosts_are_ours_is_asked_of_what_the_proxy_was_asked() -> None:
    app = application()
    app.use(allowed_hosts("shop.example"))
    async with client(app, config=TRUSTED) as web:
        assert (await web.get("/", headers=X)).status_code == 200
        other = X | {"x-forwarded-host": "evil.example"}
        assert (await web.get("/", headers=other)).status_code == 421
