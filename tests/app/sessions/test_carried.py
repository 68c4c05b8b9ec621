"""CookieStore: what a session in its own cookie can do, and what it cannot."""

from __future__ import annotations

import base64
import os
import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from inspect import isawaitable

import hypothesis
import hypothesis.strategies as some
import pytest
import trio

from trioweb import App, Request, Response, Send, SetupError, sessions, stream
from trioweb.app.sessions.carried import SKEW, Carried, CookieStore, read, write
from trioweb.rules.signing import KEY_SIZE, Signer
from trioweb.testing import client
from trioweb.testing.httpx_client import Client

KEY, NEXT = "k" * KEY_SIZE, "n" * KEY_SIZE
SIGNER = Signer([KEY], "session sid")
IDLE, ABSOLUTE = 1800.0, 43200.0  # seconds
TOUCHED = IDLE / 20 + 5  # long enough ago for a cookie to be renewed


async def save_and_fail(request: Request) -> None:
    await request.session.save({"kept": 1})
    request.session["lost"] = 1
    raise OSError("after the save")


async def log_out_and_fail(request: Request) -> None:
    request.session.destroy()
    request.session["lost"] = 1
    raise OSError("after the end")


async def log_out_and_begin(request: Request) -> None:
    request.session.destroy()
    request.session["fresh"] = True


async def update(request: Request) -> None:
    await request.session.update("count", lambda count: (count or 0) + 1)


async def end_one(request: Request) -> None:
    await request.session.sign_out("handle")


async def late(request: Request) -> Response:
    session = request.session

    async def body(send: Send) -> None:
        await session.save({"late": 1})
        await send(b"late")

    return stream(body)


CALLED: dict[str, Callable[[Request], Awaitable[Response | None]]] = {
    "save_and_fail": save_and_fail,
    "log_out_and_fail": log_out_and_fail,
    "log_out_and_begin": log_out_and_begin,
    "update": update,
    "end_one": end_one,
    "late": late,
}


def shop(*keys: str | bytes, name: str = "sid") -> App:
    """An application whose sessions are in cookies signed with *keys*."""
    app = App()
    store = CookieStore(list(keys) or [KEY])
    app.use(sessions(store=store, name=name, idle=IDLE, absolute=ABSOLUTE))
    for path, handler in CALLED.items():
        app.post(f"/{path}")(handler)

    @app.get("/")
    async def show(request: Request) -> dict[str, object]:
        session = request.session
        flashes = [each.message for each in session.flashes()]
        return {"user": session.user, "holds": dict(session), "flashes": flashes}

    @app.get("/plain")
    async def plain(request: Request) -> str:
        return "for everybody"

    @app.put("/{key}")
    async def put(request: Request, key: str) -> None:
        request.session[key] = await request.json()

    @app.delete("/{key}")
    async def remove(request: Request, key: str) -> None:
        del request.session[key]

    @app.post("/call/{method}")
    async def call(request: Request, method: str) -> None:
        done = getattr(request.session, method)(*request.query.values())
        if isawaitable(done):
            await done

    return app


async def seen(web: Client) -> dict[str, object]:
    answer = await web.get("/")
    assert answer.status_code == 200, answer.text
    said: dict[str, object] = answer.json()
    return said


NOBODY: dict[str, object] = {"user": None, "holds": {}, "flashes": []}


def carried_by(web: Client) -> Carried:
    carried = read(SIGNER, web.cookies["sid"])
    assert carried is not None
    return carried


def age(web: Client, *, seen: float = 0, born: float = 0) -> None:
    """Let the cookie of *web* be older by so many seconds."""
    before = carried_by(web)
    older = replace(before, seen=before.seen - seen, born=before.born - born)
    put(web, write(SIGNER, older))


def put(web: Client, text: str) -> None:
    web.cookies.clear()
    web.cookies.set("sid", text, domain="test.local")


async def test_what_is_stored_comes_back_from_another_server_with_the_keys() -> None:
    async with client(shop()) as web:
        await web.put("/cart", json=["tea", {"cups": 2}])
        await web.put("/größe", content=b"null")
        cookie = web.cookies["sid"]
    async with client(shop()) as web:
        put(web, cookie)
        held = {"cart": ["tea", {"cups": 2}], "größe": None}
        assert (await seen(web))["holds"] == held
        await web.delete("/cart")
        assert (await seen(web))["holds"] == {"größe": None}


async def test_c4_the_cookie_is_kept_from_scripts_and_other_sites() -> None:
    async with client(shop()) as web:
        (line,) = (await web.put("/a", json=1)).headers.get_list("set-cookie")
        assert re.fullmatch(r"sid=[\w-]+; Path=/; HttpOnly; SameSite=Lax", line)
    async with client(shop(), base_url="https://test") as web:
        (line,) = (await web.put("/a", json=1)).headers.get_list("set-cookie")
        attributes = "; Path=/; Secure; HttpOnly; SameSite=Lax"
        assert re.fullmatch(rf"__Host-sid=[\w-]+{attributes}", line)
        assert (await seen(web))["holds"] == {"a": 1}


async def test_a_visitor_who_stored_nothing_gets_no_cookie() -> None:
    async with client(shop()) as web:
        answer = await web.get("/")
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "private, no-store"
        assert answer.headers["vary"] == "Cookie"
        assert "set-cookie" not in (await web.post("/call/rotate")).headers
        assert "set-cookie" not in (await web.post("/call/destroy")).headers


async def test_it_can_be_read_by_who_has_it() -> None:
    # So the documentation says, and nothing should make anybody believe otherwise.
    async with client(shop()) as web:
        await web.put("/secret", json="rosebud")
        text = web.cookies["sid"]
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        assert b"rosebud" in raw


async def test_the_last_value_that_was_removed_takes_the_cookie_along() -> None:
    async with client(shop()) as web:
        await web.put("/a", json=1)
        answer = await web.delete("/a")
        assert "sid=; Expires=Thu, 01 Jan 1970" in answer.headers["set-cookie"]
        assert not web.cookies


# -------------------------------------------------------------------- who it is of


async def test_signing_in_keeps_what_a_visitor_had_and_signing_out_nothing() -> None:
    async with client(shop()) as web:
        await web.put("/cart", json=["tea"])
        await web.post("/call/login?user=ada")
        expected = {"user": "ada", "holds": {"cart": ["tea"]}, "flashes": []}
        assert await seen(web) == expected
        answer = await web.post("/call/destroy")
        assert "Max-Age=0" in answer.headers["set-cookie"]
        assert await seen(web) == NOBODY


async def test_signing_in_as_somebody_else_shows_nothing_of_the_one_before() -> None:
    async with client(shop()) as web:
        await web.post("/call/login?user=ada")
        await web.put("/cart", json=["tea"])
        await web.post("/call/login?user=bob")
        assert await seen(web) == {"user": "bob", "holds": {}, "flashes": []}


async def test_what_is_set_after_the_end_begins_another() -> None:
    async with client(shop()) as web:
        await web.post("/call/login?user=ada")
        age(web, born=100)
        before = carried_by(web)
        await web.post("/log_out_and_begin")
        assert await seen(web) == {**NOBODY, "holds": {"fresh": True}}
        assert carried_by(web).born > before.born + 90


async def test_flashes_come_once_and_by_the_cookie() -> None:
    async with client(shop()) as web:
        await web.post("/call/flash?message=done")
        await web.post("/call/flash?message=done")
        assert (await seen(web))["flashes"] == ["done", "done"]
        assert (await seen(web))["flashes"] == []
        assert not web.cookies


# ------------------------------------------------------------------------- expiry


@pytest.mark.parametrize(
    ("seen_ago", "born_ago", "alive"),
    [
        pytest.param(IDLE - 5, IDLE - 5, True, id="nearly idle"),
        pytest.param(IDLE, IDLE, False, id="idle"),
        pytest.param(0, ABSOLUTE - 5, True, id="nearly too old"),
        pytest.param(0, ABSOLUTE, False, id="too old"),
        pytest.param(10 * ABSOLUTE, 10 * ABSOLUTE, False, id="long ago"),
        pytest.param(-SKEW / 2, 0, True, id="the other machine's clock is ahead"),
        pytest.param(-2 * SKEW, 0, False, id="the clock has jumped back"),
        pytest.param(-1e9, -1e9, False, id="the clock was far ahead"),
    ],
)
async def test_n8_it_ends_by_itself(
    seen_ago: float, born_ago: float, alive: bool
) -> None:
    async with client(shop()) as web:
        await web.put("/a", json=1)
        age(web, seen=seen_ago, born=born_ago)
        assert await seen(web) == {**NOBODY, "holds": {"a": 1} if alive else {}}


async def test_who_reads_the_session_keeps_it_alive_but_not_for_ever() -> None:
    async with client(shop()) as web:
        await web.put("/a", json=1)
        assert "set-cookie" not in (await web.get("/")).headers
        age(web, seen=TOUCHED, born=ABSOLUTE - 5)
        assert "set-cookie" in (await web.get("/")).headers
        now = carried_by(web)
        assert abs(now.seen - time.time()) < 5
        assert now.seen - now.born > ABSOLUTE - 10


async def test_n12_what_does_not_look_at_the_session_never_sets_the_cookie() -> None:
    async with client(shop()) as web:
        await web.put("/a", json=1)
        age(web, seen=TOUCHED)
        answer = await web.get("/plain")
        assert "set-cookie" not in answer.headers
        assert "cache-control" not in answer.headers


async def test_signing_in_begins_the_age_anew_and_rotating_does_not() -> None:
    async with client(shop()) as web:
        await web.put("/a", json=1)
        age(web, born=1000)
        born = carried_by(web).born
        await web.post("/call/rotate")
        assert carried_by(web).born == born
        await web.post("/call/login?user=ada")
        assert carried_by(web).born > born + 900
        assert carried_by(web).fields["a"] == b"1"


# ------------------------------------------------------------- hostile and old cookies


def signed(value: bytes, *, key: str = KEY, purpose: str = "session sid") -> str:
    return Signer([key], purpose).sign(value, time.time())


GOOD = write(SIGNER, Carried(time.time(), time.time(), "ada", {"a": b"1"}))
STRANGERS: dict[str, str] = {
    "C7 nothing": "",
    "C7 no base64": "=;*",
    "C7 another key": signed(b'[0,"ada",{}]', key=NEXT),
    "C7 another purpose": signed(b'[0,"ada",{}]', purpose="session"),
    "C7 of another cookie": signed(b'[0,"ada",{}]', purpose="session admin"),
    "C7 the signature alone": GOOD[:54],
    "C7 cut": GOOD[:-4],
    "C7 longer": GOOD + "AAAA",
    "C7 padded": GOOD + "==",
    "C7 quoted": f'"{GOOD}"',
    "N6 no JSON": signed(b"\x80\x04\x95 pickle"),
    "N6 no UTF-8": signed(b'[0,"\xff",{}]'),
    "N6 not ours": signed(b'{"user": "ada"}'),
    "N6 another type": signed(b'["now",7,[]]'),
    "N6 too deep": signed(b'[0,"ada",{"a":' + b"[" * 9000 + b"]" * 9000 + b"}]"),
    "N1 an identity": "A" * 43,
}


@pytest.mark.parametrize("text", STRANGERS.values(), ids=STRANGERS)
async def test_what_we_did_not_sign_is_nobody(text: str) -> None:
    async with client(shop()) as web:
        answer = await web.get("/", headers={"cookie": f"sid={text}"})
        assert (answer.status_code, answer.json()) == (200, NOBODY)


@hypothesis.given(some.binary(max_size=80), some.booleans())
def test_whatever_bytes_come_reading_them_raises_nothing(
    raw: bytes, genuine: bool
) -> None:
    text = signed(raw) if genuine else raw.decode("latin-1")
    carried = read(SIGNER, text)
    assert carried is None or genuine


def test_it_reads_what_it_has_written() -> None:
    fields = {"~about": b'"x"', "größe": b"[1,2]", "": b"null"}
    carried = Carried(1.5, 2.25, "ada", fields)
    assert read(SIGNER, write(SIGNER, carried)) == carried


async def test_n9_a_key_signs_until_it_is_replaced_and_counts_until_removed() -> None:
    async with client(shop(KEY)) as web:
        await web.put("/a", json=1)
        cookie = web.cookies["sid"]
    async with client(shop(NEXT, KEY), cookies={"sid": cookie}) as web:
        assert (await seen(web))["holds"] == {"a": 1}
        await web.put("/b", json=2)
        newer = web.cookies.get("sid", domain="test.local")
    async with client(shop(NEXT)) as web:
        old = await web.get("/", headers={"cookie": f"sid={cookie}"})
        assert (old.status_code, old.json()) == (200, NOBODY)
        new = await web.get("/", headers={"cookie": f"sid={newer}"})
        assert new.json()["holds"] == {"a": 1, "b": 2}


async def test_c2_of_several_cookies_one_counts_if_the_others_are_worth_nothing() -> (
    None
):
    other = write(SIGNER, Carried(time.time(), time.time(), "bob", {"a": b"2"}))
    cases = {
        f"sid=evil; sid={GOOD}": "ada",
        f"sid={GOOD}; sid=evil": "ada",
        f"sid={GOOD}; sid={GOOD}": "ada",
        f"sid={GOOD}; sid={other}": None,
        "; ".join(f"sid={number}" for number in range(9)) + f"; sid={GOOD}": None,
    }
    async with client(shop()) as web:
        for cookies, user in cases.items():
            answer = await web.get("/", headers={"cookie": cookies})
            assert answer.json()["user"] == user, cookies


async def test_what_is_signed_for_one_layer_is_worth_nothing_in_another() -> None:
    async with client(shop()) as web:
        await web.post("/call/login?user=root")
        cookie = web.cookies["sid"]
    async with client(shop(name="admin"), cookies={"admin": cookie}) as web:
        assert await seen(web) == NOBODY


# ------------------------------------------------------------------------ its limits


async def test_c5_what_no_browser_keeps_is_an_error_that_names_the_remedy(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with client(shop()) as web:
        await web.put("/small", json="x" * 2000)
        cookie = web.cookies["sid"]
        answer = await web.put("/large", json="x" * 2000)
        assert answer.status_code == 500
        assert web.cookies["sid"] == cookie
    said = caplog.text
    assert "session['small']" in said or "session['large']" in said
    assert "sessions(store=MemoryStore()), SQLiteStore or RedisStore" in said


async def test_nearly_four_kib_go_through() -> None:
    async with client(shop()) as web:
        word = base64.b64encode(os.urandom(2050)).decode()
        assert (await web.put("/a", json=word)).status_code == 204
        assert (await seen(web))["holds"] == {"a": word}


@pytest.mark.parametrize(
    "what", ["update", "end_one", "call/signed_in", "call/sign_out_everywhere"]
)
async def test_what_it_cannot_do_names_the_stores_that_can(
    what: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with client(shop()) as web:
        await web.post("/call/login?user=ada")
        assert (await web.post(f"/{what}")).status_code == 500
        assert (await seen(web))["user"] == "ada"
    assert "SetupError: a CookieStore cannot" in caplog.text
    for store in ("MemoryStore", "SQLiteStore", "RedisStore"):
        assert store in caplog.text


async def test_an_update_is_refused_before_there_is_a_session_too() -> None:
    async with client(shop()) as web:
        assert (await web.post("/update")).status_code == 500


async def test_nothing_can_be_saved_once_the_response_has_begun(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with client(shop()) as web:
        await web.put("/a", json=1)
        await web.post("/late")
        assert (await seen(web))["holds"] == {"a": 1}
    assert "the response has begun, and the session (late)" in caplog.text


async def test_a_handler_that_fails_keeps_what_it_saved_and_ends_what_it_ended() -> (
    None
):
    async with client(shop()) as web:
        await web.put("/a", json=1)
        assert (await web.post("/save_and_fail")).status_code == 500
        assert (await seen(web))["holds"] == {"a": 1, "kept": 1}
        assert (await web.post("/log_out_and_fail")).status_code == 500
        assert await seen(web) == NOBODY


async def test_of_two_requests_at_once_one_is_lost() -> None:
    # No wish, but what every session in a cookie does: the documents say so.
    async with client(shop()) as web:
        await web.put("/first", json=1)
        cookie = {"cookie": f"sid={web.cookies['sid']}"}
        async with trio.open_nursery() as requests:
            for key in ("a", "b"):
                requests.start_soon(partial(web.put, f"/{key}", json=1))
        held = (await seen(web))["holds"]
        assert held in ({"first": 1, "a": 1}, {"first": 1, "b": 1})
        assert (await web.get("/", headers=cookie)).json()["holds"] == {"first": 1}


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ([], r"secrets\.token_urlsafe\(32\)"),
        (["short"], r"secrets\.token_urlsafe\(32\)"),
        (KEY, "a list"),
    ],
    ids=["none", "short", "no list"],
)
def test_keys_that_are_no_good_are_refused_at_once(
    keys: list[str | bytes], says: str
) -> None:
    with pytest.raises(SetupError, match=says) as caught:
        CookieStore(keys)
    assert "CookieStore(keys)" in str(caught.value)
