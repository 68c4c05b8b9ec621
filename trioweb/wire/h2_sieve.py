"""Sieve: what the HTTP/2 library says by itself, without what nobody should hear.

It answers each frame for a stream that we have reset with another reset, and so could
a peer have it say ten for one (RFC 9113 section 5.4.2).
"""

from __future__ import annotations

from collections.abc import Callable

from trioweb.wire.h2_codes import Kind
from trioweb.wire.h2_gate import HEADER


class Sieve:
    """Which streams have been reset, the last *most* of them."""

    __slots__ = ("_most", "_provoked", "_reset")

    def __init__(self, most: int, provoked: Callable[[], None]) -> None:
        self._most = most
        self._provoked = provoked  # told of each reset that is the peer's fault
        self._reset: dict[int, None] = {}

    def note(self, stream: int) -> None:
        """We have reset *stream*."""
        self._reset[stream] = None
        if len(self._reset) > self._most:
            del self._reset[next(iter(self._reset))]

    def sift(self, answer: bytes, kind: int) -> bytes:
        """What is to be said of *answer*, which is to a frame of *kind*.

        Content that was on its way to a stream we have reset is no fault of the peer.
        """
        kept, at = b"", 0
        while at < len(answer):
            end = at + HEADER + int.from_bytes(answer[at : at + 3], "big")
            each, at = answer[at:end], end
            if each[3] == Kind.RST_STREAM:
                stream = int.from_bytes(each[5:HEADER], "big")
                known = stream in self._reset
                if not known or kind != Kind.DATA:
                    self._provoked()
                if known:
                    continue
                self.note(stream)
            kept += each
        return kept
