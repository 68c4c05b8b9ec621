"""Event parser: the events in a stream of bytes, as a browser would hear them.

By WHATWG HTML section 9.2.6, and by nothing that writes them: a test with it sees what
a browser sees.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True, slots=True)
class Event:
    """One event as a page hears it."""

    data: str
    event: str = "message"  # its type
    id: str = ""  # the last event's id by then, this one's or one before
    retry: int | None = None  # milliseconds, where it was said with this event


class EventParser:
    """Takes the bytes of a stream however they are split, and gives the events.

    *last_event_id* and *retry* (milliseconds, None until it was said) are what an
    EventSource would come back with; *comments* counts those that have come.
    """

    def __init__(self, last_event_id: str = "") -> None:
        self.last_event_id = last_event_id
        self.retry: int | None = None
        self.comments = 0
        # As browsers decode: a byte order mark is dropped, what is wrong is replaced.
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._line = ""  # so far
        self._after_return = False  # the last line ended in CR: an LF belongs to it
        self._begin()

    def feed(self, piece: bytes) -> list[Event]:
        """The events that *piece* completes."""
        text = self._decoder.decode(piece)
        if not text:
            return []
        if self._after_return and text[0] == "\n":
            text = text[1:]
        self._after_return = text[-1:] == "\r"
        *lines, self._line = re.split(r"\r\n|\r|\n", self._line + text)
        heard = []
        for line in lines:
            if line:
                self._take(line)
            elif event := self._dispatch():
                heard.append(event)
        return heard

    def _begin(self) -> None:
        self._data: list[str] = []
        self._type = ""
        self._id = self.last_event_id
        self._retry: int | None = None

    def _dispatch(self) -> Event | None:
        """A blank line: the event is complete, and heard if it has data."""
        self.last_event_id = self._id
        event = None
        # An empty line of data is data; none is not.
        if self._data:
            data = "\n".join(self._data)
            event = Event(data, self._type or "message", self._id, self._retry)
        self._begin()
        return event

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "":
                self.comments += 1
            case "data":
                self._data.append(value)
            case "event":
                self._type = value
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if _DIGITS.fullmatch(value):
                self.retry = self._retry = int(value)
            case _:
                pass  # unknown fields are ignored
