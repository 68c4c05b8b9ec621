"""Material: what every server is given alike, a file to serve and a certificate."""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import trustme

from benchmarks.peer import Certificate
from benchmarks.works import FILE


@dataclass(frozen=True, slots=True)
class Material:
    """The files that there are for one run, and a context that trusts their maker."""

    file: Path
    certificate: Certificate
    authority: Path
    trust: ssl.SSLContext

    def environment(self) -> dict[str, str]:
        """What a server's environment is: ours, and where the file is."""
        return {**os.environ, "BENCHMARK_FILE": str(self.file)}


@contextlib.contextmanager
def made() -> Iterator[Material]:
    """Material that is there while the block runs."""
    with tempfile.TemporaryDirectory(prefix="trioweb-benchmark-") as directory:
        place = Path(directory)
        # Some servers give up being root before they read it.
        place.chmod(0o755)
        file = place / "file"
        file.write_bytes(FILE)
        authority = place / "authority.pem"
        maker = trustme.CA(key_type=trustme.KeyType.ECDSA)
        maker.cert_pem.write_to_path(str(authority))
        trust = ssl.create_default_context(cafile=authority)
        trust.minimum_version = ssl.TLSVersion.TLSv1_3
        yield Material(file, _issued(maker, place), authority, trust)


def _issued(maker: trustme.CA, place: Path) -> Certificate:
    """By ECDSA on P-256: what is signed in a handshake is then as cheap as it gets."""
    leaf = maker.issue_cert("localhost", "127.0.0.1", key_type=trustme.KeyType.ECDSA)
    made = Certificate(place / "cert.pem", place / "key.pem")
    made.key.touch(0o600)
    leaf.private_key_pem.write_to_path(str(made.key))
    for number, blob in enumerate(leaf.cert_chain_pems):
        blob.write_to_path(str(made.cert), append=number > 0)
    return made
