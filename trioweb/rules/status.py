"""Status codes: their reason phrases, and which have content (RFC 9110 section 15)."""

from __future__ import annotations

import http

# Where RFC 9110 renamed what Python 3.11 still calls by an older name.
_RENAMED = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}

REASONS: dict[int, str] = {
    **{status.value: status.phrase for status in http.HTTPStatus},
    **_RENAMED,
}


def reason(status: int) -> str:
    """The reason phrase of *status*; empty for one nobody has named."""
    return REASONS.get(status, "")


def bodiless(status: int) -> bool:
    """Whether a response with *status* never has content (RFC 9110 section 6.4.1)."""
    return status < 200 or status in {204, 304}
