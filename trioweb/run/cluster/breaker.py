"""The breaker: when starting workers that do not start has gone on for long enough."""

from __future__ import annotations

# Workers that ended by themselves before any was ready: one may have met a moment when
# something it needs was away; five mean that the program cannot run.
ENDED = 5

# Seconds of starts without one success after which the service has ended, whatever ends
# them: what restarts us may know better, and whoever watches must learn of it.
FRUITLESS = 60.0

# Seconds before the first start that follows a failed one, and at most.  It doubles:
# a crash loop must cost the machine next to nothing (systemd's RestartSteps, gunicorn
# gives up at once).
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 10.0


def pause(failures: int) -> float:
    """Seconds to wait after so many failed starts in a row.

    >>> [pause(failures) for failures in (0, 1, 2, 3, 8, 10_000)]
    [0.0, 0.1, 0.2, 0.4, 10.0, 10.0]
    """
    if failures < 1:
        return 0.0
    return float(min(FIRST_PAUSE * 2 ** min(failures - 1, 16), LONGEST_PAUSE))


class Breaker:
    """Counts the starts that came to nothing while nobody served."""

    def __init__(self) -> None:
        self._ended = 0
        self._since: float | None = None  # the first of them
        self._ever = False  # a worker has been ready

    def healthy(self) -> None:
        """A worker is ready."""
        self._ever = True
        self._since = None

    def tripped(self, now: float, *, by_signal: bool, serving: bool) -> bool:
        """Count one more; whether it was the last.

        *serving*: others serve meanwhile, so that it may go on for ever.
        """
        if serving:
            self._since = None
            return False
        if self._since is None:
            self._since = now
        if not by_signal and not self._ever:
            self._ended += 1
        return self._ended >= ENDED or now - self._since >= FRUITLESS
