"""A program that serves by workers, from its start to its end by signal or fault."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack

import trio

from trioweb.run.admin import admin_listeners, administered
from trioweb.run.cluster.alone import stand_in
from trioweb.run.cluster.berths import Berths
from trioweb.run.cluster.notices import notify
from trioweb.run.cluster.renewal import Reread
from trioweb.run.cluster.signals import TAKEN, held_back, hold_back, let_in
from trioweb.run.cluster.supervisor import Supervisor
from trioweb.run.cluster.telling import tell
from trioweb.run.config import Config
from trioweb.run.control.answers import Answers
from trioweb.run.control.place import Found, findable
from trioweb.run.control.service import answering
from trioweb.run.cores import usable_cores
from trioweb.run.error_log import errors_told
from trioweb.run.identity import hand_over, identity, warn_of_root
from trioweb.run.listeners import Listener
from trioweb.run.reload import Source, watch
from trioweb.run.runtime import runtime_directory
from trioweb.run.systemd import Notifier, notifier
from trioweb.run.terminal import asks_for_renewal, has_terminal
from trioweb.run.tls.certificates import warn_of_keys
from trioweb.run.tls.files import tell_changes
from trioweb.run.tls.manners import reached

OnListen = Callable[[list[str]], object]
"""Called once with the URLs, when the first worker serves."""


def supervise(
    target: str,
    config: Config,
    on_listen: OnListen,
    *,
    reread: Reread | None = None,
    source: Source | None = None,
) -> int:
    """Serve *target* by worker processes until a signal; the exit code.

    SIGHUP reloads, with what *reread* says by then, and so does a change in *source*.
    SIGINT and SIGTERM stop gracefully, the second time at once.  0: the end was asked
    for.  1: no worker can be started.  3: none became ready.  Raises BindError where it
    cannot listen.
    """
    workers = config.workers
    size = workers if isinstance(workers, int) else usable_cores()
    answers, told = Answers(), notifier()

    def say(line: str) -> None:
        tell(line)
        answers.add(line)

    stand_in()
    someone = identity(config.user)
    with held_back(), errors_told(say), ExitStack() as held:
        berths = Berths(config.bind, size, config.tls)
        held.callback(berths.close)
        config = dataclasses.replace(config, tls=reached(config.tls, berths.urls))
        directory = held.enter_context(
            runtime_directory(None if someone is None else someone.uid)
        )
        hand_over(someone, directory, config.bind)
        warn_of_root(someone, config.bind)
        warn_of_keys(config.tls)
        supervisor = Supervisor(
            target,
            config,
            size,
            berths=berths,
            directory=directory,
            announce=lambda: on_listen(berths.urls),
            answers=answers,
        )
        supervisor.reread = reread
        admin = held.enter_context(admin_listeners(config.admin))
        found = held.enter_context(findable(config.name, target))
        return trio.run(_until_stopped, supervisor, told, source, found, admin)


async def _until_stopped(
    supervisor: Supervisor,
    told: Notifier,
    source: Source | None,
    found: Found | None,
    admin: list[Listener],
) -> int:
    with trio.open_signal_receiver(*TAKEN) as signals:
        let_in()
        # What some parents leave behind: children of whose end nobody hears.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        async with trio.open_nursery() as hearing:
            hearing.start_soon(_hear, signals, supervisor)
            hearing.start_soon(notify, told, supervisor)
            if supervisor.config.user is not None:
                # Workers cannot read again what only root may.
                hearing.start_soon(_renew, supervisor)
            if source is not None:
                hearing.start_soon(watch, source, supervisor.reload)
            async with (
                answering(found, supervisor),
                administered(admin, supervisor.health),
            ):
                code = await supervisor.run()
            hearing.cancel_scope.cancel(reason="no worker is left")
        hold_back()  # the handlers are about to go
    return code


async def _renew(supervisor: Supervisor) -> None:
    """Replace the workers whenever a file of the certificates has changed."""
    tls = supervisor.config.tls
    if tls.on:
        await tell_changes(tls, supervisor.reload)


async def _hear(signals: AsyncIterator[int], supervisor: Supervisor) -> None:
    terminal = has_terminal()
    async for number in signals:
        if asks_for_renewal(number, terminal=terminal):
            supervisor.reload()
        else:
            supervisor.stop()
