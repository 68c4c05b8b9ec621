"""The channel: messages, and sockets with them, between a supervisor and a worker.

A message is its length in four bytes and then JSON.  Neither end ever waits for the
other: what cannot be sent yet is queued, and the queue is bounded.  The end of what is
received says that the other process is gone.
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

from trioweb.run.cluster.messages import Message

T = TypeVar("T", bound=Message)

# Bytes of one message.  Ours have a hundred; more is none of ours.
LONGEST = 64 * 1024

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


class _Packet:
    __slots__ = ("data", "numbers")

    def __init__(self, message: Message, sockets: Sequence[socket.socket]) -> None:
        text = msgspec.json.encode({"message": message, "sockets": len(sockets)})
        self.data = memoryview(_LENGTH.pack(len(text)) + text)
        # Descriptors of its own: theirs may be closed before it is sent.
        self.numbers = [os.dup(each.fileno()) for each in sockets]

    def close(self) -> None:
        while self.numbers:
            os.close(self.numbers.pop())


class Channel(Generic[T]):
    """One end of a connected Unix socket, which it owns, that receives messages T."""

    def __init__(self, sock: socket.socket, kind: object) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._envelope: msgspec.json.Decoder[_Envelope] = msgspec.json.Decoder(
            _Envelope
        )
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind)
        self._queue: deque[_Packet] = deque()
        self._posted = trio.lowlevel.ParkingLot()
        self._received = bytearray()
        self._descriptors: deque[int] = deque()

    def post(self, message: Message, sockets: Sequence[socket.socket] = ()) -> None:
        """Leave *message* to be sent by `deliver`; without room it is dropped."""
        if len(self._queue) < QUEUE:
            self._queue.append(_Packet(message, sockets))
            self._posted.unpark()

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
        while True:
            while not self._queue:
                await self._posted.park()
            try:
                await self._send(self._queue[0])
            except OSError:
                await trio.sleep_forever()  # gone, as whoever receives will find
            self._queue.popleft().close()

    async def _send(self, packet: _Packet) -> None:
        data, numbers = packet.data, packet.numbers
        while data:
            try:
                # The sockets go with the first byte, and only once.
                sent = socket.send_fds(self._socket, [data], numbers)
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self._socket)
                continue
            data, numbers = data[sent:], []

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
