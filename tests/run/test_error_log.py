"""The error log where nobody has said where errors go; rows A6 and E1."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from trioweb.run.error_log import RATE, ErrorLog, errors_told

log = logging.getLogger("trioweb.error")


@contextmanager
def unconfigured() -> Iterator[None]:
    """A root logger without the handlers that pytest has put there."""
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    try:
        yield
    finally:
        root.handlers = handlers


def test_a_line_says_when_how_bad_and_what() -> None:
    lines: list[str] = []
    with unconfigured(), errors_told(lines.append):
        log.warning("it is %s", "so")
        log.info("nobody has asked")
    (line,) = lines
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ WARNING it is so", line)


def test_nothing_that_a_peer_sent_forges_a_line_or_drives_a_terminal() -> None:
    lines: list[str] = []
    with unconfigured(), errors_told(lines.append):
        sent = "no\n2026-01-01T00:00:00Z ERROR forged\x1b[2J\r\u202e"
        log.error("GET %a failed", "/", exc_info=ValueError(sent))
    first, *others = lines[0].split("\n")
    assert first.endswith("ERROR GET '/' failed")
    assert others[0] == "  ValueError: no"
    assert others[-1] == "  2026-01-01T00:00:00Z ERROR forged\\x1b[2J\\r\\u202e"
    assert all(line.startswith("  ") and line.isprintable() for line in others)


def test_a_flood_from_one_place_is_cut_and_hides_no_other() -> None:
    lines: list[str] = []
    handler = ErrorLog(lines.append)

    def tell(place: int, created: float) -> None:
        record = logging.LogRecord(
            "trioweb.error", logging.ERROR, "a.py", place, "fault %d", (place,), None
        )
        record.created = created
        handler.handle(record)

    with unconfigured():
        for _ in range(10 * RATE):
            tell(1, 1000.5)
        tell(2, 1000.5)
    assert len(lines) == RATE + 1
    assert "left out" in lines[RATE - 1]
    assert lines[RATE].endswith("fault 2")
    with unconfigured():
        tell(1, 1001.0)
    assert len(lines) == RATE + 2
    assert lines[-1].endswith("fault 1")


def test_a_configuration_that_exists_is_left_alone() -> None:
    lines: list[str] = []
    logger = logging.getLogger("trioweb")
    before = list(logger.handlers)
    with errors_told(lines.append):  # pytest has handlers of its own on the root
        assert logger.handlers == before
        log.error("to whom it may concern")
    assert not lines


def test_a_configuration_that_comes_later_takes_over() -> None:
    lines: list[str] = []
    with unconfigured(), errors_told(lines.append):
        own = logging.NullHandler()
        logging.getLogger().addHandler(own)
        log.error("to whom it may concern")
        logging.getLogger().removeHandler(own)
    assert not lines
    assert not logging.getLogger("trioweb").handlers
