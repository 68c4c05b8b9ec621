"""The writer: what a stream that blocks or fails costs is lines, counted and told.

Rows E1 and E2 of the table of faults.
"""

from __future__ import annotations

import io
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

import pytest
import trio

from trioweb.run.writer import LAST, LINES, Writer, writing


@contextmanager
def pipe() -> Iterator[tuple[int, TextIO]]:
    """The reading end as a number, the writing end as a stream."""
    reading, end = os.pipe()
    with os.fdopen(end, "w", encoding="utf-8") as stream:
        yield reading, stream
    os.close(reading)


def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it has not come to pass within 10 s")


@contextmanager
def at_work(stream: TextIO | None) -> Iterator[Writer]:
    writer = Writer(stream)
    writer.start()
    yield writer
    writer.stop()


def read_all(reading: int) -> str:
    """Everything up to the end, which must come."""
    with os.fdopen(os.dup(reading), encoding="utf-8") as stream:
        return stream.read()


def test_lines_come_whole_and_in_order(tmp_path: Path) -> None:
    lines = [f"{n} {'x' * (n % 300)} 한글" for n in range(5000)]
    path = tmp_path / "log"
    with path.open("w", encoding="utf-8") as stream, at_work(stream) as writer:
        for line in lines:
            writer.write(line)
    assert path.read_text("utf-8").splitlines() == lines
    assert writer.dropped == 0


def test_a_line_longer_than_a_pipe_takes_at_once_comes_whole() -> None:
    text = "x" * 300_000
    received: list[str] = []
    with pipe() as (reading, stream):
        reader = threading.Thread(target=lambda: received.append(read_all(reading)))
        reader.start()
        with at_work(stream) as writer:
            writer.write(text)
            writer.write("after")
        stream.close()
        reader.join()
    assert received == [f"{text}\nafter\n"]


def test_e2_a_pipe_that_nobody_reads_never_holds_up_who_writes() -> None:
    with pipe() as (_, stream), at_work(stream) as writer:
        begun = time.monotonic()
        for n in range(3 * LINES):
            writer.write(f"line {n} of many")
        # 30 000 lines: a tenth of a second; a machine at its limits takes ten of it.
        assert time.monotonic() - begun < 1
        assert writer.dropped > LINES
        begun = time.monotonic()
        writer.stop()
        assert time.monotonic() - begun < LAST + 1
        # What the pipe has taken, 64 KiB, is all that has been written.
        assert 25_000 < writer.dropped < 3 * LINES


def test_e2_a_reader_that_returns_gets_the_oldest_lines_and_the_count() -> None:
    received: list[str] = []
    with pipe() as (reading, stream):
        with at_work(stream) as writer:
            for n in range(3 * LINES):
                writer.write(f"line {n}")
            reader = threading.Thread(target=lambda: received.append(read_all(reading)))
            reader.start()
            until(lambda: not writer.waiting)
            writer.write("at last")
        stream.close()
        reader.join()
    *lines, count, last = received[0].splitlines()
    assert lines == [f"line {n}" for n in range(len(lines))]
    assert count == (
        f"{3 * LINES - len(lines)} lines of this log were dropped: "
        "it could not be written"
    )
    assert last == "at last"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_e1_a_full_disk_costs_the_lines_and_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # What fclose() would flush is nothing: the writer leaves no bytes in the stream.
    with (
        caplog.at_level(logging.WARNING, "trioweb.access"),
        Path("/dev/full").open("w", encoding="utf-8") as stream,
        at_work(stream) as writer,
    ):
        for _ in range(3):
            writer.write("line")
            until(lambda: not writer.waiting)
    assert writer.dropped == 3
    assert [record.getMessage() for record in caplog.records] == [
        "the log cannot be written, lines drop: [Errno 28] No space left on device"
    ]


class Full(io.StringIO):
    """A stream on a disk that is full for a while."""

    full = True

    def flush(self) -> None:
        if self.full:
            raise OSError(28, "No space left on device")


def test_e1_what_was_dropped_is_told_when_there_is_room_again() -> None:
    stream = Full()
    with at_work(stream) as writer:
        for n in range(3):
            writer.write(f"line {n}")
        until(lambda: writer.dropped == 3)
        assert stream.getvalue()
        stream.seek(0)
        stream.truncate()
        stream.full = False
        writer.write("room")
    assert stream.getvalue() == (
        "3 lines of this log were dropped: it could not be written\nroom\n"
    )
    assert writer.dropped == 3


def closed() -> TextIO:
    stream = io.StringIO()
    stream.close()
    return stream


def closed_file() -> TextIO:
    with Path(os.devnull).open("w", encoding="utf-8") as stream:
        return stream


def broken_pipe() -> TextIO:
    reading, end = os.pipe()
    os.close(reading)
    return os.fdopen(end, "w", encoding="utf-8")


@pytest.mark.parametrize("make", [closed, closed_file, broken_pipe, lambda: None])
def test_a_stream_that_is_gone_costs_lines(make: Callable[[], TextIO | None]) -> None:
    stream = make()
    with at_work(stream) as writer:
        writer.write("line")
    assert writer.dropped == 1
    if stream is not None:
        stream.close()


def test_what_cannot_be_encoded_is_escaped() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    with at_work(stream) as writer:
        writer.write("둘 \ud800")
    assert raw.getvalue() == b"\\ub458 \\ud800\n"
    assert writer.dropped == 0


def test_what_cannot_be_encoded_is_escaped_in_a_file_too(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w", encoding="ascii") as stream, at_work(stream) as writer:
        writer.write("둘 \ud800")
    assert path.read_text("ascii") == "\\ub458 \\ud800\n"


def test_what_comes_after_the_end_is_counted() -> None:
    with at_work(io.StringIO()) as writer:
        pass
    writer.write("late")
    assert writer.dropped == 1


class Interrupted(BaseException):
    """What ends a block as a KeyboardInterrupt does."""


def threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name == "trioweb log"]


async def test_no_thread_is_left_however_the_block_ends() -> None:
    stream = io.StringIO()
    with suppress(Interrupted):
        async with writing(stream) as writer:
            writer.write("before")
            raise Interrupted
    assert not threads()
    with trio.CancelScope() as scope:
        async with writing(stream) as writer:
            writer.write("cancelled")
            scope.cancel(reason="the test")
            await trio.sleep_forever()
    assert not threads()
    assert stream.getvalue() == "before\ncancelled\n"


async def test_the_end_waits_for_no_thread_of_others() -> None:
    limiter = trio.to_thread.current_default_thread_limiter()
    held = [object() for _ in range(int(limiter.total_tokens))]
    for each in held:
        limiter.acquire_on_behalf_of_nowait(each)
    try:
        with trio.fail_after(5):
            async with writing(io.StringIO()) as writer:
                writer.write("line")
    finally:
        for each in held:
            limiter.release_on_behalf_of(each)
