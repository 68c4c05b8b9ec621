"""A peer that speaks HTTP/2 to one connection of the wire, in memory.

The frames it sends and reads are those of the `h2` library's client, which is told to
let everything pass; what no library says is sent as it is, by `raw`.
"""

from __future__ import annotations

import contextlib
import math
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import trio
import trio.testing

from tests.wire.talking import FOREVER, End, Talking, talking
from trioweb.message.handler import Handler
from trioweb.wire.h2_codes import Code, Kind
from trioweb.wire.limits import TURN, Limits

Fields = Sequence[tuple[str, str]]

_LEFT = (trio.BrokenResourceError, trio.ClosedResourceError)


@dataclass
class Answer:
    """What has come on one stream."""

    status: int = 0  # 0: no final head
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    trailers: dict[str, str] = field(default_factory=dict)
    interim: list[int] = field(default_factory=list)
    complete: bool = False
    reset: Code | None = None
    pieces: list[int] = field(default_factory=list)  # sizes of DATA frames


class Peer:
    """Our end: what was heard by stream, and the streams we open."""

    def __init__(self, talk: Talking, *, crediting: bool = True) -> None:
        self.talk = talk
        self.crediting = crediting  # gives back what it has read, at once
        self.pace = math.inf  # bytes a second that its line takes
        self.answering = True  # acknowledges settings, and answers pings
        self.answers: dict[int, Answer] = defaultdict(Answer)
        self.goaways: list[tuple[int, Code]] = []
        self.order: list[int] = []  # the stream of each DATA frame, as they came
        self.settings: dict[int, int] = {}
        self.end: End | None = None
        self.over = trio.Event()
        self._buffer = b""
        self._sending = trio.Lock()
        self.library = h2.connection.H2Connection(
            h2.config.H2Configuration(
                client_side=True,
                header_encoding="latin-1",
                validate_outbound_headers=False,
                normalize_outbound_headers=False,
            )
        )

    # What we say.

    async def begin(self, settings: dict[int, int] | None = None) -> None:
        """The preface and our settings."""
        if settings:
            self.library.local_settings.update(settings)
            for code in settings:
                self.library.local_settings.acknowledge()
                assert self.library.local_settings[code] == settings[code]
        self.library.initiate_connection()
        await self.flush()

    async def ask(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        fields: Fields = (),
        body: bytes | None = None,
        end: bool = True,
    ) -> int:
        """Send a request; its stream."""
        stream = self.queue(path, method=method, fields=fields, body=body, end=end)
        await self.flush()
        return stream

    def queue(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        fields: Fields = (),
        body: bytes | None = None,
        end: bool = True,
    ) -> int:
        """The same, to be sent by `flush` together with what else is queued."""
        head = [
            (":method", method),
            (":scheme", "http"),
            (":authority", "a"),
            (":path", path),
            *fields,
        ]
        return self.queue_head(head, body=body, end=end)

    def queue_head(
        self, head: Fields, *, body: bytes | None = None, end: bool = True
    ) -> int:
        stream = self.library.get_next_available_stream_id()
        bare = end and body is None
        # The library would take text for UTF-8.
        lines = [(name.encode(), value.encode("latin-1")) for name, value in head]
        self.library.send_headers(stream, lines, end_stream=bare)
        if body is not None:
            while len(body) > TURN:
                self.library.send_data(stream, body[:TURN])
                body = body[TURN:]
            self.library.send_data(stream, body, end_stream=end)
        return stream

    async def data(self, stream: int, data: bytes, *, end: bool = False) -> None:
        self.library.send_data(stream, data, end_stream=end)
        await self.flush()

    async def trail(self, stream: int, fields: Fields) -> None:
        self.library.send_headers(stream, fields, end_stream=True)
        await self.flush()

    async def reset(self, stream: int, code: Code = Code.CANCEL) -> None:
        self.library.reset_stream(stream, code)
        await self.flush()

    async def raw(self, *pieces: bytes) -> None:
        """Send bytes as they are."""
        for piece in pieces:
            await self._write(piece)
            await trio.testing.wait_all_tasks_blocked()

    async def flush(self) -> None:
        """Send what is queued, and let the server do what it can with it."""
        await self._write()
        await trio.testing.wait_all_tasks_blocked()

    # What we hear.

    async def listen(self) -> None:
        """Take what comes until the end."""
        with contextlib.suppress(trio.ClosedResourceError):
            try:
                while data := await self.talk.peer.receive_some():
                    await self._take(bytes(data))
                    await trio.sleep(len(data) / self.pace)
                self.end = End.FIN
            except trio.BrokenResourceError:
                self.end = End.RESET
        self.over.set()

    async def farewell(self) -> None:
        """Wait until the server ends the connection, then close our end too."""
        with trio.fail_after(FOREVER):
            await self.over.wait()
            await self.talk.peer.aclose()
            await self.talk.served.wait()

    async def _take(self, data: bytes) -> None:
        self._buffer += data
        while len(self._buffer) >= 9:
            end = 9 + int.from_bytes(self._buffer[:3], "big")
            if len(self._buffer) < end:
                return
            raw, self._buffer = self._buffer[:end], self._buffer[end:]
            if raw[3] == Kind.GOAWAY:  # after it the library would hear no more
                last, code = int.from_bytes(raw[9:13]), int.from_bytes(raw[13:17])
                self.goaways.append((last, Code(code)))
                continue
            for event in self.library.receive_data(raw):
                self._note(event)
            if not self.answering:
                self.library.clear_outbound_data_buffer()
            await self._write()

    async def _write(self, data: bytes = b"") -> None:
        """Send *data*, and what the library has to say by itself."""
        async with self._sending:
            if data := data + self.library.data_to_send():
                with contextlib.suppress(*_LEFT):
                    await self.talk.peer.send_all(data)

    def _note(self, event: h2.events.Event) -> None:
        if isinstance(event, h2.events.RemoteSettingsChanged):
            for code, changed in event.changed_settings.items():
                self.settings[int(code)] = changed.new_value
        stream = getattr(event, "stream_id", None)
        if stream:
            self._note_on(event, self.answers[stream])

    def _note_on(self, event: h2.events.Event, answer: Answer) -> None:
        match event:
            case h2.events.ResponseReceived():
                answer.headers = _text(event.headers)
                answer.status = int(answer.headers.pop(":status"))
            case h2.events.InformationalResponseReceived():
                answer.interim.append(int(_text(event.headers)[":status"]))
            case h2.events.DataReceived():
                self._note_data(event)
            case h2.events.TrailersReceived():
                answer.trailers = _text(event.headers)
            case h2.events.StreamEnded():
                answer.complete = True
            case h2.events.StreamReset():
                answer.reset = Code(int(event.error_code))

    def _note_data(self, event: h2.events.DataReceived) -> None:
        answer = self.answers[event.stream_id]
        answer.body += event.data
        answer.pieces.append(len(event.data))
        self.order.append(event.stream_id)
        if self.crediting and event.flow_controlled_length:
            self.library.acknowledge_received_data(
                event.flow_controlled_length, event.stream_id
            )


def _text(fields: Iterable[tuple[bytes | str, bytes | str]]) -> dict[str, str]:
    return {str(name): str(value) for name, value in fields}


@contextlib.asynccontextmanager
async def speaking(
    handler: Handler,
    *,
    limits: Limits | None = None,
    buffer: int = 1 << 20,
    crediting: bool = True,
    settings: dict[int, int] | None = None,
    begin: bool = True,
) -> AsyncIterator[Peer]:
    """A connection to *handler* over HTTP/2; leaving the block cancels it."""
    async with (
        talking(handler, limits=limits, buffer=buffer, listen=False) as talk,
        trio.open_nursery() as ears,
    ):
        peer = Peer(talk, crediting=crediting)
        ears.start_soon(peer.listen)
        if begin:
            await peer.begin(settings)
        yield peer
        ears.cancel_scope.cancel()


async def asked(
    handler: Handler,
    path: str = "/",
    *,
    method: str = "GET",
    fields: Fields = (),
    body: bytes | None = None,
    end: bool = True,
) -> tuple[Answer, Peer]:
    """One request, and what became of it."""
    async with speaking(handler) as peer:
        stream = await peer.ask(path, method=method, fields=fields, body=body, end=end)
    return peer.answers[stream], peer
