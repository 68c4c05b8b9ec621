"""Config: how a server is to run, as one frozen value."""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

from trioweb.message.errors import SetupError
from trioweb.rules.forwarded import Form, Proxies
from trioweb.run.binds import parse_bind
from trioweb.run.recycling import Recycling
from trioweb.run.tls.config import TLS
from trioweb.wire.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Sequence

LogForm = Literal["human", "json", "off"]
"""How an access log writes its lines, if it does."""

# Workers, at most: four for each core of the largest machines; more is a typing error.
MOST = 1024

Workers = int | Literal["auto"] | None
"""How many processes serve: so many, one a core, or None for this one by itself."""


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
    # Seconds between the request for a stop and its beginning, in which everything goes
    # on but nobody is told to be ready: as long as a load balancer takes to notice and
    # send requests elsewhere.  Kubernetes wants about 5.
    drain_delay: float = 0.0
    # Where figures and probes are answered, see `parse_bind`; nowhere by default.  Give
    # a loopback or private address: they are not for everybody.
    admin: str | None = None
    # The access log, on standard error: a line for each exchange.
    access_log: LogForm = "human"
    # Who may speak for somebody else (`Proxies`): addresses, networks, "unix".  What
    # anybody else writes into these fields means nothing.
    trusted_proxies: tuple[str, ...] = ()
    # The fields they write: X-Forwarded-For, -Proto and -Host, or Forwarded (RFC 7239).
    proxy_headers: Form = "x-forwarded"
    # The certificates for HTTPS; none by default, which is plain HTTP.
    tls: TLS = field(default_factory=TLS)
    # Whether HTTP/1.1 goes without h11 where nothing needs it.  Off, everything goes
    # through it: the answers are the same, at three times the cost.
    lane: bool = True
    # What a peer may take, in bytes and seconds.
    limits: Limits = field(default_factory=Limits)
    # Processes that answer, looked after by this one, which then answers nothing; even
    # one alone is replaced when it crashes.  "auto": one for each core that this
    # program may really use.  None: this process answers.
    workers: Workers = None
    # Seconds a worker may take to import the application and enter its lifespans.
    startup: float = 60.0
    # Seconds without a sign of life after which a worker is shown at fault and killed:
    # gunicorn's `timeout`.
    silence: float = 30.0
    # What `trioweb ctl` calls a server with workers; None: after its target.
    name: str | None = None
    # Who the workers of a server that root has started become, before they load the
    # application: "NAME" or "NAME:GROUP".  None: they stay who started it.
    user: str | None = None
    # When workers are replaced by fresh ones; never, by default.
    recycling: Recycling = field(default_factory=Recycling)

    def __post_init__(self) -> None:
        _check_bind(self.bind)
        _check_seconds("grace", self.grace)
        _check_seconds("cleanup", self.cleanup)
        _check_seconds("drain_delay", self.drain_delay)
        if self.admin is not None:
            _check_bind((self.admin,))
        if self.access_log not in get_args(LogForm):
            msg = f'access_log is {self.access_log!r}; give "human", "json" or "off"'
            raise SetupError(msg)
        _check_proxies(self.trusted_proxies, self.proxy_headers)
        _check_seconds("startup", self.startup)
        _check_seconds("silence", self.silence)
        _check_workers(self.workers)
        _check_name(self.name)
        _check_user(self.user)


def configure(
    config: Config | None = None,
    *,
    port: int | None = None,
    bind: str | Sequence[str] | None = None,
    access_log: LogForm | None = None,
    workers: Workers = None,
    grace: float | None = None,
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
    if workers is not None:
        config = dataclasses.replace(config, workers=workers)
    if grace is not None:
        config = dataclasses.replace(config, grace=grace)
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


def _check_proxies(trusted: object, form: object) -> None:
    if not isinstance(trusted, tuple):
        msg = f'trusted_proxies is {trusted!r}; give a tuple, as ("10.0.0.0/8",)'
        raise SetupError(msg)
    try:
        Proxies(trusted)
    except ValueError as error:
        raise SetupError(str(error)) from error
    if form not in get_args(Form):
        msg = f'proxy_headers is {form!r}; give "x-forwarded" or "forwarded"'
        raise SetupError(msg)


def _check_seconds(name: str, seconds: float) -> None:
    if not 0 <= seconds < math.inf:
        msg = f"{name} is {seconds!r}; give a number of seconds from 0 up"
        raise SetupError(msg)


def _check_workers(workers: object) -> None:
    if workers is None or workers == "auto":
        return
    # True is an int too, and a mistake.
    if type(workers) is not int or not 1 <= workers <= MOST:
        msg = f'workers is {workers!r}; give a number from 1 to {MOST}, or "auto"'
        raise SetupError(msg)


# Short enough for the name of a socket, and of a unit of systemd.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,39}")


def _check_name(name: str | None) -> None:
    if name is not None and not _NAME.fullmatch(name):
        msg = f"name is {name!r}; give up to 40 letters, digits, '_', '-' and '.'"
        raise SetupError(msg)


# What user and group are called, or their numbers.
_USER = re.compile(r"[\w.][\w.$-]*(:[\w.][\w.$-]*)?")


def _check_user(user: str | None) -> None:
    if user is not None and not _USER.fullmatch(user):
        raise SetupError(f'user is {user!r}; give "NAME" or "NAME:GROUP"')
