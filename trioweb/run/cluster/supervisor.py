"""The supervisor: does what the plan decides, and tells it what happens.

It runs none of the application's code, has one thread, and waits for nobody: what a
worker does, or does not do, holds up no other.
"""

from __future__ import annotations

import logging
import math
import secrets
import signal
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import trio

from trioweb.message.health import Health
from trioweb.message.site import Site
from trioweb.run.cluster import actions, messages
from trioweb.run.cluster.actions import Action
from trioweb.run.cluster.berths import Berths
from trioweb.run.cluster.channel import ChannelBroken
from trioweb.run.cluster.gathering import Gathering, send
from trioweb.run.cluster.members import State
from trioweb.run.cluster.messages import Follow, FromWorker, Look
from trioweb.run.cluster.news import News
from trioweb.run.cluster.plan import Plan
from trioweb.run.cluster.process import Process
from trioweb.run.cluster.renewal import Reread, follow, policy_of, renewed
from trioweb.run.cluster.views import WorkerView, view_of
from trioweb.run.cluster.worker import Order
from trioweb.run.config import Config
from trioweb.run.control.answers import Answers

log = logging.getLogger("trioweb.error")

_SIGNALS = {
    actions.Terminate: signal.SIGTERM,
    actions.Dump: signal.SIGABRT,  # its faulthandler writes where it is
    actions.Kill: signal.SIGKILL,
}


class Supervisor:
    """Worker processes that serve *target* at *berths*, kept at work until a stop.

    *announce* is called once, when the first of them is ready; *answers* takes what
    workers tell of themselves.
    """

    def __init__(
        self,
        target: str,
        config: Config,
        size: int,
        *,
        berths: Berths,
        directory: Path,
        announce: Callable[[], object],
        answers: Answers | None = None,
    ) -> None:
        self.target = target
        self.answers = Answers() if answers is None else answers
        # Wakes whoever waits for something to have happened.
        self.changes = trio.lowlevel.ParkingLot()
        self.config = config
        self.urls = berths.urls
        self._berths = berths
        self._directory = directory
        self._announce = announce
        # Says the config anew when there is a reload.
        self.reread: Reread | None = None
        self._policy = policy_of(config)
        self.plan = Plan(
            size,
            sockets=berths.count,
            policy=self._policy,
            chance=secrets.SystemRandom().random,
        )
        self._processes: dict[int, Process] = {}
        self._news = News()
        self._figures = Gathering()
        # Whether a stop was asked for, and when it begins.
        self.leaving = False
        self._stop_at = math.inf
        self.health = Health(self._report, ready=False)
        self._changed = trio.lowlevel.ParkingLot()
        self._workers: trio.Nursery | None = None
        self._code = 0

    async def run(self) -> int:
        """Keep workers at work until they have stopped; the exit code of the server."""
        try:
            async with trio.open_nursery() as self._workers:
                self._do(self.plan.begin(trio.current_time()))
                while not self.plan.finished:
                    with trio.move_on_at(min(self.plan.due(), self._stop_at)):
                        await self._changed.park()
                    if trio.current_time() >= self._stop_at:
                        self._stop()
                    self._do(self.plan.tick(trio.current_time()))
        finally:
            for process in self._processes.values():  # we have failed ourselves
                process.channel.close()
        return self._code

    # ----------------------------------------------------------------- what is asked

    @property
    def workers(self) -> Sequence[WorkerView]:
        """The workers there are, by their slots; those that leave are among them."""
        views = [view_of(each, self.plan) for each in self._processes.values()]
        return sorted(views, key=lambda view: (view.slot, -view.uptime))

    def reload(self) -> None:
        """Replace the workers one by one: new code, new settings, nobody refused."""
        self.config = renewed(self.config, self.reread)
        follow(self._policy, self.config)
        self._do(self.plan.reload(trio.current_time()))

    def restart(self, slot: int) -> None:
        """Replace the worker of one slot, as `reload` does."""
        self._do(self.plan.restart(slot, trio.current_time()))

    def scale(self, size: int) -> None:
        """Have *size* workers, 1 or more; BindError without room for their sockets."""
        if size < 1:
            raise ValueError(f"{size} workers cannot be had; stop the server instead")
        if self.plan.stopping:
            return
        self._berths.grow(size)
        now = trio.current_time()
        self._do(self.plan.scale(size, now, sockets=self._berths.count))

    def stop(self) -> None:
        """Stop gracefully; called again, at once; and again, by force.

        Before a graceful stop nobody is told that it is ready for the drain delay.
        """
        again, self.leaving = self.leaving, True
        if not again and self.config.drain_delay:
            for process in self._processes.values():
                process.channel.post(messages.Decline())
            self._stop_at = trio.current_time() + self.config.drain_delay
            self._do([])
            return
        if self._stop_at < math.inf:
            self._stop()  # now, and not gracefully
        self._stop()

    def _stop(self) -> None:
        self._stop_at = math.inf
        self.leaving = True
        self._do(self.plan.stop(trio.current_time()))
        # Workers have what they accept from.  Who comes now is refused rather than kept
        # waiting for nobody.
        self._berths.close()

    def post(self, slot: int | None, message: Follow | Look) -> list[WorkerView]:
        """Ask the worker of one slot, or all; those that were asked."""
        asked = [e for e in self._processes.values() if slot in {None, e.slot}]
        for process in asked:
            process.channel.post(message)
        return [view_of(each, self.plan) for each in asked]

    async def _report(self) -> str:
        await trio.lowlevel.checkpoint()
        return self._text()

    def _text(self) -> str:
        return self._figures.text(self._states(), self._news.dropped)

    def _states(self) -> list[State]:
        return [each.state for each in self.plan.members.values()]

    # -------------------------------------------------------------- what is to be done

    def _do(self, todo: Iterable[Action]) -> None:
        for action in todo:
            match action:
                case actions.Announce():
                    self._announce()
                case actions.Finish(code):
                    self._code = code
                case actions.Tell(level, text, worker):
                    self._tell(level, text, worker)
                case actions.Spawn(worker, slot):
                    self._spawn(worker, slot)
                case _:
                    if process := self._processes.get(action.worker):
                        self._command(process, action)
        self.health.ready = not self.leaving and State.READY in self._states()
        self._changed.unpark()
        self.changes.unpark_all()

    def _command(self, process: Process, action: Action) -> None:
        match action:
            case actions.Listen(_, sockets):
                for number in sorted(sockets):
                    own, plain = self._berths.of(number), self._berths.plain(number)
                    process.channel.post(messages.Accept(number, plain), own)
            case actions.Hush(_, sockets):
                for number in sorted(sockets):
                    process.channel.post(messages.Release(number))
            case actions.Drain(_, last):
                process.channel.post(messages.Leave(last=last))
            case actions.Cancel():
                process.channel.post(messages.Quit())
            case actions.Terminate() | actions.Dump() | actions.Kill():
                process.signal(_SIGNALS[type(action)])

    def _tell(self, level: int, text: str, number: int | None) -> None:
        process = None if number is None else self._processes.get(number)
        if process is None:
            log.log(level, "%s", text)
        else:
            log.log(level, "worker %d (pid %d) %s", process.slot, process.pid, text)

    def _spawn(self, number: int, slot: int) -> None:
        site = Site(workers=self.plan.size, worker=slot, directory=self._directory)
        order = Order(self.target, self.config, site)
        workers = self._workers
        if workers is None:
            raise RuntimeError("a supervisor starts workers only while it runs")
        try:
            process = Process(number, order)
        except OSError as error:
            log.warning("no process for worker %d: %s", slot, error.strerror)
            workers.start_soon(self._never_started, number, str(error.strerror))
        else:
            self._processes[number] = process
            self._figures.started += 1
            workers.start_soon(self._attend, process)

    # ---------------------------------------------------------------- what happens

    async def _never_started(self, number: int, why: str) -> None:
        await trio.lowlevel.checkpoint()
        now = trio.current_time()
        self._do(self.plan.failed(number, now, f"no process: {why}", hopeless=False))
        self._do(self.plan.ended(number, now, 1))

    async def _attend(self, process: Process) -> None:
        """Be there for one worker until its process is gone."""
        async with trio.open_nursery() as talking:
            talking.start_soon(process.channel.deliver)
            talking.start_soon(self._listen, process)
            await process.ended()
            talking.cancel_scope.cancel(reason="the process is gone")
        for message in process.channel.remaining():
            self._take(process, message)
        self._news.forget(process)
        self._figures.retire(process, self.plan.members[process.number].state)
        code = process.reap()
        todo = self.plan.ended(process.number, trio.current_time(), code)
        self._do(todo)
        del self._processes[process.number]

    async def _listen(self, process: Process) -> None:
        try:
            while (letter := await process.channel.receive()) is not None:
                self._take(process, letter.message)
        except ChannelBroken as error:
            log.warning("worker %d talks nonsense: %s", process.slot, error)
            process.signal(signal.SIGKILL)

    def _take(self, process: Process, message: FromWorker) -> None:
        match message:
            case messages.Published():
                self._news.pass_on(process, message, self._processes.values())
            case messages.Counted():
                self._figures.take(process, message)
            case messages.Report():
                send(process, message, self._text())
            case messages.Lines() | messages.Left() | messages.Looked():
                self.answers.take(process.slot, process.pid, message)
                self._do([])
            case _:
                self._do(self._decide(process, message))

    def _decide(self, process: Process, message: messages.OfLife) -> list[Action]:
        now, number = trio.current_time(), process.number
        match message:
            case messages.Ready():
                self._news.begin(process)
                if self.leaving:
                    process.channel.post(messages.Decline())
                return self.plan.ready(number, now)
            case messages.Beat(_, requests, memory, _):
                process.count(message)
                self._news.look(process)
                return self.plan.beat(number, now, requests=requests, memory=memory)
            case messages.Parting():
                return self.plan.parting(number, now)
            case messages.Failed(reason, hopeless):
                return self.plan.failed(number, now, reason, hopeless=hopeless)
