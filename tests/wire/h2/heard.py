"""What a server of HTTP/2 has said, in words."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import hpack

from trioweb.wire.h2_codes import Code, Flag, Kind


@dataclass
class _Response:
    statuses: list[str] = field(default_factory=list)
    body: bytes = b""
    end: str = "…"  # there may be more to come

    def __str__(self) -> str:
        # Of a problem its status says enough.
        body = b"" if self.body.startswith(b"{") else self.body
        said = [*self.statuses, body.decode("latin-1")]
        return " ".join(filter(None, said)) + self.end


def frames_of(received: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Kind, flags, stream and payload of each whole frame."""
    while len(received) >= 9:
        end = 9 + int.from_bytes(received[:3], "big")
        stream = int.from_bytes(received[5:9], "big")
        yield received[3], received[4], stream, received[9:end]
        received = received[end:]


def said(received: bytes) -> list[str]:
    """Each answer ("1: 200 hello"), reset ("1: 200 he… RST CANCEL") and other frame.

    Answers stand where they began.  Windows that are opened are left out.
    """
    decoder, responses = hpack.Decoder(), defaultdict[int, _Response](_Response)
    lines: list[str | int] = []
    for kind, flags, stream, payload in frames_of(received):
        if stream and stream not in responses and kind != Kind.WINDOW_UPDATE:
            lines.append(stream)
        match kind:
            case Kind.HEADERS:
                fields = dict(decoder.decode(payload, raw=True))
                status = fields.get(b":status", b"trailers").decode()
                responses[stream].statuses.append(status)
            case Kind.DATA:
                responses[stream].body += payload
            case Kind.RST_STREAM:
                code = Code(int.from_bytes(payload, "big"))
                whole = responses[stream].end == ""
                again = responses[stream].end.startswith("RST")
                assert not again, "two resets of one stream"
                responses[stream].end = f"{'' if whole else '…'} RST {code.name}"
            case Kind.WINDOW_UPDATE:
                pass
            case _:
                lines.append(_control(kind, flags, payload))
        if kind in {Kind.HEADERS, Kind.DATA} and flags & Flag.END_STREAM:
            responses[stream].end = ""
    return [
        line if isinstance(line, str) else f"{line}: {responses[line]}"
        for line in lines
    ]


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
