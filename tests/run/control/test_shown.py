"""What people see: the table, the live view, and the units of its numbers."""

from __future__ import annotations

import pytest

from trioweb.run.control.frame import History, fitted, frame
from trioweb.run.control.pace import Pace
from trioweb.run.control.protocol import Listing, Worker
from trioweb.run.control.table import table
from trioweb.run.control.units import duration, rate, size


def listing(*workers: Worker, name: str = "shop", pid: int = 7) -> Listing:
    return Listing(
        name=name,
        pid=pid,
        target="shop.py",
        urls=["http://127.0.0.1:8080"],
        size=2,
        uptime=7980,
        stopping=False,
        patience=35,
        directory="/srv",
        command=["python"],
        workers=list(workers),
    )


BUSY = Worker(
    worker=0,
    pid=4711,
    state="ready",
    uptime=7979.0,
    restarts=1,
    connections=132,
    requests=99,
    rate=1204.4,
    cpu=34.6,
    memory=34_300_000,
)
DOWN = Worker(worker=1, restarts=4, fault="KeyError: 'DSN'")

TABLE = """\
NAME  WORKER   PID  STATE      UPTIME  RESTARTS  CONNECTIONS  REQ/S   CPU   MEMORY
shop       0  4711  ready  2 h 12 min         1          132   1204  35 %  34.3 MB
shop       1     -  down            -         4            0      0   0 %        -
worker 1 of shop does not start: KeyError: 'DSN'"""


def test_the_table_is_aligned_and_says_why_a_worker_is_not_there() -> None:
    assert table([listing(BUSY, DOWN)], colour=False) == TABLE


def test_colours_change_nothing_else() -> None:
    painted = table([listing(BUSY, DOWN)], colour=True)
    assert "\x1b[32mready\x1b[0m" in painted
    assert "\x1b[31mdown\x1b[0m" in painted
    lines = [fitted(line, 200) for line in painted.splitlines()]
    for code in ("1", "31", "32", "0"):
        lines = [line.replace(f"\x1b[{code}m", "") for line in lines]
    assert "\n".join(lines) == TABLE


FRAME = """\
trioweb monit                                                           22:30:05

shop  http://127.0.0.1:8080  1 of 2 ready  up 2 h 13 min
req/s    1204  ▄█
CPU      35 %  ▄█
WORKER   PID  STATE      UPTIME  RESTARTS  CONNECTIONS  REQ/S   CPU   MEMORY
     0  4711  ready  2 h 12 min         1          132   1204  35 %  34.3 MB
     1     -  down            -         4            0      0   0 %        -
worker 1 of shop does not start: KeyError: 'DSN'

q quits"""


def shown(history: History, *listings: Listing, width: int, height: int) -> list[str]:
    return frame(
        listings, history, width=width, height=height, clock="22:30:05", colour=False
    )


def test_the_live_view_has_a_graph_of_each_server() -> None:
    history = History()
    slower = Worker(worker=0, pid=1, rate=602.0, cpu=17.0)
    history.add([listing(slower)])
    history.add([listing(BUSY, DOWN)])
    lines = shown(history, listing(BUSY, DOWN), width=80, height=24)
    assert "\n".join(lines) == FRAME


@pytest.mark.parametrize("height", [1, 2, 3, 5, 24])
@pytest.mark.parametrize("width", [1, 10, 80])
def test_the_live_view_fits_any_terminal(width: int, height: int) -> None:
    history = History()
    for _ in range(200):
        history.add([listing(BUSY, DOWN)])
    many = [listing(BUSY, DOWN, name=f"shop-{number}") for number in range(9)]
    lines = shown(history, *many, width=width, height=height)
    assert len(lines) == height
    assert all(len(line) <= width for line in lines)
    assert lines[-1] == "q quits"[:width]


def test_without_a_server_it_says_how_to_start_one() -> None:
    assert "--workers" in "\n".join(shown(History(), width=80, height=24))


def test_a_cut_line_ends_its_colours() -> None:
    assert fitted("\x1b[32mready\x1b[0m now", 3) == "\x1b[32mrea\x1b[0m"
    assert fitted("\x1b[32mready\x1b[0m now", 7) == "\x1b[32mready\x1b[0m n"


def test_a_server_that_has_gone_is_forgotten() -> None:
    history = History()
    history.add([listing(BUSY)])
    history.add([listing(BUSY, pid=8)])
    assert list(history.of) == [8]
    assert len(history.of[8].rates) == 1


def test_numbers_stand_in_the_units_that_say_most() -> None:
    seconds = [0.25, 9.94, 59, 61, 3599, 3600, 86399, 90000]
    assert [duration(each) for each in seconds] == [
        "0.2 s",
        "9.9 s",
        "59 s",
        "1 min 1 s",
        "59 min 59 s",
        "1 h 0 min",
        "23 h 59 min",
        "1 d 1 h",
    ]
    assert [size(each) for each in (0, 999, 1000, 34_349_999, 2 * 10**15)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "34.3 MB",
        "2000000.0 GB",
    ]
    assert [rate(each) for each in (0, 0.04, 0.5, 9.96, 12.4)] == [
        "0",
        "0.04",
        "0.5",
        "10.0",
        "12",
    ]


def test_the_pace_is_that_of_the_last_seconds() -> None:
    pace = Pace()
    assert (pace.rate, pace.load) == (0, 0)
    pace.count(100, requests=1000, processor=5)
    assert (pace.rate, pace.load) == (0, 0)  # of one sign nothing can be said
    for second in range(1, 10):
        pace.count(100 + second, requests=1000 + 10 * second, processor=5)
    assert (pace.rate, pace.load) == (10, 0)
    pace.count(110, requests=1090, processor=6)
    assert pace.load == 20
