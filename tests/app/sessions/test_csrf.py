"""Cross-site requests: what is refused by itself, and what a form's token proves."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import pytest
import trio

from trioweb import App, MemoryStore, Request, sessions
from trioweb.app.sessions.carried import CookieStore
from trioweb.app.sessions.csrf import check_csrf, csrf_token
from trioweb.app.sessions.store import Store
from trioweb.rules.forms import encode_query, parse_query
from trioweb.rules.signing import KEY_SIZE
from trioweb.testing import client
from trioweb.testing.httpx_client import Client

STORES: dict[str, Callable[[], Store | CookieStore]] = {
    "memory": MemoryStore,
    "cookie": lambda: CookieStore(["k" * KEY_SIZE]),
}
each_store = pytest.mark.parametrize("make", STORES.values(), ids=STORES)

FORM = {"content-type": "application/x-www-form-urlencoded"}
EVIL = "https://evil.example"
PARTNER = "https://partner.example"


def bank(store: Store | CookieStore | None = None) -> App:
    """An application with something to be asked for in somebody else's name."""
    app = App()
    app.use(sessions(store=store, trusted_origins=[PARTNER]))

    @app.get("/token")
    async def token(request: Request) -> str:
        return csrf_token(request)

    @app.post("/form")
    async def form(request: Request) -> str:
        check_csrf(request, parse_query(await request.text()).get("csrf", ""))
        return "done"

    @app.delete("/script")
    async def script(request: Request) -> str:
        check_csrf(request)
        return "done"

    @app.post("/login/{user}")
    async def login(request: Request, user: str) -> None:
        request.session.login(user)

    @app.route("/move", methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
    async def move(request: Request) -> str:
        return "moved"

    return app


async def token_of(web: Client) -> str:
    return (await web.get("/token")).text


async def sent(web: Client, token: str) -> int:
    answer = await web.post("/form", content=encode_query({"csrf": token}))
    return answer.status_code


# --------------------------------------------------------------- what a browser says

SAYS = [
    ("a script of our page", {"sec-fetch-site": "same-origin"}, 200),
    ("our page, old browser", {"origin": "http://test"}, 200),
    ("no browser", {}, 200),
    ("another site", {"sec-fetch-site": "cross-site", "origin": EVIL}, 403),
    ("another site's frame", {"sec-fetch-site": "cross-site", "origin": "null"}, 403),
    ("a neighbour", {"sec-fetch-site": "same-site", "origin": "http://a.test"}, 403),
    ("another site, old browser", {"origin": EVIL}, 403),
    ("one that we trust", {"sec-fetch-site": "cross-site", "origin": PARTNER}, 200),
]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("headers", "status"), [case[1:] for case in SAYS], ids=[case[0] for case in SAYS]
)
async def test_another_site_changes_nothing_with_our_cookie(
    method: str, headers: dict[str, str], status: int
) -> None:
    async with client(bank()) as web:
        await web.post("/login/ada")
        answer = await web.request(method, "/move", headers=headers)
        assert answer.status_code == status


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_link_on_another_site_leads_to_us(method: str) -> None:
    async with client(bank()) as web:
        await web.post("/login/ada")
        headers = {"sec-fetch-site": "cross-site"}
        assert (await web.request(method, "/move", headers=headers)).status_code == 200


async def test_who_has_no_session_has_nothing_to_be_abused() -> None:
    async with client(bank()) as web:
        headers = {"sec-fetch-site": "cross-site", "origin": EVIL}
        assert (await web.post("/move", headers=headers)).status_code == 200


# ------------------------------------------------------------------- what a form says


@each_store
async def test_another_site_begins_no_session_in_place_of_ours(
    make: Callable[[], Store | CookieStore],
) -> None:
    # What Chromium sends and takes: the form of another site comes without a cookie
    # (SameSite=Lax), and a cookie in the answer would take the place of ours.
    form = {
        "origin": EVIL,
        "sec-fetch-site": "cross-site",
        "sec-fetch-mode": "navigate",
    }
    async with client(bank(make()), headers=FORM) as web:
        answer = await web.post("/login/eve", headers=form)
        assert (answer.status_code, answer.headers.get("set-cookie")) == (403, None)
        partner = {"origin": PARTNER, "sec-fetch-site": "cross-site"}
        for headers in ({}, {"origin": "http://test"}, partner):
            web.cookies.clear()
            answer = await web.post("/login/ada", headers=headers)
            assert answer.status_code == 204
            assert "set-cookie" in answer.headers


@each_store
async def test_a_form_of_ours_is_taken_as_often_as_it_comes(
    make: Callable[[], Store | CookieStore],
) -> None:
    async with client(bank(make()), headers=FORM) as web:
        token = await token_of(web)
        assert [await sent(web, token) for _ in range(3)] == [200, 200, 200]
        answer = await web.delete("/script", headers={"x-csrf-token": token})
        assert answer.status_code == 200
        assert (await web.delete("/script")).status_code == 403


async def test_every_token_is_another_and_each_is_good() -> None:
    async with client(bank(), headers=FORM) as web:
        tokens = [await token_of(web) for _ in range(20)]
        assert len(set(tokens)) == len(tokens)
        assert {await sent(web, token) for token in tokens} == {200}
        # BREACH: what is guessed right must not make the page smaller.
        assert len({token[:4] for token in tokens}) > 10
        assert len({token[-4:] for token in tokens}) > 10
        page = "".join(tokens).encode()
        assert len(zlib.compress(page)) > len(page) * 0.7


async def test_two_pages_that_are_loaded_at_once_each_have_a_good_form() -> None:
    app = bank()

    @app.get("/begin")
    async def begin(request: Request) -> None:
        request.session["a"] = 1

    @app.get("/slow")
    async def slow(request: Request) -> str:
        token = csrf_token(request)
        await trio.testing.wait_all_tasks_blocked()
        return token

    tokens = []

    async def page() -> None:
        tokens.append((await web.get("/slow")).text)

    async with client(app, headers=FORM) as web:
        await web.get("/begin")
        async with trio.open_nursery() as pages:
            for _ in range(5):
                pages.start_soon(page)
        assert [await sent(web, token) for token in tokens] == [200] * 5


async def test_a_form_of_another_session_is_refused() -> None:
    app = bank()
    async with client(app, headers=FORM) as web:
        theirs = await token_of(web)
        web.cookies.clear()
        await token_of(web)
        assert await sent(web, theirs) == 403


@each_store
async def test_a_form_from_before_the_sign_in_is_refused(
    make: Callable[[], Store | CookieStore],
) -> None:
    async with client(bank(make()), headers=FORM) as web:
        before = await token_of(web)
        await web.post("/login/ada")
        assert await sent(web, before) == 403
        assert await sent(web, await token_of(web)) == 200


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda token: "", id="nothing"),
        pytest.param(lambda token: token[:-2], id="cut"),
        pytest.param(lambda token: token + "AAAA", id="longer"),
        pytest.param(lambda token: token[:43], id="half"),
        pytest.param(lambda token: "A" * len(token), id="zeros"),
        pytest.param(lambda token: token[43:] + token[:43], id="turned"),
        pytest.param(lambda token: token.swapcase(), id="another case"),
        pytest.param(lambda token: "ü" * len(token), id="not ASCII"),
        pytest.param(lambda token: "\N{PILE OF POO}\0", id="nonsense"),
        pytest.param(lambda token: "A", id="one letter"),
    ],
)
async def test_what_is_no_token_is_refused(change: Callable[[str], str]) -> None:
    async with client(bank(), headers=FORM) as web:
        token = await token_of(web)
        assert await sent(web, change(token)) == 403


async def test_whichever_bit_of_the_token_is_wrong_it_is_refused() -> None:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    async with client(bank(), headers=FORM) as web:
        token = await token_of(web)
        for place in range(len(token) - 1):  # the last letter has bits of no byte
            for bit in range(6):
                letter = alphabet[alphabet.index(token[place]) ^ 1 << bit]
                wrong = token[:place] + letter + token[place + 1 :]
                assert await sent(web, wrong) == 403


async def test_n5_a_form_without_a_session_is_refused_and_makes_none() -> None:
    store = MemoryStore()
    async with client(bank(store), headers=FORM) as web:
        for _ in range(20):
            answer = await web.post("/form", content="csrf=" + "A" * 86)
            assert answer.status_code == 403
            assert "set-cookie" not in answer.headers
        assert (await web.delete("/script")).status_code == 403
        assert len(store) == 0


async def test_a_visitor_who_is_shown_a_form_has_a_session() -> None:
    store = MemoryStore()
    async with client(bank(store), headers=FORM) as web:
        token = await token_of(web)
        assert len(store) == 1
        assert await sent(web, token) == 200
