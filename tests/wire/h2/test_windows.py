"""Flow control and turns: who waits for whom (RFC 9113 sections 5.2 and 6.9)."""

from __future__ import annotations

import trio
import trio.testing

from tests.wire.h2.peer import speaking
from tests.wire.handlers import file_of
from tests.wire.talking import FOREVER
from trioweb.message.request import Request
from trioweb.message.response import Response, Send
from trioweb.wire.h2_codes import Code, Setting
from trioweb.wire.limits import STREAM_WINDOW, STREAMS, TURN, Limits

WINDOW = 65_535


async def big(request: Request) -> Response:
    return Response(200, body=bytes(200_000))


async def test_one_unread_upload_stalls_no_other() -> None:
    """M9: what waits is bounded by the window, and credited when it is taken."""
    gate = trio.Event()

    async def handler(request: Request) -> Response:
        if request.path == "/unread":
            await gate.wait()
        return Response(200, body=b"%d" % len(await request.body()))

    async with speaking(handler) as peer:
        unread = await peer.ask("/unread", method="POST", end=False)
        sent = 0
        while window := peer.library.local_flow_control_window(unread):
            size = min(window, 16_384)
            await peer.data(unread, bytes(size))
            sent += size
        assert sent == STREAM_WINDOW
        for _ in range(3):
            stream = await peer.ask("/read", method="POST", end=False)
            for _ in range(20):
                await peer.data(stream, bytes(16_384))
            await peer.data(stream, b"", end=True)
            assert peer.answers[stream].body == b"327680"
        gate.set()
        await trio.testing.wait_all_tasks_blocked()
        assert peer.library.local_flow_control_window(unread) == WINDOW
        await peer.data(unread, b"end", end=True)
        assert peer.answers[unread].body == b"%d" % (sent + 3)


async def test_all_windows_can_be_full_and_more_be_read() -> None:
    async def handler(request: Request) -> Response:
        if request.path == "/unread":
            await trio.sleep_forever()
        size = sum([len(piece) async for piece in request.stream(limit=1 << 30)])
        return Response(200, body=b"%d" % size)

    async with speaking(handler) as peer:
        for _ in range(STREAMS - 1):
            stream = await peer.ask("/unread", method="POST", end=False)
            for size in (16_384, 16_384, 16_384, 16_383):
                await peer.data(stream, bytes(size))
        stream = await peer.ask("/read", method="POST", end=False)
        for _ in range(500):
            await peer.data(stream, bytes(16_384))
        await peer.data(stream, b"", end=True)
        assert peer.answers[stream].body == b"%d" % (500 * 16_384)


async def test_a_download_waits_for_its_window_and_for_no_other() -> None:
    async with speaking(big, crediting=False) as peer:
        first = await peer.ask()
        assert len(peer.answers[first].body) == WINDOW
        # The connection's window is empty too; a response without content needs none.
        empty = await peer.ask(method="HEAD")
        assert peer.answers[empty].complete
        peer.library.increment_flow_control_window(50_000)
        await peer.flush()
        assert len(peer.answers[first].body) == WINDOW
        peer.library.increment_flow_control_window(10_000, first)
        await peer.flush()
        assert len(peer.answers[first].body) == WINDOW + 10_000
        second = await peer.ask()
        assert len(peer.answers[second].body) == 40_000
        peer.crediting = True
        peer.library.increment_flow_control_window(1_000_000)
        peer.library.increment_flow_control_window(1_000_000, first)
        peer.library.increment_flow_control_window(1_000_000, second)
        await peer.flush()
        assert peer.answers[first].complete
        assert peer.answers[second].complete


async def test_a_window_may_begin_at_nothing_and_be_changed() -> None:
    settings = {int(Setting.INITIAL_WINDOW_SIZE): 0}
    async with speaking(big, crediting=False, settings=settings) as peer:
        stream = await peer.ask()
        assert (peer.answers[stream].status, peer.answers[stream].body) == (200, b"")
        peer.library.update_settings({Setting.INITIAL_WINDOW_SIZE: 1000})
        await peer.flush()
        assert len(peer.answers[stream].body) == 1000


async def test_streams_take_turns() -> None:
    """M24: round robin by frames of at most 16 KiB."""
    gate = trio.Event()

    async def handler(request: Request) -> Response:
        await gate.wait()
        return Response(200, body=bytes(60_000))

    async with speaking(handler, buffer=1) as peer:
        peer.library.increment_flow_control_window(1_000_000)
        streams = [peer.queue() for _ in range(4)]
        await peer.flush()
        gate.set()
        await trio.testing.wait_all_tasks_blocked()
        assert all(peer.answers[stream].complete for stream in streams)
        for stream in streams:
            assert max(peer.answers[stream].pieces) <= TURN
        # Whoever came first has not finished before the last has begun.
        firsts = [peer.order.index(stream) for stream in streams]
        lasts = [len(peer.order) - peer.order[::-1].index(each) for each in streams]
        assert max(firsts) < min(lasts)


async def test_a_response_waits_where_the_peer_does_not_read() -> None:
    written = 0

    async def handler(request: Request) -> Response:
        async def write(send: Send) -> None:
            nonlocal written
            for _ in range(1000):
                await send(bytes(1000))
                written += 1000

        return Response(200, body=write)

    async with speaking(handler, crediting=False) as peer:
        await peer.ask()
        assert WINDOW - 1000 < written <= WINDOW


async def test_whoever_does_not_open_a_window_is_given_up(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with speaking(big, crediting=False, limits=Limits(stall=30)) as peer:
        stream = await peer.ask()
        other = await peer.ask(method="HEAD")
        await trio.sleep(60)
        answer = peer.answers[stream]
        assert (len(answer.body), answer.complete) == (WINDOW, False)
        assert answer.reset is Code.INTERNAL_ERROR
        assert peer.answers[other].complete
        assert [each.ending.value for each in peer.talk.records] == [
            "complete",
            "timeout",
        ]


async def test_whoever_waits_for_its_turn_on_a_slow_line_is_not_given_up(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """A hundred images at 25 KB a second: a round of turns takes a minute."""
    settings = {int(Setting.INITIAL_WINDOW_SIZE): 1 << 20}

    async def image(request: Request) -> Response:
        return Response(200, body=bytes(50_000))

    async with speaking(image, settings=settings, buffer=4000) as peer:
        peer.library.increment_flow_control_window(1 << 24)
        peer.pace = 25_000
        for _ in range(STREAMS):
            peer.queue()
        await peer.flush()
        await trio.sleep(300)
        assert len(peer.answers) == STREAMS
        assert all(each.complete for each in peer.answers.values())


async def test_a_small_window_of_the_connection_is_shared() -> None:
    """M24: whoever has waited longest gets what is opened."""
    async with speaking(big, crediting=False) as peer:
        hog = await peer.ask()
        others = [await peer.ask() for _ in range(3)]
        peer.library.increment_flow_control_window(1 << 20, hog)
        for _ in range(4):
            peer.library.increment_flow_control_window(TURN)
            await peer.flush()
        for other in others:
            assert len(peer.answers[other].body) == TURN


async def test_content_that_comes_too_slowly_is_given_up(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def handler(request: Request) -> Response:
        return Response(200, body=await request.body())

    async with speaking(handler) as peer:
        stream = await peer.ask(method="POST", end=False)
        await trio.sleep(20)
        assert peer.answers[stream].status == 408
        assert peer.answers[stream].complete
        assert peer.answers[stream].reset is Code.NO_ERROR


async def test_content_that_was_left_is_taken_within_bounds() -> None:
    async def handler(request: Request) -> Response:
        return Response(200)

    async with speaking(handler) as peer:
        little = await peer.ask(method="POST", end=False)
        assert peer.answers[little].complete
        await peer.data(little, bytes(16_384), end=True)
        assert peer.answers[little].reset is None
        much = await peer.ask(method="POST", end=False)
        for _ in range(5):
            if peer.answers[much].reset is None:
                await peer.data(much, bytes(16_384))
        assert peer.answers[much].reset is Code.NO_ERROR
        declared = await peer.ask(
            method="POST", fields=[("content-length", "1000000")], end=False
        )
        assert peer.answers[declared].complete
        assert peer.answers[declared].reset is Code.NO_ERROR


async def test_content_that_was_left_and_never_ends_is_refused_in_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def handler(request: Request) -> Response:
        return Response(200)

    async with speaking(handler) as peer:
        stream = await peer.ask(method="POST", end=False)
        await trio.sleep(5)
        assert peer.answers[stream].complete
        assert peer.answers[stream].reset is Code.NO_ERROR


async def test_content_on_its_way_to_a_stream_that_was_reset_is_no_fault() -> None:
    async def handler(request: Request) -> Response:
        return Response(413)

    async with speaking(handler) as peer:
        for _ in range(300):
            stream = peer.queue(method="POST", end=False)
            peer.library.send_data(stream, b"x" * 10_000)
            peer.library.send_data(stream, b"x" * 10_000, end_stream=True)
            await peer.flush()
            assert peer.answers[stream].status == 413
        assert not peer.goaways


async def test_a_file_is_read_piece_by_piece() -> None:
    async def handler(request: Request) -> Response:
        return Response(200, body=file_of(bytes(1_000_000)))

    async with speaking(handler) as peer:
        with trio.fail_after(FOREVER):
            stream = await peer.ask()
            await trio.testing.wait_all_tasks_blocked()
        assert len(peer.answers[stream].body) == 1_000_000


async def test_a_file_that_shrinks_is_broken_off() -> None:
    async def handler(request: Request) -> Response:
        return Response(200, body=file_of(bytes(1000), length=2000))

    async with speaking(handler) as peer:
        stream = await peer.ask()
        assert not peer.answers[stream].complete
        assert peer.answers[stream].reset is Code.INTERNAL_ERROR
