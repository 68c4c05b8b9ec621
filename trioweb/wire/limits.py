"""Limits: every bound of the wire, with its unit, its reason and its precedent."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from trioweb.message.errors import SetupError

# Bytes asked of a transport at once: what Trio's own streams ask for, and what a
# socket's receive buffer holds on most systems.
READ_SIZE = 64 * 1024

# The same while memory has nearly run out: a head, so that it can be refused, and
# hardly any of the content that a thousand peers send behind theirs.
HARD_READ = 4 * 1024

# Bytes of a file read at once: few enough that a slow peer holds little memory, enough
# that going to a thread (about 55 µs) costs less than the copy.
FILE_PIECE = 256 * 1024

# HTTP/2: the same of each stream where several send files: together they hold no more
# than of content that comes, whoever asks for a hundred and reads nothing.
STREAM_PIECE = 64 * 1024

# Bytes of a response's head: a handler that writes more has gone wrong, and no peer we
# know of would read it; most proxies stop at 64 KiB or before.
RESPONSE_HEAD = 64 * 1024

# HTTP/2: streams of one connection at once (RFC 9113 section 6.5.2 asks for no fewer
# than 100); a handler that goes on after its stream was reset still counts.
STREAMS = 100

# HTTP/2: content of one stream that may wait for its handler, bytes: what the protocol
# begins with, so that no peer must first be told; one connection holds 6.5 MB at most.
STREAM_WINDOW = 64 * 1024 - 1

# HTTP/2: a peer's fields, unpacked, each 32 bytes more than its name and value (RFC
# 9113 section 6.5.2): the sum we announce, above which a request gets 431 (hyper has
# the same), and the one above which not even the rest of the block is unpacked.
FIELD_LIST = 16 * 1024
UNPACKED = 64 * 1024

# HTTP/2: bytes remembered of the fields that went before, in each direction, whatever
# the peer offers: what the protocol begins with.
HPACK_TABLE = 4 * 1024

# HTTP/2: content of one stream in one frame, bytes, before the next stream has its
# turn: the least that every peer takes (RFC 9113 section 4.2).
TURN = 16 * 1024

# HTTP/2: bytes that wait to be written, beside as many that are being written, before
# streams must wait; and with what answers frames, before the peer has read so little
# that it is cut off (HAProxy's and nginx's buffers are of the same order).
OUTGOING = 64 * 1024
OVERFLOW = 192 * 1024

# HTTP/2: seconds for a peer to acknowledge our settings (RFC 9113 section 6.5.3).
SETTINGS_TIME = 10.0

# HTTP/2: frames taken at one go before others get their turn; most cost 10 to 100 µs.
FRAMES = 64

# One empty line before a request is skipped, because RFC 9112 section 2.2 asks for it.
EMPTY_LINE = b"\r\n"

# Waits for what may still come, where waiting for nothing is safe, if not polite.
_COURTESIES = frozenset({"drain_linger", "half_close"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a peer may make the server hold, and how long it may make it wait.

    Sizes are in bytes, times in seconds.  Each can be set; none can be switched off.
    """

    # 414: nginx's 8 KiB; the longest URL that browsers and caches agree on is shorter.
    request_line: int = 8 * 1024
    # 431: nginx holds four buffers of 8 KiB; Node 16 KiB.
    head: int = 32 * 1024
    # 431: 100 fields, as hyper and gunicorn; each costs h11 about 20 µs.
    fields: int = 100
    # 400: a chunk-size line with its extension; no peer we know of sends extensions.
    chunk_line: int = 256
    # 400: chunk extensions of one body: nobody needs them, so this is generous.
    chunk_extensions: int = 4 * 1024
    # 400: chunk framing over and above the content it frames (Go has the same 16 KiB):
    # one-byte chunks would cost a hundred times what their bytes are worth.
    chunk_overhead: int = 16 * 1024
    # 431: trailers are rarely more than a checksum.
    trailers: int = 4 * 1024
    trailer_fields: int = 32
    # Content a handler left unread: reading this much costs less than a new
    # connection, reading more would let a peer keep us busy for nothing.
    unread: int = 64 * 1024
    # And how long that, or the last bytes of a peer we have closed on, may take to
    # come: nginx waits 5 s between reads, Go half a second.
    linger: float = 2.0
    # What a peer may still send after our last answer, read and forgotten so that it
    # gets to read that answer: an upload refused with 413 is under way.
    lingering: int = 4 * 1024 * 1024
    # 408: the whole head from its first byte, absolute: a byte a second does not
    # stretch it.  Also the first byte of a new connection.  Go's usual advice is 5-10.
    head_time: float = 10.0
    # A connection between two requests: longer than the 60 s of the load balancers
    # that may stand before us, so that it is they who close; nginx's 75.
    idle_time: float = 75.0
    # The same once the server is stopping: time for a request that is on its way.
    drain_linger: float = 1.0
    # From a peer's FIN to the cancelling of its handler.  One that closed and one that
    # only finished sending look the same; the second still gets a quick answer.
    half_close: float = 0.5
    # For the 408 or 503 that says a deadline has passed: a peer who does not take it
    # within this does not get it.
    farewell: float = 1.0
    # The least rate at which content must come while a handler waits for it, and be
    # taken while a write waits, bytes a second on the average, and how long before it
    # counts: Kestrel's 240 and 5 s.  An analogue modem is ten times as fast.
    rate: int = 240
    grace: float = 5.0
    # A write of which the peer takes nothing, content of which nothing comes: half of
    # nginx's 60 s.  At the least rate alone a quick start would pay for hours.
    stall: float = 30.0
    # How often a write that waits is looked at.
    look: float = 5.0
    # Connections of one event loop; fewer where the process has fewer descriptors.
    # 10 000 idle ones hold about 100 MB.
    connections: int = 10_000
    # 503: handlers at work at once in one event loop, until they have returned their
    # response; streams and tunnels are bounded by the connections.  More would only
    # make all of them late.
    at_work: int = 1000
    # Requests on one connection, and its age: nginx's 1000 and 1 h.  It lets a load
    # balancer spread its connections anew.
    requests: int = 1000
    age: float = 3600.0
    # TLS, or whatever precedes HTTP: as long as a head.
    handshake: float = 10.0

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if value == 0 and each.name in _COURTESIES:
                continue
            if not 0 < value < math.inf:
                msg = f"{each.name} is {value!r}; give a number above 0"
                raise SetupError(msg)
