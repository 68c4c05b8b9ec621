"""Sent: what a generator has to say of its requests."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The requests that were answered, and those that were not as they should be.

    Half of the answers took at most *p50* ms, 99 of 100 *p99*; None where it does not
    count what a request had to wait for.
    """

    requests: int
    failed: int
    seconds: float
    p50: float | None
    p99: float | None
