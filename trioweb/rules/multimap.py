"""An ordered mapping of text to text in which a name may stand more than once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final


class MissingKey(KeyError):
    """A name that was asked for is not there; *key* is the name."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key

    def __str__(self) -> str:
        # KeyError prints only the repr of the key, which explains nothing in a log.
        return f"there is no {self.key!r}"


class MultiMap(Mapping[str, str]):
    """Names and values in the order they came, repeats kept; it never changes.

    As a mapping it shows each name once, with its first value.

    >>> tags = MultiMap([("tag", "a"), ("page", "2"), ("tag", "b")])
    >>> tags["tag"], tags.get_all("tag"), list(tags)
    ('a', ['a', 'b'], ['tag', 'page'])
    """

    __slots__ = ("_values", "pairs")

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self.pairs: Final[tuple[tuple[str, str], ...]] = tuple(pairs)
        self._values: Final[dict[str, list[str]]] = {}
        for name, value in self.pairs:
            self._values.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> str:
        """The first value of *name*; MissingKey if there is none."""
        try:
            return self._values[name][0]
        except KeyError:
            raise MissingKey(name) from None

    def get_all(self, name: str) -> list[str]:
        """Every value of *name* in order; empty if there is none."""
        return self._values.get(name, []).copy()

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        """Equal pairs in equal order; any other mapping is compared by first values."""
        if isinstance(other, MultiMap):
            return self.pairs == other.pairs
        return super().__eq__(other)

    def __hash__(self) -> int:
        return hash(self.pairs)

    def __repr__(self) -> str:
        return f"MultiMap({list(self.pairs)!r})"
