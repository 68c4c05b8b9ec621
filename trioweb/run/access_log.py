"""The access log: a line for each exchange, whatever its peer has sent.

What a peer chooses is hostile: a newline in it would forge a line, an escape sequence
would drive the terminal of whoever reads, and a query holds passwords.  So every text
is cut and escaped, and of a query only the names are told.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TextIO

import msgspec

from trioweb.message.exchange import Ending, Exchanged
from trioweb.run.config import LogForm
from trioweb.run.writer import Writer, lost, writing

# Characters shown of one text: any honest URL, and no more of a hostile one than fits
# on a screen.
LONGEST = 512

# What stands for a value that is not told.
_HIDDEN = "*"

# "user:password@" in a target of absolute form.
_USER = re.compile(r"//[^/?#]*@")

_COLOURS = {2: "32", 3: "36", 4: "33", 5: "31"}  # green, cyan, yellow, red


@asynccontextmanager
async def record_for(
    form: LogForm, writer: Writer | None = None
) -> AsyncIterator[Callable[[Exchanged], None] | None]:
    """What takes each Exchanged and logs it in this form; None for "off".

    It writes by *writer*, or by one of its own to standard error.
    """
    if form == "off":
        yield None
    elif writer is not None:
        yield AccessLog(writer, form)
    else:
        async with writing(lost=lost_in(form)) as own:
            yield AccessLog(own, form)


class AccessLog:
    """Logs a line for each exchange it is called with; it neither waits nor raises."""

    def __init__(
        self, writer: Writer, form: LogForm, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._writer = writer
        self._json = form == "json"
        self._colour = not os.environ.get("NO_COLOR") and _is_terminal(writer.stream)
        self._clock = clock

    def __call__(self, exchanged: Exchanged) -> None:
        """Leave the line of *exchanged* with the writer."""
        now = self._clock()
        if self._json:
            line = json_line(exchanged, now)
        else:
            line = human(exchanged, now, colour=self._colour)
        self._writer.write(line)


def lost_in(form: LogForm) -> Callable[[int], str]:
    """What makes the line, in this form, that counts dropped ones."""
    if form == "json":
        return lambda lines: f'{{"dropped":{lines}}}'
    return lost


def human(exchanged: Exchanged, now: float, *, colour: bool = False) -> str:
    r"""One line for people, without its end; *now* is in seconds since the epoch.

    Time (UTC), method, target, status, bytes sent, milliseconds, peer, and how it ended
    if it is not complete.  What is not printable is shown as ``\x1b``.
    """
    words = [
        _when(now, "seconds"),
        escape(exchanged.method),
        escape(redact(exchanged.target)),
        _painted(exchanged.status, colour=colour),
        f"{exchanged.sent} B",
        f"{exchanged.seconds * 1000:.1f} ms",
        escape(str(exchanged.peer)),
    ]
    if exchanged.ending is not Ending.COMPLETE:
        words.append(exchanged.ending.value)
    return " ".join(words)


class _Line(msgspec.Struct):
    time: str
    method: str
    target: str
    route: str | None
    status: int | None
    received: int
    sent: int
    seconds: float
    peer: str
    ending: str
    version: str


def json_line(exchanged: Exchanged, now: float) -> str:
    """One line of JSON, without its end; *now* is in seconds since the epoch.

    An object with the fields of Exchanged and the *time* (RFC 3339, UTC).  Nothing but
    printable ASCII: what else there is stands in JSON's own escapes.
    """
    line = _Line(
        time=_when(now, "milliseconds"),
        method=_cut(exchanged.method),
        target=_cut(redact(exchanged.target)),
        route=exchanged.route,
        status=exchanged.status,
        received=exchanged.received,
        sent=exchanged.sent,
        seconds=round(exchanged.seconds, 6),
        peer=_cut(str(exchanged.peer)),
        ending=exchanged.ending.value,
        version=exchanged.version,
    )
    text = msgspec.json.encode(line).decode()
    return _NOT_PLAIN.sub(_json_escape, text)


_NOT_PLAIN = re.compile(r"[^\x20-\x7e]")


def _json_escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be").hex()  # RFC 8259 section 7: a pair for some
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def redact(target: str) -> str:
    """*target* without what may be secret: the values of its query, and a password.

    >>> redact("/reset?token=c0ffee&c0ffee&lang=ko")
    '/reset?token=*&*&lang=*'
    """
    path, mark, query = target.partition("?")
    if "@" in path:
        path = _USER.sub(f"//{_HIDDEN}@", path)
    if not mark:
        return path
    return f"{path}?{'&'.join(_name(field) for field in query.split('&', LONGEST))}"


def _name(field: str) -> str:
    name, equals, _ = field.partition("=")
    # A lone word is a value as often as a name: "/reset?c0ffee".
    return f"{name}={_HIDDEN}" if equals else _HIDDEN if name else ""


def escape(text: str) -> str:
    r"""*text* as one printable word of at most 512 characters, "-" for an empty one.

    >>> escape("/한글\x1b[2J\n")
    '/한글\\x1b[2J\\n'
    """
    text = _cut(text)
    if text.isprintable() and " " not in text and "\\" not in text:
        return text or "-"
    return _cut("".join(map(_shown, text)))


def _shown(character: str) -> str:
    if character == " ":
        return "\\x20"  # for it divides the words of a line
    if character.isprintable() and character != "\\":
        return character
    return character.encode("unicode_escape").decode()


def _cut(text: str) -> str:
    text = text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
    if text.isascii():
        return text
    return text.encode(errors="replace").decode()  # a lone surrogate: written nowhere


def _when(now: float, precision: str) -> str:
    moment = datetime.fromtimestamp(now, UTC).replace(tzinfo=None)
    return f"{moment.isoformat(timespec=precision)}Z"


def _painted(status: int | None, *, colour: bool) -> str:
    if status is None:
        return "-"
    shade = _COLOURS.get(status // 100)
    return f"\x1b[{shade}m{status}\x1b[0m" if colour and shade else str(status)


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False  # closed
