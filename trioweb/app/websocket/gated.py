"""Gated: the stream between the wire's tunnel and the library that speaks WebSocket.

The library reads what the frame gate has let through, and so cannot be made to store
more than its limits.  A fault that the gate finds reaches it as the Close that the peer
might have sent: it answers with the same code, and says it to whoever asks.

The handshake is behind us.  The library has one of its own all the same, so that is
what it reads and writes first; it never gets to the wire.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import trio

from trioweb.rules.frames import FrameFault, FrameGate

if TYPE_CHECKING:
    from trio_websocket import CloseReason

# Bytes read at once, as everywhere.
READ_SIZE = 64 * 1024

# Seconds from our Close to the peer's: the answer of a program that works takes one
# round trip.  Browsers wait longer, for whom closing blocks nobody.
CLOSING = 5.0

# Frames of a server (RFC 6455 section 5.2): an empty ping, and the beginning of a Close
# from either side; the peer's has a mask, which may be zero.
_PING = b"\x89\x00"
_CLOSE, _MASKED, _NO_MASK = 0x88, 0x80, bytes(4)

# Bytes of a reason (RFC 6455 section 5.5).
_LONGEST_REASON = 123

_BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError)

# What a Close may never say: there was none, or none that named a code (section 7.4.1).
_UNSAID = frozenset({1005, 1006, 1015})


class Gated(trio.abc.Stream):
    """*tunnel* behind *gate*; begins with *question* for whoever reads.

    *ended* is called once, when nothing more can be said or heard; *compress* is given
    each frame of the library's, and says what goes in its place.
    """

    def __init__(
        self,
        tunnel: trio.abc.Stream,
        gate: FrameGate,
        question: bytes,
        ended: Callable[[], None],
        *,
        compress: Callable[[bytes], bytes],
    ) -> None:
        self._tunnel = tunnel
        self._gate = gate
        self._question = question
        self._ended = ended
        self._compress = compress
        self._answered = trio.Event()  # the library has said its 101
        self._turn = trio.Lock()  # one frame after the other
        self._scope: trio.CancelScope | None = None  # around a read
        self._until = math.inf  # when a read is given up
        self.over = trio.Event()
        self.said = False  # our Close is on its way
        self._lost = False  # to somebody who does not hear it
        self.heard_at = trio.current_time()  # when something came last
        # Why the library thinks that it is closed; once there is one, it knows.
        self.reason: Callable[[], CloseReason | None] = lambda: None

    @property
    def polite(self) -> bool:
        """Whether the peer has been told that it was over."""
        return self.said and not self._lost

    @property
    def listening(self) -> bool:
        """Whether somebody waits for what comes."""
        return self._scope is not None

    @property
    def writing(self) -> bool:
        """Whether something is on its way to the peer, or waits for that."""
        return self._turn.locked()

    # For the library.

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Frames, or parts of them; b"" once there are no more."""
        if self._question:
            await trio.lowlevel.checkpoint()
            question, self._question = self._question, b""
            return question
        # What it is given before it has answered, it would not look at.
        await self._answered.wait()
        while self._gate.pending or (data := await self._more()):
            if self._gate.pending:
                await trio.lowlevel.checkpoint()
                data = b""
            try:
                passed = self._gate.feed(bytes(data), trio.current_time())
            except FrameFault as fault:
                return fault.passed + _close(fault.code, fault.reason, masked=True)
            if passed:
                return passed
        self._end()
        return b""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send one frame; ClosedResourceError after the last."""
        if not self._answered.is_set():
            self._answered.set()
            await trio.lowlevel.checkpoint()
            return
        async with self._turn:
            # In its turn, and not before: it may be large, and will have to wait.
            await self._send(self._compress(bytes(data)))

    async def wait_send_all_might_not_block(self) -> None:
        """Wait until there may be room to write."""
        await self._tunnel.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        """Close, with a Close of ours if there was none and one is due.

        The library closes without a word where it finds itself that what the peer said
        is no UTF-8, or that the code of its Close is none.
        """
        reason = self.reason()
        due = not (self.said or self.over.is_set())
        try:
            if due and reason is not None and reason.code not in _UNSAID:
                await self.close(reason.code, reason.reason or "")
            # The peer's Close may have crossed ours, which is on its way yet.
            with trio.move_on_after(CLOSING):
                async with self._turn:
                    pass
        finally:
            self._end()
            self._hear_until(-math.inf)  # whoever still reads waits for nothing
            await self._tunnel.aclose()

    # For the talk.

    async def ping(self) -> None:
        """Ask the peer for a sign of life, if it can be asked."""
        with contextlib.suppress(*_BROKEN):
            async with self._turn:
                await self._send(_PING)

    async def close(self, code: int, reason: str) -> None:
        """Send a Close, whatever the library thinks; not twice, and not for long."""
        with trio.move_on_after(CLOSING), contextlib.suppress(*_BROKEN):
            async with self._turn:
                await self._send(_close(code, reason))

    def give_up(self) -> None:
        """Take the peer for gone: whoever reads reads an end."""
        self._lost = True
        self._end()
        self._hear_until(-math.inf)

    async def _send(self, frame: bytes) -> None:
        if self.said or self.over.is_set():
            msg = "the WebSocket is closed"
            raise trio.ClosedResourceError(msg)
        await trio.lowlevel.checkpoint_if_cancelled()
        if frame[0] == _CLOSE:
            self.said = True
            self._hear_until(trio.current_time() + CLOSING)
        try:
            await self._tunnel.send_all(frame)
        except trio.BrokenResourceError:
            self._end()
            raise

    async def _more(self) -> bytes | bytearray:
        data: bytes | bytearray = b""
        try:
            with trio.CancelScope(deadline=self._until) as self._scope:
                data = await self._tunnel.receive_some(READ_SIZE)
                self.heard_at = trio.current_time()
        except trio.BrokenResourceError:
            self._end()
            raise
        finally:
            self._scope = None
        return data

    def _hear_until(self, when: float) -> None:
        self._until = min(self._until, when)
        if self._scope is not None:
            self._scope.deadline = self._until

    def _end(self) -> None:
        if not self.over.is_set():
            self.over.set()
            self._ended()


def _close(code: int, reason: str, *, masked: bool = False) -> bytes:
    payload = code.to_bytes(2, "big") + _short(reason)
    if masked:
        head = bytes((_CLOSE, _MASKED | len(payload))) + _NO_MASK
    else:
        head = bytes((_CLOSE, len(payload)))
    return head + payload


def _short(reason: str) -> bytes:
    # Not in the middle of a character.
    return reason.encode()[:_LONGEST_REASON].decode(errors="ignore").encode()
