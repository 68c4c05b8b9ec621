"""WebSockets on routes: who answers a URL, and what is refused at the start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from trio_websocket import WebSocketConnection

from trioweb import App, Forbidden, Request, Response, SetupError, messages
from trioweb.message.handler import Handler
from trioweb.testing import WebSocketRefused, client


async def echo(request: Request, ws: WebSocketConnection) -> None:
    async for message in messages(ws):
        await ws.send_message(message)


def both() -> App:
    """One URL with a page and a WebSocket, one with a WebSocket alone."""
    app = App()
    app.websocket("/chat")(echo)
    app.websocket("/only")(echo)

    @app.get("/chat")
    async def page(request: Request) -> str:
        return "page"

    @app.post("/chat")
    async def say(request: Request) -> str:
        return "said"

    return app


async def test_the_handshake_chooses_between_two_routes_of_one_url() -> None:
    async with client(both()) as peer:
        assert (await peer.get("/chat")).text == "page"
        async with peer.websocket("/chat") as ws:
            await ws.send("hello")
            assert await ws.receive() == "hello"


HANDSHAKE = {
    "connection": "keep-alive, Upgrade",
    "upgrade": "WebSocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.mark.parametrize(
    ("method", "changes", "body"),
    [
        ("GET", {"connection": "keep-alive"}, b"page"),
        ("GET", {"upgrade": "h2c"}, b"page"),
        ("POST", {}, b"said"),
    ],
    ids=["no connection option", "another protocol", "no GET"],
)
async def test_what_is_no_handshake_is_answered_by_the_other_route(
    method: str, changes: dict[str, str], body: bytes
) -> None:
    async with client(both()) as peer, peer.connect() as raw:
        fields = HANDSHAKE | changes
        response = await raw.request(method, "/chat", headers=fields)
        assert (response.status, await response.body()) == (200, body)


async def test_a_url_with_a_websocket_alone_tells_a_browser_to_upgrade() -> None:
    async with client(both()) as peer:
        for method in ("GET", "HEAD"):
            response = await peer.request(method, "/only")
            assert response.status_code == 426
            assert response.headers["upgrade"] == "websocket"
            assert response.headers["connection"] == "upgrade"
        response = await peer.post("/only")
        assert response.status_code == 405
        assert response.headers["allow"] == "GET, HEAD, OPTIONS"


async def test_a_handshake_where_there_is_none_is_answered_as_any_request() -> None:
    app = both()

    @app.get("/page")
    async def page(request: Request) -> str:
        return "page"

    async with client(app) as peer:
        with pytest.raises(WebSocketRefused) as raised:
            async with peer.websocket("/page"):
                pass
        assert (raised.value.status, raised.value.body) == (200, b"page")
        with pytest.raises(WebSocketRefused) as raised:
            async with peer.websocket("/nowhere"):
                pass
        assert raised.value.status == 404


async def test_path_parameters_groups_and_mounts() -> None:
    inner = App()
    seen: list[object] = []

    async def note(request: Request, handler: Handler) -> Response:
        response = await handler(request)
        seen.append((request.route, response.tunnel is not None))
        response.headers["x-seen"] = "yes"
        return response

    group = inner.group("/rooms", layers=[note])

    @group.websocket("/{room}/{number:int}")
    async def room(
        request: Request, ws: WebSocketConnection, room: str, number: int
    ) -> None:
        await ws.send_message(f"{room} {number + 1} {ws.path}")

    app = App()
    app.mount("/inner", inner)
    async with client(app) as peer:
        async with peer.websocket("/inner/rooms/a%20b/7?x=1") as ws:
            assert await ws.receive() == "a b 8 /inner/rooms/a%20b/7?x=1"
        assert ws.headers["x-seen"] == "yes"
    assert seen == [("/rooms/{room}/{number:int}", True)]


async def test_a_layer_refuses_before_anything_is_accepted() -> None:
    async def nobody(request: Request, handler: Handler) -> Response:
        raise Forbidden("members only")

    app = App()
    app.websocket("/chat", layers=[nobody])(echo)
    async with client(app) as peer:
        with pytest.raises(WebSocketRefused) as raised:
            async with peer.websocket("/chat"):
                pass
    assert raised.value.status == 403
    assert b"members only" in raised.value.body


async def test_the_subprotocol_that_the_peer_likes_best_is_spoken() -> None:
    app = App()

    @app.websocket("/", subprotocols=["v1", "v2"])
    async def tell(request: Request, ws: WebSocketConnection) -> None:
        await ws.send_message(str(ws.subprotocol))

    async with client(app) as peer:
        for offered, chosen in ((["v2", "v1"], "v2"), (["v3"], None), ([], None)):
            async with peer.websocket("/", subprotocols=offered) as ws:
                assert ws.subprotocol == chosen
                assert await ws.receive() == str(chosen)


def test_a_url_has_one_websocket_at_most() -> None:
    app = both()
    with pytest.raises(SetupError, match="WEBSOCKET /chat is answered already"):
        app.websocket("/chat")(echo)


def test_the_table_of_routes_has_it() -> None:
    routes = [(route.pattern, route.methods) for route in both().routes]
    assert ("/only", ("WEBSOCKET",)) in routes


def test_a_url_can_be_built_of_its_name() -> None:
    app = App()

    @app.websocket("/rooms/{room}", name="room")
    async def chat(request: Request, ws: WebSocketConnection, room: str) -> None: ...

    assert app.url("room", room="a b") == "/rooms/a%20b"


WRONG: list[tuple[str, Callable[[App], object], str]] = [
    ("origin", lambda app: app.websocket("/", origins=["a.com"]), "is no origin"),
    ("one origin", lambda app: app.websocket("/", origins="https://a"), "is one str"),
    ("subprotocol", lambda app: app.websocket("/", subprotocols=["a b"]), "'a b'"),
    ("one subprotocol", lambda app: app.websocket("/", subprotocols="a"), "is one str"),
    ("message", lambda app: app.websocket("/", message=0), "message is 0"),
    ("pings", lambda app: app.websocket("/", pings=0), "pings is 0"),
    ("ping", lambda app: app.websocket("/", ping=0), "ping is a number of seconds"),
    ("pong", lambda app: app.websocket("/", pong=-1), "pong is a number of seconds"),
    ("timeout", lambda app: app.websocket("/", timeout=0), "timeout is a number"),
    ("pattern", lambda app: app.websocket("/{"), "/{"),
]


@pytest.mark.parametrize(
    ("register", "says"),
    [case[1:] for case in WRONG],
    ids=[case[0] for case in WRONG],
)
def test_what_cannot_work_is_refused_at_its_place(
    register: Callable[[App], object], says: str
) -> None:
    with pytest.raises(SetupError) as raised:
        register(App())
    assert says in str(raised.value)
    assert "test_routes.py" in str(raised.value)


def test_a_handler_takes_the_request_and_the_websocket() -> None:
    async def handler(request: Request) -> None: ...

    with pytest.raises(SetupError, match=r"must take \(request, ws\)"):
        App().websocket("/")(handler)


# Where nobody has the extra.
WITHOUT = """
import sys
sys.modules["trio_websocket"] = None
from trioweb import App, SetupError
app = App()
try:
    app.websocket("/")
except SetupError as error:
    print(error)
"""


def test_without_the_extra_its_name_is_told() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True
    )
    assert "<string>:7: WebSockets need trio-websocket" in ran.stdout
    assert 'pip install "trioweb[websocket]"' in ran.stdout


# What `import trioweb` must not wait for.
UNUSED = """
import sys
import trioweb
trioweb.messages
print("trio_websocket" in sys.modules)
"""


def test_who_uses_none_does_not_load_the_library() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", UNUSED], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "False\n"
