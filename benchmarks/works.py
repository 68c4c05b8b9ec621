"""Works: what the servers are compared by, each a request and the answer to it.

A field's value may hold two marks, in whose places every request has its own number:
{n} is one that no other request has, {q} its last three digits.
"""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass


class Served(enum.Enum):
    """Which program of a server is asked."""

    PLAIN = "without TLS"
    TLS = "over TLS"
    WORKERS = "by two workers"


class Generator(enum.Enum):
    """What asks, and how."""

    WRK = "HTTP/1.1, for a time"
    STREAMS = "HTTP/2, for a time"
    TRANSFERS = "HTTP/2, one request at a time on each connection, all to their end"
    HANDSHAKES = "HTTP/1.1, on a new TLS connection that resumes no other"


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of request, sent over and over; *body* is sent where there is one.

    With *cookies*, which are the values of Cookie fields, each request has the next of
    them: so a server is asked by many visitors.  Who *visits* gets them from the server
    beforehand.  *depth* is how many requests are sent at once on a connection.
    """

    name: str
    method: str
    path: str
    body: bytes
    answer: bytes
    cookies: tuple[str, ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    depth: int = 1
    visits: bool = False
    served: Served = Served.PLAIN
    generator: Generator = Generator.WRK

    @property
    def tls(self) -> bool:
        """Whether it goes over TLS."""
        return self.served is Served.TLS

    def first(self) -> dict[str, str]:
        """The fields of the first request."""
        marks = {"{n}": "1000", "{q}": "100"}
        fields = dict(self.fields)
        for mark, number in marks.items():
            fields = {name: text.replace(mark, number) for name, text in fields.items()}
        if self.cookies:
            fields["Cookie"] = self.cookies[0]
        return fields

    def answered_by(self, body: bytes) -> bool:
        """Whether *body* says what it should; JSON may be spaced as a server likes."""
        if body == self.answer:
            return True
        try:
            return bool(json.loads(body) == json.loads(self.answer))
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Hold:
    """So many *connections* that have been asked GET / once, and are kept open."""

    name: str
    served: Served
    connections: int = 1000


KIB, MIB = 1024, 1024 * 1024

FILE = b"f" * MIB
BIG = b"b" * 4 * MIB

_HELLO = b"Hello, World!"
_KIB = b"a" * KIB
_LINES = [{"sku": sku, "count": 2} for sku in "abcde"]
_ORDER = json.dumps({"id": 1, "name": "a name", "lines": _LINES}).encode()

_JSON = (("Content-Type", "application/json"),)
_CLOSE = (("Connection", "close"),)

# As a browser follows a link, on a page that it has been led to by another.
_BROWSER = (
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.{q},*/*;q=0.8"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Accept-Language", "de-AT,de;q=0.9,en-GB;q=0.{q},en;q=0.5"),
    ("Cookie", "seen={n}; theme=dark; visitor=8f14e45f{n}"),
    ("Referer", "http://localhost/search?query=number+{n}&page=2"),
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Site", "same-origin"),
    ("Upgrade-Insecure-Requests", "1"),
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:{q}.0) Gecko/{n} Firefox/1{q}"),
)


def _get(
    name: str,
    path: str,
    answer: bytes,
    *,
    served: Served = Served.PLAIN,
    generator: Generator = Generator.WRK,
) -> Work:
    return Work(name, "GET", path, b"", answer, served=served, generator=generator)


WORKS = (
    _get("plaintext", "/", _HELLO),
    _get("json", "/json", b'{"message":"Hello, World!"}'),
    _get("param", "/users/42", b'{"id":42}'),
    Work("echo", "POST", "/echo", _KIB, _KIB),
    Work("headers", "GET", "/", b"", _HELLO, fields=_BROWSER),
    Work("typed", "POST", "/orders", _ORDER, b'{"id":1,"count":10}', fields=_JSON),
    Work("session", "GET", "/session", b"", b"known", visits=True),
    _get("stream", "/stream", b"s" * 64 * KIB),
    _get("file", "/file", FILE),
    Work("connect", "GET", "/", b"", _HELLO, fields=_CLOSE),
    Work("pipelined", "GET", "/", b"", _HELLO, depth=16),
    _get("workers", "/", _HELLO, served=Served.WORKERS),
    _get("https", "/", _HELLO, served=Served.TLS),
    _get("handshake", "/", _HELLO, served=Served.TLS, generator=Generator.HANDSHAKES),
    _get("h2", "/", _HELLO, served=Served.TLS, generator=Generator.STREAMS),
    _get("h2-download", "/big", BIG, served=Served.TLS, generator=Generator.TRANSFERS),
    Work(
        *("h2-upload", "POST", "/upload", BIG, str(len(BIG)).encode()),
        served=Served.TLS,
        generator=Generator.TRANSFERS,
    ),
)
"""What is measured by a load."""

HOLDS = (Hold("idle", Served.PLAIN), Hold("idle-tls", Served.TLS))
"""What is measured by connections that do nothing."""
