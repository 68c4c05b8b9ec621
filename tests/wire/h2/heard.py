"""What a server of HTTP/2 has said, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import hpack

from trioweb.wire.h2_codes import Code, Flag, Kind


@dataclass
class Response:
    """What has been said on one stream."""

    statuses: list[str] = field(default_factory=list)
    body: bytes = b""
    whole: bool = False  # it has ended as an answer ends
    reset: Code | None = None

    @property
    def status(self) -> int:
        """The status of the final head; 0 if there is none."""
        final = [int(each) for each in self.statuses if each.isdecimal()]
        return final[-1] if final and final[-1] >= 200 else 0

    def __str__(self) -> str:
        # Of a problem its status says enough.
        body = b"" if self.body.startswith(b"{") else self.body
        said = [*self.statuses, body.decode("latin-1")]
        end = "" if self.whole else "…"
        reset = f" RST {self.reset.name}" if self.reset is not None else ""
        return " ".join(filter(None, said)) + end + reset


def frames_of(received: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Kind, flags, stream and payload of each whole frame."""
    while len(received) >= 9:
        end = 9 + int.from_bytes(received[:3], "big")
        if len(received) < end:
            return
        stream = int.from_bytes(received[5:9], "big")
        yield received[3], received[4], stream, received[9:end]
        received = received[end:]


def responses(received: bytes) -> dict[int, Response]:
    """What has been said on each stream, in the order in which they began."""
    decoder, found = hpack.Decoder(), defaultdict[int, Response](Response)
    for kind, flags, stream, payload in frames_of(received):
        match kind:
            case Kind.HEADERS:
                fields = dict(decoder.decode(payload, raw=True))
                status = fields.get(b":status", b"trailers").decode()
                found[stream].statuses.append(status)
            case Kind.DATA:
                found[stream].body += payload
            case Kind.RST_STREAM:
                assert found[stream].reset is None, "two resets of one stream"
                found[stream].reset = Code(int.from_bytes(payload, "big"))
        if kind in {Kind.HEADERS, Kind.DATA} and flags & Flag.END_STREAM:
            assert not found[stream].whole, "two ends of one stream"
            found[stream].whole = True
    return found


def said(received: bytes) -> list[str]:
    """Each answer ("1: 200 hello"), reset ("1: 200 he… RST CANCEL") and other frame.

    Answers stand where they began.  Windows that are opened are left out.
    """
    answers, lines = responses(received), list[str]()
    for kind, flags, stream, payload in frames_of(received):
        if stream in answers:
            lines.append(f"{stream}: {answers.pop(stream)}")
        elif not stream and kind != Kind.WINDOW_UPDATE:
            lines.append(_control(kind, flags, payload))
    return lines


def _control(kind: int, flags: int, payload: bytes) -> str:
    name = Kind(kind).name + (" ack" if flags & Flag.ACK else "")
    match kind:
        case Kind.GOAWAY:
            code = Code(int.from_bytes(payload[4:8], "big"))
            return f"{name} {int.from_bytes(payload[:4], 'big')} {code.name}"
        case Kind.PING:
            return f"{name} {payload.hex()}"
        case _:
            return name
