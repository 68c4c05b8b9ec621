"""HTTP/2: one connection, one reading task, one task for each stream (RFC 9113).

The reader never waits for a handler: what has come waits in its stream, bounded by that
stream's window.  What streams have to say goes through one buffer, written by one task.
"""

from __future__ import annotations

from functools import partial

import trio

from trioweb.message.transport import Gone, Transport
from trioweb.rules.pseudo import Malformed
from trioweb.wire.h2_account import Account
from trioweb.wire.h2_codes import PREFACE, Code, name_of
from trioweb.wire.h2_crowd import Crowd
from trioweb.wire.h2_gate import Flood, FrameFault, Frames
from trioweb.wire.h2_goodbye import Goodbye
from trioweb.wire.h2_greeting import greeting
from trioweb.wire.h2_head import size_of
from trioweb.wire.h2_library import Fault, Library
from trioweb.wire.h2_link import Link
from trioweb.wire.h2_outgoing import Outgoing
from trioweb.wire.h2_stream import Stream
from trioweb.wire.head import RawFields
from trioweb.wire.limits import (
    FRAMES,
    HARD_READ,
    READ_SIZE,
    SETTINGS_TIME,
    STREAMS,
)
from trioweb.wire.parting import part
from trioweb.wire.service import Service
from trioweb.wire.timer import Timer
from trioweb.wire.watch import Phase, Watch


class Connection:
    """One peer's streams: the listener of the library, and who ends it all."""

    def __init__(
        self, transport: Transport, service: Service, ahead: bytes = b""
    ) -> None:
        self._transport = transport
        self._service = service
        self._limits = service.limits
        self._ahead = ahead
        self._watch = Watch(service.alarms, service.limits, transport.taken)
        self._library = Library(self, lane=service.lane)
        self._outgoing = Outgoing(transport, self._watch)
        self._frames = Frames()
        self._account = Account()
        self._link = Link(
            transport,
            service,
            self._library,
            self._outgoing,
            self._account,
            self._closed,
        )
        self._crowd = Crowd(service)
        self._exchanges: trio.Nursery
        self._reading = trio.CancelScope()
        self._settling = Timer(service.alarms, self._unsettled)
        self._goodbye = Goodbye(
            self._library, self._outgoing, service.alarms, self._rest
        )
        self._opened = trio.current_time()
        self._count = 0  # requests so far
        self._begun = False  # the preface has come
        self._failed = False  # the peer has done what ends the connection
        self._peer_parts = False  # it opens no more by itself

    async def serve(self) -> None:
        """Answer requests until either side is done with the connection."""
        self._transport.gone = self._heard
        self._service.at_drain.add(self.part)
        try:
            with self._watch.scope:
                await self._talk()
            await self._leave()
        finally:
            self._lose("the connection is over")
            self._service.at_drain.discard(self.part)
            self._service.idle.pop(self._watch, None)
            self._goodbye.stop()
            self._settling.stop()
            self._watch.end()
            self._outgoing.settle()
            self._transport.gone = None  # or only the collector would free both

    async def _talk(self) -> None:
        async with trio.open_nursery() as writing:
            writing.start_soon(self._outgoing.run, partial(self._heard, Gone.RESET))
            async with trio.open_nursery() as self._exchanges:
                try:
                    await self._read()
                finally:
                    self._crowd.begin_all(self._exchanges)
            if self._failed:
                self._watch.enter(Phase.ANSWERING, self._limits.farewell)
            self._outgoing.end()

    # Reading.

    async def _read(self) -> None:
        """Take frames until the peer ends, or we do; streams may go on after that."""
        with self._reading:
            try:
                if await self._take_preface():
                    await self._take_frames()
                    for each in self._crowd:
                        each.unheard()
            except trio.BrokenResourceError:
                self._heard(Gone.RESET)
            except (Fault, FrameFault) as fault:
                self._break_off(fault.code)

    async def _take_preface(self) -> bool:
        """Whether the peer speaks HTTP/2; one that does not is told nothing."""
        self._watch.enter(Phase.NEW, self._limits.head_time)
        behind = await greeting(self._transport, self._ahead)
        if behind is None:
            return False
        self._outgoing.put(self._library.begin())
        self._library.preface(PREFACE)
        self._begun = True
        self._settling.start(SETTINGS_TIME)
        if self._service.draining.is_set():
            self.part()
        self._rest()
        await self._take(behind)
        return True

    async def _take_frames(self) -> None:
        while True:
            size = HARD_READ if self._service.load.refusing else READ_SIZE
            data = await self._transport.receive_some(size)
            if not data:
                return
            await self._take(bytes(data))

    async def _take(self, data: bytes) -> None:
        now = trio.current_time()
        for taken, each in enumerate(self._frames.feed(data), 1):
            self._account.charge(each, now)
            self._outgoing.put(self._library.receive(each))
            if self._outgoing.overflowing:
                raise Flood("answers that the peer does not read")
            if taken % FRAMES == 0:
                await self._crowd.begin(self._exchanges)
                await trio.lowlevel.checkpoint()
        await self._crowd.begin(self._exchanges)

    # The Listener of the library.

    def opened(self, stream: int, fields: RawFields, size: int, *, ended: bool) -> None:
        """A request has begun."""
        now = self._watch.now()
        self._account.unpacked(size, now)
        if len(self._crowd) >= STREAMS or self._goodbye.last is not None:
            # Nobody has looked at it, so it can be asked again (RFC 9113 section 8.7).
            self._refuse(stream, Code.REFUSED_STREAM)
            return
        made = Stream(stream, self._link, now)
        try:
            asked = made.asked(fields, size, ended=ended)
        except Malformed:
            self._refuse(stream, Code.PROTOCOL_ERROR)
            return
        if not self._crowd:
            self._service.idle.pop(self._watch, None)
            self._watch.enter(Phase.ANSWERING)
        self._crowd.add(stream, made, asked)
        self._count += 1
        if self._retiring(now):
            self.part()

    def trailed(self, stream: int, fields: RawFields, *, ended: bool) -> None:
        """Fields have come after the content."""
        self._account.unpacked(size_of(fields), trio.current_time())
        if known := self._crowd.get(stream):
            try:
                known.trail(fields, ended=ended)
            except Malformed:
                self._object(known)

    def content(self, stream: int, data: bytes, size: int, *, ended: bool) -> None:
        """Content has come."""
        if known := self._crowd.get(stream):
            try:
                known.come(data, size, ended=ended)
            except Malformed:
                self._object(known)

    def reset(self, stream: int, code: int, *, by_us: bool) -> None:
        """A stream is over before its end."""
        if known := self._crowd.get(stream):
            who = (
                "was reset for what the peer did" if by_us else "was reset by the peer"
            )
            known.lost(f"the stream {who} ({name_of(code)})")

    def provoked(self) -> None:
        """A stream was reset because of the peer."""
        self._account.provoked(trio.current_time())

    def room(self, stream: int) -> None:
        """More may be sent."""
        if stream:
            if known := self._crowd.get(stream):
                known.room()
            return
        self._outgoing.room()

    def acknowledged(self) -> None:
        """The peer has our settings."""
        self._settling.stop()

    def pong(self, data: bytes) -> None:
        """A PING of ours is answered."""
        self._goodbye.heard(data)

    def leaving(self) -> None:
        """The peer opens no more streams."""
        self._peer_parts = True
        self._rest()

    def _refuse(self, stream: int, code: Code) -> None:
        self.provoked()
        self._outgoing.put(self._library.reset(stream, code))

    def _object(self, stream: Stream) -> None:
        """End a stream whose peer has said what makes no sense."""
        self.provoked()
        stream.reset(Code.PROTOCOL_ERROR, "what came on the stream is malformed")

    # The connection's own end.

    def part(self) -> None:
        """Begin to part: streams are answered still, but no more should be opened."""
        if self._begun:
            self._goodbye.begin(self._limits.drain_linger)

    def _closed(self, stream: int) -> None:
        self._crowd.discard(stream)
        self._rest()

    def _rest(self) -> None:
        """If nothing is at work: wait for more, or end where none can come."""
        if self._crowd:
            return
        if self._peer_parts or self._goodbye.last is not None:
            self._reading.cancel(reason="no more requests can come")
            return
        if self._service.load.pressing:
            self.part()
        phase = Phase.IDLE if self._count else Phase.NEW
        wait = self._limits.idle_time if self._count else self._limits.head_time
        self._watch.enter(phase, wait)
        self._service.idle[self._watch] = None

    def _retiring(self, now: float) -> bool:
        age = now - self._opened
        return self._count >= self._limits.requests or age >= self._limits.age

    def _unsettled(self) -> None:
        self._break_off(Code.SETTINGS_TIMEOUT)

    def _break_off(self, code: Code) -> None:
        """End it all, for what the peer did (RFC 9113 section 5.4.1)."""
        self._failed = True
        self._goodbye.say(code)
        self._lose(f"the connection was ended ({code.name})")

    def _heard(self, gone: Gone) -> None:
        if gone is Gone.RESET:
            self._lose(gone.value)

    def _lose(self, why: str) -> None:
        for each in self._crowd:
            each.lost(why)
        self._reading.cancel(reason=why)

    async def _leave(self) -> None:
        """Say goodbye, where somebody may hear it."""
        if self._outgoing.torn:
            self._transport.abort()
        if self._outgoing.broken or self._outgoing.torn:
            return
        with trio.move_on_after(self._limits.farewell, shield=True):
            if self._begun and not self._goodbye.said:
                self._goodbye.say(Code.NO_ERROR)
            await self._outgoing.write()
        await part(self._transport, self._limits)
