"""Peers: what the handshake has shown of whoever is at the other end."""

from __future__ import annotations

import ssl

import msgspec

from trioweb.message.transport import Certificate, Names, Peer


def introduced(peer: Peer, asked: str | None, tls: ssl.SSLObject) -> Peer:
    """*peer*, with what is known of it now that the handshake is over."""
    return Peer(peer.host, peer.port, asked=asked, certificate=_certificate(tls))


class _Shown(msgspec.Struct):
    """What `getpeercert` tells of a certificate that was verified."""

    subject: tuple[Names, ...]
    issuer: tuple[Names, ...]
    serial: str = msgspec.field(name="serialNumber")
    until: str = msgspec.field(name="notAfter")
    alternatives: tuple[tuple[str, object], ...] = msgspec.field(
        name="subjectAltName", default=()
    )


def _certificate(tls: ssl.SSLObject) -> Certificate | None:
    # One that could not be verified has ended the handshake; one that was not asked
    # for has not been looked at, and OpenSSL says nothing of it.
    der = tls.getpeercert(binary_form=True)
    told = tls.getpeercert() if der else None
    if not told or not der:
        return None
    shown = msgspec.convert(told, _Shown)
    return Certificate(
        subject=_flat(shown.subject),
        issuer=_flat(shown.issuer),
        alternatives=tuple((kind, str(name)) for kind, name in shown.alternatives),
        serial=shown.serial,
        until=float(ssl.cert_time_to_seconds(shown.until)),
        der=der,
    )


def _flat(names: tuple[Names, ...]) -> Names:
    # Attributes come in sets of one, but for what nobody uses.
    return tuple(pair for each in names for pair in each)
