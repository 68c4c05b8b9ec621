"""Holding: what connections that do nothing cost a server in memory."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass

import trio

from benchmarks.load import LoadFailed
from benchmarks.system import resident
from benchmarks.works import Hold

# Connections before those that count: what is loaded and kept at the first of them is
# not what one more costs.
WARM_UP = 100

# Connections that are made at once.
HANDS = 32

# Seconds until the server has done what it does after an answer, and in which all the
# connections must have been made: some servers close after 5 what is not used.
REST = 1.0
PATIENCE = 20

# Of the kernel's states of a connection, the one where neither end has closed (tcp.h).
_ESTABLISHED = 1

_REQUEST = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"
_END = b"Hello, World!"


@dataclass(frozen=True, slots=True)
class Held:
    """Bytes that were resident: before, with *connections*, and after them."""

    connections: int
    before: int
    during: int
    after: int

    @property
    def each(self) -> float:
        """Bytes for each connection."""
        return (self.during - self.before) / self.connections


async def hold(
    pid: int, port: int, work: Hold, trust: ssl.SSLContext | None = None
) -> Held:
    """Hold connections to the server *pid*, which nobody has asked anything before.

    They are by TLS with *trust*.  LoadFailed if it does not keep them.
    """
    await _close(await _made(port, WARM_UP, trust))
    before = resident(pid)
    streams = await _made(port, work.connections, trust)
    await trio.sleep(REST)
    during = resident(pid)
    gone = sum(_has_ended(stream) for stream in streams)
    await _close(streams)
    if gone:
        raise LoadFailed(f"{work.name}: {gone} connections were not kept")
    return Held(work.connections, before, during, resident(pid))


Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]


async def _made(port: int, number: int, trust: ssl.SSLContext | None) -> list[Stream]:
    streams: list[Stream] = []
    left, answered, why = number, 0, "too late"

    async def hand() -> None:
        nonlocal left, answered, why
        while left > 0:
            left -= 1
            try:
                stream = await _opened(port, trust)
                streams.append(stream)
                await _ask(stream)
                answered += 1
            except (OSError, trio.BrokenResourceError, LoadFailed) as error:
                left, why = 0, f"{error!r}"

    with trio.move_on_after(PATIENCE):
        async with trio.open_nursery() as hands:
            for _ in range(HANDS):
                hands.start_soon(hand)
    if answered < number:
        await _close(streams)
        raise LoadFailed(f"{answered} of {number} connections were answered: {why}")
    return streams


async def _opened(port: int, trust: ssl.SSLContext | None) -> Stream:
    wire = await trio.open_tcp_stream("127.0.0.1", port)
    if trust is None:
        return wire
    return trio.SSLStream(wire, trust, server_hostname="127.0.0.1")


async def _ask(stream: Stream) -> None:
    await stream.send_all(_REQUEST)
    answer = b""
    while not answer.endswith(_END):
        piece = await stream.receive_some()
        if not piece:
            raise LoadFailed(f"no answer but {answer!r}")
        answer += piece


def _has_ended(stream: Stream) -> bool:
    wire = stream.transport_stream if isinstance(stream, trio.SSLStream) else stream
    # By its state: there may be something to be read before the end, as tickets of TLS.
    state = wire.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)
    return state[0] != _ESTABLISHED


async def _close(streams: list[Stream]) -> None:
    """Close them without a word, as peers do that vanish; and let the server see it."""
    for stream in streams:
        await trio.aclose_forcefully(stream)
    await trio.sleep(REST)
