"""Trust: a certificate for a server that is counted, and a peer that believes it."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme


def certified(place: Path) -> tuple[list[str], ssl.SSLContext]:
    """A certificate in the directory *place*: a server's words, and a peer's side."""
    maker = trustme.CA()
    made = maker.issue_cert("localhost", key_type=trustme.KeyType.ECDSA)
    certificate, key = place / "certificate.pem", place / "key.pem"
    made.cert_chain_pems[0].write_to_path(str(certificate))
    made.private_key_pem.write_to_path(str(key))
    trust = ssl.create_default_context()
    maker.configure_trust(trust)
    return ["--certfile", str(certificate), "--keyfile", str(key)], trust
