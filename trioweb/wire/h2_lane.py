"""The lane of HTTP/2: what nearly every request says, without the library's frames.

The library makes an object of each frame, and text of the object for a log that nobody
keeps: more than the half of what a request costs.  Here frames are bytes, and only the
states are the library's: each stream is one of its `H2Stream`, whose machine says what
may come and go.  What is rare goes the library's own way and finds the same streams.
"""

from __future__ import annotations

from h2.connection import ConnectionInputs, H2Connection
from h2.stream import H2Stream, StreamInputs, StreamState

from trioweb.wire.h2_codes import Flag, Kind, frame, header
from trioweb.wire.h2_gate import FRAME, HEADER, Frame
from trioweb.wire.h2_packing import Decoder, Encoder
from trioweb.wire.head import RawFields
from trioweb.wire.limits import STREAM_WINDOW

# Streams that are opened before the library is asked to forget those that are over: it
# looks at all there are.
_FORGET = 16

# Bytes of a priority, before the fields (RFC 9113 section 6.2).
_PRIORITY = 5

# Bytes that a window can have (RFC 9113 section 6.9.1).
_WIDEST = 2**31 - 1

# States in which a stream may have content that comes.
_RECEIVING = frozenset({StreamState.OPEN, StreamState.HALF_CLOSED_LOCAL})


class Lane:
    """Frames of streams, by the states that *machine* has of them.

    Not *receiving*, it has nothing to do with what comes; the answers are the same.
    Errors are the library's: h2.exceptions.ProtocolError and those of packing.
    """

    __slots__ = ("_decoder", "_encoder", "_machine", "_opened", "_receiving")

    def __init__(
        self,
        machine: H2Connection,
        decoder: Decoder,
        encoder: Encoder,
        *,
        receiving: bool,
    ) -> None:
        self._receiving = receiving
        self._machine = machine
        self._decoder = decoder
        self._encoder = encoder
        self._opened = 0

    def opens(self, frame: Frame) -> bool:
        """Whether *frame* is the whole head of a stream that is new."""
        return (
            frame.kind == Kind.HEADERS
            and frame.flags & (Flag.END_HEADERS | Flag.PADDED) == Flag.END_HEADERS
            and frame.stream > self._machine.highest_inbound_stream_id
            and frame.stream % 2 == 1
            and self._receiving
            and (not frame.flags & Flag.PRIORITY or not _entangled(frame))
        )

    def open(self, frame: Frame) -> None:
        """Open the stream; its fields are then the decoder's."""
        machine, number = self._machine, frame.stream
        skipped = _PRIORITY if frame.flags & Flag.PRIORITY else 0
        self._decoder.unpack(frame.raw[HEADER + skipped :])
        stream = H2Stream(
            number,
            config=machine.config,
            inbound_window_size=STREAM_WINDOW,
            outbound_window_size=machine.remote_settings.initial_window_size,
        )
        # Which the library minds when it is it that frames.
        stream.max_outbound_frame_size = machine.max_outbound_frame_size
        stream.state_machine.process_input(StreamInputs.RECV_HEADERS)
        if frame.flags & Flag.END_STREAM:
            stream.state_machine.process_input(StreamInputs.RECV_END_STREAM)
        if not machine.highest_inbound_stream_id:
            machine.state_machine.process_input(ConnectionInputs.RECV_HEADERS)
        machine.streams[number] = stream
        machine.highest_inbound_stream_id = number
        self._opened += 1
        if self._opened % _FORGET == 0:
            self._forget()

    def takes(self, frame: Frame) -> bool:
        """Whether *frame* is content, and nothing but, of a stream that may have it."""
        stream = self._machine.streams.get(frame.stream)
        return (
            stream is not None
            and self._receiving
            and stream.state_machine.state in _RECEIVING
            and not frame.flags & Flag.PADDED
        )

    def take(self, frame: Frame) -> bytes:
        """The content in *frame*; its stream's window is that much smaller."""
        data = frame.raw[HEADER:]
        ended = bool(frame.flags & Flag.END_STREAM)
        self._machine.streams[frame.stream].receive_data(data, ended, len(data))
        return data

    def widens(self, frame: Frame) -> bool:
        """Whether *frame* opens a window as it may, which then is that much larger."""
        if frame.kind != Kind.WINDOW_UPDATE or not self._receiving:
            return False
        window = self._unclosed(frame.stream) if frame.stream else self._machine
        more = int.from_bytes(frame.raw[HEADER:], "big")
        if window is None or not more:
            return False
        wide = window.outbound_flow_control_window + more
        if wide > _WIDEST:
            return False
        window.outbound_flow_control_window = wide
        return True

    def credit(self, number: int, size: int) -> bytes:
        """The frame that lets the peer send *size* bytes more; none where it cannot."""
        if (stream := self._unclosed(number)) is None:
            return b""
        stream.increase_flow_control_window(size)
        return frame(Kind.WINDOW_UPDATE, number, size.to_bytes(4, "big"))

    def _unclosed(self, number: int) -> H2Stream | None:
        stream = self._machine.streams.get(number)
        return stream if stream is not None and stream.open else None

    def fields(self, number: int, fields: RawFields, *, end: bool) -> bytes:
        """The frames of a response's head, an interim one, or its trailers."""
        put = self._machine.streams[number].state_machine.process_input
        interim = fields[0][0] == b":status" and fields[0][1].startswith(b"1")
        put(
            StreamInputs.SEND_INFORMATIONAL_HEADERS
            if interim
            else StreamInputs.SEND_HEADERS
        )
        block = self._encoder.pack(fields)
        flags = 0
        if end:
            put(StreamInputs.SEND_END_STREAM)
            flags = Flag.END_STREAM
        if len(block) <= FRAME:
            return frame(Kind.HEADERS, number, block, flags | Flag.END_HEADERS)
        return _in_pieces(number, block, flags)

    def content(self, number: int, size: int, *, end: bool) -> bytes:
        """What comes before *size* bytes of content in a frame of their own."""
        stream = self._machine.streams[number]
        # Where the end may be sent, content may: one question for both.
        stream.state_machine.process_input(
            StreamInputs.SEND_END_STREAM if end else StreamInputs.SEND_DATA
        )
        stream.outbound_flow_control_window -= size
        self._machine.outbound_flow_control_window -= size
        return header(Kind.DATA, number, size, Flag.END_STREAM if end else 0)

    def window(self, number: int) -> int:
        """How many bytes of content may be sent on stream *number* now."""
        stream = self._machine.streams[number]
        return min(
            stream.outbound_flow_control_window,
            self._machine.outbound_flow_control_window,
        )

    def _forget(self) -> int:
        """Let go of the streams that are over; how many there are still."""
        return self._machine.open_inbound_streams  # which does it by the way


def _entangled(frame: Frame) -> bool:
    """Whether a head's priority is cut short, or depends on its own stream."""
    depends = int.from_bytes(frame.raw[HEADER : HEADER + 4], "big") & 0x7FFFFFFF
    return len(frame.raw) < HEADER + _PRIORITY or depends == frame.stream


def _in_pieces(number: int, block: bytes, flags: int) -> bytes:
    """A block of fields that is too large for one frame (RFC 9113 section 6.10)."""
    first, *middle, last = [
        block[at : at + FRAME] for at in range(0, len(block), FRAME)
    ]
    return b"".join(
        [
            frame(Kind.HEADERS, number, first, flags),
            *(frame(Kind.CONTINUATION, number, piece) for piece in middle),
            frame(Kind.CONTINUATION, number, last, Flag.END_HEADERS),
        ]
    )
