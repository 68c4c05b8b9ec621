"""Health: how a server is, as its application may tell those who ask from outside."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

Report = Callable[[], Awaitable[str]]
"""The figures of the whole server, in Prometheus' text form."""


async def _nothing() -> str:
    return ""


class Health:
    """How a server is; `Site.health` has it.

    *ready* is whether new requests should come: not before the lifespans are entered,
    and no more from the moment on in which a stop was asked for.
    """

    def __init__(self, report: Report = _nothing, *, ready: bool = True) -> None:
        self.ready = ready
        self._report = report

    async def metrics(self) -> str:
        """All that is counted, over all workers (Prometheus' text form 0.0.4).

        Nothing where no server is, as in a test.
        """
        return await self._report()
