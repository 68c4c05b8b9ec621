"""The stream that the library is given: what no library does with it today."""

from __future__ import annotations

import trio.testing

from trioweb.app.websocket.gated import Gated
from trioweb.rules.frames import FrameGate, FrameLimits


async def test_it_says_when_there_is_room() -> None:
    near, far = trio.testing.memory_stream_pair()
    ended: list[None] = []

    def end() -> None:
        ended.append(None)

    gated = Gated(near, FrameGate(FrameLimits()), b"", end, compress=bytes)
    await gated.wait_send_all_might_not_block()
    await gated.aclose()
    await gated.aclose()
    assert ended == [None]
    assert await far.receive_some() == b""
