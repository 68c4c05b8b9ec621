"""What every test stands on: no clock for hypothesis, its programs, no leaks."""

from __future__ import annotations

import os

import hypothesis
import pytest

from tests.needs import program
from trioweb.wire.service import Service

pytest_plugins = ["pytester", "tests.leaks", "tests.workers", "tests.clients.redis"]

# No deadline: a busy machine is not a fault in the parser.
hypothesis.settings.register_profile("trioweb", deadline=None, print_blob=True)
hypothesis.settings.load_profile("trioweb")

if os.environ.get("TESTS_LANE") == "off":
    # Everything once more without the lanes, whatever is asked for: no test can tell.
    Service.lane = property(lambda _: False, lambda *_: None)  # type: ignore[assignment,misc]
    # And in the programs that are started.
    os.environ["TRIOWEB_LANE"] = "false"


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        program(*mark.args)
