"""Pump: the peers of one server's WebSockets, in a process of their own.

``python -m benchmarks.websockets.pump WHAT PORT PID CONNECTIONS SIZE SECONDS`` prints
what it has found of the server *PID* as JSON.  It must cost less than the server: its
frames are made beforehand, what comes back is known to the byte and counted, and one
epoll waits for all of it.
"""

from __future__ import annotations

import json
import select
import socket
import sys
import time
from statistics import quantiles

from benchmarks.system import processor_seconds, usage

# Bytes read at once.
_READ = 1 << 20

# Seconds without any byte after which a server is given up; and until one that is left
# alone has done all it had to do.
_PATIENCE = 10.0
_REST = 1.0

_ASK = (
    "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

# A mask that has to be removed, as any has that is not zero; and a Close with 1000.
_KEY = b"\x37\xfa\x21\x3d"
_CLOSE = b"\x88\x82" + _KEY + b"\x34\x12"
_TEXT = 0x81


class Failed(Exception):
    """The server does not do what is asked of it."""


class Line:
    """One connection: a frame on its way out, and how much of the answer is here."""

    __slots__ = ("began", "got", "left", "sock")

    def __init__(self, port: int, path: str) -> None:
        self.got = 0
        self.left = memoryview(b"")
        self.began = 0.0
        self.sock = socket.create_connection(("127.0.0.1", port), _PATIENCE)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(_ASK.format(path=path, port=port).encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            # Byte by byte, as nothing of what follows is to be missed.
            byte = self.sock.recv(1)
            if not byte:
                raise Failed(f"the handshake was answered with {head!r}")
            head += byte
        if b" 101 " not in head:
            raise Failed(f"the handshake was answered with {head!r}")
        self.sock.setblocking(False)

    def send(self, frame: memoryview | None = None) -> bool:
        """Send as much of *frame*, or of the last one, as there is room for; all?"""
        if frame is not None:
            self.left, self.began = frame, time.perf_counter()
        try:
            self.left = self.left[self.sock.send(self.left) :]
        except BlockingIOError:
            return False
        return not self.left


class Pump:
    """Connections to *path*, over which messages of *size* bytes go."""

    def __init__(self, port: int, path: str, connections: int, size: int) -> None:
        text = (b"0123456789abcdef" * (size // 16 + 1))[:size]
        self._frame = memoryview(_framed(text))
        self._answer = len(self._frame) - len(_KEY)
        self._buffer = bytearray(_READ)
        self._epoll = select.epoll()
        self.lines = [Line(port, path) for _ in range(connections)]
        self._by_file = {line.sock.fileno(): line for line in self.lines}
        for file in self._by_file:
            self._epoll.register(file, select.EPOLLIN)

    def echo(self, until: float) -> list[float]:
        """Messages there and back on every connection *until*; seconds of each."""
        took: list[float] = []
        for line in self.lines:
            self._send(line)
        waiting = len(self.lines)
        while waiting:
            for line in self._whole():
                now = time.perf_counter()
                took.append(now - line.began)
                if now < until:
                    self._send(line)
                else:
                    waiting -= 1
        return took

    def cast(self) -> float:
        """Seconds from a message of the first to its last hearer, of whom it is one."""
        began = time.perf_counter()
        self._send(self.lines[0])
        waiting = len(self.lines)
        while waiting:
            waiting -= len(self._whole())
        return time.perf_counter() - began

    def close(self) -> None:
        """Say goodbye on every connection, as a peer does."""
        for line in self.lines:
            line.sock.setblocking(True)
            line.sock.sendall(_CLOSE)
        for line in self.lines:
            while line.sock.recv(_READ):
                pass
            line.sock.close()
        self._epoll.close()

    def _send(self, line: Line) -> None:
        if not line.send(self._frame):
            self._epoll.modify(line.sock, select.EPOLLIN | select.EPOLLOUT)

    def _whole(self) -> list[Line]:
        """Those who have got all of a message by now."""
        whole = []
        events = self._epoll.poll(_PATIENCE)
        if not events:
            raise Failed("an answer did not come")
        for file, event in events:
            line = self._by_file[file]
            if event & select.EPOLLOUT and line.send():
                self._epoll.modify(file, select.EPOLLIN)
            if event & select.EPOLLIN and self._read(line):
                whole.append(line)
        return whole

    def _read(self, line: Line) -> bool:
        size = line.sock.recv_into(self._buffer)
        if not size or (not line.got and self._buffer[0] != _TEXT):
            raise Failed(
                f"an answer began with {bytes(self._buffer[: min(size, 40)])!r}"
            )
        line.got += size
        if line.got < self._answer:
            return False
        if line.got > self._answer:
            raise Failed("an answer was longer than its question")
        line.got = 0
        return True


def _framed(text: bytes) -> bytes:
    size = len(text)
    if size < 126:
        head = bytes([_TEXT, 0x80 | size])
    elif size < 1 << 16:
        head = bytes([_TEXT, 0xFE]) + size.to_bytes(2, "big")
    else:
        head = bytes([_TEXT, 0xFF]) + size.to_bytes(8, "big")
    mask = (_KEY * (size // len(_KEY) + 1))[:size]
    hidden = int.from_bytes(text, "big") ^ int.from_bytes(mask, "big")
    return head + _KEY + hidden.to_bytes(size, "big")


def echo(port: int, pid: int, connections: int, size: int, seconds: float) -> object:
    """What an echoed message costs, and how long it takes."""
    pump = Pump(port, "/echo", connections, size)
    before, began = processor_seconds(pid), time.perf_counter()
    took = pump.echo(began + seconds)
    lasted, used = time.perf_counter() - began, processor_seconds(pid) - before
    pump.close()
    cuts = quantiles(took, n=100) if len(took) > 1 else took * 100
    return {
        "processor": used / len(took) * 1e6,
        "rate": len(took) / lasted,
        "p50": cuts[49] * 1000,
        "p99": cuts[98] * 1000,
        "rss": usage(pid).rss,
    }


def idle(port: int, pid: int, connections: int, size: int, _: float) -> object:
    """What a WebSocket holds on which nothing is said, in bytes."""
    Pump(port, "/echo", connections // 10, size).close()
    time.sleep(_REST)
    before = usage(pid).rss
    pump = Pump(port, "/echo", connections, size)
    time.sleep(_REST)
    held = usage(pid).rss - before
    pump.close()
    return {"held": held / connections}


def cast(port: int, pid: int, connections: int, size: int, seconds: float) -> object:
    """How long a message takes to all who are in a room, in milliseconds."""
    pump = Pump(port, "/room", connections, size)
    time.sleep(_REST)
    pump.cast()
    end, took = time.perf_counter() + seconds, [pump.cast()]
    while time.perf_counter() < end:
        took.append(pump.cast())
    pump.close()
    return {"last": [each * 1000 for each in took]}


WHAT = {"echo": echo, "idle": idle, "cast": cast}


def main() -> None:
    """Do what is asked, and print what was found."""
    what, *numbers, seconds = sys.argv[1:]
    port, pid, connections, size = map(int, numbers)
    found = WHAT[what](port, pid, connections, size, float(seconds))
    print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
