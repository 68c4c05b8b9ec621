"""Answers: whoever follows gets each line once, and learns of those that it lacks."""

from __future__ import annotations

import trio
import trio.testing

from trioweb.run.cluster.messages import Left, Lines, Looked
from trioweb.run.control.answers import LEFT, WAITING, Answers
from trioweb.run.control.protocol import Missed, Said
from trioweb.run.control.tail import Line
from trioweb.run.control.tree import Task


def lines(*numbers: int, dropped: int = 0, recalled: bool = False) -> Lines:
    said = [Line(number, float(number), f"line {number}") for number in numbers]
    return Lines(said, dropped, recalled)


async def test_a_line_that_is_sent_twice_comes_once() -> None:
    answers = Answers()
    with answers.following() as follower:
        answers.take(0, 100, lines(1, 2))
        answers.take(0, 100, lines(1, 2, 3, recalled=True))  # somebody else has asked
        answers.take(1, 101, lines(1))
        assert [await follower.next() for _ in range(4)] == [
            Said(0, 100, 1.0, "line 1"),
            Said(0, 100, 2.0, "line 2"),
            Said(0, 100, 3.0, "line 3"),
            Said(1, 101, 1.0, "line 1"),
        ]
        assert 100 in follower.recalled


async def test_one_that_does_not_take_them_loses_the_oldest_and_learns_how_many() -> (
    None
):
    answers = Answers()
    with answers.following() as slow, answers.following() as quick:
        answers.take(0, 100, lines(*range(1, WAITING + 1), dropped=5))
        for _ in range(WAITING + 1):
            await quick.next()
        answers.take(0, 100, lines(WAITING + 1, WAITING + 2))
        assert await slow.next() == Missed(7)
        assert await slow.next() == Said(0, 100, 3.0, "line 3")
        assert await quick.next() == Said(0, 100, WAITING + 1.0, f"line {WAITING + 1}")


async def test_the_supervisors_own_lines_are_there_from_the_start() -> None:
    answers = Answers()
    answers.add("worker 0 (pid 7) was killed by SIGKILL")
    with answers.following() as follower:
        (said,) = follower.past(100)
        assert said.worker is None
        answers.add("and once more")
        more = await follower.next()
        assert isinstance(more, Said)
        assert more.line == "and once more"


def test_what_workers_have_left_is_told_in_the_order_of_time() -> None:
    answers = Answers()
    for pid in range(LEFT + 2):
        answers.take(0, pid, Left([Line(1, 100.0 - pid, str(pid))]))
    with answers.following() as follower:
        past = [said.line for said in follower.past(100)]
    assert past == [str(pid) for pid in range(LEFT + 1, 1, -1)]


async def test_who_follows_to_the_end_hears_of_it(autojump_clock: object) -> None:
    answers = Answers()
    with answers.following() as follower:
        async with trio.open_nursery() as waiting:
            waiting.start_soon(follower.next)
            await trio.testing.wait_all_tasks_blocked()
            answers.end()
        assert await follower.next() is None


async def test_a_tree_goes_to_who_has_asked_and_late_ones_to_nobody() -> None:
    answers = Answers()
    tree = Task("task", "here")
    with answers.awaiting() as ticket, answers.awaiting() as other:
        answers.take(0, 100, Looked(ticket.number, tree))
        with trio.fail_after(5):
            await ticket.answered({100})
        assert ticket.trees == {100: tree}
        assert other.trees == {}
    answers.take(0, 100, Looked(ticket.number, tree))
