"""The HTTP/2 library: all that the wire asks of `h2`, in one place.

It keeps the state of streams and windows, and serialises frames.  What a peer may do is
judged before and after it, not by it: the library ends the connection where one stream
is at fault, so it is given frames one by one, and of a block of fields no more than
that it came.

To put another library in its place, write this file again: `Library` is all that the
rest of the wire knows, and `Listener` is what the library knows of the wire.
"""

from __future__ import annotations

import struct

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings

from trioweb.wire.h2_codes import Code, Flag, Kind, Setting, frame
from trioweb.wire.h2_gate import HEADER, Frame
from trioweb.wire.h2_listener import Listener
from trioweb.wire.h2_packing import Decoder, Encoder, guarded
from trioweb.wire.head import RawFields
from trioweb.wire.limits import (
    FIELD_LIST,
    STREAM_WINDOW,
    STREAMS,
)

# What a peer may send before anything of it is credited, all streams together.  What
# is held is bounded by the windows of the streams, so this one must never be in the
# way: they can be full, and as much again be on its way to being credited.
_CONNECTION_WINDOW = 2 * STREAMS * STREAM_WINDOW
_INITIAL_WINDOW = 65_535  # of the connection, before it is credited (RFC 9113 6.9.2)

# The least a credit is worth a frame: a quarter of the window, as most stacks have it.
_CREDIT = _CONNECTION_WINDOW // 4

_SETTING = struct.Struct(">HL")


class Fault(Exception):
    """What the peer did ends the connection; *code*: why (RFC 9113 section 5.4.1)."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class _Machine(h2.connection.H2Connection):
    # What is remembered of streams that are over; 65 536 of them take 7 MiB.
    MAX_CLOSED_STREAMS = 1024


_CONFIG = h2.config.H2Configuration(
    client_side=False,
    header_encoding=None,
    # Ours, by the rules of HTTP/1.1 (rules/pseudo.py); the library's cost as much as
    # all the rest, and end the connection.
    validate_inbound_headers=False,
    normalize_inbound_headers=False,
    validate_outbound_headers=False,
    normalize_outbound_headers=False,
)


class Library:
    """The state of one connection; what a method returns is to be written, in order."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._h2 = _Machine(_CONFIG)
        self._decoder = self._h2.decoder = Decoder()
        self._h2.encoder = Encoder()
        # How many streams are too many is ours to say, a stream at a time.
        self._h2.local_settings = h2.settings.Settings(
            client=False,
            initial_values={h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 2**31 - 1},
        )
        self._uncredited = 0  # bytes that came and the connection's window lacks
        self._reset: dict[int, None] = {}  # streams that we have reset
        self._in_block = False  # a block of fields has begun and not ended
        self._unended = False  # the block at work is trailers that end nothing

    def begin(self) -> bytes:
        """Our settings, before anything else (RFC 9113 section 3.4)."""
        self._h2.initiate_connection()
        self._h2.clear_outbound_data_buffer()
        self._h2.increment_flow_control_window(_CONNECTION_WINDOW - _INITIAL_WINDOW)
        said = {
            Setting.MAX_CONCURRENT_STREAMS: STREAMS,
            Setting.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
            Setting.MAX_HEADER_LIST_SIZE: FIELD_LIST,
            Setting.ENABLE_CONNECT_PROTOCOL: 1,
        }
        payload = b"".join(_SETTING.pack(*setting) for setting in said.items())
        return frame(Kind.SETTINGS, 0, payload) + self._h2.data_to_send()

    def preface(self, data: bytes) -> None:
        """Take the peer's preface."""
        self._h2.receive_data(data)

    def receive(self, frame: Frame) -> bytes:
        """Take one whole frame, and tell the listener what it means.

        Raises Fault where it ends the connection.
        """
        raw = frame.raw
        match frame.kind:
            case Kind.HEADERS:
                self._in_block = not frame.flags & Flag.END_HEADERS
                self._unended = (
                    frame.stream in self._h2.streams
                    and not frame.flags & Flag.END_STREAM
                )
                if self._unended:
                    # For the library trailers without an end end the connection.
                    raw = raw[:4] + bytes([frame.flags | Flag.END_STREAM]) + raw[5:]
            case Kind.CONTINUATION:
                self._in_block = not frame.flags & Flag.END_HEADERS
            case Kind.WINDOW_UPDATE if frame.stream and not any(raw[9:]):
                return self._object(frame.stream)
            case kind if self._idle(kind) and not self._in_block:
                return b""
        return self._received(raw)

    def _idle(self, kind: int) -> bool:
        """Whether frames of *kind* say nothing that counts here.

        Priorities are deprecated (RFC 9113 section 5.3.2), what is unknown is to be
        ignored (5.5), and what GOAWAY says, the listener has been told.
        """
        if kind == Kind.GOAWAY:
            self._listener.leaving()
        return kind > Kind.CONTINUATION or kind in {Kind.PRIORITY, Kind.GOAWAY}

    def _received(self, raw: bytes) -> bytes:
        try:
            events = self._h2.receive_data(raw)
        except h2.exceptions.ProtocolError as error:
            # Its GOAWAY has the wrong code for a block that cannot be unpacked.
            self._h2.clear_outbound_data_buffer()
            code = self._decoder.fault or Code(error.error_code)
            raise Fault(code, str(error)) from error
        for event in events:
            self._tell(event)
        if self._uncredited >= _CREDIT:
            self._h2.increment_flow_control_window(self._uncredited)
            self._uncredited = 0
        answer = self._h2.data_to_send()
        return self._sifted(answer, raw[3]) if answer else b""

    def _sifted(self, answer: bytes, kind: int) -> bytes:
        """What the library says by itself; it resets no stream twice (section 5.4.2).

        Content that was on its way to a stream we have reset is no fault of the peer.
        """
        kept, at = b"", 0
        while at < len(answer):
            end = at + HEADER + int.from_bytes(answer[at : at + 3], "big")
            each, at = answer[at:end], end
            if each[3] == Kind.RST_STREAM:
                stream = int.from_bytes(each[5:HEADER], "big")
                known = stream in self._reset
                if not known or kind != Kind.DATA:
                    self._listener.provoked()
                if known:
                    continue
                self._note_reset(stream)
            kept += each
        return kept

    def _note_reset(self, stream: int) -> None:
        self._reset[stream] = None
        if len(self._reset) > _Machine.MAX_CLOSED_STREAMS:
            del self._reset[next(iter(self._reset))]

    def _object(self, stream: int) -> bytes:
        """Reset a stream whose window was opened by nothing (RFC 9113 section 6.9)."""
        try:
            answer = self.reset(stream, Code.PROTOCOL_ERROR)
        except h2.exceptions.ProtocolError as error:
            raise Fault(Code.PROTOCOL_ERROR, str(error)) from error
        self._listener.provoked()
        self._listener.reset(stream, Code.PROTOCOL_ERROR, by_us=True)
        return answer

    def window(self, stream: int) -> int:
        """How many bytes of content may be sent on *stream* now."""
        return self._h2.local_flow_control_window(stream)

    @property
    def shut(self) -> bool:
        """Whether nothing may be sent on any stream now."""
        return self._h2.outbound_flow_control_window <= 0

    def fields(self, stream: int, fields: RawFields, *, end: bool) -> bytes:
        """A response's head, an interim one, or its trailers."""
        self._h2.send_headers(stream, map(guarded, fields), end_stream=end)
        return self._h2.data_to_send()

    def content(self, stream: int, data: bytes | memoryview, *, end: bool) -> bytes:
        """Content of a response, of which the window has room for all."""
        self._h2.send_data(stream, data, end_stream=end)
        return self._h2.data_to_send()

    def reset(self, stream: int, code: Code) -> bytes:
        """End *stream* before its end; nothing if it is over."""
        try:
            self._h2.reset_stream(stream, code)
        except h2.exceptions.StreamClosedError:
            return b""
        self._note_reset(stream)
        return self._h2.data_to_send()

    def credit(self, stream: int, size: int) -> bytes:
        """Let the peer send *size* bytes more on *stream*; nothing if it sends none."""
        try:
            self._h2.increment_flow_control_window(size, stream)
        except (KeyError, h2.exceptions.ProtocolError):
            return b""
        return self._h2.data_to_send()

    @property
    def last(self) -> int:
        """The highest stream that the peer has opened."""
        return self._h2.highest_inbound_stream_id

    def _tell(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.DataReceived():
                self._uncredited += event.flow_controlled_length
                self._listener.content(
                    event.stream_id,
                    event.data,
                    event.flow_controlled_length,
                    ended=event.stream_ended is not None,
                )
            case h2.events.RequestReceived():
                ended = event.stream_ended is not None
                self._listener.opened(
                    event.stream_id, self._decoder.fields, ended=ended
                )
            case h2.events.TrailersReceived():
                self._listener.trailed(
                    event.stream_id, self._decoder.fields, ended=not self._unended
                )
            case h2.events.WindowUpdated():
                self._listener.room(event.stream_id)
            case h2.events.StreamReset():
                self._listener.reset(
                    event.stream_id, event.error_code, by_us=not event.remote_reset
                )
            case _:
                self._tell_rest(event)

    def _tell_rest(self, event: h2.events.Event) -> None:
        """What concerns no stream."""
        match event:
            case h2.events.RemoteSettingsChanged():
                self._listener.room(0)
            case h2.events.SettingsAcknowledged():
                self._listener.acknowledged()
            case h2.events.PingAckReceived():
                self._listener.pong(event.ping_data)
