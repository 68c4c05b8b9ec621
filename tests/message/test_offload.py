"""The door for blocking file work; row X11 of the table of faults."""

from __future__ import annotations

import threading

import trio
import trio.testing

from trioweb.message.offload import THREADS, in_thread, inline, offload, runner


async def test_x11_threads_that_others_have_stuck_stop_no_file() -> None:
    release = threading.Event()

    # As many as Trio runs by default, and then as many again that wait for one.
    def wait() -> None:
        release.wait(30)

    async with trio.open_nursery() as stuck:
        for _ in range(100):
            stuck.start_soon(trio.to_thread.run_sync, wait)
        await trio.testing.wait_all_tasks_blocked()
        try:
            with trio.fail_after(5):
                assert await offload(lambda: "a file") == "a file"
        finally:
            release.set()


async def test_files_have_so_many_threads_and_no_more() -> None:
    at_once: set[int] = set()
    all_there = threading.Barrier(THREADS, timeout=5)

    def work() -> None:
        at_once.add(threading.get_ident())
        all_there.wait()

    async with trio.open_nursery() as working:
        # Twice as many as there are threads: the second half finds them used again.
        for _ in range(2 * THREADS):
            working.start_soon(offload, work)
    assert len(at_once) == THREADS


def test_each_event_loop_has_threads_of_its_own() -> None:
    for _ in range(2):
        assert trio.run(in_thread, threading.get_ident) != threading.get_ident()


async def test_inline_runs_in_the_thread_of_the_loop() -> None:
    token = runner.set(inline)
    try:
        assert await offload(threading.get_ident) == threading.get_ident()
    finally:
        runner.reset(token)
