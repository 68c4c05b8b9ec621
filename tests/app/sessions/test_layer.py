"""The layer: what a browser is told, what a store is asked, and when."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trio
from trio.testing import MockClock

from tests.app.asking import ask, said
from trioweb.app.answers import stream
from trioweb.app.app import App
from trioweb.app.sessions.caution import SessionWarning
from trioweb.app.sessions.identity import issue, well_formed
from trioweb.app.sessions.layer import sessions
from trioweb.app.sessions.memory import MemoryStore
from trioweb.app.sessions.patience import failures
from trioweb.app.sessions.store import LIMIT, Changes, Outcome, Record, StoreError
from trioweb.message.errors import HTTPError, SetupError
from trioweb.message.fields import SESSION_LIMIT, Fields
from trioweb.message.offload import inline, runner
from trioweb.message.request import Request
from trioweb.message.response import Response, Send
from trioweb.message.site import Site
from trioweb.run.config import Config
from trioweb.testing import client
from trioweb.testing.httpx_client import Client

ISSUED = re.compile(r"[0-9A-Za-z_-]{43}")


class Watched(MemoryStore):
    """A store that notes what it is asked, and does *before* each of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.before: Callable[[str], Any] | None = None
        self.keys_seen: set[bytes] = set()

    async def _note(self, what: str, key: bytes) -> None:
        self.asked.append(what)
        self.keys_seen.add(key)
        if self.before is not None:
            await self.before(what)

    async def load(self, key: bytes) -> Record | None:
        await self._note("load", key)
        return await super().load(key)

    async def create(self, key: bytes, fields: Fields, user: str | None) -> None:
        await self._note("create", key)
        await super().create(key, fields, user)

    async def save(self, key: bytes, changes: Changes) -> Outcome:
        await self._note("save", key)
        return await super().save(key, changes)

    async def touch(self, key: bytes) -> None:
        await self._note("touch", key)
        await super().touch(key)

    async def delete(self, key: bytes) -> None:
        await self._note("delete", key)
        await super().delete(key)


def application(store: MemoryStore | None = None, **options: Any) -> App:  # noqa: ANN401
    app = App()
    app.use(sessions(store, **options))
    _add_values(app)
    _add_identity(app)
    return app


def _add_values(app: App) -> None:

    @app.get("/plain")
    async def plain(request: Request) -> str:
        return "nothing asked of the session"

    @app.get("/without", session=False)
    async def without(request: Request) -> str:
        return "no session here"

    @app.get("/forbidden", session=False)
    async def forbidden(request: Request) -> str:
        return str(request.session)

    @app.get("/read")
    async def read(request: Request) -> dict[str, object]:
        return dict(request.session)

    @app.get("/set/{key}/{value}")
    async def put(request: Request, key: str, value: str) -> str:
        request.session[key] = value
        return "set"


def _add_identity(app: App) -> None:
    @app.get("/login/{user}")
    async def login(request: Request, user: str) -> str:
        request.session.login(user, about=request.headers.get("user-agent", ""))
        return user

    @app.get("/rotate")
    async def rotate(request: Request) -> str:
        request.session.rotate()
        return "rotated"

    @app.get("/out")
    async def out(request: Request) -> str:
        request.session.destroy()
        return "out"

    @app.get("/who")
    async def who(request: Request) -> dict[str, object]:
        signed_in = await request.session.signed_in()
        return {"user": request.session.user, "sessions": signed_in}

    @app.get("/everywhere/{others:int}")
    async def everywhere(request: Request, others: int) -> str:
        await request.session.sign_out_everywhere(others=bool(others))
        return "out"

    @app.get("/end/{handle}")
    async def end(request: Request, handle: str) -> str:
        await request.session.sign_out(handle)
        return "ended"


def cookies(answer: httpx2.Response) -> list[str]:
    return answer.headers.get_list("set-cookie")


# -------------------------------------------------------------------- the cookie


async def test_a_visitor_who_stored_nothing_gets_no_cookie_and_costs_nothing() -> None:
    store = Watched()
    async with client(application(store)) as visitor:
        for path in ("/plain", "/read", "/without", "/rotate", "/out"):
            answer = await visitor.get(path)
            assert (answer.status_code, cookies(answer)) == (200, [])
    assert store.asked == []


async def test_the_cookie_keeps_its_promises() -> None:
    async with client(application()) as visitor:
        [line] = cookies(await visitor.get("/set/a/1"))
        identity = line.partition("=")[2].partition(";")[0]
        assert ISSUED.fullmatch(identity)
        assert line == f"sid={identity}; Path=/; HttpOnly; SameSite=Lax"
        assert (await visitor.get("/read")).json() == {"a": "1"}
        assert cookies(await visitor.get("/set/b/2")) == []  # it has it


async def test_over_https_the_cookie_is_the_hosts_own() -> None:
    async with client(application(), base_url="https://test") as visitor:
        [line] = cookies(await visitor.get("/set/a/1"))
        name, _, rest = line.partition("=")
        assert (name, rest.partition("; ")[2]) == (
            "__Host-sid",
            "Path=/; Secure; HttpOnly; SameSite=Lax",
        )
        assert (await visitor.get("/read")).json() == {"a": "1"}
        # A neighbour under the same domain can plant one without the prefix.
        bare = {"cookie": line.partition(";")[0].removeprefix("__Host-")}
        visitor.cookies.clear()
        assert (await visitor.get("/read", headers=bare)).json() == {}


@pytest.mark.parametrize(
    ("options", "name", "attributes"),
    [
        ({"name": "shop"}, "shop", "Path=/; HttpOnly; SameSite=Lax"),
        ({"secure": True}, "__Host-sid", "Path=/; Secure; HttpOnly; SameSite=Lax"),
        ({"same_site": "strict"}, "sid", "Path=/; HttpOnly; SameSite=Strict"),
        (
            {"domain": "example.com", "secure": True},
            "__Secure-sid",
            "Domain=example.com; Path=/; Secure; HttpOnly; SameSite=Lax",
        ),
        (
            {"persistent": True, "absolute": 600},
            "sid",
            "Max-Age=600; Path=/; HttpOnly; SameSite=Lax",
        ),
    ],
    ids=["name", "secure", "strict", "domain", "persistent"],
)
async def test_the_cookie_is_as_it_was_asked_for(
    options: dict[str, Any], name: str, attributes: str
) -> None:
    async with client(application(**options)) as visitor:
        [line] = cookies(await visitor.get("/set/a/1"))
        assert line.partition("=")[0] == name
        assert line.partition("; ")[2] == attributes


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"store": MemoryStore}, "make one of it, MemoryStore()"),
        ({"store": "sessions.db"}, "give a MemoryStore()"),
        ({"idle": 0}, "idle is 0"),
        ({"idle": "1800"}, "idle is '1800'"),
        ({"absolute": float("inf")}, "absolute is inf"),
        ({"name": "a b"}, "a b"),
        ({"name": "__Host-sid"}, "added by itself"),
        ({"secure": "yes"}, "secure is"),
        ({"same_site": "none", "secure": False}, "same_site"),
        ({"domain": "a;b"}, "domain"),
        ({"trusted_origins": "https://a.example"}, "give a list"),
        ({"trusted_origins": ["a.example"]}, "is no origin"),
    ],
)
def test_what_cannot_work_is_refused_where_it_is_written(
    options: dict[str, Any], said: str
) -> None:
    with pytest.raises(SetupError, match=rf"test_layer\.py:\d+: .*{re.escape(said)}"):
        sessions(**options)


# ------------------------------------------------------------ who is let in as whom


async def test_an_identity_that_was_never_issued_is_not_taken_over() -> None:
    planted = "A" * 43
    async with client(application()) as visitor:
        headers = {"cookie": f"sid={planted}"}
        [line] = cookies(await visitor.get("/set/a/1", headers=headers))
        assert planted not in line
        visitor.cookies.clear()
        assert (await visitor.get("/read", headers=headers)).json() == {}


@pytest.mark.parametrize(
    "value",
    ["", "x", "A" * 42, "A" * 44, "A" * 42 + "B", "A" * 42 + "=", "é" * 43, "A" * 4000],
)
async def test_what_is_no_identity_is_never_asked_for(value: str) -> None:
    store = Watched()
    async with client(application(store)) as visitor:
        headers = {b"cookie": f"sid={value}".encode()}
        answer = await visitor.get("/read", headers=headers)
        assert (answer.status_code, answer.json()) == (200, {})
    assert store.asked == []


async def test_signing_in_leaves_the_old_identity_worth_nothing() -> None:
    async with client(application()) as visitor:
        await visitor.get("/set/cart/tea")
        before = {"cookie": f"sid={visitor.cookies['sid']}"}
        await visitor.get("/login/ada")
        after = {"cookie": f"sid={visitor.cookies['sid']}"}
        visitor.cookies.clear()
        assert before != after
        assert (await visitor.get("/read", headers=after)).json() == {"cart": "tea"}
        assert (await visitor.get("/read", headers=before)).json() == {}
        assert (await visitor.get("/who", headers=before)).json()["user"] is None


async def test_of_several_cookies_one_counts_if_the_others_are_worth_nothing() -> None:
    async with client(application()) as visitor:
        await visitor.get("/set/a/1")
        ours = visitor.cookies["sid"]
        visitor.cookies.clear()
        await visitor.get("/set/b/2")
        theirs = visitor.cookies["sid"]
        visitor.cookies.clear()
        junk = "A" * 43
        for sent, seen in [
            ([junk, ours], {"a": "1"}),
            ([ours, junk], {"a": "1"}),
            ([ours, ours], {"a": "1"}),
            (["x", ours], {"a": "1"}),
            ([ours, theirs], {}),  # who is it?
            ([theirs, ours], {}),
            ([junk, "B" * 42 + "A", "C" * 42 + "A", "D" * 42 + "A", ours], {}),
        ]:
            headers = {"cookie": "; ".join(f"sid={each}" for each in sent)}
            assert (await visitor.get("/read", headers=headers)).json() == seen, sent


async def test_identities_differ() -> None:
    # Of 2^32 possible ones, some two of so many would be the same.
    made = {issue() for _ in range(200_000)}
    assert len(made) == 200_000
    assert all(map(well_formed, list(made)[:1000]))


async def test_no_store_and_no_log_learns_an_identity(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    store = Watched()

    async def fail(what: str) -> None:
        if what == "save":
            raise StoreError("it is broken")

    with caplog.at_level(logging.DEBUG):
        async with client(application(store), config=Config()) as visitor:
            await visitor.get("/set/a/1")
            identity = visitor.cookies["sid"]
            store.before = fail
            assert (await visitor.get("/set/a/2")).status_code == 503
            assert (await visitor.get("/nothing/here")).status_code == 404
    out, err = capfd.readouterr()
    assert "/set/a/1" in err
    ours = [r.getMessage() for r in caplog.records if r.name.startswith("trioweb")]
    assert identity not in out + err + "".join(ours)
    assert identity.encode() not in b"".join(store.keys_seen)


# ------------------------------------------------------------------------- its end


async def test_signing_out_ends_the_session_and_its_cookie() -> None:
    store = Watched()
    async with client(application(store)) as visitor:
        await visitor.get("/set/a/1")
        headers = {"cookie": f"sid={visitor.cookies['sid']}"}
        [line] = cookies(await visitor.get("/out"))
        assert line.startswith("sid=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0")
        assert "sid" not in visitor.cookies
        assert (await visitor.get("/read", headers=headers)).json() == {}
    assert len(store) == 0


async def test_what_is_set_after_the_end_begins_another_session() -> None:
    app = application()

    @app.get("/bye")
    async def bye(request: Request) -> str:
        request.session.destroy()
        request.session.flash("Good bye")
        return "bye"

    @app.get("/said")
    async def said(request: Request) -> list[str]:
        return [each.message for each in request.session.flashes()]

    async with client(app) as visitor:
        await visitor.get("/set/a/1")
        before = visitor.cookies["sid"]
        assert len(cookies(await visitor.get("/bye"))) == 1
        assert visitor.cookies["sid"] != before
        assert (await visitor.get("/read")).json() == {}
        assert (await visitor.get("/said")).json() == ["Good bye"]
        assert (await visitor.get("/said")).json() == []


async def test_reading_keeps_a_session_and_touches_it_seldom(
    autojump_clock: MockClock,
) -> None:
    store = Watched()
    async with client(application(store, idle=1000)) as visitor:
        await visitor.get("/set/a/1")
        for _ in range(100):
            await trio.sleep(20)
            assert (await visitor.get("/read")).json() == {"a": "1"}
        assert store.asked.count("touch") == 33  # not before 50 seconds have gone
        await trio.sleep(1001)
        assert (await visitor.get("/read")).json() == {}


async def test_a_session_ends_at_its_age(autojump_clock: MockClock) -> None:
    async with client(application(idle=1000, absolute=5000)) as visitor:
        await visitor.get("/set/a/1")
        for _ in range(9):
            await trio.sleep(500)
            assert (await visitor.get("/read")).json() == {"a": "1"}
        await trio.sleep(501)
        assert (await visitor.get("/read")).json() == {}


async def test_a_users_sessions_are_listed_and_end_one_by_one_or_together() -> None:
    async def sign_in(browser: Client, agent: str) -> dict[str, str]:
        browser.cookies.clear()
        await browser.get("/login/ada", headers={"user-agent": agent})
        return {"cookie": f"sid={browser.cookies['sid']}"}

    async with client(application()) as browser:
        phone = await sign_in(browser, "Phone")
        laptop = await sign_in(browser, "Laptop")
        tablet = await sign_in(browser, "Tablet")
        browser.cookies.clear()

        async def listed(headers: dict[str, str]) -> dict[str, bool]:
            found = (await browser.get("/who", headers=headers)).json()["sessions"]
            return {each["about"]: each["current"] for each in found}

        assert await listed(laptop) == {"Phone": False, "Laptop": True, "Tablet": False}
        found = (await browser.get("/who", headers=laptop)).json()["sessions"]
        [handle] = [each["handle"] for each in found if each["about"] == "Phone"]
        bob = await browser.get("/login/bob")
        assert bob.status_code == 200
        await browser.get(f"/end/{handle}")  # not his
        browser.cookies.clear()
        assert await listed(phone) != {}
        await browser.get(f"/end/{handle}", headers=laptop)
        assert await listed(phone) == {}
        await browser.get("/everywhere/1", headers=laptop)
        assert (await listed(laptop), await listed(tablet)) == ({"Laptop": True}, {})
        [line] = cookies(await browser.get("/everywhere/0", headers=laptop))
        assert "Max-Age=0" in line
        assert await listed(laptop) == {}


async def test_who_ends_this_session_from_the_list_has_signed_out_here() -> None:
    app = application()

    @app.get("/end-all")
    async def end_all(request: Request) -> list[str]:
        session = request.session
        for each in await session.signed_in():
            await session.sign_out(each.handle)
        session["after"] = 1
        return list(session)

    async with client(app) as visitor:
        await visitor.get("/login/ada")
        await visitor.get("/set/a/1")
        assert (await visitor.get("/end-all")).json() == ["after"]
        assert (await visitor.get("/read")).json() == {"after": 1}
        assert (await visitor.get("/who")).json() == {"user": None, "sessions": []}


# --------------------------------------------------------------- when it is written


async def test_nothing_is_said_before_it_is_saved() -> None:
    store, saving, go = Watched(), trio.Event(), trio.Event()

    async def hold(what: str) -> None:
        if what == "create":
            saving.set()
            await go.wait()

    store.before = hold
    store.limit = None
    answers: list[httpx2.Response] = []
    async with client(application(store)) as visitor, trio.open_nursery() as asking:

        async def asked() -> None:
            answers.append(await visitor.get("/set/a/1"))

        asking.start_soon(asked)
        await saving.wait()
        await trio.testing.wait_all_tasks_blocked()
        assert answers == []
        go.set()
    assert answers[0].status_code == 200


async def test_a_handler_that_fails_saves_nothing_but_a_sign_out() -> None:
    app = application()

    @app.get("/fail")
    async def fail(request: Request) -> str:
        request.session["a"] = "2"
        raise RuntimeError("after the change")

    @app.get("/refuse")
    async def refuse(request: Request) -> str:
        request.session["tries"] = 1
        raise HTTPError(422, "a refusal is an answer")

    @app.get("/fail-out")
    async def fail_out(request: Request) -> str:
        request.session.destroy()
        raise HTTPError(502, "signed out all the same")

    async with client(app) as visitor:
        await visitor.get("/set/a/1")
        assert (await visitor.get("/fail")).status_code == 500
        assert (await visitor.get("/refuse")).status_code == 422
        assert (await visitor.get("/read")).json() == {"a": "1", "tries": 1}
        [line] = cookies(await visitor.get("/fail-out"))
        assert "Max-Age=0" in line
        assert (await visitor.get("/read")).json() == {}


async def test_a_change_after_the_head_has_left_is_an_error_that_names_the_remedy(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = application()

    @app.get("/late")
    async def late(request: Request) -> Response:
        async def write(send: Send) -> None:
            await send(b"begun ")
            request.session["a"] = "lost?"

        return stream(write)

    async with client(app) as visitor:
        await visitor.get("/set/a/1")
        with pytest.raises(httpx2.TransportError):
            await visitor.get("/late")
        assert "await request.session.save({" in caplog.text
        assert (await visitor.get("/read")).json() == {"a": "1"}


async def test_a_streamed_body_can_read_save_and_update_its_session() -> None:
    app = application()

    @app.get("/stream")
    async def streamed(request: Request) -> Response:
        session = request.session

        async def write(send: Send) -> None:
            await send(f"was {session.get('a')} ".encode())
            await session.save({"a": "2"})
            await send(f"is {session['a']} ".encode())
            n = await session.update("n", lambda n: (n or 0) + 1)
            await send(f"n {n}".encode())

        return stream(write)

    async with client(app) as visitor:
        await visitor.get("/set/a/1")
        assert (await visitor.get("/stream")).text == "was 1 is 2 n 1"
        assert (await visitor.get("/stream")).text == "was 2 is 2 n 2"
        assert (await visitor.get("/read")).json() == {"a": "2", "n": 2}


async def test_without_a_session_a_streamed_body_cannot_begin_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = application()

    @app.get("/stream")
    async def streamed(request: Request) -> Response:
        async def write(send: Send) -> None:
            await send(b"begun ")
            await request.session.save({"a": "2"})

        return stream(write)

    async with client(app) as visitor:
        with pytest.raises(httpx2.TransportError):
            await visitor.get("/stream")
        assert "store something before you return the response" in caplog.text


async def test_saving_in_the_middle_of_a_handler_counts_at_once() -> None:
    app = application()

    @app.get("/early")
    async def early(request: Request) -> str:
        await request.session.save(
            {"step": 1, "when": datetime(2026, 1, 1, tzinfo=UTC)}
        )
        raise RuntimeError("after the save")

    async with client(app) as visitor:
        answer = await visitor.get("/early")
        assert (answer.status_code, len(cookies(answer))) == (500, 1)
        expected = {"step": 1, "when": "2026-01-01T00:00:00Z"}
        assert (await visitor.get("/read")).json() == expected


async def test_tasks_that_save_at_once_begin_one_session(
    autojump_clock: MockClock,
) -> None:
    store = Watched()

    async def slow_first(what: str) -> None:
        await trio.sleep(0.1 / len(store.asked))

    store.before = slow_first
    app = application(store)

    @app.get("/both")
    async def both(request: Request) -> None:
        async def one(key: str) -> None:
            request.session[key] = 1
            await request.session.save()

        async with trio.open_nursery() as saving:
            for key in "abc":
                saving.start_soon(one, key)

    @app.get("/login-meanwhile")
    async def meanwhile(request: Request) -> None:
        async with trio.open_nursery() as saving:
            request.session["d"] = 1
            saving.start_soon(request.session.save)
            await trio.sleep(0.01)
            request.session.login("ada")

    async with client(app) as visitor:
        await visitor.get("/both")
        assert (await visitor.get("/read")).json() == {"a": 1, "b": 1, "c": 1}
        assert len(store) == 1
        await visitor.get("/login-meanwhile")
        assert (await visitor.get("/who")).json()["user"] == "ada"
        assert (await visitor.get("/read")).json()["d"] == 1


async def test_an_update_before_there_is_a_session_begins_one() -> None:
    app = application()

    @app.get("/count")
    async def count(request: Request) -> str:
        await request.session.update("n", lambda n: (n or 0) + 1)
        n: int = await request.session.update("n", lambda n: n + 1)
        return str(n)

    async with client(app) as visitor:
        assert [(await visitor.get("/count")).text for _ in range(3)] == ["2", "4", "6"]


async def test_a_session_that_grows_too_large_together_is_an_error_not_a_loss(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = application()
    go = trio.Event()

    @app.get("/grow/{key}")
    async def grow(request: Request, key: str) -> str:
        request.session[key] = "x" * (SESSION_LIMIT * 2 // 3)
        await go.wait()
        return "grown"

    statuses = []
    async with client(app) as visitor:
        await visitor.get("/set/a/1")
        async with trio.open_nursery() as growing:

            async def asked(key: str) -> None:
                statuses.append((await visitor.get(f"/grow/{key}")).status_code)

            growing.start_soon(asked, "one")
            growing.start_soon(asked, "two")
            await trio.testing.wait_all_tasks_blocked()
            go.set()
        assert sorted(statuses) == [200, 500]
        assert "more than 16384 bytes" in caplog.text
        assert len((await visitor.get("/read")).json()) == 2


@pytest.mark.parametrize(
    "field",
    [b"", b"[1,", b'"\xff"', b"cos\nsystem\n(S'ls'\ntR.", b"\x80\x04.", b"[" * 9000],
    ids=["empty", "cut", "no text", "pickle 0", "pickle 4", "nested"],
)
async def test_what_is_no_json_in_the_store_is_dropped_and_told(
    field: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    store = Watched()
    store.limit = LIMIT  # as of one that is outside of this process
    async with client(application(store)) as visitor:
        await visitor.get("/set/a/1")
        [key] = store.keys_seen
        await store.save(key, {"b": field})
        assert (await visitor.get("/read")).json() == {}
        assert len(store) == 0
        [line] = [each for each in caplog.messages if "not JSON" in each]
        assert repr(field) not in line


# ------------------------------------------------------------------- when it cannot be


async def test_a_store_that_fails_is_a_503_and_nothing_is_written(
    caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    store = Watched()
    async with client(application(store)) as visitor:
        await visitor.get("/set/a/1")

        for moment in ("load", "save"):

            async def fail(what: str, moment: str = moment) -> None:
                if what == moment:
                    raise StoreError(f"no {what} today")

            store.before = fail
            for _ in range(100):
                answer = await visitor.get("/set/a/2")
                assert answer.status_code == 503
                assert answer.headers["retry-after"] == "1"
                assert "today" not in answer.text
            assert (await visitor.get("/without")).status_code == 200
        store.before = None
        assert (await visitor.get("/read")).json() == {"a": "1"}
    said = [each.message for each in caplog.records if "no sessions" in each.message]
    assert said == ["no sessions: no load today (said once in 10 s)"]


async def test_a_store_that_takes_too_long_is_a_503_in_time(
    autojump_clock: MockClock,
) -> None:
    async def sleep(_: str) -> None:
        await trio.sleep(1000)

    store = Watched()
    async with client(application(store)) as visitor:
        await visitor.get("/set/a/1")
        store.before = sleep
        store.limit = 0.5
        begun = trio.current_time()
        assert (await visitor.get("/read")).status_code == 503
        assert 0.5 <= trio.current_time() - begun < 0.6
        assert (await visitor.get("/without")).status_code == 200
        assert failures() == 1


async def test_a_write_of_a_session_that_has_ended_is_a_409() -> None:
    app, go = application(), trio.Event()

    @app.get("/slow")
    async def slow(request: Request) -> str:
        request.session["a"] = "late"
        await go.wait()
        return "saved"

    answers: list[httpx2.Response] = []
    async with client(app) as visitor:
        await visitor.get("/set/a/1")
        headers = {"cookie": f"sid={visitor.cookies['sid']}"}
        async with trio.open_nursery() as asking:

            async def asked() -> None:
                answers.append(await visitor.get("/slow"))

            asking.start_soon(asked)
            await trio.testing.wait_all_tasks_blocked()
            await visitor.get("/rotate")
            go.set()
        # It says so, and does not take the cookie of the session that goes on.
        assert (answers[0].status_code, cookies(answers[0])) == (409, [])
        assert (await visitor.get("/read")).json() == {"a": "1"}
        visitor.cookies.clear()
        assert (await visitor.get("/read", headers=headers)).json() == {}


async def test_a_route_without_a_session_asks_no_store_and_says_why_it_has_none(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = Watched()
    async with client(application(store)) as visitor:
        await visitor.get("/set/a/1")
        store.asked.clear()
        answer = await visitor.get("/without")
        assert (answer.status_code, answer.headers.get("vary")) == (200, None)
        assert (await visitor.get("/forbidden")).status_code == 500
        assert "given session=False" in caplog.text
    assert store.asked == []


async def test_the_layer_needs_its_lifespan(caplog: pytest.LogCaptureFixture) -> None:
    answer = await ask(application(), "GET", "/read")
    assert answer.status == 500
    assert "the sessions' store is not open" in caplog.text


async def test_several_workers_share_their_sessions_unasked_and_it_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    first, second = application(), application()
    runner.set(inline)
    async with (
        first.open(Site(workers=2, worker=0, directory=tmp_path)),
        second.open(Site(workers=2, worker=1, directory=tmp_path)),
    ):
        begun = await ask(first, "GET", "/set/a/1")
        cookie = {"cookie": begun.headers["set-cookie"].partition(";")[0]}
        assert said(await ask(second, "GET", "/read", headers=cookie)) == '{"a":"1"}'
        await ask(second, "GET", "/set/b/2", headers=cookie)
        expected = '{"a":"1","b":"2"}'
        assert said(await ask(first, "GET", "/read", headers=cookie)) == expected
    [told] = [each for each in caplog.messages if "SQLite" in each]
    assert told.startswith("the sessions of 2 workers are kept in a SQLite file")


async def test_a_memory_store_given_by_hand_is_refused_where_workers_would_differ(
    tmp_path: Path,
) -> None:
    app = application(MemoryStore())
    with pytest.raises(SetupError, match="per_worker=True"):
        async with app.open(Site(workers=2, worker=0, directory=tmp_path)):
            pass  # not reached


# ------------------------------------------------------------------------- caches


async def test_what_a_session_had_a_say_in_is_kept_by_no_cache() -> None:
    app = application()

    @app.get("/own")
    async def own(request: Request) -> Response:
        request.session.get("a")
        return Response(headers={"vary": "Accept", "cache-control": "max-age=60"})

    async with client(app) as visitor:
        for path in ("/read", "/set/a/1", "/read"):
            answer = await visitor.get(path)
            assert answer.headers["vary"] == "Cookie"
            assert answer.headers["cache-control"] == "private, no-store"
        answer = await visitor.get("/own")
        assert answer.headers["vary"] == "Accept, Cookie"
        assert answer.headers["cache-control"] == "max-age=60"
        answer = await visitor.get("/plain")  # the session was there; nobody looked
        assert "vary" not in answer.headers
        assert "cache-control" not in answer.headers


async def test_what_a_streamed_body_says_of_the_session_is_kept_by_no_cache() -> None:
    app = application()

    @app.get("/stream")
    async def streamed(request: Request) -> Response:
        async def write(send: Send) -> None:
            await send(str(request.session.get("a")).encode())

        return stream(write)

    async with client(app) as visitor:
        await visitor.get("/set/a/1")
        answer = await visitor.get("/stream")
        assert answer.text == "1"
        assert answer.headers["vary"] == "Cookie"
        assert answer.headers["cache-control"] == "private, no-store"


# ------------------------------------------------------------------ signing in by hand


async def test_a_sign_in_that_keeps_its_identity_is_warned_of() -> None:
    async with client(application()) as visitor:
        await visitor.get("/set/user_id/7")  # a new identity
        await visitor.get("/set/other/7")
        with pytest.warns(SessionWarning, match=r"session\['user_id'\].*login"):
            await visitor.get("/set/user_id/8")
        await visitor.get("/login/ada")
        await visitor.get("/set/user/ada")
