"""What somebody has planted in a file of sessions: dropped, logged, never executed."""

from __future__ import annotations

import logging
import math
import os
import pickle
from pathlib import Path

import msgspec
import pytest

from tests.app.sessions.sqlite_files import KEY, beside, fields, opened
from trioweb.app.sessions.sqlite import SQLiteStore
from trioweb.app.sessions.store import Outcome, StoreError

FIELDS = msgspec.msgpack.encode({"a": b"1"})
NOW = 1_700_000_000.0


class Bomb:
    """What runs a program where it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (os.system, ("touch exploded",))


HOSTILE: list[tuple[str, dict[str, object]]] = [
    ("a pickle", {"fields": pickle.dumps(Bomb())}),
    ("nothing", {"fields": b""}),
    ("cut off", {"fields": FIELDS[:-1]}),
    ("more after it", {"fields": FIELDS + b"\x00"}),
    ("a list", {"fields": msgspec.msgpack.encode([1, 2])}),
    ("text for bytes", {"fields": msgspec.msgpack.encode({"a": "1"})}),
    ("numbers for names", {"fields": msgspec.msgpack.encode({1: b"1"})}),
    ("names that are no text", {"fields": b"\x81\xa1\xff\xc4\x011"}),
    ("more than there is", {"fields": b"\xdf\xff\xff\xff\xff"}),
    ("deep", {"fields": b"\x81" * 100_000}),
    ("text", {"fields": '{"a": 1}'}),
    ("a number", {"fields": 7}),
    ("a user who is no text", {"user": b"\xff\xfe"}),
    ("a user of another type", {"user": 1}),
    ("born before time", {"born": -1.0}),
    ("born after it was seen", {"born": NOW + 1}),
    ("born never", {"born": "never"}),
    ("born at the end", {"born": math.inf, "seen": math.inf}),
    ("seen at the end", {"seen": math.inf}),
    ("seen never", {"seen": b""}),
    ("swept never", {"until": "never"}),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@pytest.mark.parametrize(
    "hostile", [case[1] for case in HOSTILE], ids=[case[0] for case in HOSTILE]
)
@pytest.mark.parametrize("way", ["load", "save", "touch"])
async def test_a_row_that_we_have_not_written_is_dropped_and_logged(
    path: Path,
    hostile: dict[str, object],
    way: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(path.parent)
    store = SQLiteStore(path, wall=lambda: NOW)
    async with opened(path, store=store):
        plant(path, hostile)
        with caplog.at_level(logging.WARNING):
            if way == "load":
                assert await store.load(KEY) is None
            elif way == "save":
                assert await store.save(KEY, {"a": b"2"}) is Outcome.GONE
            else:
                await store.touch(KEY)
        assert "damaged" in caplog.text
        with beside(path) as db:
            found = db.execute("SELECT count(*) FROM session")
            assert found.fetchone() == (0,)
    assert not path.with_name("exploded").exists()


def plant(path: Path, hostile: dict[str, object]) -> None:
    row = {"user": None, "fields": FIELDS, "born": NOW, "seen": NOW, "until": NOW}
    columns = {"key": KEY, **row, **hostile}
    names, places = ", ".join(columns), ", ".join("?" * len(columns))
    with beside(path) as db:
        sql = f"INSERT INTO session ({names}) VALUES ({places})"  # noqa: S608
        db.execute(sql, list(columns.values()))


async def test_a_row_like_those_planted_is_otherwise_a_session(path: Path) -> None:
    store = SQLiteStore(path, wall=lambda: NOW)
    async with opened(path, store=store):
        plant(path, {})
        assert await fields(store) == {"a": b"1"}


async def test_a_trigger_that_somebody_has_planted_calls_nothing(path: Path) -> None:
    async with opened(path) as store:
        await store.create(KEY, {}, None)
    with beside(path) as db:
        db.execute(
            "CREATE TRIGGER planted AFTER UPDATE ON session BEGIN"
            " SELECT load_extension('/tmp/evil'); END"
        )
    async with opened(path) as store:
        with pytest.raises(StoreError) as caught:
            await store.save(KEY, {"a": b"1"})
        assert "unsafe use of load_extension" in caught.value.reason
