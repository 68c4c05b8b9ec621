"""The place: who finds which server, and whom it lets in."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.run.cluster.crews import mode
from tests.run.control.homes import home
from trioweb.run.control import place
from trioweb.run.control.place import (
    PlaceError,
    findable,
    name_for,
    own_place,
    places,
    servers,
)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """An environment whose servers nobody else finds."""
    with home() as directory:
        for name in ("SERVICES", "USERS", "TEMPORARY"):
            monkeypatch.setattr(place, name, directory / name)
        yield {"XDG_RUNTIME_DIR": str(directory)}


def names(here: dict[str, str]) -> list[str]:
    return [each.name for each in servers(here)]


def test_o6_only_its_user_can_come_near_it(here: dict[str, str]) -> None:
    with findable(None, "shop.py", here) as found:
        assert found is not None
        path = own_place(here) / "shop.sock"
        assert mode(path.parent) == 0o700
        assert mode(path) == 0o600
        assert not os.get_inheritable(found.socket.fileno())
        assert names(here) == ["shop"]
    assert names(here) == []
    assert list(path.parent.iterdir()) == []


NAMES = [
    ("shop.py", "shop"),
    ("/srv/web/shop.py:app", "shop"),
    ("shop.web:app", "shop.web"),
    ("my shop (2).py", "my-shop-2"),
    ("../가게.py", "server"),
    ("-.py", "server"),
    (f"{'x' * 200}.py", "x" * 40),
]


@pytest.mark.parametrize(("target", "name"), NAMES, ids=[row[1] for row in NAMES])
def test_a_server_is_called_after_its_target(target: str, name: str) -> None:
    assert name_for(target) == name


def test_a_second_of_one_name_gets_a_number(here: dict[str, str]) -> None:
    with findable(None, "shop.py", here), findable(None, "b/shop.py", here) as second:
        assert second is not None
        assert second.name == "shop-2"
        assert names(here) == ["shop-2", "shop"]


def test_a_name_that_was_chosen_must_be_free(here: dict[str, str]) -> None:
    with (
        findable("shop", "a.py", here),
        pytest.raises(PlaceError, match="called shop runs already"),
        findable("shop", "b.py", here),
    ):
        pass


def test_what_a_killed_server_has_left_is_removed(here: dict[str, str]) -> None:
    directory = own_place(here)
    directory.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(directory / "shop.sock"))
    assert names(here) == []
    assert list(directory.iterdir()) == []


def test_a_dead_name_is_taken_over(here: dict[str, str]) -> None:
    directory = own_place(here)
    directory.mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(directory / "shop.sock"))
    with findable("shop", "a.py", here) as found:
        assert found is not None
        assert names(here) == ["shop"]


def test_what_is_no_socket_is_left_alone(here: dict[str, str]) -> None:
    directory = own_place(here)
    directory.mkdir(mode=0o700)
    (directory / "notes.sock").write_text("mine", "utf-8")
    (directory / "link.sock").symlink_to("/dev/null")
    assert names(here) == []
    assert len(list(directory.iterdir())) == 2


def make_link(path: Path) -> None:
    (path.parent / "elsewhere").mkdir(mode=0o700)
    path.symlink_to(path.parent / "elsewhere")


def make_open(path: Path) -> None:
    path.mkdir()
    path.chmod(0o755)


UNSAFE = [
    ("a symbolic link", make_link, "is no directory"),
    ("open to others", make_open, "is open to other users"),
    ("a file", lambda path: path.write_text("", "utf-8"), "File exists"),
]


@pytest.mark.parametrize(
    ("make", "fault"), [r[1:] for r in UNSAFE], ids=[r[0] for r in UNSAFE]
)
def test_a_place_that_is_not_safe_is_not_used(
    here: dict[str, str],
    make: object,
    fault: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert callable(make)
    make(own_place(here))
    with caplog.at_level(logging.WARNING), findable(None, "shop.py", here) as found:
        assert found is None  # the server does without
    assert fault in caplog.text
    assert own_place(here) not in places(here)
    with pytest.raises(PlaceError, match=fault), findable("shop", "shop.py", here):
        pass


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_a_place_of_another_user_is_not_used(here: dict[str, str]) -> None:
    directory = own_place(here)
    directory.mkdir(mode=0o700)
    os.chown(directory, 65534, 65534)
    assert directory not in places(here)
    with (
        pytest.raises(PlaceError, match="belongs to another user"),
        findable("shop", "shop.py", here),
    ):
        pass


def test_a_service_of_systemd_has_its_own_place(here: dict[str, str]) -> None:
    service = place.SERVICES / "shop"
    service.mkdir(mode=0o700, parents=True)
    here["RUNTIME_DIRECTORY"] = str(service)
    assert own_place(here) == service
    del here["RUNTIME_DIRECTORY"]
    assert service in places(here)
    # One that is not of ours says nothing.
    here["RUNTIME_DIRECTORY"] = "/run/other"
    assert own_place(here) == Path(here["XDG_RUNTIME_DIR"]) / "trioweb"


def test_a_server_that_knows_less_of_its_user_is_found(here: dict[str, str]) -> None:
    place.TEMPORARY.mkdir()
    with findable("cron", "a.py", {}), findable("shop", "b.py", here):
        assert names(here) == ["shop", "cron"]
        assert names({}) == ["cron"]
