"""Planted bugs: servers that are wrong in one way each, for the harness to find.

Each breaks a promise in the way in which somebody might, with good intentions or by
leaving out one line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from unittest import mock

import trio
import trio.lowlevel

from tests.torture.story import Serve
from trioweb.message.errors import HTTPError
from trioweb.message.exchange import Ending
from trioweb.message.request import Request
from trioweb.message.response import BodyWriter, Response, Send
from trioweb.message.transport import Transport
from trioweb.wire import connection, h1
from trioweb.wire.h1 import Connection
from trioweb.wire.h2_codes import Flag, Kind, frame
from trioweb.wire.inbound import Inbound
from trioweb.wire.outbound import Outbound
from trioweb.wire.service import Service
from trioweb.wire.watch import Phase, Watch


def serving(kind: type[Connection]) -> Serve:
    """What trioweb serves with, with another *kind* of connection in it."""

    async def serve(transport: Transport, service: Service) -> None:
        with mock.patch.object(h1, "Connection", kind):
            await connection.serve(transport, service)

    return serve


class Replaced(Connection):
    """A connection with another kind of watch, or way out."""

    watch: type[Watch] = Watch
    way_out: type[Outbound] = Outbound

    def __init__(
        self, transport: Transport, service: Service, *others: tuple[bytes, ...]
    ) -> None:
        super().__init__(transport, service, *others)
        limits = service.limits
        self._watch = self.watch(service.alarms, limits, transport.taken)
        self._in = Inbound(transport, self._h11, limits, self._watch, service.load)
        self._out = self.way_out(
            transport, self._h11, service.date, self._watch, self._in
        )


class Polite(Outbound):
    """Ends its content properly, even when that is not all of it."""

    async def _respond_written(
        self,
        response: Response,
        writer: BodyWriter,
        *,
        bare: bool,
        last: Callable[[], bool],
    ) -> None:
        async def always(send: Send) -> None:
            try:
                await writer(send)
            except BaseException:
                if self.status is not None and not self._torn:
                    with trio.CancelScope(shield=True):
                        await self._finish(response, b"")
                raise

        await super()._respond_written(response, always, bare=bare, last=last)


class Unbroken(Outbound):
    """Thinks that closing is enough."""

    @property
    def unfinished(self) -> bool:
        return False


class Repeating(Outbound):
    """Goes on after a write that was cut off."""

    async def _write(self, data: bytes) -> None:
        try:
            await super()._write(data)
        finally:
            self._torn = self._open = False


class Hasty(Outbound):
    """Takes what was begun for done."""

    def write_now(self, status: int, answer: bytes) -> bytes:
        super().write_now(status, answer)
        self._open = False
        return b""


class HastyConnection(Replaced):
    way_out = Hasty


class PoliteConnection(Replaced):
    way_out = Polite


class UnbrokenConnection(Replaced):
    way_out = Unbroken


class RepeatingConnection(Replaced):
    way_out = Repeating


class Watchful(Watch):
    """Never lets go of its alarm."""

    def end(self) -> None:
        pass


class AlarmedConnection(Replaced):
    watch = Watchful


class Deaf(Watch):
    """Does not hear the peer leave, nor the clock strike."""

    def ring(self) -> None:
        pass


class DeafConnection(Replaced):
    watch = Deaf


class Weak(Watch):
    """Takes every phase for one that ends with its peer, and at once."""

    def on_disconnect(self, choice: object) -> None:
        pass


class WeakConnection(Replaced):
    watch = Weak


class Shieldless(Connection):
    """Lets what must be finished be cancelled."""

    def finish(self, seconds: float) -> AbstractContextManager[trio.CancelScope]:
        return trio.CancelScope(relative_deadline=seconds)


class Lying(Connection):
    """Calls complete what was broken off, and closes as if it were."""

    def _end(self) -> None:
        if self._out.unfinished:
            self._out.switched()
            self._ending = Ending.COMPLETE
        super()._end()


class Forgetful(Connection):
    """Forgets what did not end well."""

    def _end(self) -> None:
        if self._ending in {Ending.GONE, Ending.STOPPED}:
            self._service = dataclasses.replace(self._service, record=None)
        super()._end()


class Talkative(Connection):
    """Tells the same thing twice."""

    def _end(self) -> None:
        request, ending = self.request, self._ending
        super()._end()
        if ending is not Ending.COMPLETE:
            self.request, self._ending = request, ending
            super()._end()


class OpenHanded(Connection):
    """Closes files only where all went well."""

    async def _respond(self, request: Request, response: Response) -> None:
        if response.tunnel is not None:
            await self._switch(request, response, response.tunnel)
            return
        if not callable(response.body):
            self._watch.enter(Phase.ANSWERING)
        await self._out.respond(
            response,
            bare=request.method == "HEAD",
            last=partial(self._is_last, response),
        )
        response.close()


class Littering(Connection):
    """Leaves a task behind that nobody waits for."""

    async def serve(self) -> None:
        try:
            await super().serve()
        except trio.Cancelled:
            trio.lowlevel.spawn_system_task(trio.sleep_forever)
            raise


class Idling(Connection):
    """Is thought of as idle for ever when it is cut off in its idleness."""

    async def _exchanges(self) -> None:
        try:
            await super()._exchanges()
        finally:
            self._service.idle[self._watch] = None


class Patient(Connection):
    """Waits for its peer to take the last word, however long that takes."""

    async def _say_last(self, error: HTTPError) -> None:
        with trio.CancelScope(shield=True):
            await self._out.farewell(error, self.request)
        self._parting = True


async def leaking(transport: Transport, service: Service) -> None:
    """Closes where all went well."""
    await Connection(transport, service).serve()
    await trio.aclose_forcefully(transport)


async def careless(transport: Transport, service: Service) -> None:
    """Has no boundary: what happens to one happens to all."""
    try:
        await Connection(transport, service).serve()
    finally:
        await trio.aclose_forcefully(transport)


async def spinning(transport: Transport, service: Service) -> None:
    """Looks again and again, without ever waiting."""
    await connection.serve(transport, service)
    while service.draining.is_set():  # noqa: ASYNC110  # that is the bug
        await trio.lowlevel.checkpoint()


async def inhospitable(transport: Transport, service: Service) -> None:
    """Takes others along when it goes."""
    try:
        await connection.serve(transport, service)
    finally:
        while service.evict():
            pass


async def concluding(transport: Transport, service: Service) -> None:
    """Ends a stream of HTTP/2 where it should say that it broke off."""
    from trioweb.wire import h2, h2_library  # noqa: PLC0415  # its library is an extra

    class Concluding(h2_library.Library):
        def reset(self, stream: int, code: object) -> bytes:
            return frame(Kind.DATA, stream, b"", Flag.END_STREAM)

    with mock.patch.object(h2, "Library", Concluding):
        await connection.serve(transport, service)
