"""JSON: what a handler is given of a body, and how little a hostile one costs."""

from __future__ import annotations

import contextlib
import time

import msgspec
import pytest

from tests.message.exchanges import request
from trioweb.message.errors import BadRequest


class Point(msgspec.Struct):
    x: int
    y: int


async def test_json_is_what_was_asked_for() -> None:
    assert await request(b"/", b'{"x":1,', b'"y":2}').json() == {"x": 1, "y": 2}
    assert await request(b"/", b'{"x":1,"y":2}').json(Point) == Point(1, 2)
    assert await request(b"/", b"[1]").json(list[int], limit=3) == [1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"x":1,"y":"2"}', r"Expected `int`.*\$\.y"),
        (b'{"a":1', "truncated"),
        (b"", "truncated"),
        (b'{"x":"\xff"}', "UTF-8"),
        (b"[" * 100_000, "nested"),
        (b"1" * 5000, "range"),
        (b"NaN", "malformed"),
    ],
    ids=["path", "cut off", "empty", "bytes", "L8 depth", "L8 digits", "L8 NaN"],
)
async def test_json_that_does_not_fit_is_a_bad_request(
    content: bytes, message: str
) -> None:
    with pytest.raises(BadRequest, match=message):
        await request(b"/", content).json(Point if "x" in message else object)


async def test_l8_of_equal_names_in_json_the_last_counts() -> None:
    assert await request(b"/", b'{"a": 1, "a": 2}').json() == {"a": 2}


@pytest.mark.parametrize(
    ("content", "seconds"),
    [
        (b"[" * 100_000, 0.005),
        (b'{"a":' * 100_000, 0.005),
        (b"[" + b",".join([b"9" * 4000] * 250) + b"]", 0.05),
        (b"[" + b",".join([b"9" * 4301] * 230) + b"]", 0.05),
    ],
    ids=["arrays", "objects", "long numbers", "numbers that are too long"],
)
async def test_l8_no_json_takes_long(content: bytes, seconds: float) -> None:
    times: list[float] = []
    for _ in range(5):
        asked = request(b"/", content)
        await asked.body()
        begun = time.process_time()
        with contextlib.suppress(BadRequest):
            await asked.json()
        times.append(time.process_time() - begun)
    assert min(times) <= seconds
