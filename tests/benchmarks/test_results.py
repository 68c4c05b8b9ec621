"""Recorded figures: each command replaces its own section and no other."""

from __future__ import annotations

from pathlib import Path

from benchmarks.results import record


def test_a_section_is_replaced_and_the_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "results.md"
    record("attacks", "python -m a", "first \\1", path=path)
    record("soak", "python -m s", "flat", path=path)
    record("attacks", "python -m a --peers 5", "second \\1", path=path)
    text = path.read_text()
    assert text.startswith("# Results\n")
    assert "first" not in text
    assert text.index("second \\1") < text.index("flat")
    assert text.count("## Attacks") == text.count("## Soak") == 1


def test_what_was_written_around_the_sections_stays(tmp_path: Path) -> None:
    path = tmp_path / "results.md"
    path.write_text("# Ours\n\nTorture: 0 failures.\n")
    for text in ("one", "two"):
        record("soak", "python -m s", text, path=path)
    assert path.read_text().startswith("# Ours\n\nTorture: 0 failures.\n\n<!-- soak")
