"""The chaos command: what its peers saw is judged, and shown in a row."""

from __future__ import annotations

import pytest

from benchmarks.chaos import row
from benchmarks.havoc import Seen

JUDGED = [
    ("all well", Seen(answered=9, failed=2, bound=2, kept=["a"]), ""),
    ("one refused", Seen(refused=1), "1 refused"),
    ("too many failed", Seen(failed=3, bound=2), "3 failed, and no more than 2 may"),
    ("a write lost", Seen(kept=["a"], lost=1), "1 acknowledged writes lost"),
    ("its end", Seen(faults=["exit code 1"]), "exit code 1"),
]


@pytest.mark.parametrize(
    ("seen", "fault"), [c[1:] for c in JUDGED], ids=[c[0] for c in JUDGED]
)
def test_only_what_was_in_flight_may_fail(seen: Seen, fault: str) -> None:
    assert "; ".join(seen.judge()) == fault
    assert row("kills", seen)[-1] == (f"FAIL: {fault}" if fault else "PASS")


def test_a_row_says_what_was_seen() -> None:
    seen = Seen(done=3, answered=9, failed=1, bound=2, kept=["a", "b"], waits=[1, 2])
    assert row("kills", seen)[:-2] == ["kills", "3", "9", "0", "1 (2)", "2: 0"]
