"""Identity: the secret by which a browser names its session, and its key in a store."""

from __future__ import annotations

import hashlib
import re
import secrets

# Random bytes of one identity.  OWASP asks for 64 bits, Django gives 160; at 256 nobody
# has to reckon.
BYTES = 32

# What `issue` can have said: 43 characters of base64url, the last of which carries four
# bits, so that one identity has one spelling.
_IDENTITY = re.compile(r"[0-9A-Za-z_-]{42}[AEIMQUYcgkosw048]", re.ASCII)


def issue() -> str:
    """A new identity, which nobody can guess."""
    return secrets.token_urlsafe(BYTES)


def well_formed(text: str) -> bool:
    """Whether *text* can be an identity at all; if not, no store is asked."""
    return _IDENTITY.fullmatch(text) is not None


def key_of(identity: str) -> bytes:
    """The name of *identity*'s record: its SHA-256, 32 bytes.

    Who reads a store or its backup so learns no identity; and how long a lookup takes
    says nothing of one (as CVE-2019-16782 did), for the digest is what is compared.
    """
    return hashlib.sha256(identity.encode("ascii")).digest()
