"""Self-check: does the installed h11 still do what the wire builds on?

A version is a promise, and what counts is kept ones: each thing that the wire takes for
granted is tried once at the start, which takes less than 2 ms.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from types import ModuleType

import h11

from trioweb.message.errors import SetupError

log = logging.getLogger("trioweb.error")

# The version, major and minor, against which every test of ours has been run.
TESTED = "0.16"

Check = Callable[[ModuleType], bool]


def check_h11(library: ModuleType = h11) -> None:
    """Try everything; SetupError, with the remedy, for the first that does not hold.

    A version that we have not tested is worth one line on the logger trioweb.error.
    """
    version = str(getattr(library, "__version__", "(unknown)"))
    if version != TESTED and not version.startswith(f"{TESTED}."):
        log.warning(
            "h11 %a is not the version that trioweb was tested with (%s); what it must "
            "do is checked now",
            version,
            TESTED,
        )
    for promise, check in PROMISES.items():
        if not _holds(check, library):
            msg = (
                f"h11 {version!a} does not do what trioweb relies on: {promise}; "
                f'install the version it was tested with: pip install "h11=={TESTED}.*"'
            )
            raise SetupError(msg)


def _holds(check: Check, library: ModuleType) -> bool:
    try:
        return check(library)
    except Exception:  # noqa: BLE001  # whatever a library raises that is not as it was
        return False


_GET = b"GET / HTTP/1.1\r\nHost: x\r\n"
_POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
_SIZED = _POST + b"Content-Length: 2\r\n\r\n"
_CHUNKED = _POST + b"Transfer-Encoding: chunked\r\n\r\n"


def _stops_at_the_end(library: ModuleType) -> bool:
    server = _server(library, _SIZED + b"hiGET")
    request, data, end, pause = (server.next_event() for _ in range(4))
    return (
        isinstance(request, library.Request)
        and isinstance(data, library.Data)
        and bytes(data.data) == b"hi"
        and isinstance(end, library.EndOfMessage)
        and pause is library.PAUSED
        and bytes(server.trailing_data[0]) == b"GET"
    )


def _takes_chunks_apart(library: ModuleType) -> bool:
    server = _server(library, _CHUNKED + b"2;x=y\r\nhi\r\n0\r\nA: b\r\n\r\n")
    _, data, end = (server.next_event() for _ in range(3))
    return (
        isinstance(data, library.Data)
        and bytes(data.data) == b"hi"
        and isinstance(end, library.EndOfMessage)
        and list(end.headers) == [(b"a", b"b")]
    )


def _refuses(sent: bytes) -> Check:
    def check(library: ModuleType) -> bool:
        server = _server(library, sent)
        try:
            for _ in range(4):
                server.next_event()
        except library.RemoteProtocolError:
            return True
        return False

    return check


def _tells_who_waits(library: ModuleType) -> bool:
    head = _POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    server = _server(library, head)
    server.next_event()
    waited = server.they_are_waiting_for_100_continue
    server.send(library.InformationalResponse(status_code=100, headers=[]))
    return waited is True and not server.they_are_waiting_for_100_continue


def _frames(library: ModuleType) -> bool:
    server = _asked(library)
    head = server.send(library.Response(status_code=200, headers=[]))
    data = server.send(library.Data(data=b"hi"))
    end = server.send(library.EndOfMessage())
    chunked = b"transfer-encoding: chunked\r\n" in head.lower()
    return chunked and data == b"2\r\nhi\r\n" and end == b"0\r\n\r\n"


def _begins_again(library: ModuleType) -> bool:
    server = _asked(library)
    server.send(_short(library))
    server.send(library.Data(data=b"hi"))
    server.send(library.EndOfMessage())
    done = server.our_state is library.DONE
    server.start_next_cycle()
    return done and server.our_state is library.IDLE


def _finds_out_a_short_response(library: ModuleType) -> bool:
    server = _asked(library)
    server.send(_short(library))
    server.send(library.Data(data=b"h"))
    with suppress(library.LocalProtocolError):
        server.send(library.EndOfMessage())
        return False
    return True


def _writes_no_line_break(library: ModuleType) -> bool:
    with suppress(library.LocalProtocolError):
        fields = [(b"a", b"b\r\nc: d")]
        _asked(library).send(library.Response(status_code=200, headers=fields))
        return False
    return True


def _switches(library: ModuleType) -> bool:
    fields = [(b"connection", b"upgrade"), (b"upgrade", b"x")]
    lines = b"".join(b"%b: %b\r\n" % field for field in fields)
    server = _server(library, _GET + lines + b"\r\n")
    server.next_event()
    server.next_event()
    asked = server.their_state is library.MIGHT_SWITCH_PROTOCOL
    server.send(library.InformationalResponse(status_code=101, headers=fields))
    return asked and server.our_state is library.SWITCHED_PROTOCOL


PROMISES: Mapping[str, Check] = {
    "it stops at the end of a message": _stops_at_the_end,
    "it takes chunks apart": _takes_chunks_apart,
    "it refuses two lengths that differ": _refuses(
        _POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n"
    ),
    "it refuses an unknown transfer coding": _refuses(
        _POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n"
    ),
    "it refuses a chunk that does not end where it said": _refuses(
        _CHUNKED + b"2\r\nhiXX0\r\n\r\n"
    ),
    "it refuses a space before the colon": _refuses(_GET + b"A : b\r\n\r\n"),
    "it says who waits for 100 (Continue)": _tells_who_waits,
    "it frames a response of unknown length": _frames,
    "it begins the next exchange when asked": _begins_again,
    "it finds out a response that is too short": _finds_out_a_short_response,
    "it writes no line break into a field": _writes_no_line_break,
    "it lets a protocol be switched": _switches,
}


def _server(library: ModuleType, received: bytes) -> h11.Connection:
    server: h11.Connection = library.Connection(library.SERVER)
    server.receive_data(received)
    return server


def _asked(library: ModuleType) -> h11.Connection:
    server = _server(library, _GET + b"\r\n")
    server.next_event()
    server.next_event()
    return server


def _short(library: ModuleType) -> h11.Response:
    fields = [(b"content-length", b"2")]
    response: h11.Response = library.Response(status_code=200, headers=fields)
    return response
