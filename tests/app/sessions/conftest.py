"""The fixture that brings each store in turn."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.app.sessions.stores import STANDS, Stand


@pytest.fixture(params=sorted(STANDS))
def stand(request: pytest.FixtureRequest, tmp_path: Path) -> Stand:
    return STANDS[str(request.param)](request, tmp_path)
