"""Cores: affinity and control groups say how many there are to use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from trioweb.run.cores import usable_cores

GROUPS = [
    ("version 2", "0::/a/b", {"a/b/cpu.max": "150000 100000"}, 2),
    ("version 2, no quota", "0::/a", {"a/cpu.max": "max 100000"}, 8),
    ("a part of a core", "0::/a", {"a/cpu.max": "20000 100000"}, 1),
    (
        "the group with the least",
        "0::/a/b",
        {"a/cpu.max": "300000 100000", "a/b/cpu.max": "max 100000"},
        3,
    ),
    ("in a container", "0::/host/only", {"cpu.max": "400000 100000"}, 4),
    (
        "version 1",
        "3:cpuset:/x\n2:cpu,cpuacct:/a",
        {"cpu/a/cpu.cfs_quota_us": "250000", "cpu/a/cpu.cfs_period_us": "100000"},
        3,
    ),
    (
        "version 1, no quota",
        "2:cpu:/",
        {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"},
        8,
    ),
    ("more than there are", "0::/", {"cpu.max": "9900000 100000"}, 8),
    ("nonsense", "0::/", {"cpu.max": "many"}, 8),
]


@pytest.mark.parametrize(
    ("groups", "files", "cores"), [g[1:] for g in GROUPS], ids=[g[0] for g in GROUPS]
)
def test_a_quota_counts_in_whole_cores(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    groups: str,
    files: dict[str, str],
    cores: int,
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    (tmp_path / "cgroup").write_text(f"{groups}\n")
    for name, text in files.items():
        path = tmp_path / "fs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    assert usable_cores(tmp_path / "cgroup", tmp_path / "fs") == cores


def test_without_groups_and_affinity_it_is_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert usable_cores(tmp_path / "nothing", tmp_path) == 6


def test_here_there_is_at_least_one() -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
