"""Works: the exchanges that are counted, and the servers that answer them.

The servers are those that users start, ``trioweb run``, with all their defaults but the
access log, as in the comparison, whose applications and paths these are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Served:
    """A server: the words after ``python -m``."""

    words: tuple[str, ...]
    secure: bool = False  # over TLS; certificate and key are added to its words


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of exchange: who serves it, and what the peer sends for the *n*-th."""

    name: str
    served: Served
    request: Callable[[int], bytes]
    answer: bytes
    visits: bool = False  # it keeps the cookie it is given, as a browser does


def trioweb(app: str, *settings: str, log: str = "off") -> Served:
    """``trioweb run`` of one of the applications, with *settings* besides."""
    words = ["trioweb", "run", f"benchmarks/apps/{app}.py", "--bind", "127.0.0.1:0"]
    words += ["--access-log", log]
    for setting in settings:
        words += ["--set", setting]
    return Served(tuple(words))


def get(path: str, fields: str = "") -> Callable[[int], bytes]:
    """The same GET every time, of a peer that says who it is and no more."""
    return _always(f"GET {path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode("ascii"))


def post(path: str, body: bytes) -> Callable[[int], bytes]:
    """The same POST every time."""
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n"
    return _always(head.encode("ascii") + body)


def _always(request: bytes) -> Callable[[int], bytes]:
    return lambda _: request


def browser(number: int) -> bytes:
    """What a browser sends with a GET of a page: ten fields, five of which differ.

    Nobody can answer from the memory of the last request.
    """
    lines = (
        "GET / HTTP/1.1",
        "Host: localhost:8080",
        f"User-Agent: Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Rev/{number:06}",
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
        f"Accept-Language: ko-KR,ko;q=0.8,en;q=0.{number % 10}",
        "Accept-Encoding: gzip, deflate, br",
        f"Referer: http://localhost:8080/pages/{number:06}?from=list",
        f"Cookie: theme=dark; visitor={number:032x}; seen={number:06}",
        "Upgrade-Insecure-Requests: 1",
        "Cache-Control: max-age=0",
        f'If-None-Match: "{number:016x}"',
        "\r\n",
    )
    return "\r\n".join(lines).encode("ascii")


_PLAIN = trioweb("plain")
_ADDING = trioweb("counted")
_HELLO = b"Hello, World!"
_KIB = b"a" * 1024

# What the work of others is measured by: it changes with the Python that is used, and
# never with trioweb.
YARDSTICK = Work(
    "yardstick", Served(("benchmarks.apps.counted_yardstick",)), get("/"), _HELLO
)

PLAINTEXT = Work("plaintext", _PLAIN, get("/"), _HELLO)

WORKS = (
    YARDSTICK,
    PLAINTEXT,
    Work("json", _PLAIN, get("/json"), b'{"message":"Hello, World!"}'),
    Work("param", _PLAIN, get("/users/42"), b'{"id":42}'),
    Work("echo", _PLAIN, post("/echo", _KIB), _KIB),
    Work("headers", _PLAIN, browser, _HELLO),
    Work("lane off", trioweb("plain", "lane=false"), get("/"), _HELLO),
    Work("session", _ADDING, get("/save"), _HELLO, visits=True),
    Work("https", Served(_PLAIN.words, secure=True), get("/"), _HELLO),
)
"""What is recorded, and looked at in every run of CI."""

_FORWARDED = (
    "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n"
    "X-Forwarded-Host: shop.example\r\n"
)

ADDED = (
    PLAINTEXT,
    Work("access log, human", trioweb("plain", log="human"), get("/"), _HELLO),
    Work("access log, json", trioweb("plain", log="json"), get("/"), _HELLO),
    Work(
        "a trusted proxy's fields",
        trioweb("plain", "trusted_proxies=127.0.0.1"),
        get("/", _FORWARDED),
        _HELLO,
    ),
    Work("lane=false", trioweb("plain", "lane=false"), get("/"), _HELLO),
    Work("a layer", _ADDING, get("/layer"), _HELLO),
    Work("allowed_hosts()", _ADDING, get("/hosts"), _HELLO),
    Work("timeout=5", _ADDING, get("/timeout"), _HELLO),
    Work("request.query", _ADDING, get("/query?name=World"), _HELLO),
    Work("request.cookies", _ADDING, get("/cookies", "Cookie: a=World\r\n"), _HELLO),
    Work("response.set_cookie()", _ADDING, get("/cookie"), _HELLO),
    Work("a body, read", _ADDING, post("/body", b"World"), _HELLO),
    Work("a typed JSON body", _ADDING, post("/typed", b'{"name":"World"}'), _HELLO),
    Work("a streamed answer", _ADDING, get("/streamed"), _HELLO),
    Work("a counter", _ADDING, get("/counted"), _HELLO),
    Work("a checkpoint", _ADDING, get("/checkpoint"), _HELLO),
    Work("a nursery with a task", _ADDING, get("/nursery"), _HELLO),
    Work("a session, looked into", _ADDING, get("/load"), _HELLO, visits=True),
    Work("a session, written to", _ADDING, get("/save"), _HELLO, visits=True),
)
"""One thing more than plaintext each: what it adds."""
