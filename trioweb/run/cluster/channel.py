"""The channel: messages, and sockets with them, between a supervisor and a worker.

A message is its length in four bytes and then MessagePack, which takes the bytes that
applications publish as they are: JSON would need a third more, and time to recode.
Neither end ever waits for the other: what cannot be sent yet is queued, and the queue
is bounded.  News, which may be lost, wait by themselves and behind all else.  The end
of what is received says that the other process is gone.
"""

from __future__ import annotations

import array
import os
import socket
import struct
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec
import trio

from trioweb.run.cluster.backlog import UP, Backlog
from trioweb.run.cluster.messages import Message

T = TypeVar("T", bound=Message)

# Bytes of one message: what an application may publish (MESSAGE_LIMIT, TOPIC_LIMIT)
# and what is around it.  Most of ours have a hundred; more is none of ours.
LONGEST = 68 * 1024

# Messages that wait to be sent: minutes of them.  An end that has not read for so long
# is stuck, and will be found out by its silence.
QUEUE = 1000

# Sockets with one message, at most (Linux: SCM_MAX_FD is 253).
DESCRIPTORS = 250

_LENGTH = struct.Struct("!I")


class ChannelBroken(Exception):
    """What has come is no message."""


@dataclass(frozen=True, slots=True)
class Letter(Generic[T]):
    """A message that has come, and the sockets that came with it."""

    message: T
    sockets: Sequence[socket.socket]


def encode(message: Message, sockets: int = 0) -> bytes:
    """*message* as it is sent, with so many sockets."""
    text = msgspec.msgpack.encode({"message": message, "sockets": sockets})
    return _LENGTH.pack(len(text)) + text


class _Packet:
    __slots__ = ("_borrowed", "_own", "data")

    def __init__(self, message: Message, sockets: Sequence[socket.socket]) -> None:
        self.data = encode(message, len(sockets))
        self._own: list[int] = []
        self._borrowed: Sequence[socket.socket] = ()
        try:
            # Descriptors of its own: theirs may be closed before it is sent.
            for each in sockets:
                self._own.append(os.dup(each.fileno()))
        except OSError:  # there is no room for more
            self.close()
            self._borrowed = sockets

    @property
    def lost(self) -> bool:
        """Whether what it had to bring is there no more."""
        return any(each.fileno() == -1 for each in self._borrowed)

    @property
    def numbers(self) -> Sequence[int]:
        return self._own or [each.fileno() for each in self._borrowed]

    def close(self) -> None:
        while self._own:
            os.close(self._own.pop())


class Channel(Generic[T]):
    """One end of a connected Unix socket, which it owns, that receives messages T."""

    def __init__(self, sock: socket.socket, kind: object) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._envelope = msgspec.msgpack.Decoder(_Envelope)
        self._decoder: msgspec.msgpack.Decoder[T] = msgspec.msgpack.Decoder(kind)
        self._queue: deque[_Packet] = deque()
        self.news = Backlog()
        self._posted = trio.lowlevel.ParkingLot()
        self._room = trio.lowlevel.ParkingLot()  # who publishes, while there is none
        self._idle = trio.lowlevel.ParkingLot()  # who waits until all is sent
        self._sending = False
        self._gone = False
        self._received = bytearray()
        self._descriptors: deque[int] = deque()

    def post(self, message: Message, sockets: Sequence[socket.socket] = ()) -> None:
        """Leave *message* to be sent by `deliver`; without room it is dropped."""
        if len(self._queue) < QUEUE:
            self._queue.append(_Packet(message, sockets))
            self._posted.unpark()

    def pass_on(self, data: bytes) -> None:
        """Leave an encoded message to be sent by `deliver` when nothing else waits.

        Without room the oldest that was left so is dropped.
        """
        if not self._gone:
            self.news.put(data)
            self._posted.unpark()

    async def publish(self, message: Message) -> None:
        """`pass_on`, but wait while there is no room; nothing is dropped.

        Cancelled, it has not been sent.
        """
        while self.news.size >= UP and not self._gone:
            await self._room.park()
        self.pass_on(encode(message))
        if self.news.size < UP:
            self._room.unpark()  # the next one

    async def flush(self) -> None:
        """Wait until everything is sent, or the other end is gone."""
        while (self._sending or self._queue or self.news) and not self._gone:
            await self._idle.park()

    @property
    def behind(self) -> bool:
        """Whether something that was posted has not been sent."""
        return bool(self._queue)

    def send_now(self, message: Message) -> None:
        """Send *message* where no event loop runs; the socket must have room."""
        with suppress(OSError):  # nobody is there any more
            self._socket.send(_Packet(message, ()).data)

    async def deliver(self) -> None:
        """Send what is posted, until cancelled or until the other end is gone."""
        try:
            while True:
                await self._deliver()
                self._room.unpark()
        except OSError:  # gone, as whoever receives will find
            self._gone = True
            self.news.clear()
            self._room.unpark_all()
            self._idle.unpark_all()
            await trio.sleep_forever()

    async def _deliver(self) -> None:
        while not (self._queue or self.news):
            self._sending = False
            self._idle.unpark_all()
            await self._posted.park()
        self._sending = True
        if self._queue:
            await self._send(self._queue[0].data, self._queue[0])
            self._queue.popleft().close()
        else:
            await self._send(self.news.take(), None)
            # However quick the other end reads, there is more to do than to send news.
            await trio.lowlevel.checkpoint()

    async def _send(self, encoded: bytes, packet: _Packet | None) -> None:
        data = memoryview(encoded)
        while data and not (packet and packet.lost):
            try:
                # The sockets go with the first byte, and only once.
                numbers = packet.numbers if packet else ()
                sent = socket.send_fds(self._socket, [data], numbers)
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self._socket)
                continue
            data, packet = data[sent:], None

    async def receive(self) -> Letter[T] | None:
        """The next message; None when the other end is gone.

        Raises ChannelBroken.  Cancelling it loses nothing.
        """
        while (letter := self._next()) is None:
            await trio.lowlevel.wait_readable(self._socket)
            if not self._read():
                return None
        return letter

    def remaining(self) -> list[T]:
        """The messages that have come already, when the other end is gone."""
        messages = []
        with suppress(ChannelBroken):
            while True:
                while (letter := self._next()) is not None:
                    messages.append(letter.message)
                    for each in letter.sockets:
                        each.close()
                if not self._read(more=False):
                    break
        return messages

    def close(self) -> None:
        """Close this end, and what was not sent or not taken."""
        self._socket.close()
        while self._queue:
            self._queue.popleft().close()
        while self._descriptors:
            os.close(self._descriptors.popleft())

    def _read(self, *, more: bool = True) -> bool:
        """Whether there is, or with *more* may come, anything."""
        flags = getattr(socket, "MSG_CMSG_CLOEXEC", 0)
        room = socket.CMSG_SPACE(DESCRIPTORS * array.array("i").itemsize)
        try:
            data, extra, *_ = self._socket.recvmsg(LONGEST, room, flags)
        except BlockingIOError:
            return more
        except OSError:  # reset: it ended before it had read everything
            return False
        for _, kind, content in extra:
            if kind == socket.SCM_RIGHTS:
                numbers = array.array("i")
                whole = len(content) - len(content) % numbers.itemsize
                numbers.frombytes(content[:whole])
                self._descriptors.extend(numbers)
        self._received += data
        return bool(data)

    def _next(self) -> Letter[T] | None:
        if len(self._received) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._received)
        if length > LONGEST:
            raise ChannelBroken(f"a message of {length} bytes")
        if len(self._received) < _LENGTH.size + length:
            return None
        text = self._received[_LENGTH.size : _LENGTH.size + length]
        del self._received[: _LENGTH.size + length]
        try:
            envelope = self._envelope.decode(text)
            message = self._decoder.decode(envelope.message)
            numbers = [self._descriptors.popleft() for _ in range(envelope.sockets)]
        except (msgspec.DecodeError, IndexError) as error:
            raise ChannelBroken(str(error)) from error
        return Letter(message, [socket.socket(fileno=each) for each in numbers])


class _Envelope(msgspec.Struct):
    message: msgspec.Raw
    sockets: int = 0
