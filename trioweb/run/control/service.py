"""The service on the control socket: whoever may connect is answered, each by itself.

A peer that sends nonsense, does not send, or does not read loses its own connection
and holds up nobody: everything here has a bound in bytes, seconds and number.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import trio

from trioweb.run.cluster.supervisor import Supervisor
from trioweb.run.control.commands import answer
from trioweb.run.control.listing import Server
from trioweb.run.control.place import Found
from trioweb.run.control.protocol import LONGEST_REQUEST, Refused, Reply, Requests

log = logging.getLogger("trioweb.error")

# Peers at a time: a dozen terminals, and a program that watches.
PEERS = 16

# Seconds for a request to come, and for a reply to be taken.
PATIENCE = 5.0

# Seconds at the end for the last replies, which say that it has come.
LAST = 1.0

# Seconds to wait where the system has no descriptor for one more peer.
FULL = 0.1

# As in getsockopt(SO_PEERCRED): process, user, group.
_CREDENTIALS = struct.Struct("3i")


@asynccontextmanager
async def answering(found: Found | None, supervisor: Supervisor) -> AsyncIterator[None]:
    """Answer who finds the server of *supervisor*, while the block runs.

    Leaving it tells those who wait for the end that it has come.
    """
    if found is None:
        yield
        return
    server = Server(found.name, supervisor)
    async with trio.open_nursery() as peers:
        accepting = trio.CancelScope()
        peers.start_soon(_accept, found.socket, server, peers, accepting)
        yield
        accepting.cancel(reason="the server has ended")
        supervisor.answers.end()
        peers.cancel_scope.deadline = trio.current_time() + LAST


async def _accept(
    sock: socket.socket,
    server: Server,
    peers: trio.Nursery,
    accepting: trio.CancelScope,
) -> None:
    listener = trio.socket.from_stdlib_socket(sock)
    desk = _Desk(server)
    with accepting:
        while True:
            try:
                peer, _ = await listener.accept()
            except OSError as error:
                if error.errno not in {errno.EMFILE, errno.ENFILE, errno.ENOMEM}:
                    log.warning("the control socket is gone: %s", error.strerror)
                    return
                await trio.sleep(FULL)
            else:
                peers.start_soon(desk.serve, trio.SocketStream(peer))


class _Desk:
    """Where peers are answered."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._peers = 0

    async def serve(self, peer: trio.SocketStream) -> None:
        """Answer one peer, and hang up."""
        self._peers += 1
        try:
            async with peer:
                if self._peers > PEERS:
                    await _send(peer, Refused("too many ask at once; try again"))
                elif not _is_ours(peer):
                    await _send(peer, Refused("this server belongs to another user"))
                else:
                    await self._answer(peer)
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # it has hung up
        except* Exception:  # the boundary: what fails here must not end the server
            log.exception("a request on the control socket failed")
        finally:
            self._peers -= 1

    async def _answer(self, peer: trio.SocketStream) -> None:
        line = await _line(peer)
        if line is None:
            return
        try:
            request = _REQUESTS.decode(line)
        except msgspec.DecodeError as error:
            await _send(peer, Refused(f"not understood: {error}"))
            return
        async with trio.open_nursery() as talking:
            talking.start_soon(_until_gone, peer, talking.cancel_scope)

            async def send(reply: Reply) -> None:
                await _send(peer, reply)

            await send(await answer(request, self._server, send))
            talking.cancel_scope.cancel(reason="it is answered")


_REQUESTS: msgspec.json.Decoder[Requests] = msgspec.json.Decoder(Requests)


async def _line(peer: trio.SocketStream) -> bytes | None:
    """The one line that a peer sends; None if it does not, or sends more."""
    received = bytearray()
    with trio.move_on_after(PATIENCE):
        while len(received) <= LONGEST_REQUEST:
            piece = await peer.receive_some(LONGEST_REQUEST)
            if not piece:
                return None
            received += piece
            line, end, rest = received.partition(b"\n")
            if end:
                return None if rest or len(line) > LONGEST_REQUEST else bytes(line)
    return None


async def _until_gone(peer: trio.SocketStream, talking: trio.CancelScope) -> None:
    """Nobody waits for the answer when the peer is gone, or says something more."""
    try:
        await peer.receive_some(1)
    finally:
        talking.cancel(reason="the peer has gone")


async def _send(peer: trio.SocketStream, reply: Reply) -> None:
    """Send one reply; a peer that does not take it is gone for us."""
    with trio.move_on_after(PATIENCE) as sending:
        await peer.send_all(msgspec.json.encode(reply) + b"\n")
    if sending.cancelled_caught:
        raise trio.BrokenResourceError("the peer does not read")


def _is_ours(peer: trio.SocketStream) -> bool:
    """Whether the peer's process has our user, or root, where the system tells.

    The mode of the socket says the same; this holds also where somebody has widened it.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    found = peer.socket.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
    )
    _, user, _ = _CREDENTIALS.unpack(found)
    return user in {0, os.getuid()}
