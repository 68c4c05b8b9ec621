"""The client's door to events: what is none is said."""

from __future__ import annotations

import pytest
import trio.testing

from trioweb import (
    App,
    Request,
)
from trioweb.testing import (
    BadResponse,
    client,
)

Clock = trio.testing.MockClock


async def test_an_answer_that_is_no_stream_of_events_is_said() -> None:
    async def nothing(request: Request) -> str:
        return "plain"

    async with client(nothing) as web:
        with pytest.raises(BadResponse, match=r"200 with text/plain.*: plain"):
            async with web.events("/"):
                pass
    async with client(App()) as web:
        with pytest.raises(BadResponse, match=r"404 with .*json"):
            async with web.events("/"):
                pass
