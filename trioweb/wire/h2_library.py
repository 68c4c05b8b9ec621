"""The HTTP/2 library: all that the wire asks of `h2`, in one place.

It keeps the state of streams and windows.  What a peer may do is judged before and
after it, not by it: the library ends the connection where one stream is at fault, so it
is given frames one by one, and of a block of fields no more than that it came.  What is
common it is not given at all, but asked about by the `Lane`.

To put another library in its place, write this file and the lane again: `Library` is
all that the rest of the wire knows, and `Listener` is what it knows of the wire.
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
from trioweb.wire.h2_lane import Lane
from trioweb.wire.h2_listener import Listener
from trioweb.wire.h2_packing import Decoder, Encoder, PackingError
from trioweb.wire.h2_sieve import Sieve
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

# What the library takes that window for: it sees little of what comes, so it is told of
# one that never matters.
_NO_WINDOW = 2**30

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

    def __init__(self, listener: Listener, *, lane: bool) -> None:
        self._listener = listener
        self._h2 = _Machine(_CONFIG)
        self._decoder = self._h2.decoder = Decoder()
        encoder = self._h2.encoder = Encoder()
        self._lane = Lane(self._h2, self._decoder, encoder, receiving=lane)
        # How many streams are too many is ours to say, a stream at a time.
        self._h2.local_settings = h2.settings.Settings(
            client=False,
            initial_values={h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 2**31 - 1},
        )
        self._uncredited = 0  # bytes that came and the connection's window lacks
        self._sieve = Sieve(_Machine.MAX_CLOSED_STREAMS, listener.provoked)
        self._in_block = False  # a block of fields has begun and not ended
        self._unended = False  # the block at work is trailers that end nothing

    def begin(self) -> bytes:
        """Our settings, before anything else (RFC 9113 section 3.4)."""
        self._h2.initiate_connection()
        self._h2.increment_flow_control_window(_NO_WINDOW)
        self._h2.clear_outbound_data_buffer()
        said = {
            Setting.MAX_CONCURRENT_STREAMS: STREAMS,
            Setting.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
            Setting.MAX_HEADER_LIST_SIZE: FIELD_LIST,
            Setting.ENABLE_CONNECT_PROTOCOL: 1,
        }
        payload = b"".join(_SETTING.pack(*setting) for setting in said.items())
        more = _CONNECTION_WINDOW - _INITIAL_WINDOW
        return frame(Kind.SETTINGS, 0, payload) + _credit(more)

    def preface(self, data: bytes) -> None:
        """Take the peer's preface."""
        self._h2.receive_data(data)

    def receive(self, frame: Frame) -> bytes:
        """Take one whole frame, and tell the listener what it means.

        Raises Fault where it ends the connection.
        """
        if frame.kind == Kind.DATA:
            return self._receive_content(frame)
        if self._lane.opens(frame):
            try:
                self._lane.open(frame)
            except PackingError as error:
                raise self._fault(Code.COMPRESSION_ERROR, error) from error
            self._tell_opened(frame.stream, ended=bool(frame.flags & Flag.END_STREAM))
            return b""
        if self._lane.widens(frame):
            self._listener.room(frame.stream)
            return b""
        return self._receive_rare(frame)

    def _receive_content(self, frame: Frame) -> bytes:
        size = len(frame.raw) - HEADER
        self._uncredited += size
        answer = b""
        if self._lane.takes(frame):
            try:
                data = self._lane.take(frame)
            except h2.exceptions.ProtocolError as error:
                raise self._fault(Code(error.error_code), error) from error
            ended = bool(frame.flags & Flag.END_STREAM)
            self._listener.content(frame.stream, data, size, ended=ended)
        else:
            if size:
                self._h2.increment_flow_control_window(size)
                self._h2.clear_outbound_data_buffer()
            answer = self._received(frame.raw)
        if self._uncredited >= _CREDIT:
            # As it came, so the window is never shut, and nobody can exceed it.
            answer += _credit(self._uncredited)
            self._uncredited = 0
        return answer

    def _receive_rare(self, frame: Frame) -> bytes:
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
            raise self._fault(Code(error.error_code), error) from error
        for event in events:
            self._tell(event)
        answer = self._h2.data_to_send()
        return self._sieve.sift(answer, raw[3]) if answer else b""

    def _fault(self, code: Code, error: Exception) -> Fault:
        return Fault(self._decoder.fault or code, str(error))

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
        return self._lane.window(stream)

    @property
    def shut(self) -> bool:
        """Whether nothing may be sent on any stream now."""
        return self._h2.outbound_flow_control_window <= 0

    def fields(self, stream: int, fields: RawFields, *, end: bool) -> bytes:
        """A response's head, an interim one, or its trailers."""
        return self._lane.fields(stream, fields, end=end)

    def content(self, stream: int, size: int, *, end: bool) -> bytes:
        """What comes before *size* bytes of a response's content.

        The window has room for all of them.
        """
        return self._lane.content(stream, size, end=end)

    def reset(self, stream: int, code: Code) -> bytes:
        """End *stream* before its end; nothing if it is over."""
        try:
            self._h2.reset_stream(stream, code)
        except h2.exceptions.StreamClosedError:
            return b""
        self._sieve.note(stream)
        return self._h2.data_to_send()

    def credit(self, stream: int, size: int) -> bytes:
        """Let the peer send *size* bytes more on *stream*; nothing if it sends none."""
        return self._lane.credit(stream, size)

    @property
    def last(self) -> int:
        """The highest stream that the peer has opened."""
        return self._h2.highest_inbound_stream_id

    def _tell_opened(self, stream: int, *, ended: bool) -> None:
        fields, size = self._decoder.fields, self._decoder.size
        self._listener.opened(stream, fields, size, ended=ended)

    def _tell(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.DataReceived():
                self._listener.content(
                    event.stream_id,
                    event.data,
                    event.flow_controlled_length,
                    ended=event.stream_ended is not None,
                )
            case h2.events.RequestReceived():
                ended = event.stream_ended is not None
                self._tell_opened(event.stream_id, ended=ended)
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


def _credit(size: int) -> bytes:
    """WINDOW_UPDATE of the whole connection (RFC 9113 section 6.9)."""
    return frame(Kind.WINDOW_UPDATE, 0, size.to_bytes(4, "big"))
