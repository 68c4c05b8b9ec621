"""The yardstick: plaintext by h11 on Trio's own sockets, in as few lines as will do.

It has none of trioweb in it, and no route, limit, deadline or log: what it costs says
what the Python costs that everything else is counted with.
"""

from __future__ import annotations

import gc
import sys

import h11
import trio

_TEXT = b"Hello, World!"
_FIELDS = [
    ("content-type", "text/plain"),
    ("content-length", str(len(_TEXT))),
    ("date", "Mon, 23 Nov 2026 03:00:00 GMT"),
]


async def answer(stream: trio.SocketStream) -> None:
    """Answer every request on *stream*, until its peer has left."""
    peer = h11.Connection(h11.SERVER)
    while True:
        event = peer.next_event()
        if event is h11.NEED_DATA:
            peer.receive_data(await stream.receive_some())
        elif type(event) is h11.EndOfMessage:
            response = h11.Response(status_code=200, headers=_FIELDS)
            head = peer.send(response) or b""
            body = peer.send(h11.Data(data=_TEXT)) or b""
            peer.send(h11.EndOfMessage())
            await stream.send_all(head + body)
            peer.start_next_cycle()
        elif type(event) is h11.ConnectionClosed:
            return


async def main() -> None:
    """Serve at any free port, and say which it is."""
    listener, *_ = await trio.open_tcp_listeners(0, host="127.0.0.1")
    host, port = listener.socket.getsockname()
    print(f"Serving on http://{host}:{port}", file=sys.stderr, flush=True)
    await trio.serve_listeners(answer, [listener])


if __name__ == "__main__":
    gc.disable()  # a collection would fall into some exchanges and not into others
    trio.run(main)
