"""Trailers: which fields may come after the content (RFC 9110 section 6.5.1)."""

from __future__ import annotations

# Fields that say how to read, route, authorise or answer a message: too late after its
# content, and whoever merged them would act on something nobody has checked.
FORBIDDEN = frozenset(
    {
        b"authorization",
        b"cache-control",
        b"connection",
        b"content-encoding",
        b"content-length",
        b"content-range",
        b"content-type",
        b"cookie",
        b"expect",
        b"host",
        b"keep-alive",
        b"location",
        b"proxy-authorization",
        b"range",
        b"set-cookie",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        b"vary",
        b"www-authenticate",
    }
)
