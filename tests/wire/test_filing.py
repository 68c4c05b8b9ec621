"""Files on real connections: sent by the system from memory, read in a thread else."""

from __future__ import annotations

import io
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import trio

from tests.needs import needs, program
from tests.run.crowds import place
from tests.run.tls import meeting
from tests.wire.filed import (
    CONTENT,
    KIB,
    LAST,
    MIB,
    PAGE,
    both,
    fetched,
    filed,
    forget,
    known,
    of,
    opened,
)
from tests.wire.handlers import GET, file_of
from tests.wire.talking import answers, say
from trioweb import Request, Response
from trioweb.message.handler import Handler
from trioweb.message.response import File
from trioweb.run.sockets import SocketTransport, accepted
from trioweb.wire.alarms import Alarms
from trioweb.wire.filing import (
    FIRST,
    PASSED,
    SLOW,
    STRIDE,
    in_memory,
    pass_to,
    send_file,
)
from trioweb.wire.limits import FILE_PIECE, Limits
from trioweb.wire.watch import Watch

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere files are read in threads"
)

PARTS = [
    (0, 1),
    (0, FIRST),
    (0, FIRST + 1),
    (0, FIRST + PASSED),
    (0, FIRST + PASSED + 1),
    (7, FIRST + STRIDE + 1),
    (12345, 3 * MIB),
    (4 * MIB - 1, 1),
]


@both
@pytest.mark.parametrize(("offset", "length"), PARTS, ids=str)
async def test_what_is_in_memory_arrives_whole_and_needs_no_thread(
    offset: int,
    length: int,
    portable: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A busy machine may stop us in the middle of a call.
    monkeypatch.setattr("trioweb.wire.filing.SLOW", 60.0)
    path = known(tmp_path / "a", CONTENT)
    async with filed(of(path, offset, length), portable=portable) as there:
        assert await fetched(there) == CONTENT[offset : offset + length]
        assert there.threads == 0


@both
async def test_what_is_on_the_disk_is_read_in_a_thread(
    portable: bool, tmp_path: Path
) -> None:
    path = known(tmp_path / "a", CONTENT)
    forget(path)
    async with filed(of(path), portable=portable) as there:
        assert await fetched(there) == CONTENT
        assert there.threads > 0


@pytest.mark.parametrize(
    ("at", "size"),
    [(0, FIRST), (MIB, STRIDE), (FIRST + FILE_PIECE, 2 * MIB), (4 * MIB - PAGE, PAGE)],
    ids=str,
)
async def test_so_is_what_lies_between(at: int, size: int, tmp_path: Path) -> None:
    path = known(tmp_path / "a", CONTENT)
    forget(path, at, size)
    async with filed(of(path)) as there:
        assert await fetched(there) == CONTENT
        assert there.threads > 0


async def test_a_hole_is_seen_where_it_is(tmp_path: Path) -> None:
    path = known(tmp_path / "a", CONTENT)
    forget(path, MIB, STRIDE)
    with path.open("rb") as file:
        # Looked at from behind, because looking makes the system read on from there.
        assert in_memory(file.fileno(), MIB + STRIDE, 3 * MIB - STRIDE)
        assert in_memory(file.fileno(), 0, MIB)
        assert not in_memory(file.fileno(), MIB - 2 * STRIDE, FILE_PIECE)
        assert not in_memory(file.fileno(), 4 * MIB - 1, 2)  # its end


async def test_several_files_follow_one_another(tmp_path: Path) -> None:
    path = known(tmp_path / "a", CONTENT[: 300 * KIB])
    async with filed(of(path)) as there:
        await there.peer.send_all(GET * 9 + LAST)
        await there.listen()
        assert [got.body for got in answers(there)] == [CONTENT[: 300 * KIB]] * 10
        assert len(there.records) == 10


async def test_head_asks_for_none_of_it(tmp_path: Path) -> None:
    path = known(tmp_path / "a", CONTENT)
    async with filed(of(path)) as there:
        await there.peer.send_all(LAST.replace(b"GET", b"HEAD"))
        await there.listen()
        (got,) = answers(there, ["HEAD"])
        assert got.headers["content-length"] == str(len(CONTENT))
        assert (got.body, got.complete) == (b"", True)


class Shouting(io.FileIO):
    """A file that reads as something else than what lies in it."""

    def read(self, size: int | None = -1, /) -> bytes:
        return (super().read(size) or b"").upper()


async def test_a_file_of_another_kind_is_read_as_it_wants(tmp_path: Path) -> None:
    path = known(tmp_path / "a", b"quiet" * 100_000)

    async def handler(request: Request) -> Response:
        return Response(200, body=File(Shouting(path), 0, 500_000))

    async with filed(handler) as there:
        assert await fetched(there) == b"QUIET" * 100_000


async def test_over_tls_it_is_read(tmp_path: Path) -> None:
    path = known(tmp_path / "a", CONTENT)
    async with meeting.place(of(path)) as server:
        assert (await server.asked()).partition(b"\r\n\r\n")[2] == CONTENT


async def test_a_coding_of_the_handlers_own_frames_a_file_too(
    autojump_clock: trio.testing.MockClock,
) -> None:
    files = [file_of(b"hello world") for _ in range(2)]

    async def handler(request: Request) -> Response:
        return Response(200, {"transfer-encoding": "chunked"}, files.pop())

    for got in answers(await say(handler, GET + GET)):
        assert (got.body, got.complete) == (b"hello world", True)


class Stuck(SocketTransport):
    """A transport that finds a disk where there should be memory."""

    calls = 0

    def send_file_now(self, source: int, at: int, size: int) -> int:
        self.calls += 1
        time.sleep(2 * SLOW)
        return super().send_file_now(source, at, min(size, KIB))


async def test_a_call_that_had_to_wait_for_a_disk_is_the_last(tmp_path: Path) -> None:
    path = known(tmp_path / "a", CONTENT)
    ours, theirs = socket.socketpair()
    transport = Stuck(ours, accepted(theirs, "").peer)
    watch = Watch(Alarms(), Limits(), transport.taken)
    written = bytearray()

    async def write(piece: bytes) -> None:
        written.extend(piece)

    async def pass_on(source: int, at: int, size: int) -> int:
        return await pass_to(transport, watch, source, at, size)

    file = opened(path)
    with theirs:
        await send_file(file, b"head", write, pass_on)
        passed = theirs.recv(2 * KIB)
    file.close()
    await transport.aclose()
    assert transport.calls == 1
    assert passed == CONTENT[FIRST : FIRST + KIB]
    assert written == b"head" + CONTENT[:FIRST] + CONTENT[FIRST + KIB :]


def ranged(path: Path) -> Handler:
    """A handler that knows one form of range."""
    whole = path.stat().st_size

    async def handler(request: Request) -> Response:
        asked = request.headers.get("range")
        if asked is None:
            return Response(200, body=opened(path))
        first, last = map(int, asked.removeprefix("bytes=").split("-"))
        fields = {"content-range": f"bytes {first}-{last}/{whole}"}
        return Response(206, fields, opened(path, first, last - first + 1))

    return handler


CURL: list[tuple[str, list[str], Callable[[bytes], bytes]]] = [
    ("whole", [], lambda content: content),
    ("a range", ["-r", "1000000-2999999"], lambda content: content[1000000:3000000]),
    ("a byte", ["-r", "4194303-4194303"], lambda content: content[-1:]),
    ("slowly", ["--limit-rate", "3M"], lambda content: content),
    ("by 1.0", ["--http1.0"], lambda content: content),
]


@needs("curl")
@pytest.mark.parametrize(
    ("options", "part"), [case[1:] for case in CURL], ids=[case[0] for case in CURL]
)
async def test_curl_gets_what_lies_there(
    options: list[str], part: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path, got = known(tmp_path / "a", CONTENT), tmp_path / "got"
    async with place(ranged(path)) as server:
        url = f"http://{server.host}:{server.port}/"
        command = [program("curl"), "-sf", *options, url, "-o", got]
        await trio.run_process([str(word) for word in command])
    assert got.read_bytes() == part(CONTENT)
