"""The targets of the fuzzer hold for what is known to be odd, and for what is not."""

from __future__ import annotations

import subprocess
import sys

import hypothesis
import pytest
from hypothesis import strategies as st

from benchmarks.fuzz import main
from tests.fuzz.corpus import CORPUS
from tests.fuzz.targets import TARGETS, same

SEEDS = [(name, data) for name, seeds in CORPUS.items() for data in seeds]
IDS = [f"{name} {data[:30]!r}" for name, data in SEEDS]


@st.composite
def near(draw: st.DrawFn, name: str) -> bytes:
    """Bytes near those of the corpus: some of its inputs, cut, joined and spiced."""
    spice = st.sampled_from([b"\r\n", b"\n", b"\r", b"\0", b'"', b"%", b";", b":"])
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        seed = draw(st.sampled_from(CORPUS[name]))
        begin = draw(st.integers(0, len(seed)))
        parts += [
            seed[begin : draw(st.integers(begin, len(seed)))],
            draw(st.one_of(spice, st.binary(max_size=3))),
        ]
    return b"".join(parts)


def test_every_target_has_its_corpus() -> None:
    assert CORPUS.keys() == TARGETS.keys()


@pytest.mark.parametrize(("name", "data"), SEEDS, ids=IDS)
def test_it_holds_for_the_corpus(name: str, data: bytes) -> None:
    TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
@hypothesis.given(data=st.data())
def test_it_holds_near_the_corpus(name: str, data: st.DataObject) -> None:
    TARGETS[name](data.draw(near(name)))


@pytest.mark.parametrize("name", TARGETS)
@hypothesis.given(data=st.binary(max_size=200))
def test_it_holds_for_any_bytes(name: str, data: bytes) -> None:
    TARGETS[name](data)


def test_a_target_can_fail() -> None:
    with pytest.raises(AssertionError, match="one reads 1, another 2"):
        same(iter([1, 1, 2]))


def test_the_command_says_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # How Python itself says that there is no such module.
    monkeypatch.setitem(sys.modules, "atheris", None)
    assert main(["--seconds", "1"]) == 2
    assert "pip install atheris" in capsys.readouterr().err


def test_the_command_refuses_a_target_that_there_is_not() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.fuzz", "nothing"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert "gate" in done.stderr
