"""Sources: what a file and the environment say, and how they are wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from trioweb.run.settings import SettingError
from trioweb.run.sources import surroundings

Said = dict[str, tuple[object, str]]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(
    environment: Mapping[str, str] | None = None, file: Path | None = None
) -> Said:
    """What counts of each setting: its value and its place."""
    return {
        each.name: (each.value, each.place)
        for each in surroundings(environment or {}, file)
    }


def test_where_nothing_is_said_there_is_nothing() -> None:
    assert said() == {}


def test_the_environment_has_every_setting_by_one_name() -> None:
    environment = {
        "TRIOWEB_BIND": "8080,unix:/run/a.sock",
        "TRIOWEB_LIMITS_HEAD_TIME": "5",
        "TRIOWEB_RECYCLING_MEMORY": "none",
        "PATH": "/bin",
        "TRIOWEBBER": "1",
    }
    assert said(environment) == {
        "bind": (("8080", "unix:/run/a.sock"), "TRIOWEB_BIND"),
        "limits.head_time": (5.0, "TRIOWEB_LIMITS_HEAD_TIME"),
        "recycling.memory": (None, "TRIOWEB_RECYCLING_MEMORY"),
    }


def test_an_empty_variable_is_one_that_is_not_set() -> None:
    assert said({"TRIOWEB_WORKERS": "", "TRIOWEB_CONFIG": ""}) == {}


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("TRIOWEB_SERVICE_HOST", "10.0.0.1"),
        ("TRIOWEB_SHOP_SERVICE_PORT_HTTP", "80"),
        ("TRIOWEB_PORT", "tcp://10.0.0.1:80"),
        ("TRIOWEB_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("TRIOWEB_SHOP_PORT_80_TCP_ADDR", "10.0.0.1"),
    ],
)
def test_what_kubernetes_says_of_a_service_called_trioweb_is_not_meant_for_us(
    key: str, text: str
) -> None:
    assert said({key: text}) == {}


WRONG_VARIABLES = [
    ("TRIOWEB_GRCAE", "5", "TRIOWEB_GRCAE is no setting; did you mean TRIOWEB_GRACE?"),
    ("TRIOWEB_HEAD_TIME", "5", "did you mean TRIOWEB_LIMITS_HEAD_TIME?"),
    ("TRIOWEB_PORT", "80", "did you mean TRIOWEB_BIND?"),
    ("TRIOWEB_GRACE", "soon", "TRIOWEB_GRACE: 'soon' is not a number"),
]


@pytest.mark.parametrize(("key", "text", "message"), WRONG_VARIABLES)
def test_a_variable_that_is_wrong_is_named(key: str, text: str, message: str) -> None:
    with pytest.raises(SettingError, match=re.escape(message)):
        said({key: text})


OWN = 'grace = 5\nbind = ["8080"]\n[limits]\nhead_time = 2\n'
SHARED = "[tool.trioweb]\ngrace = 5\n[tool.trioweb.limits]\nhead_time = 2\n"


def test_the_file_in_the_working_directory_is_found(here: Path) -> None:
    (here / "trioweb.toml").write_text(OWN, "utf-8")
    assert said() == {
        "grace": (5.0, "trioweb.toml:grace"),
        "bind": (("8080",), "trioweb.toml:bind"),
        "limits.head_time": (2.0, "trioweb.toml:limits.head_time"),
    }


def test_one_that_lies_above_is_not(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "trioweb.toml").write_text(OWN, "utf-8")
    (here / "inner").mkdir()
    monkeypatch.chdir(here / "inner")
    assert said() == {}


def test_a_project_has_it_in_its_own_file(here: Path) -> None:
    (here / "pyproject.toml").write_text(SHARED, "utf-8")
    assert said() == {
        "grace": (5.0, "pyproject.toml:tool.trioweb.grace"),
        "limits.head_time": (2.0, "pyproject.toml:tool.trioweb.limits.head_time"),
    }
    named = said(file=here / "pyproject.toml")
    assert named["grace"] == (5.0, f"{here}/pyproject.toml:tool.trioweb.grace")


@pytest.mark.parametrize(
    "text", ["[project\n", "[project]\nname = 'trioweb'\n", "tool = 'trioweb'\n"]
)
def test_a_project_without_settings_of_ours_is_none_of_our_business(
    here: Path, text: str
) -> None:
    (here / "pyproject.toml").write_text(text, "utf-8")
    assert said() == {}


def test_the_environment_comes_after_the_file_and_may_name_it(here: Path) -> None:
    (here / "other.toml").write_text(OWN, "utf-8")
    (here / "trioweb.toml").write_text("grace = 'not read'", "utf-8")
    environment = {"TRIOWEB_GRACE": "6", "TRIOWEB_CONFIG": "other.toml"}
    found = said(environment)
    assert found["grace"] == (6.0, "TRIOWEB_GRACE")
    assert found["bind"] == (("8080",), "other.toml:bind")
    named = said({"TRIOWEB_CONFIG": "not there"}, here / "other.toml")
    assert named["grace"][0] == 5.0


WRONG_FILES = [
    ("no table", "grace = \n", "trioweb.toml is no TOML: "),
    ("not UTF-8", b"grace = '\xff'", "trioweb.toml is no TOML: "),
    ("unknown", "grcae = 1", "trioweb.toml:grcae is no setting; did you mean grace?"),
    ("unknown table", "[limit]\nage = 1", "trioweb.toml:limit.age is no setting"),
    ("no value", "[grace]\nage = 1", "trioweb.toml:grace.age is no setting"),
    ("a value", "limits = 1", "trioweb.toml:limits is no setting"),
    ("type", "grace = 'a'", "trioweb.toml:grace: 'a' is not a number"),
    ("date", "grace = 2026-01-01", "is not a number"),
    ("tables", "[[bind]]\nhost = 'a'", "is not a list of texts"),
]


@pytest.mark.parametrize(
    ("text", "message"), [c[1:] for c in WRONG_FILES], ids=[c[0] for c in WRONG_FILES]
)
def test_a_file_that_is_wrong_is_named_with_the_key(
    here: Path, text: str | bytes, message: str
) -> None:
    content = text if isinstance(text, bytes) else text.encode()
    (here / "trioweb.toml").write_bytes(content)
    with pytest.raises(SettingError, match=re.escape(message)) as caught:
        said()
    assert "\n" not in str(caught.value)


def test_a_file_that_is_named_must_be_there(here: Path) -> None:
    with pytest.raises(SettingError, match=r"a\.toml cannot be read: No such file"):
        said(file=here / "a.toml")
    with pytest.raises(SettingError, match=r"b\.toml cannot be read: No such file"):
        said({"TRIOWEB_CONFIG": "b.toml"})


def test_a_project_that_cannot_be_read_might_have_settings(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "pyproject.toml").write_text(SHARED, "utf-8")

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    # Who runs the tests may be root, whom no mode keeps from reading.
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(SettingError, match="Permission denied"):
        said()


def test_two_files_with_settings_are_one_too_many(here: Path) -> None:
    (here / "trioweb.toml").write_text(OWN, "utf-8")
    (here / "pyproject.toml").write_text(SHARED, "utf-8")
    with pytest.raises(SettingError, match="keep one of them"):
        said()


@pytest.mark.parametrize("text", ["[tool]\ntrioweb = 1", "tool = 1"])
def test_a_table_of_ours_is_a_table(here: Path, text: str) -> None:
    (here / "pyproject.toml").write_text(text, "utf-8")
    with pytest.raises(SettingError, match=re.escape("write [tool.trioweb]")):
        said(file=here / "pyproject.toml")
