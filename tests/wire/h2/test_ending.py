"""How streams and connections end, by whichever side (RFC 9113 5.4 and 6.8)."""

from __future__ import annotations

import contextlib

import pytest
import trio
import trio.testing

from tests.wire.h2.peer import asked, speaking
from tests.wire.handlers import hello
from tests.wire.talking import End
from trioweb.message.request import Request
from trioweb.message.response import Response, Send
from trioweb.rules.headers import Headers
from trioweb.wire.h2_codes import Code, Kind, frame, goaway
from trioweb.wire.limits import STREAMS, Limits
from trioweb.wire.load import Level

ANY = 2**31 - 1


class Waiting:
    """A handler that waits, and notes how that ended."""

    def __init__(self) -> None:
        self.gate = trio.Event()
        self.begun = 0
        self.cancelled: list[str] = []

    async def __call__(self, request: Request) -> Response:
        self.begun += 1
        if request.path == "/finish":
            request.exchange.on_disconnect("finish")
        try:
            await self.gate.wait()
        except trio.Cancelled as cancelled:
            self.cancelled.append(str(cancelled))
            raise
        return Response(200, body=b"done")


async def test_a_reset_cancels_the_handler_with_the_reason() -> None:
    handler = Waiting()
    async with speaking(handler) as peer:
        stream, other = await peer.ask(), await peer.ask()
        await peer.reset(stream)
        (cancelled,) = handler.cancelled
        assert "the stream was reset by the peer (CANCEL)" in cancelled
        handler.gate.set()
        await trio.testing.wait_all_tasks_blocked()
        assert peer.answers[other].complete
    endings = {record.ending.value for record in peer.talk.records}
    assert endings == {"gone", "complete"}


async def test_a_handler_may_go_on_after_a_reset_and_still_counts() -> None:
    handler = Waiting()
    async with speaking(handler) as peer:
        for _ in range(STREAMS):
            stream = await peer.ask("/finish")
            await peer.reset(stream)
        assert handler.begun == STREAMS
        refused = await peer.ask("/finish")
        assert peer.answers[refused].reset is Code.REFUSED_STREAM
        handler.gate.set()
        await trio.testing.wait_all_tasks_blocked()
        assert handler.cancelled == []
        stream = await peer.ask()
        assert peer.answers[stream].complete


async def test_one_stream_too_many_is_refused_and_no_other() -> None:
    """M10."""
    handler = Waiting()
    async with speaking(handler) as peer:
        peer.library.remote_settings.update({3: 1000})
        peer.library.remote_settings.acknowledge()
        streams = [await peer.ask() for _ in range(STREAMS + 50)]
        handler.gate.set()
        await trio.testing.wait_all_tasks_blocked()
    resets = [peer.answers[stream].reset for stream in streams]
    assert resets == [None] * STREAMS + [Code.REFUSED_STREAM] * 50
    assert handler.begun == STREAMS


async def test_a_goaway_of_the_peer_loses_no_answer() -> None:
    """M13."""
    handler = Waiting()
    async with speaking(handler) as peer:
        stream = await peer.ask()
        await peer.raw(goaway(0, Code.NO_ERROR))
        assert not peer.over.is_set()
        handler.gate.set()
        await peer.farewell()
    assert (peer.answers[stream].body, peer.end) == (b"done", End.FIN)


async def test_a_goaway_with_nothing_at_work_ends_the_connection() -> None:
    async with speaking(hello) as peer:
        await peer.raw(goaway(0, Code.NO_ERROR))
        await peer.farewell()
    assert peer.end is End.FIN


async def test_a_stop_is_said_twice_and_fails_no_stream() -> None:
    """M14."""
    handler = Waiting()
    async with speaking(handler) as peer:
        first = await peer.ask()
        peer.talk.service.drain()
        # Opened before we have heard of it.
        second = peer.queue()
        await peer.flush()
        assert peer.goaways == [(ANY, Code.NO_ERROR), (second, Code.NO_ERROR)]
        third = await peer.ask()
        assert peer.answers[third].reset is Code.REFUSED_STREAM
        handler.gate.set()
        await peer.farewell()
    assert peer.answers[first].complete
    assert peer.answers[second].complete
    assert peer.end is End.FIN


async def test_a_stop_waits_for_no_answer_to_its_ping(
    autojump_clock: trio.testing.MockClock,
) -> None:
    handler = Waiting()
    async with speaking(handler) as peer:
        await peer.ask()
        peer.answering = False
        peer.talk.service.drain()
        await trio.testing.wait_all_tasks_blocked()
        assert len(peer.goaways) == 1
        await trio.sleep(1.5)
        assert len(peer.goaways) == 2


async def test_an_idle_connection_ends_at_once_when_the_server_stops() -> None:
    async with speaking(hello) as peer:
        stream = await peer.ask()
        peer.talk.service.drain()
        await peer.farewell()
    assert peer.answers[stream].complete
    assert peer.goaways == [(ANY, Code.NO_ERROR), (stream, Code.NO_ERROR)]


async def test_a_connection_that_comes_while_the_server_stops_is_told_so() -> None:
    async with speaking(hello, begin=False) as peer:
        peer.talk.service.drain()
        await peer.begin()
        await peer.farewell()
    assert peer.goaways == [(ANY, Code.NO_ERROR), (0, Code.NO_ERROR)]


@pytest.mark.parametrize("limits", [Limits(requests=3), Limits(age=0.001)])
async def test_a_connection_retires(limits: Limits) -> None:
    async with speaking(hello, limits=limits) as peer:
        await trio.sleep(0.01)
        streams = [peer.queue() for _ in range(3)]
        await peer.flush()
        await peer.farewell()
    assert all(peer.answers[stream].complete for stream in streams)
    assert [code for _, code in peer.goaways] == [Code.NO_ERROR, Code.NO_ERROR]


async def test_a_connection_ends_when_memory_is_short() -> None:
    async with speaking(hello) as peer:
        peer.talk.service.load.level = Level.SOFT
        stream = await peer.ask()
        await peer.farewell()
    assert peer.answers[stream].complete


async def test_an_idle_connection_is_closed_in_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with speaking(hello) as peer:
        began = trio.current_time()
        stream = await peer.ask()
        await peer.farewell()
        assert 75 <= trio.current_time() - began < 76
    assert peer.goaways == [(stream, Code.NO_ERROR)]


async def test_a_connection_on_which_nothing_is_asked_is_closed_in_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with speaking(hello) as peer:
        began = trio.current_time()
        await peer.farewell()
        assert 10 <= trio.current_time() - began < 11


async def test_an_idle_connection_makes_room_for_others() -> None:
    async with speaking(hello) as peer:
        await peer.ask()
        assert peer.talk.service.evict()
        await peer.farewell()
        assert not peer.talk.service.evict()
    assert [code for _, code in peer.goaways] == [Code.NO_ERROR]


async def test_a_connection_at_work_is_not_idle() -> None:
    handler = Waiting()
    async with speaking(handler) as peer:
        await peer.ask()
        assert not peer.talk.service.evict()


async def test_settings_must_be_acknowledged(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """M21."""
    handler = Waiting()
    async with speaking(handler, begin=False) as peer:
        peer.answering = False
        peer.library.initiate_connection()
        began = trio.current_time()
        await peer.ask()
        await peer.over.wait()
        assert 10 <= trio.current_time() - began < 11
    assert peer.goaways == [(1, Code.SETTINGS_TIMEOUT)]


@pytest.mark.parametrize(
    "wrong",
    [b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r"],
)
async def test_an_invalid_preface_is_closed_silently(wrong: bytes) -> None:
    async with speaking(hello, begin=False) as peer:
        await peer.raw(wrong)
        await peer.talk.peer.send_eof()
        await peer.farewell()
    assert (peer.answers, peer.goaways, peer.settings) == ({}, [], {})


async def test_a_preface_may_come_byte_by_byte() -> None:
    async with speaking(hello, begin=False) as peer:
        peer.answering = False  # which would be in the middle of a frame
        peer.library.initiate_connection()
        peer.queue("/x")
        data = peer.library.data_to_send()
        await peer.raw(*(data[at : at + 1] for at in range(len(data))))
        await trio.testing.wait_all_tasks_blocked()
    assert peer.answers[1].body == b"hello /x"


async def test_a_fault_of_the_connection_ends_it_and_says_why() -> None:
    handler = Waiting()
    for fault, code in [
        (frame(Kind.DATA, 0, b"x"), Code.PROTOCOL_ERROR),
        (frame(Kind.HEADERS, 3, b"\xff\xff\xff", 5), Code.COMPRESSION_ERROR),
        (bytes.fromhex("ffffff000000000000"), Code.FRAME_SIZE_ERROR),
        (frame(Kind.WINDOW_UPDATE, 0, b"\x7f\xff\xff\xff"), Code.FLOW_CONTROL_ERROR),
    ]:
        async with speaking(handler) as peer:
            await peer.ask()
            await peer.raw(fault)
            await peer.farewell()
        assert [each for _, each in peer.goaways] == [code]
        assert peer.talk.records[0].ending.value == "gone"
    assert len(handler.cancelled) == 4


async def test_a_peer_that_finishes_still_gets_what_is_at_hand() -> None:
    handler = Waiting()
    async with speaking(handler) as peer:
        stream = await peer.ask()
        await peer.talk.peer.send_eof()
        handler.gate.set()
        await peer.farewell()
    assert peer.answers[stream].complete
    assert peer.end is End.FIN


async def test_a_peer_that_finishes_has_left_after_a_while(
    autojump_clock: trio.testing.MockClock,
) -> None:
    handler = Waiting()
    async with speaking(handler) as peer:
        await peer.ask()
        await peer.talk.peer.send_eof()
        await peer.farewell()
    assert len(handler.cancelled) == 1
    assert [each.ending.value for each in peer.talk.records] == ["gone"]


async def test_a_peer_that_breaks_off_cancels_all_handlers() -> None:
    handler = Waiting()
    async with speaking(handler) as peer:
        await peer.ask()
        await peer.ask()
        peer.talk.peer.abort()
        await peer.talk.served.wait()
    assert len(handler.cancelled) == 2
    assert all("reset the connection" in each for each in handler.cancelled)


async def test_a_handler_has_its_time(autojump_clock: trio.testing.MockClock) -> None:
    async def handler(request: Request) -> Response:
        request.exchange.limit(3)
        await trio.sleep_forever()
        raise AssertionError

    async with speaking(handler) as peer:
        stream = await peer.ask()
        await trio.sleep(5)
    answer = peer.answers[stream]
    assert (answer.status, answer.complete) == (503, True)
    assert [each.ending.value for each in peer.talk.records] == ["timeout"]


async def test_whoever_expects_is_told_to_continue() -> None:
    async def handler(request: Request) -> Response:
        return Response(200, body=await request.body())

    async with speaking(handler) as peer:
        stream = await peer.ask(
            method="POST", fields=[("expect", "100-continue")], end=False
        )
        assert peer.answers[stream].interim == [100]
        await peer.data(stream, b"x", end=True)
        at_once = await peer.ask(
            method="POST", fields=[("expect", "100-continue")], body=b"y"
        )
    assert peer.answers[stream].body == b"x"
    assert (peer.answers[at_once].body, peer.answers[at_once].interim) == (b"y", [])


async def test_hints_come_before_the_answer() -> None:
    async def handler(request: Request) -> Response:
        await request.inform(103, {"link": "</a.css>"})
        return Response(200)

    answer, _ = await asked(handler)
    assert (answer.interim, answer.status) == ([103], 200)


async def test_a_hint_that_comes_too_late_costs_its_stream_only() -> None:
    """And its stream is reset: else its peer would wait for the rest."""
    gate = trio.Event()

    async def handler(request: Request) -> Response:
        async def write(send: Send) -> None:
            await send(b"x")
            await gate.wait()
            if request.path == "/late":
                await request.inform(103, {"link": "</a.css>"})

        return Response(200, body=write)

    async with speaking(handler) as peer:
        late, neighbour = await peer.ask("/late"), await peer.ask()
        gate.set()
        await trio.testing.wait_all_tasks_blocked()
        assert peer.answers[late].reset is Code.INTERNAL_ERROR
        assert not peer.answers[late].interim
        assert peer.answers[neighbour].complete


async def test_what_one_request_sets_no_other_sees() -> None:
    import contextvars  # noqa: PLC0415

    variable: contextvars.ContextVar[str] = contextvars.ContextVar("v", default="none")

    async def handler(request: Request) -> Response:
        before = variable.get()
        variable.set(request.path)
        return Response(200, body=before.encode())

    async with speaking(handler) as peer:
        streams = [await peer.ask("/a"), await peer.ask("/b")]
    assert [peer.answers[each].body for each in streams] == [b"none", b"none"]


async def test_a_write_that_was_cut_off_is_the_last() -> None:
    said: list[str] = []

    async def handler(request: Request) -> Response:
        async def write(send: Send) -> None:
            with trio.move_on_after(0.01):
                await send(bytes(100_000))
            try:
                await send(b"more")
            except RuntimeError as error:
                said.append(str(error))

        return Response(200, body=write)

    async with speaking(handler, crediting=False) as peer:
        stream = await peer.ask()
        await trio.sleep(0.05)
        await trio.testing.wait_all_tasks_blocked()
    assert not peer.answers[stream].complete
    assert peer.answers[stream].reset is Code.INTERNAL_ERROR
    assert "cut off" in said[0]


async def test_a_handler_that_was_cancelled_by_itself_is_a_failure() -> None:
    async def handler(request: Request) -> Response:
        with trio.CancelScope() as scope:
            scope.cancel()
            try:
                await trio.sleep_forever()
            except trio.Cancelled as error:  # noqa: ASYNC103  # raised again below
                kept = error
        raise kept

    answer, peer = await asked(handler)
    assert answer.status == 500
    assert len(peer.talk.logs) == 1


async def test_headers_past_the_rules_are_no_answer() -> None:
    async def handler(request: Request) -> Response:
        made = Headers()
        made.raw.append((b"x", b"a\r\nset-cookie: b"))
        return Response(200, made)

    answer, _ = await asked(handler)
    assert answer.status == 500


async def test_a_server_that_ends_ends_its_streams() -> None:
    handler = Waiting()
    async with speaking(handler) as peer:
        stream = await peer.ask()
        peer.talk.serving.cancel()
        await peer.talk.served.wait()
        with contextlib.suppress(trio.Cancelled):
            await peer.over.wait()
    assert not peer.answers[stream].complete
    assert [each.ending.value for each in peer.talk.records] == ["stopped"]
