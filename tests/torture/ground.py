"""Ground: what the handlers of one run stand on, and what they leave behind there."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

from trioweb.message.handler import Handler
from trioweb.message.request import Request
from trioweb.message.response import File, Response
from trioweb.wire.alarms import Alarmed, Alarms
from trioweb.wire.service import DateField

CANARY = "/canary"


class Leaf(io.RawIOBase):
    """An open file that costs no descriptor, so that a run takes no time."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self._content = io.BytesIO(content)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._content.seek(offset, whence)

    def read(self, size: int = -1) -> bytes:
        return self._content.read(size)


class Ground:
    """Files that were opened, work that was begun, handlers that are at it."""

    def __init__(self) -> None:
        self.calls = 0  # of the handler, the canary's left out
        self.inside = 0  # handlers and writers at work
        self.begun = 0  # works that must not be left half done
        self.done = 0
        # Kept here, because a File that nobody holds closes itself.
        self.files: list[File] = []

    def file(self, content: bytes, length: int | None = None) -> File:
        """An open file that says to be *length* long."""
        self.files.append(
            File(Leaf(content), 0, len(content) if length is None else length)
        )
        return self.files[-1]

    @contextmanager
    def work(self) -> Iterator[None]:
        """Something that is either done or was never begun."""
        self.begun += 1
        yield
        self.done += 1

    @contextmanager
    def busy(self) -> Iterator[None]:
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    def watched(self, handler: Handler) -> Handler:
        """*handler*, with its calls counted; the canary is answered beside it."""

        async def watched(request: Request) -> Response:
            if request.path == CANARY:
                return Response(200, body=b"alive")
            self.calls += 1
            with self.busy():
                return await handler(request)

        return watched


class Noted(Alarms):
    """Alarms that remember everybody they were ever set for."""

    def __init__(self) -> None:
        super().__init__()
        self.met: dict[Alarmed, None] = {}

    def set(self, who: Alarmed, due: float) -> None:
        self.met[who] = None
        super().set(who, due)

    @property
    def held(self) -> int:
        """How many of them are still held."""
        return sum(who.slot != 0 for who in self.met)


class Still(DateField):
    """A date that does not move, so that a run is the same tomorrow."""

    def now(self) -> bytes:
        return b"Sun, 06 Nov 1994 08:49:37 GMT"
