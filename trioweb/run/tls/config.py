"""TLS: which certificates a server shows, and to whom it speaks, as one value."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, get_args

from trioweb.message.errors import SetupError
from trioweb.run.binds import parse_bind

Version = Literal["1.2", "1.3"]
"""The oldest version that is spoken; what is older than 1.2 is broken (RFC 8996)."""

Client = Literal["request", "require"]
"""Whether peers may, or must, show a certificate of their own."""

# Seconds that browsers are told to come by https only, where plain HTTP is redirected:
# a year, which is what the lists that browsers ship with ask for.
YEAR = 365 * 24 * 60 * 60

_NAME = re.compile(r"(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*")


class TLSError(SetupError):
    """Certificates cannot be used as they are; one line with the remedy."""


@dataclass(frozen=True, slots=True)
class TLS:
    """The certificates of a server; SetupError with the remedy for what cannot be.

    ``TLS("chain.pem", "key.pem")``: files in PEM form, the server's own certificate
    first and then those that lead to its root.  Without *key* it is in the same file.
    """

    cert: str | None = None
    key: str | None = None
    # Certificates for names of their own, as "shop.example=shop.pem:shop.key" or
    # "*.shop.example=both.pem"; `cert` is for all other names.
    names: tuple[str, ...] = ()
    # Whether a peer that asks for another name, or for none, is refused.
    strict: bool = False
    minimum: Version = "1.2"
    # None: peers are not asked who they are.
    client: Client | None = None
    # Who vouches for peers: certificates in PEM form.
    client_ca: str | None = None
    # Where plain HTTP is listened for, and answered with the same address by https.
    redirect: tuple[str, ...] = ()
    # The port that those are sent to, where it is another than the server's own: in a
    # container, the one outside.
    port: int | None = None
    # Strict-Transport-Security in seconds (RFC 6797); None: a year where plain HTTP is
    # redirected, else nothing.  Browsers remember it: 0 takes it back.
    hsts: int | None = None
    # Handshakes at work at once in one event loop: a tenth of a second of signatures.
    handshakes: int = 100
    # Seconds between two looks at the files.
    look: float = 2.0

    def __post_init__(self) -> None:
        for each in self.names:
            parse_named(each)
        _check_choice("minimum", self.minimum, get_args(Version))
        _check_choice("client", self.client, (None, *get_args(Client)))
        for bind in self.redirect:
            try:
                parse_bind(bind)
            except ValueError as error:
                raise SetupError(str(error)) from error
        if self.port is not None and not 0 < self.port < 65536:
            raise SetupError(f"port is {self.port!r}; ports go from 1 to 65535")
        if self.hsts is not None and self.hsts < 0:
            raise SetupError(f"hsts is {self.hsts!r}; give seconds from 0 up")
        if self.handshakes < 1:
            raise SetupError(f"handshakes is {self.handshakes!r}; give at least 1")
        if not 0 < self.look < math.inf:
            raise SetupError(f"look is {self.look!r}; give seconds above 0")

    @property
    def on(self) -> bool:
        """Whether TLS is spoken at all."""
        return self.cert is not None or bool(self.names)

    @property
    def stay(self) -> int | None:
        """Seconds for which browsers are told to come by https; None: they are not."""
        if self.hsts is None:
            return YEAR if self.redirect else None
        return self.hsts


@dataclass(frozen=True, slots=True)
class Pair:
    """The files of a certificate and of its key, which may be the same."""

    cert: str
    key: str


@dataclass(frozen=True, slots=True)
class Named:
    """A pair for a name of its own, in lower case; ``*.`` stands for one label."""

    name: str
    pair: Pair


def parse_named(text: str) -> Named:
    """What "NAME=CERT:KEY" or "NAME=FILE" says; SetupError that shows the form.

    >>> parse_named("Shop.example=shop.pem:shop.key")
    Named(name='shop.example', pair=Pair(cert='shop.pem', key='shop.key'))
    """
    name, _, files = text.partition("=")
    cert, _, key = files.partition(":")
    name = name.lower().removesuffix(".")
    if not cert or not _NAME.fullmatch(name):
        msg = f"{text!r} names no certificate; write shop.example=shop.pem:shop.key"
        raise SetupError(msg)
    return Named(name, Pair(cert, key or cert))


def pairs_of(tls: TLS) -> tuple[Pair | None, list[Named]]:
    """The default pair, if there is one, and those with names.

    TLSError for what belongs together and is not there.
    """
    if tls.key is not None and tls.cert is None:
        raise TLSError("there is a key and no certificate; give both")
    if tls.client is not None and tls.client_ca is None:
        msg = "peers are asked for certificates, and nobody vouches for them; "
        raise TLSError(msg + "give client_ca")
    if tls.redirect and not tls.on:
        msg = (
            "plain HTTP is to be redirected, and there is no HTTPS; give a certificate"
        )
        raise TLSError(msg)
    default = None if tls.cert is None else Pair(tls.cert, tls.key or tls.cert)
    return default, [parse_named(each) for each in tls.names]


def _check_choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    if value not in choices:
        said = ", ".join(repr(each) for each in choices)
        raise SetupError(f"{name} is {value!r}; give one of {said}")
