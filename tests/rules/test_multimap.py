"""The map with repeats."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioweb.rules.multimap import MissingKey, MultiMap

TAGS = MultiMap([("tag", "a"), ("page", "2"), ("tag", "b")])


def test_a_name_gives_its_first_value() -> None:
    assert TAGS["tag"] == "a"
    assert TAGS.get("tag") == "a"
    assert TAGS.get_all("tag") == ["a", "b"]


def test_each_name_is_counted_once_and_in_order() -> None:
    assert list(TAGS) == ["tag", "page"]
    assert len(TAGS) == 2
    assert dict(TAGS) == {"tag": "a", "page": "2"}


def test_a_missing_name_is_named() -> None:
    with pytest.raises(MissingKey) as caught:
        TAGS["color"]
    assert caught.value.key == "color"
    assert str(caught.value) == "there is no 'color'"
    assert isinstance(caught.value, KeyError)


def test_a_missing_name_can_be_asked_for() -> None:
    assert TAGS.get("color") is None
    assert TAGS.get("color", "red") == "red"
    assert TAGS.get_all("color") == []
    assert "color" not in TAGS
    assert "tag" in TAGS


def test_what_is_handed_out_changes_nothing() -> None:
    TAGS.get_all("tag").append("c")
    assert TAGS.get_all("tag") == ["a", "b"]


def test_equal_maps_have_equal_pairs() -> None:
    assert MultiMap(TAGS.pairs) == TAGS
    assert hash(MultiMap(TAGS.pairs)) == hash(TAGS)
    assert MultiMap(TAGS.items()) != TAGS
    assert TAGS == {"tag": "a", "page": "2"}
    assert TAGS != 1


def test_the_repr_can_be_pasted() -> None:
    assert repr(TAGS) == "MultiMap([('tag', 'a'), ('page', '2'), ('tag', 'b')])"
    assert repr(MultiMap()) == "MultiMap([])"


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text(max_size=3))))
def test_every_pair_is_found_again(pairs: list[tuple[str, str]]) -> None:
    found = MultiMap(pairs)
    assert found.pairs == tuple(pairs)
    assert sum(len(found.get_all(name)) for name in found) == len(pairs)
    for name in found:
        assert found.get_all(name)[0] == found[name]
