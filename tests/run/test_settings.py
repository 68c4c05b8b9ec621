"""Settings: one name in all places, and what a word or a value means there."""

from __future__ import annotations

import dataclasses
import re
import tomllib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioweb.run.config import Config
from trioweb.run.recycling import Recycling
from trioweb.run.settings import (
    KINDS,
    Setting,
    SettingError,
    from_text,
    from_value,
    nearest,
    settle,
    value_of,
    variable,
)
from trioweb.run.shown import as_json, as_toml
from trioweb.run.tls.config import TLS
from trioweb.wire.limits import Limits

WORDS: list[tuple[str, str, object]] = [
    ("bind", "8080", ("8080",)),
    ("bind", " :80 , unix:/run/a.sock,", (":80", "unix:/run/a.sock")),
    ("trusted_proxies", "none", ()),
    ("workers", "4", 4),
    ("workers", "auto", "auto"),
    ("workers", "None", None),
    ("access_log", "json", "json"),
    ("grace", "5", 5.0),
    ("limits.head_time", "2.5", 2.5),
    ("limits.fields", "7", 7),
    ("recycling.age", "3600", 3600.0),
    ("recycling.memory", "none", None),
]


@pytest.mark.parametrize(("name", "text", "value"), WORDS)
def test_a_word_is_read_as_the_type_of_its_setting(
    name: str, text: str, value: object
) -> None:
    found = from_text(name, text)
    assert (found, type(found)) == (value, type(value))


VALUES: list[tuple[str, object, object]] = [
    ("bind", ["8080"], ("8080",)),
    ("workers", 4, 4),
    ("workers", "none", None),
    ("grace", 5, 5.0),
    ("recycling.requests", "none", None),
]


@pytest.mark.parametrize(("name", "given", "value"), VALUES)
def test_a_value_is_taken_as_it_is(name: str, given: object, value: object) -> None:
    found = from_value(name, given)
    assert (found, type(found)) == (value, type(value))


WRONG: list[tuple[str, object, str]] = [
    ("grace", "soon", "'soon' is not a number"),
    ("grace", "", "'' is not a number"),
    ("grace", True, "True is not a number"),
    ("grace", None, "None is not a number"),
    ("limits.fields", 1.5, "1.5 is not a whole number"),
    ("limits.fields", "1_0", "'1_0' is not a whole number"),
    ("workers", "all", '\'all\' is not a whole number, "auto" or "none"'),
    ("workers", True, 'True is not a whole number, "auto" or "none"'),
    ("access_log", "xml", '\'xml\' is not "human", "json" or "off"'),
    ("bind", 8080, "8080 is not a list of texts"),
    ("bind", [80], "[80] is not a list of texts"),
    ("limits.rate", "none", "'none' is not a whole number"),
]


@pytest.mark.parametrize(("name", "given", "message"), WRONG)
def test_what_is_no_value_is_told_with_what_there_is(
    name: str, given: object, message: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        from_value(name, given)
    if isinstance(given, str):
        with pytest.raises(ValueError, match=re.escape(message)):
            from_text(name, given)


def test_every_field_is_a_setting_under_one_name() -> None:
    names = {each.name for each in dataclasses.fields(Config)}
    names -= {"limits", "recycling", "tls"}
    names |= {f"limits.{each.name}" for each in dataclasses.fields(Limits)}
    names |= {f"recycling.{each.name}" for each in dataclasses.fields(Recycling)}
    names |= {f"tls.{each.name}" for each in dataclasses.fields(TLS)}
    assert KINDS.keys() == names
    assert len({variable(name) for name in names}) == len(names)
    for name in names:
        value_of(Config(), name)


def test_of_two_settings_the_later_counts_and_is_known() -> None:
    first = Setting("limits.head_time", 1.0, "trioweb.toml", "limits.head_time")
    second = Setting("limits.head_time", 2.0, "TRIOWEB_LIMITS_HEAD_TIME")
    other = Setting("workers", 3, "--workers")
    settled = settle(Config(grace=7), [first, second, other])
    assert settled.config == Config(grace=7, workers=3, limits=Limits(head_time=2))
    assert settled.given == {"limits.head_time": second, "workers": other}


OUT_OF_RANGE = [
    Setting("grace", -1.0, "TRIOWEB_GRACE"),
    Setting("limits.head_time", 0.0, "a.toml", "limits.head_time"),
    Setting("recycling.jitter", 1.0, "pyproject.toml", "tool.trioweb.jitter"),
    Setting("bind", ("http://a",), "--bind"),
    Setting("trusted_proxies", ("10.0.0.1/8",), "--trusted-proxies"),
]


@pytest.mark.parametrize("setting", OUT_OF_RANGE, ids=lambda each: each.name)
def test_a_value_that_cannot_be_is_refused_with_its_place(setting: Setting) -> None:
    with pytest.raises(SettingError) as caught:
        settle(Config(), [setting])
    assert str(caught.value).startswith(f"{setting.place}: ")


NEAREST = [
    ("limits.hed_time", "limits.head_time"),
    ("head_tiem", "limits.head_time"),
    ("bnid", "bind"),
    ("port", "bind"),
    ("host", "bind"),
    ("trusted-proxies", "trusted_proxies"),
]


@pytest.mark.parametrize(("word", "meant"), NEAREST)
def test_the_nearest_name_is_offered(word: str, meant: str) -> None:
    assert nearest(word, KINDS) == f"did you mean {meant}?"


def test_what_is_like_nothing_is_told_where_to_look() -> None:
    assert "--show-config" in nearest("xyzzy", KINDS)


CONFIGS = st.builds(
    Config,
    bind=st.lists(
        st.sampled_from(["8080", ":80", 'unix:/tmp/\u00e4"\\ \u2028.sock']), min_size=1
    ).map(tuple),
    grace=st.floats(0, 1e300),
    workers=st.none() | st.just("auto") | st.integers(1, 1024),
    access_log=st.sampled_from(["human", "json", "off"]),
    limits=st.builds(Limits, head_time=st.floats(1e-300, 1e300), rate=st.integers(1)),
    recycling=st.builds(Recycling, requests=st.none() | st.integers(1)),
)


@given(CONFIGS)
def test_what_is_shown_is_a_file_that_says_the_same(config: Config) -> None:
    said = tomllib.loads(as_toml(settle(config, [])))
    again = Config()
    for name in KINDS:
        value: object = said
        for part in name.split("."):
            assert isinstance(value, dict)
            value = value[part]
        setting = Setting(name, from_value(name, value), "")
        again = settle(again, [setting]).config
    assert again == config


def test_each_value_is_shown_with_where_it_is_from_and_aligned() -> None:
    settings = [
        Setting("grace", 5.0, "TRIOWEB_GRACE"),
        Setting("limits.age", 60.0, "odd\nname.toml", "limits.age"),
    ]
    lines = as_toml(settle(Config(), settings)).splitlines()
    shown = [re.sub(" +", " ", line) for line in lines]
    assert "grace = 5.0 # TRIOWEB_GRACE" in shown
    assert "age = 60.0 # odd\\nname.toml" in shown
    assert 'workers = "none" # default' in shown
    assert len({line.index("# ") for line in lines if "# " in line}) == 1


def test_programs_get_the_same_as_json() -> None:
    settled = settle(Config(), [Setting("workers", "auto", "--workers")])
    said = msgspec.json.decode(as_json(settled))
    assert said.keys() == KINDS.keys()
    assert said["workers"] == {"value": "auto", "from": "--workers"}
    assert said["recycling.age"] == {"value": None, "from": "default"}
