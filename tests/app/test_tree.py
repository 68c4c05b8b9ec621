"""The tree: the most specific pattern wins, and no path is costly."""

from __future__ import annotations

import contextlib
import itertools
import random
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.app.asking import ask, request, told
from trioweb.app.app import App
from trioweb.app.router import Slashes
from trioweb.app.tree import Tree
from trioweb.message.request import Request
from trioweb.rules.pattern import PatternError, parse_pattern


def table(*patterns: str, slashes: Slashes = "redirect") -> App:
    """An application that answers GET with the pattern and its parameters."""
    app = App(slashes=slashes)
    for pattern in patterns:

        async def show(request: Request, **params: object) -> list[object]:
            assert request.params == params
            return [request.route, *map(str, params.values())]

        app.get(pattern)(show)
    return app


PATTERNS = (
    "/",
    "/a/{x}/c",
    "/a/b/d",
    "/{x}/b/c",
    "/n/{x}",
    "/n/{x:float}",
    "/n/{x:int}",
    "/n/{x:uuid}",
    "/n/{x:path}",
    "/n/seven",
    "/한글/{이름}",
    "/end/",
)


ID = "12345678-1234-1234-1234-123456789abc"


FOUND = [
    ("root", "/", ["/"]),
    ("literal before parameter", "/a/b/d", ["/a/b/d"]),
    ("backtracking", "/a/b/c", ["/a/{x}/c", "b"]),
    ("the earlier segment decides", "/a/z/c", ["/a/{x}/c", "z"]),
    ("another branch", "/z/b/c", ["/{x}/b/c", "z"]),
    ("literal before every kind", "/n/seven", ["/n/seven"]),
    ("uuid before str", f"/n/{ID}", ["/n/{x:uuid}", ID]),
    ("int before float", "/n/7", ["/n/{x:int}", "7"]),
    ("float before str", "/n/7.5", ["/n/{x:float}", "7.5"]),
    ("str before path", "/n/x", ["/n/{x}", "x"]),
    ("path takes several", "/n/x/y/z", ["/n/{x:path}", "x/y/z"]),
    ("path takes none", "/n/", ["/n/{x:path}", ""]),
    ("an encoded slash splits nothing", "/n/x%2Fy", ["/n/{x}", "x/y"]),
    ("literals are decoded", "/%ED%95%9C%EA%B8%80/%EA%B9%80", ["/한글/{이름}", "김"]),
    ("a slash at the end", "/end/", ["/end/"]),
]


@pytest.mark.parametrize(
    ("target", "answer"), [row[1:] for row in FOUND], ids=[row[0] for row in FOUND]
)
async def test_the_most_specific_pattern_wins(target: str, answer: list[str]) -> None:
    assert told(await ask(table(*PATTERNS), "GET", target)) == answer


async def test_the_order_of_registration_means_nothing() -> None:
    chosen = random.Random(1)
    for _ in range(20):
        app = table(*chosen.sample(PATTERNS, len(PATTERNS)))
        for _, target, answer in FOUND:
            assert told(await ask(app, "GET", target)) == answer


async def test_parameters_arrive_converted() -> None:
    app = App()
    seen: list[object] = []

    @app.get("/{a:int}/{b:float}/{c:uuid}/{d}/{e:path}")
    async def show(request: Request, **params: object) -> None:
        seen.extend(params.values())

    await ask(app, "GET", f"/-1/2.5/{ID}/x/y/z")
    assert seen == [-1, 2.5, uuid.UUID(ID), "x", "y/z"]


async def test_a_hostile_path_costs_no_more_than_the_table() -> None:
    # Each level of every kind, so that a search without the tree would branch 4 ways
    # at each of 6 segments; and the catch-all at the end.
    kinds = ("{%s:int}", "{%s:float}", "{%s}", "1")
    levels = itertools.product(kinds, repeat=6)
    app = App(slashes="strict")
    for parts in levels:
        filled = [
            part % f"p{place}" if "%" in part else part
            for place, part in enumerate(parts)
        ]
        app.post("/" + "/".join(filled) + "/end")(any_handler)
    handler = app.freeze()
    for target in ("/1" * 6 + "/x", "/1" * 1000, "/" * 1000, "/1" * 1000 + "/end"):
        started = time.perf_counter()
        response = await handler(request("GET", target))
        assert response.status == 404
        # A table of 5461 nodes, each visited once at most.
        assert time.perf_counter() - started < 0.5


async def any_handler(request: Request, **params: object) -> None:
    return None


SEGMENTS = st.sampled_from(["a", "b", "{x}", "{x:int}", "{x:path}", "", "7"])


@given(
    st.lists(st.lists(SEGMENTS, min_size=1, max_size=3), max_size=6),
    st.lists(st.sampled_from(["a", "b", "c", "7", ""]), min_size=1, max_size=4),
)
def test_what_is_found_without_a_search_is_what_the_search_finds_first(
    patterns: list[list[str]], segments: list[str]
) -> None:
    tree: Tree[object] = Tree(object)
    for each in patterns:
        text = "/" + "/".join(
            part.replace("x", f"x{place}") for place, part in enumerate(each)
        )
        with contextlib.suppress(PatternError):
            tree.at(parse_pattern(text))
    found = tree.first(tuple(segments))
    if found is not None:
        assert found == next(tree.matches(tuple(segments)))
