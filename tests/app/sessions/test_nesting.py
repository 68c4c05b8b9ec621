"""Around and inside: what sessions() and other layers do to each other."""

from __future__ import annotations

import pytest

from trioweb import App, Forbidden, MemoryStore, Request, Response, sessions
from trioweb.message.handler import Handler
from trioweb.testing import client


async def guard(request: Request, handler: Handler) -> Response:
    """A layer that does to the session what the path says, and refuses."""
    session = request.session
    match request.path:
        case "/note":
            session["next"] = request.path
        case "/rotate":
            session.rotate()
            await session.save()
        case "/out":
            session.destroy()
        case "/fail":
            session["next"] = request.path
            raise ZeroDivisionError
        case _:
            return await handler(request)
    raise Forbidden("not you")


async def passing(request: Request, handler: Handler) -> Response:
    return await handler(request)


def guarded() -> App:
    app = App()
    app.use(sessions(MemoryStore()))
    app.use(passing)
    app.use(guard)

    @app.get("/set")
    async def put(request: Request) -> None:
        request.session["a"] = 1

    @app.get("/read")
    async def read(request: Request) -> dict[str, object]:
        return dict(request.session)

    for path in ("/note", "/rotate", "/out", "/fail"):
        app.get(path)(read)
    return app


@pytest.mark.parametrize(
    ("path", "status", "left"),
    [
        ("/note", 403, {"a": 1, "next": "/note"}),
        ("/rotate", 403, {"a": 1}),
        ("/out", 403, {}),
        ("/fail", 500, {"a": 1}),
    ],
)
async def test_what_a_layer_that_refuses_did_to_the_session_counts(
    path: str, status: int, left: dict[str, object]
) -> None:
    async with client(guarded()) as visitor:
        await visitor.get("/set")
        before = visitor.cookies["sid"]
        answer = await visitor.get(path)
        assert answer.status_code == status
        assert answer.headers["vary"] == "Cookie"
        assert (await visitor.get("/read")).json() == left
        # And who has the old identity has what belongs to it.
        old = {} if path == "/rotate" else left
        replayed = await visitor.get("/read", headers={"cookie": f"sid={before}"})
        assert replayed.json() == old


async def test_two_layers_that_would_end_each_others_sessions_are_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name, status in (("sid", 500), ("admin", 200)):
        app, admin = guarded(), App()
        admin.use(sessions(MemoryStore(), name=name))

        @admin.get("/set")
        async def put(request: Request) -> str:
            request.session["b"] = 2
            return "set"

        app.mount("/admin", admin)
        async with client(app) as visitor:
            await visitor.get("/set")
            assert (await visitor.get("/admin/set")).status_code == status
            assert (await visitor.get("/read")).json() == {"a": 1}
    assert "two sessions() around this route both have the cookie 'sid'" in caplog.text


async def test_the_page_of_a_refusal_is_within_the_session() -> None:
    app = guarded()

    @app.error(Forbidden)
    async def page(request: Request, error: Forbidden) -> Response:
        request.session["refused"] = True
        return Response(403)

    async with client(app) as visitor:
        await visitor.get("/set")
        assert (await visitor.get("/note")).status_code == 403
        read = (await visitor.get("/read")).json()
        assert read == {"a": 1, "next": "/note", "refused": True}
