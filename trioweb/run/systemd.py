"""systemd: readiness and signs of life for it, and listening sockets from it.

Spoken by us (sd_notify(3), sd_listen_fds(3)): a datagram and two variables.  Where
nobody asks for it, all of it does nothing.
"""

from __future__ import annotations

import dataclasses
import os
import socket
import time
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress

import trio

from trioweb.run.config import Config
from trioweb.run.listeners import BindError
from trioweb.run.settings import Settled

# The first descriptor that systemd hands over (SD_LISTEN_FDS_START).
FIRST = 3

# Descriptors, at most: more than anybody listens on, fewer than a process may have.
MOST = 256


class Notifier:
    """Tells systemd how the service does, if it has asked for that."""

    def __init__(self, address: str, interval: float | None) -> None:
        self.interval = interval  # seconds, within which it wants a sign of life
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self._status = ""

    def __bool__(self) -> bool:
        return bool(self._address)

    def ready(self) -> None:
        """The service serves, for the first time or after a reload."""
        self._send("READY=1")

    def reloading(self) -> None:
        """A reload has begun; `ready` ends it."""
        self._send(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")

    def stopping(self) -> None:
        """The end has begun."""
        self._send("STOPPING=1")

    def status(self, text: str) -> None:
        """What `systemctl status` shows: one line; sent when it has changed."""
        if text != self._status:
            self._status = text
            self._send(f"STATUS={text}")

    async def live(self, healthy: Callable[[], bool] = lambda: True) -> None:
        """Give a sign of life twice in each interval while it is *healthy*.

        From the event loop: one that is blocked gives none.
        """
        if self.interval is None:
            return
        while True:
            if healthy():
                self._send("WATCHDOG=1")
            await trio.sleep(self.interval / 2)

    def _send(self, state: str) -> None:
        if not self._address:
            return
        # What systemd does not take at once it does not get: nobody waits for it.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.setblocking(False)
            out.connect(self._address)
            out.send(state.encode())


def notifier(environment: MutableMapping[str, str] = os.environ) -> Notifier:
    """Who tells systemd, by what it has left in the environment, which is taken out.

    Programs that a handler starts must not speak for the service.
    """
    address = environment.pop("NOTIFY_SOCKET", "")
    microseconds = environment.pop("WATCHDOG_USEC", "")
    process = environment.pop("WATCHDOG_PID", "")
    interval = None
    if microseconds.isascii() and microseconds.isdigit() and int(microseconds):
        if process in {"", str(os.getpid())}:
            interval = int(microseconds) / 1_000_000
    if not address.startswith(("/", "@")):
        return Notifier("", None)
    return Notifier(address, interval)


def activated(settled: Settled) -> Config:
    """The config, to listen on the sockets that systemd has passed, if there are any.

    They count for more than what the program itself says.  BindError where the
    environment, a file or the command line says otherwise: nobody would answer there.
    """
    binds = passed()
    if not binds:
        return settled.config
    if "bind" in settled.given:
        place = settled.given["bind"].place
        msg = f"systemd has passed sockets to listen on, and {place} names others"
        raise BindError(f"{msg}; leave out one of them")
    return dataclasses.replace(settled.config, bind=binds)


def passed(environment: MutableMapping[str, str] = os.environ) -> tuple[str, ...]:
    """The binds (``fd:3``) of the sockets that systemd has passed to this process.

    The variables that say so are taken out of the environment.  BindError where they
    cannot be true.
    """
    count = _meant_for_us(environment)
    for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"):
        environment.pop(name, None)
    if not count:
        return ()
    if not (count.isascii() and count.isdigit()) or int(count) > MOST:
        msg = f"LISTEN_FDS is {count!r}; it is a number of sockets, up to {MOST}"
        raise BindError(msg)
    return tuple(f"fd:{FIRST + number}" for number in range(int(count)))


def _meant_for_us(environment: Mapping[str, str]) -> str:
    if environment.get("LISTEN_PID") != str(os.getpid()):
        return ""  # inherited by mistake: they were passed to a parent
    return environment.get("LISTEN_FDS", "")
