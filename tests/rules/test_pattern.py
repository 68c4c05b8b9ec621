"""Route patterns and the kinds of their parameters."""

from __future__ import annotations

import random
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioweb.rules.kinds import FLOAT, INT, KINDS, PATH, STR, UUID, Kind, joined
from trioweb.rules.pattern import (
    Literal,
    Parameter,
    Pattern,
    PatternError,
    parse_pattern,
    shape,
    specificity,
)
from trioweb.rules.target import parse_target

ID = "0b4e2a1c-8d3f-4A55-9c77-2f1e5d6b7a80"

VALUES = [
    ("int", INT, "42", 42),
    ("int negative", INT, "-42", -42),
    ("int leading zero", INT, "007", 7),
    ("int eighteen digits", INT, "-" + "9" * 18, -(10**18) + 1),
    ("int nineteen digits", INT, "9" * 19, None),
    ("int plus", INT, "+4", None),
    ("int underscore", INT, "1_0", None),
    ("int space", INT, " 4", None),
    ("int line end", INT, "4\n", None),
    ("int empty", INT, "", None),
    ("int sign alone", INT, "-", None),
    ("int other digits", INT, "\N{ARABIC-INDIC DIGIT FOUR}", None),
    ("float", FLOAT, "2.50", 2.5),
    ("float of an int", FLOAT, "-2", -2.0),
    ("float no digits before", FLOAT, ".5", None),
    ("float no digits behind", FLOAT, "5.", None),
    ("float exponent", FLOAT, "1e5", None),
    ("float nan", FLOAT, "nan", None),
    ("float inf", FLOAT, "inf", None),
    ("float 32 characters", FLOAT, "0." + "1" * 30, 0.1111111111111111),
    ("float 33 characters", FLOAT, "0." + "1" * 31, None),
    ("uuid", UUID, ID, uuid.UUID(ID)),
    ("uuid without dashes", UUID, ID.replace("-", ""), None),
    ("uuid in braces", UUID, "{" + ID + "}", None),
    ("uuid not hex", UUID, "g" + ID[1:], None),
    ("str", STR, "한/글", "한/글"),
    ("str empty", STR, "", None),
    ("path", PATH, "a/b", "a/b"),
    ("path empty", PATH, "", ""),
]


@pytest.mark.parametrize(
    ("kind", "text", "value"), [case[1:] for case in VALUES], ids=[c[0] for c in VALUES]
)
def test_kinds(kind: Kind, text: str, value: object) -> None:
    found = kind.convert(text)
    assert found == value
    assert type(found) is type(value)


def test_every_kind_has_its_rank() -> None:
    ranked = sorted(KINDS.values(), key=lambda kind: kind.rank)
    assert [kind.name for kind in ranked] == ["uuid", "int", "float", "str", "path"]
    assert ranked[0].rank > 0


@given(st.text() | st.text("0123456789.-+e"))
def test_a_kind_matches_or_not_and_never_fails(text: str) -> None:
    for kind in KINDS.values():
        kind.convert(text)


def test_a_path_takes_all_that_remains_unless_a_slash_was_encoded() -> None:
    assert joined(["a"]) == "a"
    assert joined(["a", "b", ""]) == "a/b/"
    assert joined([""]) == ""
    assert joined([]) is None
    assert joined(["a", "b/c"]) is None


PATTERNS = [
    ("/", (Literal(""),), ()),
    ("/users", (Literal("users"),), ()),
    ("/users/", (Literal("users"), Literal("")), ()),
    ("/users/{id:int}", (Literal("users"), Parameter("id", INT)), ("id",)),
    ("/{a}/{b:uuid}", (Parameter("a", STR), Parameter("b", UUID)), ("a", "b")),
    ("/{a:str}/b", (Parameter("a", STR), Literal("b")), ("a",)),
    ("/{rest:path}", (Parameter("rest", PATH),), ("rest",)),
    ("/한글/a b", (Literal("한글"), Literal("a b")), ()),
    ("/{이름}", (Parameter("이름", STR),), ("이름",)),
    ("/{e\u0301}", (Parameter("\u00e9", STR),), ("\u00e9",)),
]


@pytest.mark.parametrize(
    ("text", "parts", "names"), PATTERNS, ids=[case[0] for case in PATTERNS]
)
def test_patterns(
    text: str, parts: tuple[Literal | Parameter, ...], names: tuple[str, ...]
) -> None:
    assert parse_pattern(text) == Pattern(text, parts, names)


BAD = [
    ("no slash", "users", r"'users' does not start with /; write '/users'"),
    ("empty", "", "does not start with /"),
    ("unknown kind", "/{id:number}", "unknown kind 'number'; use one of uuid, int"),
    ("empty kind", "/{id:}", "unknown kind ''"),
    ("two colons", "/{id:int:int}", "unknown kind 'int:int'"),
    ("part of a segment", "/a{id}", "brace inside the segment 'a{id}'; a parameter is"),
    ("two in a segment", "/{a}{b}", "brace inside"),
    ("open brace", "/{a", "brace inside"),
    ("closing brace", "/a}", "brace inside"),
    ("twice the same", "/{a}/{a:int}", "two parameters 'a'; rename one"),
    ("twice the same path", "/{a:path}/{a:path}", "two parameters 'a'; rename one"),
    ("the same composed", "/{e\u0301}/{\u00e9}", "two parameters"),
    ("path in the middle", "/{a:path}/b", "goes on after .* move it to the end"),
    ("two paths", "/{a:path}/{b:path}", "goes on after"),
    ("no name", "/{}", "a parameter ''"),
    ("no identifier", "/{user-id}", "'user-id', which no handler can take"),
    ("digit first", "/{1}", "no handler can take"),
    ("keyword", "/{class}", "use an identifier other than a keyword"),
    ("wide keyword", "/{\uff49f}", "no handler can take"),
    ("request", "/{request}", "or 'request'"),
    ("dot", "/a/./b", r"segment '.', which no path can have; remove it"),
    ("two dots", "/..", "no path can have"),
    ("NUL", "/a\0", "no path can have"),
    ("half a surrogate pair", "/\ud800", "no path can have"),
    ("a query", "/search?q=tea", r"'\?q=tea', which no path .* leave out query"),
    ("a fragment", "/page#top", r"'#top', which no path"),
    ("encoded already", "/%ED%95%9C", r"'%ED', which no path .* write text decoded"),
]


@pytest.mark.parametrize(
    ("text", "message"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_a_bad_pattern_is_named_with_the_remedy(text: str, message: str) -> None:
    with pytest.raises(PatternError, match=message) as caught:
        parse_pattern(text)
    assert repr(text) in str(caught.value)


BUILT: list[tuple[str, dict[str, object], str]] = [
    ("/", {}, "/"),
    ("/한/", {}, "/%ED%95%9C/"),
    ("/users/{id:int}", {"id": -7}, "/users/-7"),
    ("/users/{id:int}", {"id": "7"}, "/users/7"),
    ("/{id:uuid}", {"id": uuid.UUID(ID)}, "/" + ID.lower()),
    ("/{a:float}/{b:float}", {"a": 1e-7, "b": 5}, "/0.0000001/5"),
    ("/{a:float}", {"a": 1e22}, "/1" + "0" * 22),
    ("/{name}", {"name": "a/b ?#%é"}, "/a%2Fb%20%3F%23%25%C3%A9"),
    ("/{name}", {"name": 5}, "/5"),
    ("/f/{rest:path}", {"rest": "a b/c//"}, "/f/a%20b/c//"),
    ("/f/{rest:path}", {"rest": "/a"}, "/f//a"),
    ("/f/{rest:path}", {"rest": ""}, "/f/"),
]


@pytest.mark.parametrize(("text", "params", "path"), BUILT)
def test_building(text: str, params: dict[str, object], path: str) -> None:
    assert parse_pattern(text).build(params) == path


NOT_BUILT: list[tuple[str, str, dict[str, object], str]] = [
    ("missing", "/{a}/{b}", {"a": "x"}, "needs the parameter 'b'; give it a value"),
    ("unexpected", "/{a}", {"a": "x", "c": 1}, "has no parameter 'c'; leave it out"),
    ("no int", "/{a:int}", {"a": "x"}, r"takes no 'x' as 'a' \(int\)"),
    ("bool", "/{a:int}", {"a": True}, "takes no True"),
    ("float as int", "/{a:int}", {"a": 1.5}, "takes no 1.5"),
    ("long int", "/{a:int}", {"a": 10**18}, "takes no"),
    ("nan", "/{a:float}", {"a": float("nan")}, "takes no nan"),
    ("infinity", "/{a:float}", {"a": float("-inf")}, "takes no -inf"),
    ("huge float", "/{a:float}", {"a": 1e300}, "takes no"),
    ("empty", "/{a}", {"a": ""}, "takes no ''"),
    ("none", "/{a}", {"a": None}, "takes no None"),
    ("bytes", "/{a}", {"a": b"x"}, "takes no b'x'"),
    ("dot", "/{a}", {"a": "."}, "takes no '.'"),
    ("two dots", "/{a}", {"a": ".."}, "takes no '..'"),
    ("dots in a path", "/f/{a:path}", {"a": "b/../c"}, "takes no 'b/../c'"),
    ("NUL", "/{a}", {"a": "x\0"}, "takes no"),
    ("half a surrogate pair", "/{a}", {"a": "\udc00"}, "takes no"),
    ("another host", "/{a:path}", {"a": "/evil.example"}, "would begin with //"),
]


@pytest.mark.parametrize(
    ("text", "params", "message"),
    [case[1:] for case in NOT_BUILT],
    ids=[case[0] for case in NOT_BUILT],
)
def test_what_does_not_fit_is_not_built(
    text: str, params: dict[str, object], message: str
) -> None:
    with pytest.raises(PatternError, match=message) as caught:
        parse_pattern(text).build(params)
    assert repr(text) in str(caught.value)


@given(st.text(), st.text())
def test_a_built_path_leads_back_to_its_parameters(name: str, rest: str) -> None:
    pattern = parse_pattern("/a/{name}/{rest:path}")
    try:
        path = pattern.build({"name": name, "rest": rest})
    except PatternError:
        return
    first, second, *others = parse_target("GET", path.encode()).segments
    assert (first, second, joined(others)) == ("a", name, rest)


@given(st.text(alphabet="/{}:aint.") | st.text())
def test_any_text_is_a_pattern_or_a_pattern_error(text: str) -> None:
    try:
        pattern = parse_pattern(text)
    except PatternError:
        return
    assert pattern.text == text
    assert len(pattern.parts) == text.count("/")


SHAPES = [
    ("names do not matter", "/a/{b:int}", "/a/{c:int}", True),
    ("kinds do", "/a/{b:int}", "/a/{b}", False),
    ("literals do", "/a", "/b", False),
    ("a slash at the end does", "/a", "/a/", False),
    ("a literal is no parameter", "/{a}", "/a", False),
    ("the default kind is str", "/{a}", "/{b:str}", True),
]


@pytest.mark.parametrize(
    ("one", "other", "equal"), [case[1:] for case in SHAPES], ids=[c[0] for c in SHAPES]
)
def test_shapes(one: str, other: str, equal: bool) -> None:
    assert (shape(parse_pattern(one)) == shape(parse_pattern(other))) is equal


def test_the_more_specific_pattern_comes_first_whatever_the_order() -> None:
    ordered = [
        "/a/b",
        "/a/b/c",
        "/a/{x:uuid}",
        "/a/{x:int}",
        "/a/{x:int}/b",
        "/a/{x:float}",
        "/a/{x}",
        "/a/{y}",
        "/a/{x:path}",
        "/{x:int}/b",
        "/{x}/b",
        "/{x:path}",
    ]
    shuffled = ordered.copy()
    random.Random(2).shuffle(shuffled)
    patterns = sorted(map(parse_pattern, shuffled), key=specificity)
    assert [pattern.text for pattern in patterns] == ordered
