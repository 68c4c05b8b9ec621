"""Session: what one visitor's requests remember, as a value that knows what changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping


class Session(MutableMapping[str, object]):
    """A mapping that records which keys changed, and whether it rotated or ended.

    It holds no store and does no IO: a session layer fills it before the handler and
    saves what `changed` names before the response leaves.
    """

    __slots__ = ("_values", "changed", "destroyed", "rotated")

    def __init__(self, values: Mapping[str, object] | None = None) -> None:
        self._values: dict[str, object] = dict(values or {})
        self.changed: set[str] = set()
        self.rotated = False
        self.destroyed = False

    def __getitem__(self, key: str) -> object:
        return self._values[key]

    def __setitem__(self, key: str, value: object) -> None:
        self._values[key] = value
        self.changed.add(key)

    def __delitem__(self, key: str) -> None:
        del self._values[key]
        self.changed.add(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def rotate(self) -> None:
        """Ask for a new identity with the same values; the old identity dies."""
        self.rotated = True

    def destroy(self) -> None:
        """End the session: nothing of it remains, here or in any store."""
        self.changed.update(self._values)
        self._values.clear()
        self.destroyed = True
