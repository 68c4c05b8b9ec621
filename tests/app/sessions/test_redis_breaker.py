"""Breaker: when a server that has not answered is asked again."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise

import trio
import trio.testing

from trioweb.app.sessions.redis_breaker import FAILURES, PAUSE, Breaker
from trioweb.app.sessions.store import StoreError


def asked(breaker: Breaker, *, answered: bool) -> bool:
    """Whether *breaker* lets a question through, which then is *answered* or not."""
    through = False
    with suppress(StoreError), breaker.asking():
        through = True
        answer(answered=answered)
    return through


def answer(*, answered: bool) -> None:
    if not answered:
        raise StoreError("no answer")


async def test_after_some_failures_in_a_row_one_question_in_a_while_is_asked(
    autojump_clock: trio.testing.MockClock,
) -> None:
    breaker = Breaker()
    for _ in range(3):
        for _ in range(FAILURES - 1):
            assert asked(breaker, answered=False)
        assert asked(breaker, answered=True)
    for _ in range(FAILURES):
        assert asked(breaker, answered=False)
    through = []
    for _ in range(1000):
        if asked(breaker, answered=False):
            through.append(trio.current_time())
        await trio.sleep(0.01)
    pauses = [later - sooner for sooner, later in pairwise(through)]
    assert PAUSE / 2 <= min(pauses) < max(pauses) <= PAUSE + 0.02
    await trio.sleep(PAUSE)
    assert asked(breaker, answered=True)
    assert asked(breaker, answered=True)


async def test_a_question_that_is_cancelled_says_nothing_about_the_server(
    autojump_clock: trio.testing.MockClock,
) -> None:
    breaker = Breaker()
    for _ in range(3 * FAILURES):
        with trio.move_on_after(1), breaker.asking():
            await trio.sleep_forever()
    assert asked(breaker, answered=True)
    for _ in range(FAILURES):
        asked(breaker, answered=False)
    await trio.sleep(PAUSE)
    with trio.move_on_after(1), breaker.asking():
        await trio.sleep_forever()
    assert asked(breaker, answered=True)
