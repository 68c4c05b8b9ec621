"""HTTP/2: the same handlers, and the same answers (RFC 9113 section 8)."""

from __future__ import annotations

import trio
import trio.testing

from tests.wire.answering import giving
from tests.wire.h2.peer import asked, speaking
from tests.wire.handlers import Served, counting, echo, file_of, hello
from trioweb.message.errors import HTTPError, NotFound
from trioweb.message.request import Request
from trioweb.message.response import BodyWriter, Response, Send
from trioweb.rules.headers import Headers
from trioweb.wire.h2_codes import Code


async def test_a_request_is_answered() -> None:
    answer, peer = await asked(hello, "/there")
    assert (answer.status, answer.body, answer.complete) == (200, b"hello /there", True)
    assert answer.headers["content-length"] == "12"
    assert answer.headers["content-type"] == "text/plain"
    (record,) = peer.talk.records
    assert (record.method, record.target, record.version) == ("GET", "/there", "2")
    assert (record.status, record.ending.value) == (200, "complete")
    assert record.sent > len(answer.body)


async def test_content_is_received_and_sent() -> None:
    answer, peer = await asked(Served(), method="POST", body=b"x" * 1000)
    assert answer.body == b"x" * 1000
    (record,) = peer.talk.records
    assert record.received == 1000


async def test_content_is_echoed_while_it_comes() -> None:
    async with speaking(echo) as peer:
        stream = await peer.ask(method="POST", end=False)
        for piece in (b"one", b"two"):
            await peer.data(stream, piece)
            assert peer.answers[stream].body.endswith(piece)
        assert not peer.answers[stream].complete
        await peer.data(stream, b"", end=True)
    assert peer.answers[stream].body == b"onetwo"
    assert peer.answers[stream].complete


async def test_the_content_of_a_file_is_sent() -> None:
    content = bytes(range(256)) * 4096

    async def handler(request: Request) -> Response:
        return Response(200, body=file_of(content, offset=1000))

    answer, _ = await asked(handler)
    assert answer.body == content[1000:]
    assert answer.complete
    assert max(answer.pieces) == 16 * 1024


async def test_head_is_answered_by_a_head() -> None:
    for handler, length in [(hello, "7"), (counting, None)]:
        answer, _ = await asked(handler, method="HEAD")
        assert (answer.status, answer.body, answer.complete) == (200, b"", True)
        assert answer.headers.get("content-length") == length


async def test_what_is_streamed_ends() -> None:
    answer, _ = await asked(counting)
    assert (answer.body, answer.complete) == (b"one two three", True)
    assert "content-length" not in answer.headers


async def test_trailers_come_either_way() -> None:
    seen: list[tuple[str, str]] = []

    async def handler(request: Request) -> Response:
        body = await request.body()
        seen.extend(request.trailers.pairs())

        async def write(send: Send) -> None:
            await send(body)

        response = Response(200, body=write)
        response.trailers = Headers({"checksum": "1"})
        return response

    async with speaking(handler) as peer:
        stream = await peer.ask(method="POST", body=b"abc", end=False)
        await peer.trail(stream, [("digest", "2")])
    answer = peer.answers[stream]
    assert seen == [("digest", "2")]
    assert (answer.body, answer.trailers) == (b"abc", {"checksum": "1"})
    assert answer.complete


async def test_what_is_of_the_connection_is_left_out() -> None:
    async def handler(request: Request) -> Response:
        return Response(
            200, {"connection": "close", "keep-alive": "1", "x": "y", "upgrade": "z"}
        )

    answer, _ = await asked(handler)
    assert answer.complete
    assert answer.headers["x"] == "y"
    assert not answer.headers.keys() & {"connection", "keep-alive", "upgrade"}


async def test_requests_are_answered_beside_each_other() -> None:
    """A slow handler does not stall its neighbours."""
    gate = trio.Event()

    async def handler(request: Request) -> Response:
        if request.path == "/slow":
            await gate.wait()
        return Response(200, body=request.path.encode())

    async with speaking(handler) as peer:
        slow = await peer.ask("/slow")
        quick = await peer.ask("/quick")
        assert peer.answers[quick].complete
        assert slow not in peer.answers
        gate.set()
        await trio.testing.wait_all_tasks_blocked()
        assert peer.answers[slow].body == b"/slow"


async def test_errors_are_answered() -> None:
    async def handler(request: Request) -> Response:
        if request.path == "/none":
            raise NotFound("nothing here")
        raise ValueError("mine")

    async with speaking(handler) as peer:
        none = await peer.ask("/none")
        broken = await peer.ask("/broken")
        again = await peer.ask("/none")
    statuses = [peer.answers[each].status for each in (none, broken, again)]
    assert statuses == [404, 500, 404]
    assert len(peer.talk.logs) == 1
    endings = [record.ending.value for record in peer.talk.records]
    assert endings == ["complete", "failed", "complete"]


async def test_a_failure_after_the_first_byte_is_a_reset() -> None:
    async def handler(request: Request) -> Response:
        async def write(send: Send) -> None:
            await send(b"part")
            raise ValueError("in the middle")

        return Response(200, body=write)

    async with speaking(handler) as peer:
        stream = await peer.ask()
        other = await peer.ask()
    for answer in (peer.answers[stream], peer.answers[other]):
        assert (answer.body, answer.complete) == (b"part", False)
        assert answer.reset is Code.INTERNAL_ERROR
    assert len(peer.talk.logs) == 2


async def test_content_of_another_length_is_no_answer() -> None:
    async def short(send: Send) -> None:
        await send(b"abc")

    async def long(send: Send) -> None:
        await send(b"abc")
        await send(b"def")

    bodies: list[bytes | BodyWriter] = [b"abc", short, long]
    for body in bodies:
        for length in ("2", "4"):
            answer, peer = await asked(giving(body, content_length=length))
            assert answer.complete == (answer.status == 500)
            assert (answer.reset is None) == answer.complete
            assert len(peer.talk.logs) == 1


async def test_refusals_of_a_head_are_answered() -> None:
    for method, path, fields, status in [
        ("BREW", "/", [], 501),
        ("GET", "/%zz", [], 400),
        ("GET", "/" + "a" * 9000, [], 414),
        ("GET", "/", [("a", "b" * 17_000)], 431),
        ("GET", "/", [("expect", "more")], 417),
    ]:
        answer, peer = await asked(hello, path, method=method, fields=fields)
        assert (answer.status, answer.complete) == (status, True)
        (record,) = peer.talk.records
        assert (record.ending.value, record.status) == ("refused", status)
        assert record.version == "2"


async def test_a_malformed_request_costs_its_stream_only() -> None:
    gate = trio.Event()

    async def handler(request: Request) -> Response:
        await gate.wait()
        return Response(200)

    async with speaking(handler) as peer:
        first = await peer.ask()
        bad = await peer.ask(fields=[("Foo", "x")])
        assert peer.answers[bad].reset is Code.PROTOCOL_ERROR
        gate.set()
        after = await peer.ask()
    assert peer.answers[first].complete
    assert peer.answers[after].complete
    assert not peer.goaways


async def test_an_http_error_that_is_raised_is_its_answer() -> None:
    async def handler(request: Request) -> Response:
        raise HTTPError(413)

    answer, _ = await asked(handler, method="POST", body=b"x", end=False)
    assert (answer.status, answer.complete) == (413, True)
    assert answer.reset is Code.NO_ERROR


async def test_a_head_that_is_refused_has_no_content_either() -> None:
    answer, _ = await asked(hello, "/%zz", method="HEAD")
    assert (answer.status, answer.body, answer.complete) == (400, b"", True)
