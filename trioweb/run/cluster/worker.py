"""The worker: a process that loads the application and serves what it is given.

It is told everything by its supervisor, over one socket, whose end says that there is
no supervisor any more; then it finishes what it has begun, and goes.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace

import trio

from trioweb.app.app import Served
from trioweb.message.errors import SetupError
from trioweb.message.health import Health
from trioweb.message.site import Site
from trioweb.message.topics import Topics
from trioweb.run.cluster import messages
from trioweb.run.cluster.accounts import Accounts
from trioweb.run.cluster.alone import be_alone
from trioweb.run.cluster.bonds import bound_to_supervisor, end_within, survive
from trioweb.run.cluster.channel import Channel, ChannelBroken, Letter
from trioweb.run.cluster.messages import Follow, FromSupervisor, Look
from trioweb.run.config import Config
from trioweb.run.control.reporter import Reporter
from trioweb.run.doors import Doors
from trioweb.run.gauges import tell_of
from trioweb.run.groups import without_groups
from trioweb.run.heap import settled
from trioweb.run.identity import become, identity
from trioweb.run.listeners import Listener
from trioweb.run.logs import logs
from trioweb.run.memory import memory
from trioweb.run.runtime import Hold
from trioweb.run.selfcheck import check_h11
from trioweb.run.server import answering
from trioweb.run.serving import Server
from trioweb.run.target import load, show_fault
from trioweb.run.tls.certificates import Certificates, opened

# Seconds between two signs of life.
BEAT = 1.0

# Characters of the reason why it cannot start; the traceback has the rest.
LONGEST_REASON = 1000

# Seconds that the supervisor may take to read what a worker that ends has published.
LAST_NEWS = 1.0


@dataclass(frozen=True, slots=True)
class Order:
    """What a worker is to be."""

    target: str
    config: Config
    site: Site


def work(sock: socket.socket, order: Order) -> None:
    """Be a worker, in a process that was started for it, until told to leave."""
    be_alone()
    config = order.config
    channel: Channel[FromSupervisor] = Channel(sock, FromSupervisor)
    with closing(channel), Hold(order.site.directory) as hold:
        worker = Worker(channel, order)
        try:
            # Before it becomes another, who need not be able to read the keys.
            worker.certificates = opened(config.tls, watched=config.user is None)
            become(identity(config.user))
            # Only now: becoming another undoes it.
            with bound_to_supervisor():
                app = load(order.target)
            survive(config.grace + config.cleanup + 1)
            trio.run(worker.run, app)
        except SystemExit as error:  # the program's own wish
            channel.send_now(_failed(error))
            raise
        except Exception as error:  # noqa: BLE001  # the user's code, whatever it raises
            channel.send_now(_failed(error))
            raise SystemExit(1) from None
        finally:
            end_within(config.cleanup)
            if worker.orphaned:
                hold.remove_if_last()


def _failed(error: Exception | SystemExit) -> messages.Failed:
    if isinstance(error, SetupError):
        return messages.Failed(str(error)[:LONGEST_REASON], hopeless=True)
    if isinstance(error, Exception):
        show_fault(error)
    line = f"{type(error).__name__}: {error}".partition("\n")[0]
    return messages.Failed(line[:LONGEST_REASON], hopeless=False)


class Worker:
    """One worker in its event loop: *orphaned* when its supervisor is gone."""

    def __init__(self, channel: Channel[FromSupervisor], order: Order) -> None:
        self.orphaned = False
        self.certificates: Certificates | None = None
        self._channel = channel
        self._order = order
        self._accounts = Accounts(channel)
        self._site = replace(
            order.site,
            health=Health(self._accounts.report, ready=False),
            topics=Topics(self._publish),
        )
        self._reporter = Reporter(channel)
        self._doors: Doors | None = None
        self._leaving = trio.Event()
        self._last = True  # nobody else accepts from its sockets
        self._everything = trio.CancelScope()

    async def run(self, app: Served) -> None:
        """Serve *app* until told to leave, and then finish what was begun."""
        config = self._order.config
        with without_groups(), trio.open_signal_receiver(signal.SIGTERM) as signals:
            async with trio.open_nursery() as talking:
                talking.start_soon(self._channel.deliver)
                talking.start_soon(self._listen)
                talking.start_soon(self._hear, signals)
                talking.start_soon(self._reporter.run, trio.lowlevel.current_task())
                with self._everything:
                    async with logs(config) as writer:
                        writer.copy = self._reporter.tail.add
                        check_h11()
                        async with answering(
                            app,
                            config,
                            writer=writer,
                            site=self._site,
                            counted=self._accounts.figures.record,
                            certificates=self.certificates,
                        ) as (server, doors):
                            tell_of(self._accounts.figures, server, app)
                            with settled():
                                await self._serve(server, doors)
                # What was counted and published is told, however soon it ends.
                self._accounts.send()
                self._reporter.leave()
                with trio.move_on_after(LAST_NEWS):
                    await self._channel.flush()
                talking.cancel_scope.cancel(reason="the worker has stopped")

    async def _serve(self, server: Server, doors: Doors) -> None:
        self._doors = doors
        os.register_at_fork(after_in_child=doors.forget)
        self._site.health.ready = True
        self._channel.post(messages.Ready())
        async with trio.open_nursery() as beating:
            beating.start_soon(self._beat, server)
            await self._leaving.wait()
            beating.cancel_scope.cancel(reason="the worker stops")
        self._site.health.ready = False
        if not self._last:
            doors.shut_all()

    async def _publish(self, topic: str, message: bytes) -> None:
        await self._channel.publish(messages.Published(topic, message))

    async def _beat(self, server: Server) -> None:
        while True:
            # One that has not gone out says as much as two.
            if not self._channel.behind:
                self._channel.post(
                    messages.Beat(
                        connections=server.room.taken,
                        requests=self._accounts.figures.requests,
                        memory=memory(),
                        processor=time.process_time(),
                    )
                )
                self._accounts.send()
            await trio.sleep(BEAT)

    async def _hear(self, signals: AsyncIterator[int]) -> None:
        async for _ in signals:
            if self._leaving.is_set():
                self._quit("a second signal")
            self._channel.post(messages.Parting())
            self._leave()

    async def _listen(self) -> None:
        """Do what the supervisor says, until there is none."""
        # Broken it says nothing of the supervisor, which will find one worker too few.
        with suppress(ChannelBroken):
            while (letter := await self._channel.receive()) is not None:
                if isinstance(letter.message, messages.Published):
                    news = letter.message
                    await self._site.topics.deliver(news.topic, news.message)
                else:
                    self.obey(letter)
            self.orphaned = True
        self._leave()

    def obey(self, letter: Letter[FromSupervisor]) -> None:
        """Do what one message says."""
        match letter.message:
            case messages.Accept(number, plain) if self._doors is not None:
                for place, sock in enumerate(letter.sockets):
                    listener = Listener(sock, "", plain=place in plain)
                    self._doors.open(number, listener)
            case messages.Release(number) if self._doors is not None:
                self._doors.shut(number)
            case messages.Decline():
                self._site.health.ready = False
            case messages.Leave(last):
                self._leave(last=last)
            case messages.Quit():
                self._quit("it was told to")
            case messages.Reported() | Follow() | Look():
                self._learn(letter.message)

    def _learn(self, message: messages.Reported | Follow | Look) -> None:
        if isinstance(message, messages.Reported):
            self._accounts.take(message)
        else:
            self._reporter.obey(message)

    def _leave(self, *, last: bool = True) -> None:
        if self._doors is None:  # its lifespans are still being entered
            self._quit("the server stops before this worker was ready")
        elif not self._leaving.is_set():
            self._last = last
            self._leaving.set()

    def _quit(self, why: str) -> None:
        self._everything.cancel(reason=why)
