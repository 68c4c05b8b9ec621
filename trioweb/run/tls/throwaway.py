"""Throwaway: a certificate for one run on one's own machine."""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trioweb.message.errors import SetupError
from trioweb.run.binds import LOOPBACK
from trioweb.run.tls.config import Pair


@contextmanager
def throwaway() -> Iterator[Pair]:
    """A certificate for this machine by its names, and its key, while the block runs.

    Who has made it is nobody that browsers know, which they will say.  SetupError
    without the extra that makes it.
    """
    try:
        import trustme  # noqa: PLC0415  # an extra
    except ImportError as error:
        msg = 'a certificate is made by trustme: pip install "trioweb[dev-tls]"'
        raise SetupError(msg) from error
    maker = trustme.CA()
    made = maker.issue_cert("localhost", *LOOPBACK, socket.gethostname())
    # For its owner only, as tempfile makes directories.
    with tempfile.TemporaryDirectory(prefix="trioweb-tls-") as directory:
        place = Path(directory)
        server = place / "server.pem"
        server.touch(0o600)
        made.private_key_and_cert_chain_pem.write_to_path(str(server))
        maker.cert_pem.write_to_path(str(place / "ca.pem"))
        print(  # noqa: T201  # the command line speaks
            f"trioweb: a certificate was made for this run; {place / 'ca.pem'} is what "
            "a browser would have to trust",
            file=sys.stderr,
        )
        yield Pair(str(server), str(server))
