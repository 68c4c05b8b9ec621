"""The canary: a peer that means no harm, and how long it has to wait.

It asks every 10 ms, whether the last answer has come or not: a server that stands
still for a second makes a hundred late answers, not one.  ``python -m benchmarks.canary
PORT`` prints a JSON list each second, of milliseconds or null for a failure.
"""

from __future__ import annotations

import json
import socket
import sys

import trio

# Seconds from one request to the next, and until an answer counts as none.
EVERY = 0.01
PATIENCE = 2.0

# Of so many requests, one comes on a new connection: to be let in counts too.
RENEWAL = 10

# Connections at once.  More than are needed to ask for as long as its patience lasts.
MOST = 250

_REQUEST = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"
_END = b"hello"


class Canary:
    """Asks a server again and again; *waits* are milliseconds, None for a failure."""

    def __init__(self, port: int) -> None:
        self.waits: list[float | None] = []
        self._port = port
        self._free: list[trio.SocketStream] = []
        self._asked = 0
        self._asking = 0

    async def sing(self) -> None:
        """Ask for ever, at an even pace."""
        due = trio.current_time()
        async with trio.open_nursery() as requests:
            while True:
                await trio.sleep_until(due)
                if self._asking < MOST:
                    requests.start_soon(self._ask, due)
                else:
                    self.waits.append(None)
                due += EVERY

    async def _ask(self, due: float) -> None:
        self._asked += 1
        self._asking += 1
        answered = False
        with trio.move_on_after(PATIENCE):
            answered = await self._answered(new=self._asked % RENEWAL == 0)
        wait = (trio.current_time() - due) * 1000
        self.waits.append(wait if answered else None)
        self._asking -= 1

    async def _answered(self, *, new: bool) -> bool:
        try:
            stream = await self._stream(new=new)
        except OSError:
            return False
        try:
            await stream.send_all(_REQUEST)
            answered = await _is_answered(stream)
        except trio.BrokenResourceError:
            answered = False
        except BaseException:
            stream.socket.close()
            raise
        if answered:
            self._free.append(stream)
        else:
            stream.socket.close()
        return answered

    async def _stream(self, *, new: bool) -> trio.SocketStream:
        """A connection nobody is using; the oldest makes room for a new one."""
        if new and self._free:
            self._free.pop(0).socket.close()
        elif self._free:
            return self._free.pop()
        sock = trio.socket.socket()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await sock.connect(("127.0.0.1", self._port))
        except BaseException:
            sock.close()
            raise
        return trio.SocketStream(sock)


async def _is_answered(stream: trio.SocketStream) -> bool:
    answer = b""
    while not answer.endswith(_END):
        piece = await stream.receive_some()
        if not piece:
            return False
        answer += piece
    return answer.startswith(b"HTTP/1.1 200")


async def main(port: int) -> None:
    """Ask the server at *port* until nobody reads what is printed."""
    canary = Canary(port)
    async with trio.open_nursery() as singing:
        singing.start_soon(canary.sing)
        while True:
            await trio.sleep(1)
            waits, canary.waits = canary.waits, []
            try:
                print(json.dumps(waits), flush=True)
            except BrokenPipeError:
                singing.cancel_scope.cancel(reason="nobody is listening")


if __name__ == "__main__":
    trio.run(main, int(sys.argv[1]))
