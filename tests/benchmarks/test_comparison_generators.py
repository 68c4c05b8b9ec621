"""Generators: what they send is what a work says, and what they say is understood."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio

from benchmarks import h2load, wrk
from benchmarks.load import LoadFailed, measure
from benchmarks.material import Material, made
from benchmarks.works import WORKS, Work
from tests.needs import needs

BY_NAME = {work.name: work for work in WORKS}

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
REFUSAL = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"

SAID = """\
starting benchmark...

finished in 2.01s, 12.50 req/s, 1.01KB/s
requests: 25 total, 25 started, 25 done, 24 succeeded, 1 failed, 0 errored, 0 timeout
status codes: 24 2xx, 0 3xx, 1 4xx, 0 5xx
"""
LOG = "".join(
    f"1700000000000000\t{404 if number == 3 else 200}\t{number * 1000}\n"
    for number in range(1, 26)
)

Listener = trio.SocketListener | trio.SSLListener[trio.SocketStream]
Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]


class Recorder:
    """A server that answers anything, and keeps what it was asked."""

    def __init__(self, answer: bytes = ANSWER) -> None:
        self.heads: list[bytes] = []
        self.pieces: list[bytes] = []
        self.resumed: list[bool] = []
        self.answer = answer

    async def serve(self, stream: Stream) -> None:
        pending = b""
        try:
            while piece := await stream.receive_some():
                self.pieces.append(bytes(piece))
                *heads, pending = (pending + piece).split(b"\r\n\r\n")
                self.heads += heads
                await stream.send_all(self.answer * len(heads))
        except trio.BrokenResourceError:
            pass  # the generator is done, and has gone
        if isinstance(stream, trio.SSLStream):
            self.resumed.append(stream.session_reused)


async def asked(work: Work, recorder: Recorder, material: Material) -> int:
    """How many answers the generator of *work* has counted from *recorder*."""
    async with trio.open_nursery() as serving:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listener.socket.getsockname()[1]
        listeners: list[Listener] = [listener]
        if work.tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            pair = material.certificate
            context.load_cert_chain(pair.cert, pair.key)
            listeners = [trio.SSLListener(listener, context)]
        serving.start_soon(trio.serve_listeners, recorder.serve, listeners)
        load = h2load.load if work.name == "handshake" else wrk.load
        sent = await load(port, work, 1)
        serving.cancel_scope.cancel(reason="measured")
    assert sent is not None
    assert sent.failed == 0
    assert 0.5 < sent.seconds < 20
    return sent.requests


@pytest.fixture
def material() -> Iterator[Material]:
    with made() as material:
        yield material


@needs("wrk")
async def test_headers_of_a_browser_never_come_again(material: Material) -> None:
    recorder = Recorder()
    assert await asked(BY_NAME["headers"], recorder, material) > 50
    assert await asked(BY_NAME["headers"], recorder, material) > 50
    assert len({*recorder.heads}) == len(recorder.heads)
    names = {line.partition(b":")[0] for line in recorder.heads[0].split(b"\r\n")[1:]}
    assert len(names) == 11
    assert not any(mark in recorder.heads[0] for mark in (b"{n}", b"{q}"))


@needs("wrk")
async def test_sixteen_requests_come_at_once(material: Material) -> None:
    recorder = Recorder()
    assert await asked(BY_NAME["pipelined"], recorder, material) > 50
    assert recorder.pieces[0].count(b"GET / HTTP/1.1\r\n") == 16


@needs("wrk")
async def test_what_a_work_says_is_sent(material: Material) -> None:
    recorder = Recorder()
    work = Work("typed", "PUT", "/a", b"", b"", fields=(("X", 'a "word"'),))
    await asked(work, recorder, material)
    assert recorder.heads[0].startswith(b"PUT /a HTTP/1.1\r\n")
    assert b'\r\nX: a "word"' in recorder.heads[0]


@needs("wrk")
async def test_visitors_take_turns(material: Material) -> None:
    recorder = Recorder()
    cookies = ("sid=1", "sid=2", "sid=3")
    await asked(Work("visit", "GET", "/", b"", b"", cookies), recorder, material)
    seen = [head.partition(b"Cookie: ")[2].split(b"\r\n")[0] for head in recorder.heads]
    assert {*seen} == {b"sid=1", b"sid=2", b"sid=3"}


@needs("h2load")
async def test_no_handshake_resumes_another(material: Material) -> None:
    recorder = Recorder()
    requests = await asked(BY_NAME["handshake"], recorder, material)
    assert requests >= h2load.BURST
    assert recorder.resumed == [False] * requests


@needs("wrk")
async def test_a_refusal_is_a_failure(material: Material) -> None:
    recorder = Recorder(REFUSAL)
    async with trio.open_nursery() as serving:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        serving.start_soon(trio.serve_listeners, recorder.serve, [listener])
        port = listener.socket.getsockname()[1]
        with pytest.raises(LoadFailed, match="plaintext at port"):
            await measure(1, port, BY_NAME["plaintext"], 1)
        serving.cancel_scope.cancel(reason="measured")


def test_what_h2load_says_is_understood(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(LOG)
    sent = h2load.read(SAID, log)
    assert sent is not None
    assert (sent.requests, sent.failed, sent.seconds) == (24, 1, 2.01)
    assert sent.p50 == 13
    # A status without its phrase is none to h2load.
    log.write_text(LOG.replace("\t404\t", "\t0\t"))
    sent = h2load.read(SAID, log)
    assert sent is not None
    assert (sent.requests, sent.failed) == (25, 0)
    assert h2load.read("h2load: could not connect", log) is None
    log.write_text("")
    assert h2load.read(SAID, log) is not None
