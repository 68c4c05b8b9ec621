"""Config: how a server is to run, as one frozen value."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from trioweb.message.errors import SetupError
from trioweb.run.binds import parse_bind
from trioweb.wire.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

LogForm = Literal["human", "json", "off"]
"""How an access log writes its lines, if it does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """How a server is to run; SetupError with the remedy where it cannot run so."""

    # Where to listen, see `parse_bind`.  Loopback by default: a program that was only
    # tried out must not be open to the network.
    bind: tuple[str, ...] = ("localhost:8080",)
    # Seconds that running exchanges may go on after a stop is asked for: what gunicorn
    # gives, and what Kubernetes waits before it kills.
    grace: float = 30.0
    # Seconds after that for the clean-up of handlers that had to be cancelled.
    cleanup: float = 5.0
    # The access log, on standard error: a line for each exchange.
    access_log: LogForm = "human"
    # What a peer may take, in bytes and seconds.
    limits: Limits = field(default_factory=Limits)
    # Processes that answer.
    workers: int = 1

    def __post_init__(self) -> None:
        _check_bind(self.bind)
        _check_seconds("grace", self.grace)
        _check_seconds("cleanup", self.cleanup)
        if self.access_log not in get_args(LogForm):
            msg = f'access_log is {self.access_log!r}; give "human", "json" or "off"'
            raise SetupError(msg)
        if self.workers != 1:
            msg = f"workers is {self.workers!r}; only 1 can be run so far"
            raise SetupError(msg)


def configure(
    config: Config | None = None,
    *,
    port: int | None = None,
    bind: str | Sequence[str] | None = None,
    access_log: LogForm | None = None,
) -> Config:
    """*config*, or the defaults, with what is given besides in its place.

    *port* is a port of ``localhost``: both loopback addresses.  SetupError for *port*
    and *bind* together.
    """
    config = Config() if config is None else config
    if port is not None:
        if bind is not None:
            msg = f"port={port!r} and bind={bind!r} were both given; keep one of them"
            raise SetupError(msg)
        bind = f"localhost:{port}"
    if bind is not None:
        binds = (bind,) if isinstance(bind, str) else tuple(bind)
        config = dataclasses.replace(config, bind=binds)
    if access_log is not None:
        config = dataclasses.replace(config, access_log=access_log)
    return config


def _check_bind(binds: object) -> None:
    # A bare string is a sequence too, of places called "l", "o", "c", ...
    if not isinstance(binds, tuple) or not binds:
        msg = f'bind is {binds!r}; give a tuple of places, as ("localhost:8080",)'
        raise SetupError(msg)
    for text in binds:
        try:
            parse_bind(str(text))
        except ValueError as error:
            raise SetupError(str(error)) from error


def _check_seconds(name: str, seconds: float) -> None:
    if not 0 <= seconds < math.inf:
        msg = f"{name} is {seconds!r}; give a number of seconds from 0 up"
        raise SetupError(msg)
