"""What ends with its exchange: failures that are mixed with, or are, a Cancelled."""

from __future__ import annotations

import outcome
import pytest
import trio
import trio.testing

from tests.wire.handlers import GET, G, hello
from tests.wire.talking import End, answer, say, talking
from trioweb.message.errors import PeerGone
from trioweb.message.handler import Handler
from trioweb.message.request import Request
from trioweb.message.response import Response, Send

Clock = trio.testing.MockClock


async def kept() -> outcome.Outcome[None]:
    """A Cancelled, out of the scope that it belongs to."""
    with trio.move_on_after(1):
        return await outcome.acapture(trio.sleep_forever)
    raise AssertionError


async def stray(request: Request) -> Response:
    (await kept()).unwrap()
    raise AssertionError


async def stray_of_a_child(request: Request) -> Response:
    """Two of them, in a group that no scope takes apart."""
    found = await kept()
    assert isinstance(found, outcome.Error)
    raise BaseExceptionGroup("both", [found.error, found.error])


async def stray_beside(request: Request) -> Response:
    found = await kept()
    assert isinstance(found, outcome.Error)
    raise BaseExceptionGroup("both", [found.error, ValueError()])


@pytest.mark.parametrize("handler", [stray, stray_of_a_child, stray_beside])
async def test_x6_a_cancelled_that_nobody_asked_for_ends_nothing_but_its_exchange(
    handler: Handler, autojump_clock: Clock
) -> None:
    """It would pass every scope up to the server's, and end that without a word."""
    async with talking(handler) as talk:
        await talk.send(GET)
        await talk.farewell()
        await trio.lowlevel.checkpoint()
    assert (answer(talk).status, talk.end, len(talk.logs)) == (500, End.FIN, 1)
    assert [record.ending.value for record in talk.records] == ["failed"]


async def leaving(request: Request) -> Response:
    raise SystemExit(3)


async def leaving_as_a_child(request: Request) -> Response:
    raise BaseExceptionGroup("both", [SystemExit(), ValueError(), await cancelled()])


async def cancelled() -> trio.Cancelled:
    found = await kept()
    assert isinstance(found, outcome.Error)
    assert isinstance(found.error, trio.Cancelled)
    return found.error


@pytest.mark.parametrize("handler", [leaving, leaving_as_a_child])
async def test_x6_no_request_ends_the_process(
    handler: Handler, autojump_clock: Clock
) -> None:
    """`sys.exit()` is a failure of its handler, and the log says where it was."""
    talk = await say(handler, GET)
    assert (answer(talk).status, talk.end, len(talk.logs)) == (500, End.FIN, 1)
    assert talk.logs[0].exc_info is not None
    failure = talk.logs[0].exc_info[1]
    assert isinstance(failure, RuntimeError)
    assert failure.__cause__ is not None


async def test_x6_one_in_the_middle_of_an_answer_breaks_it_off(
    autojump_clock: Clock,
) -> None:
    async def handler(request: Request) -> Response:
        async def write(send: Send) -> None:
            await send(b"some")
            (await kept()).unwrap()

        return Response(200, body=write)

    talk = await say(handler, GET)
    assert (answer(talk).complete, talk.end, len(talk.logs)) == (False, End.RESET, 1)


async def failing_to_clean_up(request: Request) -> Response:
    """A child fails because it is cancelled, its parent is just cancelled."""

    async def child() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise ValueError

    request.exchange.limit(5)
    async with trio.open_nursery() as children:
        children.start_soon(child)
        await trio.sleep_forever()
    raise AssertionError


async def test_x6_a_failure_beside_the_cancelled_of_a_timeout_is_a_500(
    autojump_clock: Clock,
) -> None:
    talk = await say(failing_to_clean_up, GET)
    assert (answer(talk).status, talk.end, len(talk.logs)) == (500, End.FIN, 1)
    assert talk.logs[0].getMessage() == "GET '/' failed"
    assert [record.ending.value for record in talk.records] == ["failed"]


async def test_x6_or_told_to_the_log_alone_when_the_peer_has_left(
    autojump_clock: Clock,
) -> None:
    async with talking(failing_to_clean_up) as talk:
        await talk.send(GET)
        talk.peer.abort()
        await talk.served.wait()
    assert [log.getMessage() for log in talk.logs] == ["GET '/' failed"]
    assert [record.ending.value for record in talk.records] == ["gone"]


async def test_x6_the_servers_own_end_is_not_held_back(autojump_clock: Clock) -> None:
    async with talking(failing_to_clean_up) as talk:
        await talk.send(GET)
        talk.serving.cancel()
        await talk.served.wait()
        assert trio.current_time() == 0
    assert [record.ending.value for record in talk.records] == ["failed"]


async def test_a_time_limit_that_passes_in_what_must_be_finished_is_still_a_503(
    autojump_clock: Clock,
) -> None:
    async def handler(request: Request) -> Response:
        request.exchange.limit(1)
        with request.finish(5):
            await trio.sleep(2)
        return Response(200)

    talk = await say(handler, GET)
    assert (answer(talk).status, talk.end) == (503, End.FIN)
    assert [record.ending.value for record in talk.records] == ["timeout"]


async def test_a_writer_may_end_quietly_when_its_peer_has_gone(
    autojump_clock: Clock,
) -> None:
    left = trio.Event()

    async def handler(request: Request) -> Response:
        request.exchange.on_disconnect("finish")

        async def write(send: Send) -> None:
            try:
                await send(b"some")
                await left.wait()
                await send(b"more")
            except PeerGone:
                return

        return Response(200, body=write)

    async with talking(handler) as talk:
        await talk.send(GET)
        talk.peer.abort()
        left.set()
        await talk.served.wait()
    assert talk.logs == []
    assert [record.ending.value for record in talk.records] == ["gone"]


async def test_a_write_cancelled_before_it_began_has_torn_nothing(
    autojump_clock: Clock,
) -> None:
    async def handler(request: Request) -> Response:
        async def write(send: Send) -> None:
            await send(b"one ")
            with trio.CancelScope() as scope:
                scope.cancel()
                await send(b"never")
            await send(b"two")

        return Response(200, body=write)

    talk = await say(handler, G + b"Connection: close\r\n\r\n")
    assert (answer(talk).body, answer(talk).complete) == (b"one two", True)


async def test_a_request_that_comes_as_its_connection_is_evicted_begins_nothing(
    autojump_clock: Clock,
) -> None:
    """No byte of an answer, so that whoever sent it may send it again."""
    asked: list[str] = []

    async def handler(request: Request) -> Response:
        asked.append(request.path)
        return await hello(request)

    async with talking(handler) as talk:
        await talk.send(GET)
        await talk.peer.send_all(GET)  # it has come, and nobody has looked
        assert talk.service.evict()
        await talk.farewell()
    assert (asked, answer(talk).status, talk.end) == (["/"], 200, End.FIN)
    assert [record.ending.value for record in talk.records] == ["complete"]
