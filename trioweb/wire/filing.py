"""Filing: what an open file holds, on its way into one HTTP/1.1 connection.

Nothing here may wait for a disk on the event loop, so each part of a file goes by the
first of three ways that is open to it:

- the first bytes are read at once and leave with the head, if the system has them in
  memory: a small file is one write;
- what follows the system itself sends from its memory (sendfile), if the transport can
  and the system has it there;
- anything else is read in a thread and then written.

sendfile waits for what is not in memory, and no call says beforehand that all of it
is.  So each part is sampled: docs/why/filing.md has the reasons.
"""

from __future__ import annotations

import io
import os
import resource
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import cast

import h11
import trio

from trioweb.message.offload import offload
from trioweb.message.response import File, Send
from trioweb.message.transport import Transport
from trioweb.wire.limits import FILE_PIECE
from trioweb.wire.plainly import Plainly
from trioweb.wire.watch import Watch

PassOn = Callable[[int, int, int], Awaitable[int]]
"""Lets the system send: of a descriptor, from a position, so many bytes; how many went.

Fewer than asked for where the rest must go another way.
"""

# Bytes that leave with the head: few enough that copying them costs less than another
# call, enough for most of what a page is made of.
FIRST = 16 * 1024

# Bytes that the system sends before others get their turn: some 70 µs of work.
PASSED = 512 * 1024

# Bytes from one sample to the next: half of what Linux reads ahead, and so of what it
# takes into memory and lets go of together.  A sample costs 1 µs, sending as much 10.
STRIDE = 64 * 1024

# Seconds after which a call that should only have found memory, and has waited, has
# waited for a disk: ten times what a piece takes.
SLOW = 0.001

# 0 where the system cannot read without waiting.
_NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)


def around(state: h11.Connection | Plainly, length: int) -> tuple[bytes, bytes]:
    """What goes before content of *length* bytes, and what behind it.

    Told of all of it at once, h11 refuses what does not fit while nothing has left:
    h11.LocalProtocolError.
    """
    # It promises to do no more than to ask how long it is, and to give it back.
    content = cast("bytes", _Unseen(length))
    parts = state.send_with_data_passthrough(h11.Data(data=content)) or []
    at = parts.index(content)
    return b"".join(parts[:at]), b"".join(parts[at + 1 :])


async def send_file(
    file: File, before: bytes, write: Send, pass_on: PassOn | None
) -> None:
    """Write *before*, and behind it all of *file*, which has at least a byte.

    *pass_on* is None where the transport cannot.  Raises EOFError if the file has
    become shorter than it was: before anything is written, if nothing is left of it.
    """
    at, end = file.offset, file.offset + file.length
    source = _descriptor(file)
    if source < 0:
        pass_on = None
    elif first := _read_now(source, at, min(file.length, FIRST)):
        await write(before + first)
        before = b""
        at += len(first)
    while at < end:
        size = min(end - at, PASSED)
        if pass_on and not before and in_memory(source, at, size):
            passed = await pass_on(source, at, size)
            if passed < size:
                pass_on = None  # what one call has shown, the next must not
            elif passed < end - at:
                # A peer that reads as fast as we send leaves no other moment for it.
                await trio.lowlevel.checkpoint()
        else:
            piece = await offload(partial(file.read, at, min(size, FILE_PIECE)))
            if not piece:
                raise EOFError(f"the file ended {end - at} bytes early: it has shrunk")
            await write(before + piece)
            before = b""
            passed = len(piece)
        at += passed


async def pass_to(
    transport: Transport, watch: Watch, source: int, at: int, size: int
) -> int:
    """Let the system send *size* bytes of the open file *source*; how many it has sent.

    Fewer where it cannot, where the file has ended, or where it had to wait for a disk.
    Cancelled while it waits, an unknown part has been sent.
    """
    sent = 0
    while sent < size:
        waits, began = _waits(), time.perf_counter()
        try:
            passed = transport.send_file_now(source, at + sent, size - sent)
        except trio.WouldBlock:
            await _room(transport, watch)
            continue
        sent += passed
        if not passed:
            break
        if time.perf_counter() - began > SLOW and _waits() > waits:
            break
    return sent


def _waits() -> int:
    """How often this thread has waited so far, of itself.

    One that is kept from running, because others want the processor, does not wait: or
    a busy machine would be given more to do.
    """
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw


def in_memory(source: int, at: int, size: int) -> bool:
    """Whether the system has *size* bytes of a file in memory, as far as it tells.

    What it lacks it begins to read.
    """
    sample = [bytearray(1)]
    places = (*range(at, at + size, STRIDE), at + size - 1)
    try:
        return all(os.preadv(source, sample, place, _NOWAIT) for place in places)
    except OSError:
        return False  # not there, or a file system that does not tell


def _read_now(source: int, at: int, size: int) -> bytearray:
    """At most *size* bytes, of those in memory; none also where reading fails."""
    piece = bytearray(size)
    try:
        size = os.preadv(source, [piece], at, _NOWAIT)
    except OSError:
        size = 0  # whoever reads it in a thread hears why
    del piece[size:]
    return piece


def _descriptor(file: File) -> int:
    """The descriptor to ask for the content; -1 if there is none."""
    # Nothing but a plain file: another's read() may say something else.
    if _NOWAIT and type(file.source) is io.FileIO and not file.source.closed:
        return file.source.fileno()
    return -1


async def _room(transport: Transport, watch: Watch) -> None:
    watch.write_begins()
    try:
        await transport.wait_send_all_might_not_block()
    finally:
        watch.write_ended()


class _Unseen:
    """Content of *length* bytes, for a library that counts it and never looks."""

    def __init__(self, length: int) -> None:
        self._length = length

    def __len__(self) -> int:
        return self._length
