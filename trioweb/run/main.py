"""run(): a whole program, from start to a graceful end by signal."""

from __future__ import annotations

import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress

import trio

from trioweb.app.app import Served
from trioweb.run.cluster.main import supervise
from trioweb.run.cluster.naming import refuse_in_worker, target_of
from trioweb.run.cluster.process import in_worker
from trioweb.run.config import Config, LogForm, Workers, configure
from trioweb.run.groups import without_groups
from trioweb.run.heap import settled
from trioweb.run.identity import warn_of_root
from trioweb.run.listeners import BindError
from trioweb.run.logs import logs
from trioweb.run.selfcheck import check_h11
from trioweb.run.server import listening
from trioweb.run.settings import SettingError, Settled, settle
from trioweb.run.sources import surroundings
from trioweb.run.systemd import activated, notifier
from trioweb.run.terminal import asks_for_renewal, has_terminal
from trioweb.run.tls.certificates import Certificates, opened, warn_of_keys
from trioweb.run.tls.config import TLSError

OnListen = Callable[[list[str]], object]
"""Called once with the URLs, when the server has begun to listen."""


def announce(urls: list[str]) -> None:
    """Say on standard error where the server is reached."""
    with suppress(OSError):  # a full disk keeps nobody from being served
        print(f"Serving on {' and '.join(urls)} (Ctrl-C stops)", file=sys.stderr)  # noqa: T201


def run(
    app: Served,
    *,
    port: int | None = None,
    bind: str | Sequence[str] | None = None,
    on_listen: OnListen = announce,
    access_log: LogForm | None = None,
    workers: Workers = None,
    config: Config | None = None,
) -> None:
    """Serve *app*, an App or a handler, until SIGINT or SIGTERM; then stop gracefully.

    A second signal stops at once.  Arguments as for `open_server`; the access log is
    on, in its human form, unless said otherwise.  Who runs the program has the last
    word: the file ``trioweb.toml`` (or ``[tool.trioweb]`` in ``pyproject.toml``) in the
    working directory overrides the arguments, and the environment ($TRIOWEB_GRACE)
    both.  Where the address cannot be had, or a setting is wrong, it ends the program
    with one line and exit code 1 (SystemExit).

    With *workers* so many processes serve ("auto": one a core) and this one looks after
    them: they load this very program, in which *app* must have a name and the call of
    `run` must stand below ``if __name__ == "__main__":``.  SetupError if not so.
    SystemExit with code 3 when no worker becomes ready.
    """
    if in_worker():
        refuse_in_worker()
    given = configure(
        config, port=port, bind=bind, access_log=access_log, workers=workers
    )

    def settled() -> Settled:
        return settle(given, surroundings())

    try:
        config = activated(settled())
        if config.workers is None:
            run_here(app, config, on_listen)
        elif code := supervise(
            target_of(app), config, on_listen, reread=lambda: settled().config
        ):
            raise SystemExit(code)
    except (BindError, SettingError, TLSError) as error:
        raise SystemExit(f"trioweb: {error}") from error


def run_here(app: Served, config: Config, on_listen: OnListen) -> None:
    """Serve by this process, exactly as *config* says; otherwise as `run`."""
    if config.user is not None:
        msg = "user goes with workers, which become that one; give workers, at least 1"
        raise SettingError(msg)
    trio.run(_until_signal, app, config, on_listen)


async def _until_signal(app: Served, config: Config, on_listen: OnListen) -> None:
    certificates = opened(config.tls)
    heard = [signal.SIGINT, signal.SIGTERM] + [signal.SIGHUP] * bool(certificates)
    with without_groups(), trio.open_signal_receiver(*heard) as signals:
        async with trio.open_nursery() as waiting:
            stop, told = trio.Event(), notifier()
            everything = waiting.cancel_scope
            waiting.start_soon(_hear, signals, stop, everything, certificates)
            waiting.start_soon(told.live)
            async with logs(config) as writer:
                check_h11()
                warn_of_root(None, config.bind)
                warn_of_keys(config.tls)
                async with listening(app, config, writer, certificates) as server:
                    with settled():
                        on_listen(server.urls)
                        told.ready()
                        await stop.wait()
                        told.stopping()
            waiting.cancel_scope.cancel(reason="the server has stopped")


async def _hear(
    signals: AsyncIterator[int],
    stop: trio.Event,
    everything: trio.CancelScope,
    certificates: Certificates | None,
) -> None:
    """The first signal asks for a graceful stop, the second for none.

    SIGHUP has the certificates read again.
    """
    terminal = has_terminal()
    async for number in signals:
        if certificates is not None and asks_for_renewal(number, terminal=terminal):
            certificates.ask()
            continue
        if stop.is_set():
            everything.cancel(reason="a second signal")
        stop.set()
