"""A missing program skips its tests, and fails them where it is required."""

from __future__ import annotations

import pytest

from tests.needs import needs, program


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("required", ["", "node", "node,wrk"])
def test_a_missing_program_skips_with_a_plain_sentence(
    monkeypatch: pytest.MonkeyPatch, required: str
) -> None:
    monkeypatch.setenv("TESTS_REQUIRE", required)
    with pytest.raises(pytest.skip.Exception, match="curl is not installed"):
        program("curl")


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("required", ["all", "curl", "node,curl"])
def test_a_missing_program_that_is_required_fails(
    monkeypatch: pytest.MonkeyPatch, required: str
) -> None:
    monkeypatch.setenv("TESTS_REQUIRE", required)
    with pytest.raises(pytest.fail.Exception, match="TESTS_REQUIRE"):
        program("curl")


def test_a_program_nobody_knows_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="'crul' is not one of"):
        needs("crul")


@needs("curl")
def test_a_marked_test_finds_its_program() -> None:
    assert program("curl").is_file()
