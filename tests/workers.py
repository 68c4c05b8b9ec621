"""Workers of pytest-xdist: how many there are, and which tests never run side by side.

A pytest plugin.  It decides nothing where tests run in one process.
"""

from __future__ import annotations

import os

import pytest

# Tests that ask a server for all it can do, or let the machine be busy with killing and
# starting processes.  Two of them at a time would starve each other and all the rest.
HEAVY = (
    "tests/benchmarks/",
    "tests/deploy/test_proxies.py",
    "tests/run/cluster/test_chaos.py",
    "tests/run/cluster/test_sessions.py",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """What ``-n auto`` means: two more than there are cores, as tests wait a lot."""
    if hasattr(os, "sched_getaffinity"):
        return 2 + len(os.sched_getaffinity(0))
    return 2 + (os.cpu_count() or 1)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Give the heavy tests to one worker, which runs them one after the other."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    for item in items:
        if item.nodeid.startswith(HEAVY):
            item.add_marker(pytest.mark.xdist_group("heavy"))
