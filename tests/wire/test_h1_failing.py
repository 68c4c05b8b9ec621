"""HTTP/1.1: a handler's failure is its own, and is never taken for an answer."""

from __future__ import annotations

import contextlib
import contextvars

import pytest
import trio
import trio.testing

from tests.wire.handlers import GET, P, T, echo, hello
from tests.wire.talking import End, Talking, answer, answers, say, talking
from trioweb.message.body import Pieces
from trioweb.message.errors import BadRequest, HTTPError, NotFound, PeerGone, departed
from trioweb.message.exchange import Exchanged
from trioweb.message.request import Request
from trioweb.message.response import Response, Send
from trioweb.testing.transport import memory_pair
from trioweb.wire.connection import serve
from trioweb.wire.service import Service


def group(*errors: Exception) -> ExceptionGroup[Exception]:
    return ExceptionGroup("several", errors)


# id, what is raised, the status, records in the log
SHAPES: list[tuple[str, Exception, int, int]] = [
    ("plain", ValueError("a"), 500, 1),
    ("group of one", group(ValueError()), 500, 1),
    ("group of two", group(ValueError(), KeyError()), 500, 1),
    ("nested", group(group(ValueError())), 500, 1),
    ("recursion", RecursionError(), 500, 1),
    ("memory", MemoryError(), 500, 1),
    ("OS", ConnectionResetError(), 500, 1),
    ("somebody else's stream", trio.BrokenResourceError(), 500, 1),
    ("somebody else's closed stream", trio.ClosedResourceError(), 500, 1),
    ("timeout", trio.TooSlowError(), 500, 1),
    ("end of iteration", StopAsyncIteration(), 500, 1),
    ("refusal", NotFound("nothing"), 404, 0),
    ("refusal in a group", group(group(NotFound())), 404, 0),
    ("refusal and failure", group(NotFound(), ValueError()), 500, 1),
    ("two refusals", group(NotFound(), BadRequest()), 500, 1),
    ("peer gone", PeerGone(), 0, 0),
    ("peer gone twice", group(PeerGone(), group(PeerGone())), 0, 0),
    ("peer gone and failure", group(PeerGone(), ValueError()), 500, 1),
]


@pytest.mark.parametrize("writing", [False, True], ids=["X1 handler", "X1 writer"])
@pytest.mark.parametrize(
    ("error", "status", "records"),
    [shape[1:] for shape in SHAPES],
    ids=["X6 " + shape[0] for shape in SHAPES],
)
async def test_what_is_raised_before_the_first_byte_is_an_answer(
    error: Exception,
    status: int,
    records: int,
    writing: bool,
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def fail(request: Request) -> Response:
        async def write(send: Send) -> None:
            raise error

        if writing:
            return Response(200, body=write)
        raise error

    talk = await say(fail, GET)
    got = [(got.status, got.complete) for got in answers(talk)]
    assert got == ([(status, True)] if status else [])
    assert len(talk.logs) == records
    assert talk.end is End.FIN
    assert b"ValueError" not in talk.received


@pytest.mark.parametrize("error", [ValueError("a"), NotFound("nothing")])
async def test_what_says_that_the_connection_ends_is_the_end_of_it(
    error: Exception, autojump_clock: trio.testing.MockClock
) -> None:
    async def fail(request: Request) -> Response:
        raise error

    async with talking(fail) as talk:
        began = trio.current_time()
        await talk.send(GET)
        await talk.over.wait()
        # Not when it has been idle for long enough.
        assert trio.current_time() == began
    assert b"connection: close" in talk.received


@pytest.mark.parametrize(
    "start", [b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n"]
)
@pytest.mark.parametrize(
    "error", [shape[1] for shape in SHAPES], ids=[shape[0] for shape in SHAPES]
)
async def test_x2_what_is_raised_after_it_is_a_visible_break(
    error: Exception, start: bytes, autojump_clock: trio.testing.MockClock
) -> None:
    async def fail(request: Request) -> Response:
        async def write(send: Send) -> None:
            await send(b"some")
            await trio.sleep(1)  # the peer has read it
            raise error

        return Response(200, body=write)

    talk = await say(fail, start)
    got = answer(talk)
    assert (got.status, got.body, got.complete, talk.end) == (
        200,
        b"some",
        False,
        End.RESET,
    )
    assert len(talk.logs) == (0 if departed(error) else 1)


async def test_a_failure_in_a_child_task_is_the_handlers(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def child() -> None:
        raise ValueError

    async def parent(request: Request) -> Response:
        async with trio.open_nursery() as children:
            children.start_soon(child)
            await trio.sleep_forever()
        raise AssertionError

    talk = await say(parent, GET)
    assert (answer(talk).status, len(talk.logs)) == (500, 1)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), group(ValueError())], ids=repr)
async def test_x6_what_ends_the_process_is_not_held_back(
    error: BaseException, autojump_clock: trio.testing.MockClock
) -> None:
    if isinstance(error, ExceptionGroup):
        others = [SystemExit(), KeyboardInterrupt()]
        error = BaseExceptionGroup("mixed", [*error.exceptions, *others])

    async def leave(request: Request) -> Response:
        raise error

    ours, theirs = memory_pair()
    await ours.send_all(GET)
    records: list[Exchanged] = []
    with pytest.raises(type(error)):
        await serve(theirs, Service(leave, record=records.append))
    assert [record.ending.value for record in records] == ["stopped"]
    assert await ours.receive_some() == b""


@pytest.mark.parametrize("wrong", [None, "text", 7])
async def test_an_answer_that_is_none_is_a_500(
    wrong: object, autojump_clock: trio.testing.MockClock
) -> None:
    async def handler(request: Request) -> Response:
        return wrong  # type: ignore[return-value]  # the mistake in question

    talk = await say(handler, GET)
    assert (answer(talk).status, len(talk.logs)) == (500, 1)


async def test_a_failure_shows_nothing_of_the_inside(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def fail(request: Request) -> Response:
        raise ValueError("the secret")

    talk = await say(fail, GET.replace(b"/ ", b"/%0a%1b[31m "))
    assert b"secret" not in talk.received
    message = talk.logs[0].getMessage()
    assert message == r"GET '/\n\x1b[31m' failed"


async def test_malformed_content_is_refused_in_the_middle_too(
    autojump_clock: trio.testing.MockClock,
) -> None:
    talk = await say(echo, T + b"zz\r\n")
    assert (answer(talk).status, talk.logs) == (400, [])
    talk = await say(echo, T + b"1\r\na\r\n", b"zz\r\n")
    assert (answer(talk).complete, talk.end, talk.logs) == (False, End.RESET, [])


async def test_a_handler_may_go_on_after_malformed_content(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def stubborn(request: Request) -> Response:
        for _ in range(3):
            with contextlib.suppress(HTTPError, RuntimeError):
                await request.exchange.receive()
        return Response(200, body=b"never mind")

    talk = await say(stubborn, T + b"zz\r\n" + GET)
    got = answer(talk)
    assert (got.body, got.headers["connection"]) == (b"never mind", "close")


async def test_a_record_that_fails_costs_its_own_connection(
    autojump_clock: trio.testing.MockClock,
) -> None:
    def record(exchanged: Exchanged) -> None:
        raise OSError("disk full")

    async with talking(hello) as talk:
        object.__setattr__(talk.service, "record", record)
        await talk.send(GET)
        await talk.farewell()
    assert answer(talk).body == b"hello /"
    assert len(talk.logs) == 1


USER: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")


async def test_x12_what_one_request_sets_the_next_does_not_see(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def handler(request: Request) -> Response:
        before = USER.get()
        USER.set(request.path)
        await trio.lowlevel.checkpoint()
        return Response(200, body=f"{before} {USER.get()}".encode())

    requests = [b"GET /%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(4)]
    expected = [b"nobody /%d" % n for n in range(4)]
    pipelined = await say(handler, b"".join(requests))
    assert [got.body for got in answers(pipelined)] == expected
    one_by_one = await say(handler, *requests)
    assert [got.body for got in answers(one_by_one)] == expected
    halves = await say(
        handler, *[r[at : at + 9] for r in requests for at in range(0, 99, 9)]
    )
    assert [got.body for got in answers(halves)] == expected


async def test_a_request_is_over_with_its_exchange(
    autojump_clock: trio.testing.MockClock,
) -> None:
    kept: list[tuple[Request, Pieces]] = []

    async def handler(request: Request) -> Response:
        kept.append((request, request.stream()))
        return Response(200)

    async with talking(handler) as talk:
        await talk.send(P + b"Content-Length: 1\r\n\r\na")
        request, pieces = kept[0]
        await talk.peer.send_all(P + b"Content-Length: 9\r\n\r\nsomebody")
        for use in (
            pieces.__anext__,
            lambda: request.inform(103),
            request.exchange.receive,
        ):
            with pytest.raises(RuntimeError, match="exchange has ended"):
                await use()
        with pytest.raises(RuntimeError, match="exchange has ended"):
            request.finish(1)


async def test_failures_of_one_connection_do_not_reach_another(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def handler(request: Request) -> Response:
        if request.path == "/boom":
            raise ValueError
        return await hello(request)

    async def boom(number: int) -> None:
        talk = await say(handler, GET.replace(b"/ ", b"/boom "))
        assert answer(talk).status == 500

    async with trio.open_nursery() as many:
        for number in range(20):
            many.start_soon(boom, number)
        talk: Talking = await say(handler, *[GET] * 20)
    assert [got.status for got in answers(talk)] == [200] * 20
