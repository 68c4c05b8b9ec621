"""Scenes of HTTP/2: the same handlers, asked in frames."""

from __future__ import annotations

from tests.torture.scenes import (
    COMPLETE,
    COUNTED,
    FAILED,
    HELLO,
    TIMEOUT,
    Promise,
    Said,
    Scene,
    alike,
    failing,
    filed,
    finishing,
    late,
    nursery,
    plain,
    shrunk,
    slow,
    staying,
    trailing,
    tunnelling,
)
from tests.wire.h2.written import (
    END,
    LAST_OF_BLOCK,
    data,
    get,
    head,
    pack,
    post,
    settings,
    trailers,
    window,
)
from tests.wire.handlers import echo
from trioweb.wire.h2_codes import PREFACE, Code, Kind, Setting, frame, goaway

ACK = frame(Kind.SETTINGS, 0, b"", 1)
BEGIN = PREFACE + settings() + ACK
# Nothing more is asked, so that the connection ends behind its last answer.
LAST = goaway(0, Code.NO_ERROR)

NARROW = PREFACE + settings((Setting.INITIAL_WINDOW_SIZE, 4)) + ACK
CONNECT = frame(
    Kind.HEADERS,
    1,
    pack([(b":protocol", b"any")]) + head(method=b"CONNECT"),
    LAST_OF_BLOCK,
)
HEAD = frame(Kind.HEADERS, 1, head(method=b"HEAD"), END | LAST_OF_BLOCK)
UPLOAD = (data(1, b"hello"), data(1, b" world", END))

SCENES: dict[str, Scene] = {
    "plain": Scene(alike(plain), (BEGIN + get(1) + LAST,), (HELLO,)),
    "kept": Scene(
        alike(plain), (BEGIN + get(1), get(3) + LAST), (HELLO,) * 2, (COMPLETE,) * 2
    ),
    "three at once": Scene(
        alike(late),
        (BEGIN + get(1) + get(3) + get(5) + LAST,),
        (COUNTED,) * 3,
        (COMPLETE,) * 3,
    ),
    "upload": Scene(alike(echo), (BEGIN + post(1), *UPLOAD, LAST), (HELLO,)),
    "trailers": Scene(
        alike(trailing),
        (BEGIN + post(1), UPLOAD[0] + data(1, b" world"), trailers(1) + LAST),
        (HELLO,),
    ),
    "narrow": Scene(
        alike(late), (NARROW + get(1), window(1, 4), window(1, 9) + LAST), (COUNTED,)
    ),
    "file": Scene(filed, (BEGIN + get(1) + LAST,), (HELLO,)),
    "head": Scene(alike(late), (BEGIN + HEAD + LAST,), (Said(b"", to="HEAD"),)),
    "nursery": Scene(alike(nursery), (BEGIN + get(1) + LAST,), (HELLO,)),
    "finish": Scene(
        finishing, (BEGIN + get(1) + LAST,), (HELLO,), promise=Promise.ANYBODY
    ),
    "staying": Scene(staying, (BEGIN + get(1) + LAST,), (HELLO,), promise=Promise.PEER),
    "tunnel": Scene(
        alike(tunnelling),
        (BEGIN + CONNECT + data(1, b"hello "), data(1, b"bye") + LAST),
        (Said(b"hello bye"),),
        tunnel=b"hello bye",
    ),
    "handler's time": Scene(
        alike(slow), (BEGIN + get(1) + LAST,), (Said(b"", 503),), (TIMEOUT,)
    ),
    "failing": Scene(
        alike(failing), (BEGIN + get(1) + LAST,), (), (FAILED,), 1, broken=True
    ),
    "shrunk file": Scene(
        shrunk, (BEGIN + get(1) + LAST,), (), (FAILED,), 1, broken=True
    ),
}
