"""A reload with streams that never end by themselves: told goodbye, not waited for."""

from __future__ import annotations

import re
import signal

import pytest
import trio
from trio_websocket import ConnectionClosed

from tests.run.cluster.crews import PATIENCE, Crew, until
from tests.run.cluster.test_rooms import gathering, guest

# Seconds: far less than the grace of 30 that requests at work would get.
SOON = 15

_PID = re.compile(rb"data: ([0-9]+)\n")


class Listener:
    """Somebody who takes the events of one worker to their end."""

    def __init__(self) -> None:
        self.received = b""
        self.pid: int | None = None

    async def listen(self, crew: Crew) -> None:
        async with await trio.open_tcp_stream(crew.host, crew.port) as stream:
            await stream.send_all(b"GET /pulse HTTP/1.1\r\nhost: a\r\n\r\n")
            async for piece in stream:
                self.received += piece
                if found := _PID.search(self.received):
                    self.pid = int(found[1])


async def test_k4_a_reload_waits_for_no_stream_and_says_goodbye_to_each() -> None:
    async with gathering() as crew, trio.open_nursery() as listening:
        before = await crew.everybody(2)
        listeners = [Listener() for _ in range(8)]
        for each in listeners:
            listening.start_soon(each.listen, crew)
        await until(lambda: all(each.pid for each in listeners))
        first, second = sorted(before)
        async with guest(crew, of=first) as one, guest(crew, of=second) as other:
            crew.kill(crew.pid, signal.SIGHUP)
            with trio.fail_after(SOON):
                for member in (one, other):
                    with pytest.raises(ConnectionClosed) as closed:
                        await member.hear(1)
                    assert closed.value.reason is not None
                    assert closed.value.reason.code == 1001
                while crew.workers() & before:  # noqa: ASYNC110  # no event tells
                    await trio.sleep(0.05)
        with trio.fail_after(PATIENCE):
            while listening.child_tasks:  # noqa: ASYNC110  # as above
                await trio.sleep(0.05)
        for each in listeners:
            assert each.pid in before
            # When to come back, then the end of the content: nothing was cut.
            assert re.search(rb"retry: [0-9]+\n", each.received[-60:])
            assert each.received.endswith(b"0\r\n\r\n")
        assert await crew.stop() == 0
