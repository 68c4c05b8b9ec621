"""permessage-deflate: the messages of a WebSocket, compressed (RFC 7692).

Nothing is carried from one message to the next, either way ("no context takeover"): so
a connection that is silent holds nothing, and what is not worth it goes uncompressed.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

from trioweb.rules.frame_form import BINARY, FIN, RSV1, TEXT, header, payload
from trioweb.rules.headers import parse_list

# Frames that a server sends to say something at once, text and bytes.
_WHOLE = frozenset({FIN | TEXT, FIN | BINARY})

# Bytes of a message that is worth compressing: below this little is won, for 4 µs.
_LEAST = 128

# zlib's fastest, as nginx has it: the next ones win a few per cent and cost twice.
_LEVEL = 1

# What is left out at the end of each message (RFC 7692 section 7.2.1).
TAIL = b"\x00\x00\xff\xff"

# RFC 6455 section 9.1: an extension and its parameters.
_WORD = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_PARAMETER = rf'[ \t]*+;[ \t]*+({_WORD})(?:[ \t]*+=[ \t]*+({_WORD}|"{_WORD}"))?'
_PARAMETERS = re.compile(_PARAMETER)
_OFFER = re.compile(rf"permessage-deflate((?:{_PARAMETER})*+)")

# RFC 7692 section 7.1: the parameters and their values; "" is none.
_BITS = "[89]|1[0-5]"
_VALUES = {
    "server_no_context_takeover": re.compile(""),
    "client_no_context_takeover": re.compile(""),
    "server_max_window_bits": re.compile(_BITS),
    "client_max_window_bits": re.compile(f"(?:{_BITS})?"),
}


@dataclass(frozen=True, slots=True)
class Agreement:
    """That messages may be compressed; *answer* is for Sec-WebSocket-Extensions."""

    answer: str
    bits: int  # of the window in which we may look back, as zlib counts them


def agree(offered: str) -> Agreement | None:
    """The first offer of *offered*, the peer's Sec-WebSocket-Extensions, we can take.

    None if there is none.  A malformed one, one that says a thing twice, or knows what
    we do not, is as if it were not there (RFC 7692 section 7.1).

    >>> agree("permessage-deflate; client_max_window_bits").bits
    15
    """
    agreements = (_agreement(offer) for offer in parse_list(offered))
    return next((each for each in agreements if each is not None), None)


def _agreement(offer: str) -> Agreement | None:
    match = _OFFER.fullmatch(offer)
    if match is None:
        return None
    said: dict[str, str] = {}
    for name, quoted in _PARAMETERS.findall(match[1]):
        value, known = quoted.strip('"'), _VALUES.get(name)
        if name in said or known is None or not known.fullmatch(value):
            return None
        said[name] = value
    answer = [
        "permessage-deflate",
        "server_no_context_takeover",
        "client_no_context_takeover",
    ]
    window = said.get("server_max_window_bits")
    if window is not None:
        # zlib has no window of 8 bits.
        if window == "8":
            return None
        answer.append(f"server_max_window_bits={window}")
    return Agreement("; ".join(answer), int(window or 15))


def deflate(frame: bytes, bits: int) -> bytes:
    """One *frame* of ours, compressed if it is a whole message and worth it.

    *bits* as in the Agreement.  Takes about 10 ms for a MiB.
    """
    start, length = payload(frame, 0)
    if frame[0] not in _WHOLE or length < _LEAST:
        return frame
    stream = zlib.compressobj(_LEVEL, zlib.DEFLATED, -bits)
    content = stream.compress(memoryview(frame)[start:])
    content += stream.flush(zlib.Z_SYNC_FLUSH)
    if len(content) >= length:
        return frame
    return header(frame[0] | RSV1, len(content) - len(TAIL)) + content[: -len(TAIL)]
