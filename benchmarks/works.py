"""Works: what the servers are compared by, each a request and the answer to it."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of request, sent over and over; *body* is sent where there is one.

    With *cookies*, which are the values of Cookie fields, each request has the next of
    them: so a server is asked by many visitors.
    """

    name: str
    method: str
    path: str
    body: bytes
    answer: bytes
    cookies: tuple[str, ...] = ()

    def request(self) -> bytes:
        """The request of the first visitor as bytes, for a connection of its own."""
        head = f"{self.method} {self.path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n"
        if self.body:
            head += f"content-length: {len(self.body)}\r\n"
        if self.cookies:
            head += f"cookie: {self.cookies[0]}\r\n"
        return f"{head}\r\n".encode("ascii") + self.body

    def answered_by(self, body: bytes) -> bool:
        """Whether *body* says what it should; JSON may be spaced as a server likes."""
        if body == self.answer:
            return True
        try:
            return bool(json.loads(body) == json.loads(self.answer))
        except ValueError:
            return False


_KIB = b"a" * 1024

WORKS = (
    Work("plaintext", "GET", "/", b"", b"Hello, World!"),
    Work("json", "GET", "/json", b"", b'{"message":"Hello, World!"}'),
    Work("param", "GET", "/users/42", b"", b'{"id":42}'),
    Work("echo", "POST", "/echo", _KIB, _KIB),
)
