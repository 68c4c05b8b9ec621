"""Tree: which registered patterns match a path, the most specific first.

Every node has one parent, so there is one way to reach it, and a search visits it at
most once: the work is bounded by the size of the table, whatever path is asked for.
Backtracking (/a/{x}/c is found for /a/b/c beside /a/b/d) therefore cannot blow up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from trioweb.rules.kinds import PATH, Kind, joined
from trioweb.rules.pattern import Literal, Pattern

Leaf = TypeVar("Leaf")
Values = tuple[object, ...]


class Tree(Generic[Leaf]):
    """Patterns, each with a leaf; *make* makes the leaf of a pattern that is new."""

    def __init__(self, make: Callable[[], Leaf]) -> None:
        self._make = make
        self._root: _Node[Leaf] = _Node(0)
        self._leaves: list[Leaf] = []

    def at(self, pattern: Pattern) -> Leaf:
        """The leaf of every path that *pattern* matches, made if it is new."""
        node = self._root
        for part in pattern.parts:
            if isinstance(part, Literal):
                node = node.literal(part.text)
            else:
                node = node.parameter(part.kind)
        return self._leaf(node)

    def below(self, pattern: Pattern) -> Leaf:
        """The leaf of every path at and below *pattern*: the least specific there."""
        node = self._root
        for part in pattern.parts:
            if isinstance(part, Literal):
                node = node.literal(part.text)
        if node.below is None:
            node.below = _Node(node.depth, rest=True)
        return self._leaf(node.below)

    def _leaf(self, node: _Node[Leaf]) -> Leaf:
        if node.leaf is None:
            node.leaf = self._make()
            self._leaves.append(node.leaf)
        return node.leaf

    def leaves(self) -> list[Leaf]:
        """Every leaf, in the order they were made."""
        return self._leaves

    def first(self, segments: tuple[str, ...]) -> tuple[Leaf, Values] | None:
        """The leaf that `matches` gives first, if no step towards it is taken back.

        None where one is, or may be: most paths are found without, and so much sooner.
        """
        node = self._root
        values: Values = ()
        for segment in segments:
            deeper = node.literals.get(segment)
            if deeper is None:
                # The last is the most specific; of several it may be any.
                if len(node.kinds) != 1:
                    return None
                kind, deeper = node.kinds[0]
                value = kind.convert(segment)
                if value is None or deeper.rest:
                    return None
                values = (*values, value)
            node = deeper
        return None if node.leaf is None else (node.leaf, values)

    def matches(self, segments: tuple[str, ...]) -> Iterator[tuple[Leaf, Values]]:
        """Each leaf whose pattern matches, the most specific first, with its values."""
        end = len(segments)
        # What is still to be visited, the next one last.
        todo: list[tuple[_Node[Leaf], Values]] = [(self._root, ())]
        while todo:
            node, values = todo.pop()
            depth = end if node.rest else node.depth
            if depth == end and node.leaf is not None:
                yield node.leaf, values
            if node.below is not None:
                todo.append((node.below, values))
            if depth < end:
                todo += node.steps(segments, values)


class _Node(Generic[Leaf]):
    """What is known once *depth* segments have matched; with *rest*, all of them."""

    __slots__ = ("below", "depth", "kinds", "leaf", "literals", "rest")

    def __init__(self, depth: int, *, rest: bool = False) -> None:
        self.depth = depth
        self.rest = rest
        self.leaf: Leaf | None = None
        self.below: _Node[Leaf] | None = None
        self.literals: dict[str, _Node[Leaf]] = {}
        # The least specific first, as they go onto the list of what is to be visited.
        self.kinds: list[tuple[Kind, _Node[Leaf]]] = []

    def steps(
        self, segments: tuple[str, ...], values: Values
    ) -> list[tuple[_Node[Leaf], Values]]:
        """The nodes that match one segment more, the least specific first."""
        segment = segments[self.depth]
        found: list[tuple[_Node[Leaf], Values]] = []
        for kind, node in self.kinds:
            value = kind.convert(segment)
            if node.rest:
                value = joined(segments[self.depth :])
            if value is not None:
                found.append((node, (*values, value)))
        literal = self.literals.get(segment)
        if literal is not None:
            found.append((literal, values))
        return found

    def literal(self, text: str) -> _Node[Leaf]:
        return self.literals.setdefault(text, _Node(self.depth + 1))

    def parameter(self, kind: Kind) -> _Node[Leaf]:
        for known, node in self.kinds:
            if known is kind:
                return node
        node = _Node[Leaf](self.depth + 1, rest=kind is PATH)
        self.kinds.append((kind, node))
        self.kinds.sort(key=lambda each: -each[0].rank)
        return node
