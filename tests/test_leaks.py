"""A test that leaves something behind fails, and is told what."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import pytest

LEAKS = """
import os, threading, trio
from pathlib import Path

stop = threading.Event()

def test_a_descriptor_is_left():
    Path("left").write_text(str(os.dup(1)))

def test_a_thread_is_left():
    threading.Thread(target=stop.wait, args=(20,), name="planted", daemon=True).start()

def test_a_thread_of_trio_may_stay_for_the_next_call():
    async def main():
        await trio.to_thread.run_sync(bool)
    trio.run(main)

def test_what_is_in_a_cycle_is_collected():
    class Ring:
        pass
    ring = Ring()
    ring.itself = ring
    ring.ends = os.pipe()
    Ring.__del__ = lambda self: [os.close(end) for end in self.ends]

def test_what_was_left_before_is_not_held_against_others():
    stop.set()
"""


def test_what_a_test_leaves_behind_is_an_error_of_that_test(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(LEAKS)
    gc.collect()  # a descriptor of another test's, closed meanwhile, would be set off
    result = pytester.runpytest_inprocess("-p", "tests.leaks", "-p", "no:cacheprovider")
    os.close(int(Path("left").read_text()))
    result.assert_outcomes(passed=5, errors=2)
    result.stdout.fnmatch_lines(
        [
            "E * the test has left descriptor *",
            "E * the test has left thread planted*",
        ],
        consecutive=False,
    )
