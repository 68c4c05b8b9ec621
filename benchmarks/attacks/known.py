"""The attacks that are known, each with what it may cost and how it is to end."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from benchmarks.attacks import breaking, floods, holding, http2
from benchmarks.attacks.ground import Ground
from benchmarks.attacks.mixed import Beside, mixed
from benchmarks.attacks.tally import CLOSED, RESET
from benchmarks.oracle import MIB, Bounds

PeerOf = Callable[[Ground], Awaitable[None]]
"""One connection of a hostile peer, from its opening to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One attack: its peers, each of which connects again when its connection ends.

    *most* bounds the connections that are made in all.  *settle* is how many seconds
    after its end the server must be as it was before.  *memory* is how many bytes the
    server is told that it may have, and is killed for as soon as it has more;
    *connections* how many of them it may have: by default it has its own defaults.
    """

    name: str
    peer: PeerOf
    peers: int
    seconds: float
    bounds: Bounds = field(default_factory=Bounds)
    most: float = math.inf
    settle: float = 5.0
    memory: int = 0
    connections: int = 0

    def told(self) -> list[str]:
        """What its server is told."""
        memory = ["--memory", str(self.memory)] if self.memory else []
        room = ["--connections", str(self.connections)] if self.connections else []
        return memory + room


# Seconds that an ending may be late, or its news: 2000 of them come at once, to a peer
# that yields its core to the canary.
LATE = 1.5

# And early: a server may know of a connection before its peer gets to look.
EARLY = 0.5

# Trio keeps a thread for 10 s in case another call needs one.
IDLE_THREADS = 12.0

# Answers of 4xx and 5xx that say what was wrong with a request; never a 500.  Some
# mutations leave a request as good as it was.
_JUDGED = frozenset(
    map(str, (200, 308, 400, 404, 405, 408, 411, 413, 414, 417, 431, 501, 505))
)

_SLOW = 80 * MIB

# The library of HTTP/2 is loaded when the first peer asks for it.
_LIBRARY = 24 * MIB

TEN_THOUSAND = 10_000

ATTACKS = (
    Attack(
        name="slow-headers",
        peer=holding.slow_headers,
        peers=2000,
        seconds=25,
        bounds=Bounds(
            endings=frozenset({"408"}),
            shortest=10 - EARLY,
            longest=10 + LATE,
            memory=_SLOW,
        ),
    ),
    Attack(
        name="silent",
        peer=holding.silent,
        peers=2000,
        seconds=15,
        bounds=Bounds(
            endings=frozenset({CLOSED}),
            shortest=10 - EARLY,
            longest=10 + LATE,
            memory=_SLOW,
        ),
    ),
    Attack(
        name="slow-bodies",
        peer=holding.slow_bodies,
        peers=500,
        seconds=22,
        bounds=Bounds(
            endings=frozenset({"408"}),
            shortest=5 - EARLY,
            longest=16 + LATE,
            memory=_SLOW,
        ),
    ),
    Attack(
        name="slow-readers",
        peer=holding.slow_readers,
        peers=2000,
        seconds=40,
        bounds=Bounds(
            endings=frozenset({RESET}),
            shortest=5 - EARLY,
            longest=30 + LATE,
            memory=_SLOW,
        ),
    ),
    Attack(
        name="idle",
        peer=holding.idle,
        peers=2000,
        seconds=15,
        # 15 KiB each: ten thousand are to cost 150 MiB.
        bounds=Bounds(complete=2000, memory=30 * MIB),
    ),
    Attack(
        name="ten-thousand",
        peer=holding.now_and_then,
        peers=TEN_THOUSAND,
        seconds=60,
        # Besides them the canary, and whoever asks for the figures.
        connections=TEN_THOUSAND + 1000,
        bounds=Bounds(
            complete=TEN_THOUSAND, memory=TEN_THOUSAND * 12 * 1024, canary_p999=50
        ),
    ),
    Attack(
        name="memory",
        peer=floods.uploads,
        peers=2000,
        most=2000,
        seconds=60,
        settle=IDLE_THREADS,
        memory=200 * MIB,
        bounds=Bounds(
            endings=frozenset({"200", "503"}),
            complete=2000,
            memory=200 * MIB,
            refuses=True,
        ),
    ),
    Attack(
        name="connect-close",
        peer=floods.connect_close,
        peers=64,
        seconds=10,
        most=20_000,
        bounds=Bounds(canary_p99=100),
    ),
    Attack(
        name="reset",
        peer=breaking.cut,
        peers=64,
        seconds=60,
        most=10_000,
        settle=IDLE_THREADS,
        # An upload may be refused, or answered, before it is cut.
        bounds=Bounds(complete=10_000),
    ),
    Attack(name="pipelining", peer=floods.pipelining, peers=32, seconds=10),
    Attack(
        name="tiny-chunks",
        peer=floods.tiny_chunks,
        peers=32,
        seconds=10,
        bounds=Bounds(endings=frozenset({"400"})),
    ),
    Attack(
        name="chunk-line",
        peer=floods.long_chunk_line,
        peers=32,
        seconds=10,
        bounds=Bounds(endings=frozenset({"400"})),
    ),
    Attack(
        name="headers",
        peer=floods.many_fields,
        peers=32,
        seconds=10,
        bounds=Bounds(endings=frozenset({"431"})),
    ),
    Attack(
        name="malformed",
        peer=breaking.malformed,
        peers=32,
        seconds=10,
        settle=IDLE_THREADS,
        bounds=Bounds(endings=_JUDGED | {CLOSED}, longest=5),
    ),
    *(
        Attack(
            name=f"h2-{name}",
            peer=peer,
            # Each begins anew as soon as it is thrown out.
            peers=4,
            seconds=10,
            bounds=Bounds(
                endings=frozenset({"ENHANCE_YOUR_CALM"}), longest=5, memory=_LIBRARY
            ),
        )
        for name, peer in http2.FLOODS.items()
    ),
)

# What the soak runs: no attack to be repelled, but all of it at once, for long.
MIXED = Attack(
    name="mixed",
    peer=mixed,
    peers=40,
    seconds=1800,
    settle=IDLE_THREADS,
    # Its canary sings for so long that it hears whatever else the machine does.
    bounds=Bounds(
        endings=_JUDGED | {CLOSED, RESET}, memory=_SLOW, canary_most=math.inf
    ),
)

# The same beside as many idle connections as a worker takes.
CROWDED = replace(
    MIXED,
    name="crowded",
    peer=Beside(TEN_THOUSAND),
    peers=TEN_THOUSAND + MIXED.peers,
    connections=TEN_THOUSAND + 1000,
    bounds=replace(MIXED.bounds, memory=_SLOW + TEN_THOUSAND * 12 * 1024),
)

BY_NAME = {attack.name: attack for attack in (*ATTACKS, MIXED, CROWDED)}
