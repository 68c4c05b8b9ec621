"""The tail of a log: what is kept, what waits, and what is dropped."""

from __future__ import annotations

import msgspec

from trioweb.run.control.tail import KEPT, LONGEST, ROOM, WAITING, Tail


def test_the_last_lines_are_kept() -> None:
    tail = Tail()
    for number in range(KEPT + 5):
        tail.add(f"line {number}")
    last = tail.last()
    assert [line.text for line in last][:1] == ["line 5"]
    assert [line.number for line in last] == list(range(6, KEPT + 6))


def test_nothing_waits_unless_somebody_follows() -> None:
    tail = Tail()
    tail.add("before")
    assert tail.take().lines == []
    tail.follow(on=True)
    tail.add("now")
    assert [line.text for line in tail.take().lines] == ["now"]
    assert tail.take().lines == []
    tail.follow(on=False)
    tail.add("after")
    assert tail.take().lines == []


def test_the_oldest_that_wait_are_dropped_and_counted() -> None:
    tail = Tail()
    tail.follow(on=True)
    for number in range(WAITING + 3):
        tail.add(str(number))
    some = tail.take()
    assert some.dropped == 3
    assert some.lines[0].text == "3"
    assert tail.take().dropped == 0


def test_what_is_taken_fits_into_a_message_however_long_the_lines() -> None:
    tail = Tail()
    tail.follow(on=True)
    for _ in range(KEPT):
        tail.add('"\\\n' * LONGEST)
    taken = 0
    while lines := tail.take().lines:
        taken += len(lines)
        assert len(msgspec.json.encode(lines)) <= ROOM
    assert taken == KEPT
    last = tail.last()
    assert len(msgspec.json.encode(last)) <= ROOM
    assert last[-1].number == KEPT  # of many long ones the newest
    assert len(last[-1].text) == LONGEST
