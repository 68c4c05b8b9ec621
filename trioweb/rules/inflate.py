"""Inflating: compressed messages become plain ones, never too much of them (RFC 7692).

It stands behind the frame gate, which has checked the frames, and in front of a library
that knows nothing of compression.  What it makes of them is bounded in every message
and at every turn, whatever it would become all at once.
"""

from __future__ import annotations

import zlib

from trioweb.rules.deflate import TAIL
from trioweb.rules.frame_form import (
    CLOSE,
    CONTINUATION,
    FIN,
    KEY,
    OPCODE,
    RSV1,
    header,
    payload,
)
from trioweb.rules.frames import BAD_CONTENT, TOO_BIG, FrameFault

# Bytes handed on at once, and in one frame: what is read at once, so that a bomb takes
# no longer than anything else.  A step counts for so many, whatever comes of it: those
# who send many small frames have no longer turn.
_TURN = 64 * 1024
_STEP = 256

# DEFLATE blocks in one message that say to be the last.  A peer that cannot flush has
# one of them; after each there is a new stream to begin, which a byte or two can end.
_LAST_BLOCKS = 16

# A last block without content: it is understood as one only where a block can begin.
_NOTHING_MORE = b"\x01\x00\x00\xff\xff"


class Inflater:
    """Turns frames that a gate has let through into plain ones, masked with zeros.

    *limit*: of a message, bytes once inflated.  *pending*: there is more to be had
    without feeding anything.
    """

    def __init__(self, limit: int) -> None:
        self.pending = False
        self._limit = limit
        self._frames = b""  # let through, and looked at up to here:
        self._at = 0
        self._left = 0  # payload of the frame at work still to come, bytes
        self._mask: _Mask | None = None  # its mask, if it is to be inflated
        self._last = False  # it is the last of its message
        self._message: _Message | None = None  # the compressed one at work

    def feed(self, data: bytes) -> bytes:
        """The plain frames that *data* and what came before make, not all at once.

        Raises FrameFault: 1009 for a message over the limit, 1007 for bad content.
        """
        self._frames += data
        plain: list[bytes] = []
        done = 0
        try:
            while done < _TURN and (piece := self._step()) is not None:
                plain.append(piece)
                done += len(piece) + _STEP
        except FrameFault as fault:
            fault.passed = b"".join(plain)
            raise
        self.pending = done >= _TURN
        self._frames, self._at = self._frames[self._at :], 0
        return b"".join(plain)

    def _step(self) -> bytes | None:
        """What comes next, be it nothing; None when more must come."""
        if self._message is not None and self._message.busy:
            return self._inflate(self._message)
        if self._at == len(self._frames):
            return None
        if not self._left:
            return self._begin()
        part = self._frames[self._at : self._at + self._left]
        self._at += len(part)
        self._left -= len(part)
        if self._message is None or self._mask is None:
            return part
        self._message.add(self._mask.remove(part), end=self._last and not self._left)
        return b""

    def _begin(self) -> bytes:
        start, self._left = payload(self._frames, self._at)
        head = self._frames[self._at : start]
        first, self._at = head[0], start
        self._mask = None
        if first & RSV1:
            self._message = _Message(first & OPCODE, self._limit)
        if self._message is None or first & OPCODE >= CLOSE:
            return head
        self._mask = _Mask(head[-4:])
        self._last = first & FIN > 0
        if not self._left:
            self._message.add(b"", end=self._last)
        return b""

    def _inflate(self, message: _Message) -> bytes:
        frame = message.inflate()
        if message.over:
            self._message = None
        return frame


class _Message:
    """One compressed message, given away in frames as large as a turn."""

    def __init__(self, opcode: int, limit: int) -> None:
        self.busy = False  # there may be more in what has been added
        self.over = False
        self._opcode = opcode  # of the next frame
        self._limit = limit
        self._size = 0  # bytes inflated
        self._blocks = 0  # that said to be the last
        self._added = b""
        self._end = False  # nothing more will be added...
        self._tail = False  # ... but what the sender has left out, and that has been
        self._stream: zlib._Decompress | None = None
        self._content = bytearray()  # inflated, not given away yet

    def add(self, data: bytes, *, end: bool) -> None:
        self._added += data
        self._end = end
        self.busy = True

    def inflate(self) -> bytes:
        """The next frame, if there is enough for one."""
        # One byte more than there may be tells that there is more.
        room = 1 + min(_TURN - len(self._content), self._limit - self._size)
        content = self._inflated(room)
        self._size += len(content)
        if self._size > self._limit:
            raise FrameFault(TOO_BIG, f"a message of more than {self._limit} bytes")
        self._content += content
        if len(self._content) > _TURN:
            return self._frame(_TURN, 0)
        if self._added or len(content) == room:
            return b""
        return self._rest()

    def _inflated(self, room: int) -> bytes:
        if self._stream is None:
            if not self._added:
                return b""
            self._stream = zlib.decompressobj(-15)
        try:
            content = self._stream.decompress(self._added, room)
        except zlib.error:
            raise _bad() from None
        self._added = self._stream.unconsumed_tail
        if self._stream.eof:
            self._added, self._stream = self._stream.unused_data, None
            self._blocks += 1
            if self._blocks > _LAST_BLOCKS:
                raise _bad()
        return content

    def _rest(self) -> bytes:
        """All that was added is inflated: the last frame, if that was all."""
        if not self._end:
            self.busy = False
            return b""
        if self._stream is None:
            self.busy, self.over = False, True
            return self._frame(len(self._content), FIN)
        if self._tail:
            raise _bad()  # it has ended in the middle of a block
        self._tail = True
        self._added = TAIL + _NOTHING_MORE
        return b""

    def _frame(self, size: int, fin: int) -> bytes:
        frame = header(fin | self._opcode, size, masked=True) + self._content[:size]
        del self._content[:size]
        self._opcode = CONTINUATION
        return frame


class _Mask:
    """The mask of one frame's payload (RFC 6455 section 5.3)."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def remove(self, part: bytes) -> bytes:
        """*part*, which follows the one before, as it was before it was masked."""
        size = len(part)
        # A number as long as the part: about 1.5 ns a byte, as all happens in C.
        mask = int.from_bytes((self._key * (size // KEY + 1))[:size], "big")
        turn = size % KEY
        self._key = self._key[turn:] + self._key[:turn]
        return (int.from_bytes(part, "big") ^ mask).to_bytes(size, "big")


def _bad() -> FrameFault:
    return FrameFault(BAD_CONTENT, "a message is not compressed as it must be")
