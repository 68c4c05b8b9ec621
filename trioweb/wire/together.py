"""Together: answers to requests that came together leave together.

A peer that sends its requests without waiting (RFC 9112 section 9.3.2) is answered as
often, and each write costs as much as all the rest of a small exchange.  So an answer
is held back while another request is at hand, and only as long as nothing waits: it
goes with the next, or at once where the next one's handler waits for something.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

# Answers that leave together at most: others get their turn after so many requests, and
# bytes of them that are held: with more, one write is no longer what they cost.
TOGETHER = 16
MOST = 64 * 1024


class Flush:
    """Sends what is held back, in the loop's next turn, where its holder waits.

    *running*: whether there is somebody to do so; else nothing may be held back.
    """

    def __init__(self) -> None:
        self.running = False
        self._due: list[Callable[[], None]] = []
        self._task: trio.lowlevel.Task | None = None

    def soon(self, send: Callable[[], None]) -> None:
        """Have *send* called, which must neither block nor fail."""
        self._due.append(send)
        task, self._task = self._task, None
        if task is not None:
            trio.lowlevel.reschedule(task)

    async def run(self) -> None:
        """Call whoever is due, until cancelled."""
        self.running = True
        try:
            while True:
                if not self._due:
                    self._task = trio.lowlevel.current_task()
                    await trio.lowlevel.wait_task_rescheduled(self._abandon)
                due, self._due = self._due, []
                for send in due:
                    send()
        finally:
            self.running = False

    def _abandon(self, _: object) -> trio.lowlevel.Abort:
        self._task = None
        return trio.lowlevel.Abort.SUCCEEDED
