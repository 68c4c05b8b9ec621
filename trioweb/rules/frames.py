"""The frame gate: may these bytes of a WebSocket be handed on? (RFC 6455 section 5)

It stands in front of the library that speaks WebSocket, reads the headers of frames and
nothing else, and counts before anything is stored.  Payload goes through as it came,
still masked; what it says (UTF-8, the code of a Close) is for the library to judge.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Protocol

from trioweb.rules.allowance import Allowance
from trioweb.rules.frame_form import (
    BINARY,
    CLOSE,
    CONTINUATION,
    EXTENSIONS,
    FIN,
    HEADER,
    KEY,
    LENGTH,
    MASK,
    OPCODE,
    PING,
    PONG,
    RESERVED,
    RSV1,
    TEXT,
)

# Codes of a Close frame (RFC 6455 section 7.4.1).
PROTOCOL_ERROR = 1002
BAD_CONTENT = 1007
POLICY_VIOLATION = 1008
TOO_BIG = 1009

# Payload of a control frame, bytes (RFC 6455 section 5.5).
_LONGEST_CONTROL = 125

# Parts of one message that are handed on as they come, however small, so that bad UTF-8
# is answered when it comes.  After that they are gathered: the library keeps each part
# as an object of some 50 bytes, and a peer may send two bytes at a time.
_PROMPT = 64
_GATHERED = 4 * 1024


class FrameFault(Exception):
    """The peer broke the protocol or a limit: close with this code and reason.

    *passed* is what came before the fault and can still be handed on.
    """

    def __init__(self, code: int, reason: str, passed: bytes = b"") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason
        self.passed = passed


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameLimits:
    """What the peer of one WebSocket may send.  ValueError for what is not above 0."""

    # 1009: bytes of a message, all its fragments together.  As the `websockets` library
    # has it; aiohttp takes 4 MiB, uvicorn 16.
    message: int = 1024 * 1024
    # 1008: frames of a message, empty ones too: each costs about 10 µs and a place in a
    # list, whatever is in it.  Browsers send one.
    fragments: int = 1024
    # 1008: pings a second, and at once after a silence.  Each is answered; a keep-alive
    # needs one in 20 s.
    pings: float = 20
    # 1008: pongs a second, and at once: those we asked for, too, so more than a handler
    # can ask for that waits for one before the next.
    pongs: float = 1000

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            # Below 1 not even the first would be let through.
            if not 1 <= value < math.inf:
                msg = f"{each.name} is {value!r}; give a number of 1 or more"
                raise ValueError(msg)


class Inflating(Protocol):
    """What makes plain frames of those that were let through, as Inflater does."""

    pending: bool

    def feed(self, data: bytes) -> bytes:
        """What *data* becomes, and what there is from before."""


class FrameGate:
    """The frames of one peer, which must be masked; any split gives the same.

    Nothing after a Close is looked at or handed on.  With *inflater*, messages may be
    compressed, and plain ones are handed on.

    *pending*: to be fed b"" before anything is read, as there is more to hand on.
    """

    def __init__(self, limits: FrameLimits, inflater: Inflating | None = None) -> None:
        self.pending = False
        self._inflater = inflater
        self._odd = _ODD if inflater is None else _ODD_DEFLATED
        self._limits = limits
        self._pings = Allowance("pings", limits.pings, limits.pings)
        self._pongs = Allowance("pongs", limits.pongs, limits.pongs)
        self._head = b""  # the beginning of a header
        self._left = 0  # payload of the frame at work still to come, bytes
        self._closing = False  # and that frame is a Close
        self._closed = False  # ... of which all has come
        self._size = 0  # of the message at work so far, bytes
        self._fragments = 0  # of the message at work so far; 0: there is none
        self._parts = 0  # in which nothing but payload of that message came
        self._gathered = bytearray()  # let through, and not handed on yet
        self._fault: tuple[int, str] | None = None

    def feed(self, data: bytes, now: float) -> bytes:
        """What may be handed on now that *data* has come at *now*, monotonic seconds.

        Whole frames and parts of them, a header only as a whole; b"" when more must
        come.  Raises FrameFault, and again at every later call.
        """
        if self._inflater is None:
            return self._pass(data, now)
        try:
            return self._inflate(self._inflater, data, now)
        except FrameFault as fault:
            self._fault = (fault.code, fault.reason)
            self._inflater, self.pending = None, False
            raise

    def _inflate(self, inflater: Inflating, data: bytes, now: float) -> bytes:
        fault: FrameFault | None = None
        try:
            passed = self._pass(data, now)
        except FrameFault as found:
            passed, fault = found.passed, found
        plain = inflater.feed(passed)
        self.pending = inflater.pending
        if fault is None or self.pending:
            return plain
        raise FrameFault(fault.code, fault.reason, plain)

    def _pass(self, data: bytes, now: float) -> bytes:
        if self._fault is not None:
            raise FrameFault(*self._fault)
        if len(data) < self._left:
            self._left -= len(data)
            return self._part(data)
        if self._closed:
            return b""
        data = self._head + data
        at = 0
        try:
            while step := self._step(data, at, now):
                at += step
        except FrameFault as fault:
            self._fault = (fault.code, fault.reason)
            fault.passed = self._handed(data[:at])
            raise
        self._head = b"" if self._closing else data[at:]
        return self._handed(data[:at])

    def _part(self, data: bytes) -> bytes:
        self._parts += 1
        prompt = self._parts <= _PROMPT or len(data) >= _GATHERED
        if prompt and not self._gathered:
            return data
        self._gathered += data
        return b"" if len(self._gathered) < _GATHERED else self._handed(b"")

    def _handed(self, passed: bytes) -> bytes:
        if not self._gathered:
            return passed
        handed = bytes(self._gathered) + passed
        self._gathered.clear()
        return handed

    def _step(self, data: bytes, at: int, now: float) -> int:
        """How many bytes at *at* may follow those before: a header, a payload."""
        if self._left:
            step = min(self._left, len(data) - at)
            self._left -= step
        else:
            step = self._header(data, at, now)
        if self._closing and not self._left:
            self._closed = True
        return step

    def _header(self, data: bytes, at: int, now: float) -> int:
        """The bytes of the header at *at* when all of them are there; 0 until then."""
        if self._closed or len(data) - at < HEADER:
            return 0
        first, length = data[at], data[at + 1] & LENGTH
        self._check(first, data[at + 1])
        control = first & OPCODE >= CLOSE
        size = HEADER + KEY
        if length > _LONGEST_CONTROL:
            extension, least = EXTENSIONS[length]
            size += extension
            if len(data) - at < size - KEY:
                return 0
            length = int.from_bytes(data[at + HEADER : at + size - KEY], "big")
            if length < least or length >> 63:
                raise _broken("the length of a frame is not written as it must be")
        if not control and self._size + length > self._limits.message:
            limit = self._limits.message
            raise FrameFault(TOO_BIG, f"a message of more than {limit} bytes")
        if len(data) - at < size:
            return 0
        if control:
            self._begin_control(first & OPCODE, now)
        else:
            self._begin_data(first, length)
        self._left = length
        return size

    def _check(self, first: int, second: int) -> None:
        """FrameFault if no header can begin with these two bytes here."""
        if odd := self._odd[first]:
            raise _broken(odd)
        if not second & MASK:
            raise _broken("a frame is not masked")
        opcode = first & OPCODE
        if opcode >= CLOSE:
            if second & LENGTH > _LONGEST_CONTROL:
                raise _broken("a control frame is too long")
        elif (opcode == CONTINUATION) != (self._fragments > 0):
            raise _broken("a message begins or goes on where it cannot")

    def _begin_data(self, first: int, length: int) -> None:
        if not self._fragments:
            self._parts = 0
        self._size += length
        self._fragments += 1
        if self._fragments > self._limits.fragments:
            limit = self._limits.fragments
            raise FrameFault(POLICY_VIOLATION, f"a message of more than {limit} frames")
        if first & FIN:
            self._size = self._fragments = 0

    def _begin_control(self, opcode: int, now: float) -> None:
        if opcode == CLOSE:
            self._closing = True
        elif not (self._pings if opcode == PING else self._pongs).take(now):
            raise FrameFault(POLICY_VIOLATION, "too many pings or pongs")


def _broken(reason: str) -> FrameFault:
    return FrameFault(PROTOCOL_ERROR, reason)


def _odd(first: int, *, deflated: bool = False) -> str | None:
    """What is wrong with a frame whose first byte is *first*, wherever it stands."""
    opcode = first & OPCODE
    # RFC 7692 section 6: the first frame of a compressed message has the bit.
    allowed = RSV1 if deflated and opcode in {TEXT, BINARY} else 0
    if first & RESERVED & ~allowed:
        return "a reserved bit is set"
    if opcode not in {CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG}:
        return "the opcode of a frame is reserved"
    if opcode >= CLOSE and not first & FIN:
        return "a control frame is fragmented"
    return None


_ODD = tuple(_odd(first) for first in range(256))
_ODD_DEFLATED = tuple(_odd(first, deflated=True) for first in range(256))
