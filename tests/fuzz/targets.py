"""Targets: what must hold of a parser, whatever bytes it is given.

Each takes bytes and raises for what is not right; what is refused as it should be is
right.  They run in the test suite, and under atheris by ``python -m benchmarks.fuzz``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from tests.fuzz.twins import twins
from trioweb.message.errors import HTTPError
from trioweb.rules.cookies import parse_cookies
from trioweb.rules.deflate import agree
from trioweb.rules.forms import FormError, encode_query, parse_query
from trioweb.rules.frames import FrameFault, FrameGate, FrameLimits
from trioweb.rules.headers import TOKEN, parse_list, parse_parameters
from trioweb.rules.inflate import Inflater
from trioweb.rules.negotiate import choose
from trioweb.rules.target import TargetError, parse_authority, parse_target
from trioweb.wire.framing import Chunked
from trioweb.wire.gate import check, find_end
from trioweb.wire.limits import Limits

# So small that a short input reaches them.
LIMITS = Limits(
    request_line=48,
    unread=16,
    requests=3,
    head=160,
    fields=4,
    chunk_line=16,
    chunk_extensions=24,
    chunk_overhead=48,
    trailers=40,
    trailer_fields=2,
)

FRAMES = FrameLimits(message=200, fragments=4, pings=3, pongs=4)

# Bytes of an input that is cut everywhere; a longer one is cut here and there.
SHORT = 48

OFFERS = ["text/html", "application/json", "image/png;a=b"]


def gate(data: bytes) -> None:
    """A head is read or refused alike however it is cut, and never held without end."""
    same(_gate(pieces) for pieces in cuts(data))


def _gate(pieces: list[bytes]) -> object:
    buffer, seen = bytearray(), 0
    try:
        for piece in pieces:
            buffer += piece
            end = find_end(buffer, seen, LIMITS)
            if end >= 0:
                return check(bytes(buffer[:end]), LIMITS)
            seen = len(buffer)
            require(seen <= LIMITS.head, "more is held than a head may have")
    except HTTPError as refusal:
        return refusal.status
    return None


def chunked(data: bytes) -> None:
    """Content in chunks is cut where it ends, alike however it comes."""
    same(_chunked(pieces) for pieces in cuts(data))


def _chunked(pieces: list[bytes]) -> tuple[bytes, int, int | None]:
    framing, buffer, proven = Chunked(LIMITS), bytearray(), b""
    bound = max(LIMITS.chunk_line, LIMITS.trailers)
    try:
        for piece in pieces:
            buffer += piece
            while taken := framing.take(buffer):
                proven += taken
            left = len(buffer) <= bound or framing.at_most() == 0
            require(left, "more is held than a line may have")
    except HTTPError as refusal:
        return proven, refusal.status, None
    return proven, 0, framing.at_most()


def lane(data: bytes) -> None:
    """Whether there is a lane, neither the handler can tell nor its peer."""
    cut = sum(data) % (len(data) + 1)
    same(twins(LIMITS, data))
    same(twins(LIMITS, data[:cut], data[cut:]))


def target(data: bytes) -> None:
    """No segment of a target leads anywhere but down."""
    for method in ("GET", "OPTIONS"):
        try:
            found = parse_target(method, data)
        except TargetError:
            continue
        dots = {".", ".."} & {*found.segments}
        require(not dots, f"a segment is {dots}")
        whole = found.path in {"*", "/" + "/".join(found.segments)}
        require(whole, "the path is not its segments")
    with contextlib.suppress(TargetError):
        parse_authority(text(data))


def cookies(data: bytes) -> None:
    """Fields are read alike, whether they come in one line or in two."""
    both = text(data)
    one, _, other = both.partition(";")
    same(_cookies(lines) for lines in ([both], [one, other]))


def _cookies(lines: list[str]) -> object:
    found = [*parse_cookies(lines, limit=20).pairs]
    require(len(found) <= 20, "more cookies are kept than may be")
    for name, value in found:
        odd = not name or any(char in name + value for char in "\0\r\n;")
        require(not odd, f"a cookie is {name!r}: {value!r}")
    return found


def forms(data: bytes) -> None:
    """What has been read is written so that it is read again."""
    for written in (text(data), data.decode(errors="replace")):
        try:
            found = parse_query(written, limit=20)
        except FormError:
            continue
        again = parse_query(encode_query(found))
        require([*again.pairs] == [*found.pairs], "a form is read in two ways")


def negotiate(data: bytes) -> None:
    """What is chosen is on offer."""
    chosen = choose(text(data), OFFERS)
    require(chosen is None or chosen in OFFERS, f"{chosen!r} was chosen")


def lists(data: bytes) -> None:
    """A list is read again as it was; the names of parameters are tokens."""
    elements = parse_list(text(data))
    require(parse_list(", ".join(elements)) == elements, "a list is read in two ways")
    require(all(elements), "an element is empty")
    _, parameters = parse_parameters(text(data))
    require(all(map(TOKEN.fullmatch, parameters)), "a parameter is not a token")


def frames(data: bytes) -> None:
    """Frames are passed on as they came, up to what is wrong, however they come."""
    judged = [_frames(FrameGate(FRAMES), pieces) for pieces in cuts(data)]
    same(code for _, code in judged)
    for passed, code in judged:
        require(data.startswith(passed), "they were changed")
        # Without a fault, what is in the middle of a frame may be gathered yet.
        late = FRAMES.message if not code else 0
        require(len(passed) + late >= len(judged[0][0]), "less is passed on in pieces")


def deflated(data: bytes) -> None:
    """Compressed messages become plain ones, of no more than they may have."""
    judged = [
        _frames(FrameGate(FRAMES, Inflater(FRAMES.message)), pieces)
        for pieces in cuts(data)
    ]
    same(code for _, code in judged)
    plain = judged[0][0]
    require(len(plain) <= FRAMES.message * (1 + len(data)), "it became too much")
    _, code = _frames(FrameGate(FRAMES), [plain])
    require(not code, "what is handed on is not plain")


def _frames(gate: FrameGate, pieces: list[bytes]) -> tuple[bytes, int]:
    passed = b""
    try:
        for piece in pieces:
            passed += gate.feed(piece, 0.0)
            while gate.pending:
                passed += gate.feed(b"", 0.0)
    except FrameFault as fault:
        return passed + fault.passed, fault.code
    return passed, 0


def extensions(data: bytes) -> None:
    """What is agreed on would be agreed on again."""
    agreed = agree(text(data))
    if agreed is not None:
        require(9 <= agreed.bits <= 15, "there is no such window")
        require(agree(agreed.answer) == agreed, "the answer is no offer")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "gate": gate,
    "chunked": chunked,
    "lane": lane,
    "target": target,
    "cookies": cookies,
    "forms": forms,
    "negotiate": negotiate,
    "lists": lists,
    "frames": frames,
    "deflated": deflated,
    "extensions": extensions,
}


def require(holds: object, what: str) -> None:
    """Say *what* is wrong, unless it *holds*; not by assert, which can be left out."""
    if not holds:
        raise AssertionError(what)


def same(results: Iterator[object]) -> None:
    """All of them are equal."""
    first = next(results)
    for result in results:
        require(result == first, f"one reads {first}, another {result}")


def text(data: bytes) -> str:
    """Field values as the wire hands them on."""
    return data.decode("latin-1")


def cuts(data: bytes) -> Iterator[list[bytes]]:
    """*data* whole, byte by byte, and cut in two: everywhere, if it is short."""
    yield [data]
    yield [data[at : at + 1] for at in range(len(data))]
    step = max(1, len(data) // SHORT)
    for at in range(1, len(data), step):
        yield [data[:at], data[at:]]
