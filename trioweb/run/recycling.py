"""Recycling: when a worker has served long enough to be replaced by a fresh one."""

from __future__ import annotations

from dataclasses import dataclass

from trioweb.message.errors import SetupError


@dataclass(frozen=True, slots=True, kw_only=True)
class Recycling:
    """The bounds of one worker's life; None where there is none.

    A worker that has reached one is replaced gracefully, one worker at a time.  For
    applications that lose memory in libraries which nobody can mend.
    """

    requests: int | None = None
    age: float | None = None  # seconds
    memory: int | None = None  # bytes it holds in RAM
    # Each worker gets its own bounds, less by up to this share: workers that began
    # together would otherwise end together.
    jitter: float = 0.1

    def __post_init__(self) -> None:
        for name in ("requests", "age", "memory"):
            bound = getattr(self, name)
            if bound is not None and not bound > 0:
                msg = f"{name} is {bound!r}; give a bound above 0, or None for none"
                raise SetupError(msg)
        if not 0 <= self.jitter < 1:
            msg = f"jitter is {self.jitter!r}; give a share from 0 to less than 1"
            raise SetupError(msg)

    def reached(
        self, *, requests: int, age: float, memory: int, share: float
    ) -> str | None:
        """Which bound a worker has reached, in words, if *share* of it is its own."""
        for bound, value, words in (
            (self.requests, requests, f"{requests} requests"),
            (self.age, age, f"{age:.0f} s"),
            (self.memory, memory, f"{memory >> 20} MiB"),
        ):
            if bound is not None and value >= bound * share:
                return words
        return None
