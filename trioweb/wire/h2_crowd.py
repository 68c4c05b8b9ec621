"""Crowd: the streams of one connection that are at work, and the tasks they have.

No stream waits for another: whoever waits for something has a task to itself.  But most
requests are answered without any wait, and a task costs ten microseconds.  So a task
goes on with the next stream as long as none has made it wait; the others that have come
meanwhile are given one by one to tasks of their own.
"""

from __future__ import annotations

import contextvars
from collections import deque
from collections.abc import Iterator

import trio

from trioweb.message.errors import HTTPError
from trioweb.message.request import Request
from trioweb.wire.contexts import same
from trioweb.wire.h2_stream import Stream
from trioweb.wire.service import Service
from trioweb.wire.watch import Watch

Asked = Request | HTTPError
"""What a stream has asked for, or why that is refused."""


class Crowd:
    """Streams by their numbers, from their heads until neither side needs them."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._streams: dict[int, Stream] = {}
        self._asked: deque[tuple[Stream, Asked]] = deque()  # and not begun

    def __len__(self) -> int:
        return len(self._streams)

    def __iter__(self) -> Iterator[Stream]:
        """Each that there is now, whatever becomes of it meanwhile."""
        return iter([*self._streams.values()])

    def get(self, number: int) -> Stream | None:
        """The stream of that number, if it is at work."""
        return self._streams.get(number)

    def add(self, number: int, stream: Stream, asked: Asked) -> None:
        """Have *stream* answered, from the next `begin` on."""
        self._streams[number] = stream
        self._asked.append((stream, asked))

    def discard(self, number: int) -> None:
        """Forget a stream that is over."""
        del self._streams[number]

    async def begin(self, tasks: trio.Nursery) -> None:
        """Begin what has been asked, in *tasks*.

        Cancelled, it leaves some for `begin_all`.
        """
        while self._asked:
            tasks.start_soon(self._answer, tasks)
            if len(self._asked) == 1:
                return
            # That task may answer them all; where it is made to wait, the next begins.
            await trio.lowlevel.checkpoint()

    def begin_all(self, tasks: trio.Nursery) -> None:
        """Begin what is left, without waiting: nobody will call `begin` any more."""
        for _ in self._asked:
            tasks.start_soon(self._answer, tasks)

    async def _answer(self, tasks: trio.Nursery) -> None:
        """Answer one stream after the other until there are none."""
        clean = contextvars.copy_context()
        while self._asked and same(contextvars.copy_context(), clean):
            await self._answer_some(clean)
        # What one request has set, the next must not see: behind a proxy it is
        # another user's.
        if self._asked:
            clean.run(tasks.start_soon, self._answer, tasks)

    async def _answer_some(self, clean: contextvars.Context) -> None:
        """The same with one watch, as long as it is as good as new.

        A watch and its scope for each stream would cost as much as its task.
        """
        answered = _Answered()
        watch = Watch(self._service.alarms, self._service.limits, answered.taken)
        stream, asked = self._asked.popleft()
        try:
            with watch.scope:
                while True:
                    answered.stream = stream
                    await stream.answer(asked, watch)
                    stream.end()
                    if not (stream.settled and watch.cause is None and self._asked):
                        break
                    if not same(contextvars.copy_context(), clean):
                        break
                    stream, asked = self._asked.popleft()
            if watch.scope.cancelled_caught:
                await stream.expire()
        finally:
            stream.end()
            watch.end()
            answered.stream = None  # or only the collector would free them


class _Answered:
    """Who is being answered, for the watch to ask how far that has got."""

    __slots__ = ("stream",)

    def __init__(self) -> None:
        self.stream: Stream | None = None

    def taken(self) -> int:
        return 0 if self.stream is None else self.stream.taken()
