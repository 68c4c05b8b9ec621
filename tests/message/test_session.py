"""Session, as a value: what changed, what cannot be stored, and who it is of."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from trioweb.message.errors import SetupError
from trioweb.message.fields import SESSION_LIMIT
from trioweb.message.session import Flash, Session


class Cart(msgspec.Struct, omit_defaults=True):
    items: list[str] = []
    note: str = ""


class Prefs(msgspec.Struct):
    tags: list[str] = []


@dataclass
class Point:
    x: int


def stored(**values: object) -> dict[str, bytes]:
    return {key: msgspec.json.encode(value) for key, value in values.items()}


def test_it_is_a_mapping_that_knows_what_changed() -> None:
    session = Session(stored(a=1, b=2))
    assert (dict(session), len(session), session.changes()) == ({"a": 1, "b": 2}, 2, {})
    session["c"] = 3
    del session["a"]
    assert session.changes() == {"a": None, "c": b"3"}
    assert (session["c"], "a" in session, session.get("a")) == (3, False, None)
    with pytest.raises(KeyError):
        del session["a"]
    with pytest.raises(KeyError):
        session["a"]


def test_what_comes_and_goes_unseen_is_no_change() -> None:
    session = Session()
    session["a"] = 1
    del session["a"]
    assert session.changes() == {}


def test_pop_setdefault_and_clear() -> None:
    session = Session(stored(a=1, b=2))
    assert (session.pop("a"), session.pop("a", None)) == (1, None)
    with pytest.raises(KeyError):
        session.pop("a")
    assert (session.setdefault("b", 3), session.setdefault("c", 4)) == (2, 4)
    session.clear()
    assert session.changes() == {"a": None, "b": None}


def test_what_was_read_and_not_changed_is_not_written() -> None:
    session = Session(stored(cart={"items": ["tea"]}, n=1))
    assert session["cart"] == {"items": ["tea"]}
    assert session.value("cart", Cart).items == ["tea"]
    assert session.changes() == {}


def test_what_was_changed_in_place_is_written() -> None:
    session = Session(stored(cart={"items": ["tea"]}))
    session["cart"]["items"].append("milk")
    assert session.changes() == {"cart": b'{"items":["tea","milk"]}'}


def test_what_was_changed_in_place_after_it_was_set_is_written_so() -> None:
    session = Session()
    session["tags"] = tags = ["a"]
    tags.append("b")
    assert session.changes() == {"tags": b'["a","b"]'}
    session.saved(session.changes())
    assert session.changes() == {}
    tags.append("c")
    assert session.changes() == {"tags": b'["a","b","c"]'}


WHEN = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)
WHO = uuid.UUID(int=7)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (WHEN, dt.datetime),
        (WHO, uuid.UUID),
        (b"\x00\xff", bytes),
        (Cart(["tea"], "now"), Cart),
        (Point(3), Point),
        ({1, 2}, set[int]),
        (None, type(None)),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_values_come_back_as_the_type_asked_for(value: object, kind: Any) -> None:  # noqa: ANN401
    session = Session()
    session["it"] = value
    assert session["it"] == value
    written = {key: field or b"" for key, field in session.changes().items()}
    assert Session(written).value("it", kind) == value


def test_a_value_that_is_read_by_type_is_the_same_each_time() -> None:
    session = Session(stored(prefs={"tags": ["a"]}))
    session.value("prefs", Prefs).tags.append("b")
    session.value("prefs", Prefs).tags.append("c")
    assert session.changes() == {"prefs": b'{"tags":["a","b","c"]}'}


def test_what_was_changed_in_place_is_seen_by_whoever_reads_it_by_another_type() -> (
    None
):
    session = Session(stored(tags=["a"]))
    session["tags"].append("b")
    assert session.value("tags", set[str]) == {"a", "b"}
    session.value("tags", list[str]).append("c")
    assert session["tags"] == ["a", "b", "c"]
    session["tags"].append("d")
    assert session.value("tags", tuple[str, ...]) == ("a", "b", "c", "d")
    assert session.changes() == {"tags": b'["a","b","c","d"]'}


def test_a_value_read_by_type_leaves_the_plain_one_plain() -> None:
    session = Session(stored(prefs={"tags": ["a"]}))
    session.value("prefs", Prefs)
    assert session["prefs"] == {"tags": ["a"]}
    assert session.changes() == {}


def test_a_value_of_another_type_is_refused_by_name() -> None:
    session = Session(stored(cart=3))
    with pytest.raises(ValueError, match=r"session\['cart'\] is no Cart"):
        session.value("cart", Cart)
    with pytest.raises(KeyError):
        session.value("nothing", Cart)


@pytest.mark.parametrize("value", [object(), {"a": object()}, lambda: None, 1j])
def test_what_json_cannot_say_is_refused_where_it_is_set(value: object) -> None:
    session = Session(stored(it=1))
    with pytest.raises(TypeError, match=r"session\['it'\] cannot be stored"):
        session["it"] = value
    assert (session["it"], session.changes()) == (1, {})


def test_a_ring_of_lists_is_refused_by_name() -> None:
    ring: list[object] = []
    ring.append(ring)
    with pytest.raises(TypeError, match=r"session\['ring'\]"):
        Session()["ring"] = ring


@pytest.mark.parametrize(
    ("key", "error"),
    [("~csrf", ValueError), ("\ud800", ValueError), (3, TypeError), (None, TypeError)],
)
def test_what_is_no_key_is_refused(key: Any, error: type[Exception]) -> None:  # noqa: ANN401
    with pytest.raises(error):
        Session()[key] = 1


def test_more_than_fits_is_refused_and_names_the_largest() -> None:
    session = Session(stored(small=1))
    session["large"] = "x" * (SESSION_LIMIT - len('smalllarge1""'))
    with pytest.raises(ValueError, match=r"session\['large'\].*database"):
        session["one"] = 1


def test_what_was_refused_for_its_size_is_not_there() -> None:
    session = Session(stored(a=1))
    for key in ("a", "b"):
        with pytest.raises(ValueError, match="a database"):
            session[key] = "x" * SESSION_LIMIT
    assert (dict(session), session.changes()) == ({"a": 1}, {})


def test_room_that_was_left_can_be_taken() -> None:
    session = Session()
    for _ in range(3):
        session["a"] = "x" * (SESSION_LIMIT - 3)  # one for the name, two for quotes
        with pytest.raises(ValueError, match="16386 bytes, more than 16384"):
            session["b"] = 1
        session["a"] = ""
        session["a"] = "x" * (SESSION_LIMIT - 3)
        del session["a"]
        session["b"] = ["x" * (SESSION_LIMIT - 5)]
        session["b"].clear()
        session.saved(session.changes())
        session.clear()
        session.saved(session.changes())


def test_a_list_that_grows_too_long_is_refused_when_it_is_saved() -> None:
    session = Session(stored(words=[]))
    session["words"].append("x" * SESSION_LIMIT)
    with pytest.raises(ValueError, match=r"session\['words'\]"):
        session.changes()


def test_nothing_is_written_through() -> None:
    fields = stored(a=1)
    session = Session(fields)
    session["a"] = 2
    session.saved(session.changes())
    assert fields == {"a": b"1"}


def test_a_sealed_session_can_be_read_and_says_how_to_write() -> None:
    session = Session(stored(a=1))
    session.sealed = True
    assert session["a"] == 1
    with pytest.raises(RuntimeError, match=r"await request\.session\.save"):
        session["a"] = 2
    for change in (session.rotate, session.destroy, session.clear, session.flashes):
        with pytest.raises(RuntimeError):
            change()
    with pytest.raises(RuntimeError):
        session.login("ada")
    with pytest.raises(RuntimeError):
        session.flash("hello")
    with pytest.raises(RuntimeError):
        del session["a"]


def test_it_rotates_with_what_it_holds_and_ends_without() -> None:
    session = Session(stored(a=1), user="ada")
    session.rotate()
    assert (session.rotated, session.destroyed, session["a"]) == (True, False, 1)
    session.destroy()
    assert (session.destroyed, session.rotated, dict(session)) == (True, False, {})
    assert (session.user, session.changes()) == (None, {})


def test_signing_in_rotates_and_keeps_what_a_visitor_had() -> None:
    session = Session(stored(cart=["tea"]))
    session.login("ada", about="Firefox")
    assert (session.user, session.rotated, session["cart"]) == ("ada", True, ["tea"])
    assert (list(session), len(session)) == (["cart"], 1)


def test_signing_in_as_somebody_else_keeps_nothing() -> None:
    session = Session(stored(cart=["tea"]), user="bob")
    session.login("ada")
    assert (session.user, session.destroyed, dict(session)) == ("ada", True, {})


@pytest.mark.parametrize("user", ["", 7, None])
def test_who_signs_in_has_a_name(user: Any) -> None:  # noqa: ANN401
    with pytest.raises(TypeError, match="who signs in as a str"):
        Session().login(user)


@pytest.mark.parametrize("user", ["x" * 1025, "\ud800"], ids=["long", "surrogate"])
def test_a_name_that_not_every_store_can_keep_is_refused(user: str) -> None:
    with pytest.raises(ValueError, match=r"login\("):
        Session().login(user)


def test_what_a_browser_calls_itself_is_cut_and_keeps_nobody_out() -> None:
    session = Session()
    session.login("ada", about="x" * SESSION_LIMIT)
    assert sum(len(field or b"") for field in session.changes().values()) < 1024


def test_flashes_are_taken_once_in_order_and_seen_by_nothing_else() -> None:
    session = Session()
    session.flash("saved")
    session.flash("careful", "warning")
    assert (len(session), dict(session)) == (0, {})
    later = Session({k: v for k, v in session.changes().items() if v is not None})
    assert later.flashes() == [Flash("saved", "info"), Flash("careful", "warning")]
    assert later.flashes() == []
    assert set(later.changes().values()) == {None}


def test_its_secret_is_made_once_seen_by_nothing_else_and_dropped_at_the_sign_in() -> (
    None
):
    session = Session()
    secret = session.secret()
    assert (len(secret), dict(session), session.secret()) == (32, {}, secret)
    later = Session({k: v for k, v in session.changes().items() if v is not None})
    later.sealed = True
    assert later.secret() == secret
    assert later.changes() == {}
    later.sealed = False
    later.login("ada")
    assert later.secret() != secret
    sealed = Session()
    sealed.sealed = True
    with pytest.raises(RuntimeError):
        sealed.secret()


def test_secrets_made_at_the_same_time_are_all_kept() -> None:
    one, other = Session(), Session()
    both = {one.secret(), other.secret()}
    fields = {**one.changes(), **other.changes()}
    together = Session({k: v for k, v in fields.items() if v is not None})
    assert set(together.secrets()) == both
    assert together.secret() in both
    together.login("ada")
    assert together.secrets() == []


def test_its_repr_tells_no_values() -> None:
    session = Session(stored(password="secret"), user="ada")
    assert repr(session) == "<Session of ada: password>"
    assert repr(Session()) == "<Session of a visitor: empty>"


async def test_without_a_layer_it_cannot_be_saved() -> None:
    with pytest.raises(SetupError, match=r"app\.use\(sessions\(\)\)"):
        await Session().save()


def test_what_changes_while_it_is_saved_is_still_to_be_written() -> None:
    session = Session()
    session["a"] = 1
    saving = session.changes()
    session["a"] = 2
    session.saved(saving)
    assert session.changes() == {"a": b"2"}


async def test_where_nobody_is_signed_in_nobody_is_signed_out() -> None:
    session = Session(stored(a=1))
    await session.sign_out("00")
    await session.sign_out_everywhere()
    assert (await session.signed_in(), session["a"]) == ([], 1)


async def test_saving_nothing_after_the_response_has_begun_is_nothing() -> None:
    session = Session(stored(a=1))
    session.sealed = True
    await session.save()
    assert session["a"] == 1
