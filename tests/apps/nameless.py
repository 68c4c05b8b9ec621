"""The probe, in a process in which every look-up of a name fails once it listens."""

from __future__ import annotations

import os
import socket
import sys
from typing import NoReturn

from tests.apps.probe import app
from trioweb import run

LOOKUPS = (
    "getaddrinfo",
    "gethostbyname",
    "gethostbyname_ex",
    "gethostbyaddr",
    "getnameinfo",
    "getfqdn",
)


def refuse(*_: object, **__: object) -> NoReturn:
    """End the process, so that nobody can swallow it."""
    print("a name was looked up", file=sys.stderr)  # noqa: T201  # what is waited for
    os._exit(9)


def forbid(urls: list[str]) -> None:
    """Say where it serves, and from now on refuse to resolve anything."""
    print(f"Serving on {urls[0]} (Ctrl-C stops)", file=sys.stderr)  # noqa: T201
    for name in LOOKUPS:
        setattr(socket, name, refuse)


if __name__ == "__main__":
    run(app, bind=sys.argv[1:], on_listen=forbid)
