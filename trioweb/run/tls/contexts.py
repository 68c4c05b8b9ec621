"""Contexts: what OpenSSL is told before any peer comes, and who gets which one.

Only what has forward secrecy and authenticated encryption is spoken: TLS 1.3, and of
1.2 what Mozilla's "intermediate" profile has of it (RFC 9325 section 4.2).
"""

from __future__ import annotations

import contextlib
import errno
import socket
import ssl
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trioweb.run.tls.config import TLS, Pair, TLSError, pairs_of
from trioweb.run.tls.greeting import Greeting
from trioweb.run.tls.hello import CURVES, curve_for
from trioweb.wire.connection import protocols

# Of TLS 1.2; of 1.3 everything is good, and cannot be chosen from here.  AES first:
# where both ends have it in hardware it is the fastest.
CIPHERS = ":".join(
    f"ECDHE-{signature}-{rest}"
    for rest in ("AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305")
    for signature in ("ECDSA", "RSA")
)

_OPTIONS = (
    ssl.OP_CIPHER_SERVER_PREFERENCE
    | ssl.OP_NO_COMPRESSION  # CRIME
    | ssl.OP_NO_RENEGOTIATION  # costs us far more than who asks for it
    | ssl.OP_SINGLE_ECDH_USE
)

_MINIMUM = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}

_CLIENT = {
    None: ssl.CERT_NONE,
    "request": ssl.CERT_OPTIONAL,
    "require": ssl.CERT_REQUIRED,
}

# Whether OpenSSL can agree on keys that no later computer breaks.
_HYBRID = ssl.OPENSSL_VERSION_INFO >= (3, 5)

# Before it a peer could have its first bytes taken for what came encrypted
# (CVE-2023-40217), unless whoever has packed that Python has mended it.
_SOUND = (3, 11, 5)


class _Deserted(ssl.SSLSocket):
    """A socket whose peer has left before the handshake."""

    def getpeername(self) -> Any:  # noqa: ANN401  # as the standard library types it
        raise OSError(errno.ENOTCONN, "the peer has left")


def refuses_early_bytes(kind: type[ssl.SSLSocket] = _Deserted) -> bool:
    """Whether this Python's TLS refuses what came before the handshake, tried out."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = kind
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.send(b"x")
        try:
            context.wrap_socket(
                ours, server_side=True, do_handshake_on_connect=False
            ).close()
        except OSError:
            return True
    return False


def check_python(
    version: tuple[int, ...] = sys.version_info[:3],
    mended: Callable[[], bool] = refuses_early_bytes,
) -> None:
    """TLSError where this Python's TLS is known to be unsound."""
    if version < _SOUND and not mended():
        said = ".".join(map(str, version))
        msg = f"the ssl of Python {said} is unsound (CVE-2023-40217); take a newer one"
        raise TLSError(msg)


class UnknownName(Exception):
    """A peer asks for a name that there is no certificate for."""


class Contexts:
    """What handshakes begin with: a context for each curve, certificates by names.

    If *strict*, there are certificates for those names only.
    """

    def __init__(
        self,
        by_curve: Mapping[str | None, ssl.SSLContext],
        named: Mapping[str, ssl.SSLContext],
        *,
        strict: bool,
    ) -> None:
        self._by_curve = by_curve
        self._named = named
        self._strict = strict

    def wrap(
        self, greeting: Greeting, incoming: ssl.MemoryBIO, outgoing: ssl.MemoryBIO
    ) -> ssl.SSLObject:
        """Our end of a handshake with a peer that has begun with *greeting*.

        UnknownName where there is no certificate for it.
        """
        named = None if greeting.asked is None else find(self._named, greeting.asked)
        if named is None and self._strict:
            raise UnknownName
        context = self._by_curve[curve_for(greeting.hello, hybrid=_HYBRID)]
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        if named is not None:
            tls.context = named  # the curve stays
        incoming.write(greeting.begun)
        return tls


def build(tls: TLS) -> Contexts:
    """What every handshake begins with, from what the files hold now.

    It blocks while they are read.  TLSError where one of them cannot be used.
    """
    check_python()
    default, named = pairs_of(tls)
    by_name = {each.name: _context(tls, each.pair) for each in named}
    first = named[0].pair if named and default is None else default
    if first is None:
        raise TLSError("there is no certificate; give one")
    by_curve: dict[str | None, ssl.SSLContext] = {}
    for curve in [*CURVES.values(), None]:
        by_curve[curve] = _context(tls, first)
        if curve is not None:
            # Python 3.11.2 knows no X25519; OpenSSL's own list begins with it.
            with contextlib.suppress(ssl.SSLError):
                by_curve[curve].set_ecdh_curve(curve)
    return Contexts(by_curve, by_name, strict=tls.strict or default is None)


def find(contexts: Mapping[str, ssl.SSLContext], name: str) -> ssl.SSLContext | None:
    """The context for a name: its own, or that of the names around it (RFC 9525)."""
    name = name.lower().removesuffix(".")
    if name in contexts:
        return contexts[name]
    _, dot, around = name.partition(".")
    return contexts.get(f"*.{around}") if dot else None


def _context(tls: TLS, pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _MINIMUM[tls.minimum]
    context.options |= _OPTIONS
    # Python before 3.11.4 sets it: an end without a goodbye would look like one.
    context.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
    context.set_ciphers(CIPHERS)
    context.num_tickets = 1  # of two, a peer that comes again uses one
    context.set_alpn_protocols(list(protocols()))
    _load(context, pair)
    if tls.client_ca is not None:
        _require(tls.client_ca)
        try:
            context.load_verify_locations(tls.client_ca)
        except OSError as error:  # it may have gone since
            msg = f"{tls.client_ca} holds no certificates in PEM form"
            raise TLSError(msg) from error
    context.verify_mode = _CLIENT[tls.client]
    return context


class _Encrypted(Exception):
    """A key wants a password."""


def _load(context: ssl.SSLContext, pair: Pair) -> None:
    for file in {pair.cert, pair.key}:
        _require(file)
    try:
        context.load_cert_chain(pair.cert, pair.key, password=_no_password)
    except _Encrypted as error:
        msg = f"{pair.key} is encrypted; give a key without a password"
        raise TLSError(msg) from error
    except (ssl.SSLError, OSError) as error:
        raise TLSError(_explained(error, pair)) from error


def _no_password() -> str:
    # Else OpenSSL would ask on the terminal, and wait.
    raise _Encrypted


def _require(file: str) -> None:
    # OpenSSL does not say which file it could not read.
    try:
        with Path(file).open("rb"):
            pass
    except OSError as error:
        raise TLSError(f"{file} cannot be read: {error.strerror}") from error


def _explained(error: OSError, pair: Pair) -> str:
    reason = getattr(error, "reason", None)
    if reason == "KEY_VALUES_MISMATCH":
        return (
            f"{pair.key} is not the key of {pair.cert}; give two that belong together"
        )
    if reason in {"EE_KEY_TOO_SMALL", "CA_KEY_TOO_SMALL", "CA_MD_TOO_WEAK"}:
        return f"{pair.cert} is too weak ({reason}); take a key of 2048 bits or P-256"
    files = pair.cert if pair.cert == pair.key else f"{pair.cert} and {pair.key}"
    return f"{files} cannot be used: certificate and key must be whole, in PEM form"
