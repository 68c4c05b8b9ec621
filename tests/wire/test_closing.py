"""What goes wrong while a connection closes goes no further either (invariant 8)."""

from __future__ import annotations

import logging

import pytest
import trio

from tests.torture.faults import Fault, FaultyTransport
from tests.wire.handlers import hello
from tests.wire.talking import logged
from trioweb.testing.transport import memory_pair
from trioweb.wire.connection import serve
from trioweb.wire.service import Service


@pytest.mark.parametrize(
    ("fault", "logs"), [(Fault.FAIL, []), (Fault.CRASH, [logging.ERROR])]
)
async def test_a_transport_that_fails_to_close_is_its_own_affair(
    fault: Fault, logs: list[int]
) -> None:
    near, far = memory_pair()
    # Its uses: a read that finds the end, and the close.
    transport = FaultyTransport(far, fault=fault, at=2)
    service = Service(hello)
    await near.aclose()
    with logged() as told, trio.fail_after(5):
        await serve(transport, service)
    assert (transport.uses, far.closed) == (2, True)
    assert [record.levelno for record in told] == logs
