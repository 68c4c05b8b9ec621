"""The self-check: a library that has changed is found out at the start; row E11."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from types import ModuleType

import h11
import pytest

from trioweb.message.errors import SetupError
from trioweb.run.selfcheck import PROMISES, check_h11


def test_the_installed_version_keeps_every_promise(
    caplog: pytest.LogCaptureFixture,
) -> None:
    check_h11()
    assert not caplog.records


def test_it_takes_no_time_to_speak_of() -> None:
    def once() -> float:
        begun = time.process_time()
        check_h11()
        return time.process_time() - begun

    assert min(once() for _ in range(10)) < 0.002


def imitation(**changed: object) -> ModuleType:
    """A library like h11 but for what is changed."""
    library = ModuleType("h11")
    vars(library).update(vars(h11))
    vars(library).update(changed)
    return library


def test_another_version_is_worth_a_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "trioweb.error"):
        for version in ("0.17.0", "1.0", "0.160"):
            check_h11(imitation(__version__=version))
        check_h11(imitation(__version__="0.16.9"))
    assert [record.args for record in caplog.records] == [
        ("0.17.0", "0.16"),
        ("1.0", "0.16"),
        ("0.160", "0.16"),
    ]


class NeverWaits(h11.Connection):
    """It has forgotten who waits."""

    @property
    def they_are_waiting_for_100_continue(self) -> bool:
        return False


class Lenient(h11.Connection):
    """It reads two lengths as the first of them, and takes other codings."""

    def receive_data(self, data: bytes) -> None:
        if data.count(b"Content-Length") == 2:
            data = data.replace(b"Content-Length: 3\r\n", b"")
        super().receive_data(data.replace(b"gzip, ", b"").replace(b"A :", b"A:"))


class Forgiving(h11.Connection):
    """It lets a response end early."""

    def send(self, event: h11.Event) -> bytes | None:  # type: ignore[override]  # one of three
        try:
            return super().send(event)
        except h11.LocalProtocolError:
            return b""


class Greedy(h11.Connection):
    """It does not stop at the end of a message."""

    @property
    def trailing_data(self) -> tuple[bytes, bool]:
        return b"", False


def no_connection(*_: object) -> None:
    raise TypeError("it takes other arguments now")


@pytest.mark.parametrize(
    ("connection", "promise"),
    [
        (NeverWaits, "who waits"),
        (Lenient, "two lengths"),
        (Forgiving, "too short"),
        (Greedy, "end of a message"),
        (no_connection, "end of a message"),
    ],
)
def test_a_promise_that_is_broken_is_named_with_its_remedy(
    connection: Callable[..., object], promise: str
) -> None:
    library = imitation(Connection=connection, __version__="0.16.3")
    with pytest.raises(SetupError, match=promise) as caught:
        check_h11(library)
    assert "'0.16.3'" in str(caught.value)
    assert 'pip install "h11==0.16.*"' in str(caught.value)


def test_every_promise_is_a_sentence() -> None:
    assert all(promise.startswith("it ") for promise in PROMISES)
