"""The caller: asks a server on its control socket, from another program."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import msgspec

from trioweb.message.errors import SetupError
from trioweb.run.control.place import Server
from trioweb.run.control.protocol import (
    LONGEST_REPLY,
    Done,
    List,
    Listing,
    Logs,
    Refused,
    Replies,
    Requests,
    Tree,
)

# Seconds for a server to say what it knows: its workers have two for their part.
PATIENCE = 5.0


class ControlError(SetupError):
    """A server that cannot be asked, or refuses; one line with the reason."""


def ask(server: Server, request: Requests) -> Iterator[Replies]:
    """The replies to *request*, but for the last; ControlError if that is a refusal.

    It ends with the Done.  What changes something may take as long as it takes.
    """
    asks = isinstance(request, List | Tree | Logs)
    endless = isinstance(request, Logs) and request.follow
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(PATIENCE)
        try:
            sock.connect(str(server.socket))
            sock.sendall(msgspec.json.encode(request) + b"\n")
            sock.settimeout(PATIENCE if asks and not endless else None)
            for line in _lines(sock):
                reply = _REPLIES.decode(line)
                if isinstance(reply, Refused):
                    raise ControlError(reply.reason)
                yield reply
                if isinstance(reply, Done):
                    return
        except TimeoutError as error:
            msg = f"{server.name} does not answer"
            raise ControlError(msg) from error
        except (OSError, msgspec.DecodeError) as error:
            msg = f"{server.name} cannot be asked: {error}"
            raise ControlError(msg) from error
    msg = f"{server.name} has hung up, so it has ended or was killed"
    raise ControlError(msg)


def listed(server: Server) -> Listing | None:
    """What there is of *server*; None if it has ended."""
    try:
        for reply in ask(server, List()):
            if isinstance(reply, Listing):
                return reply
    except ControlError:
        return None
    return None


_REPLIES: msgspec.json.Decoder[Replies] = msgspec.json.Decoder(Replies)


def _lines(sock: socket.socket) -> Iterator[bytes]:
    received = bytearray()
    while piece := sock.recv(1 << 16):
        received += piece
        while (end := received.find(b"\n")) >= 0:
            yield bytes(received[:end])
            del received[: end + 1]
        if len(received) > LONGEST_REPLY:
            raise OSError("its answer is too long")
