"""Files: a response whose body lies in a file, opened off the loop."""

from __future__ import annotations

import mimetypes
import os
import time
from pathlib import PurePath

from trioweb.app.answers import NOSNIFF
from trioweb.app.opening import opened
from trioweb.message.errors import Fields
from trioweb.message.response import Response
from trioweb.rules.dates import format_date
from trioweb.rules.disposition import attachment
from trioweb.rules.headers import Headers, field_value

_OCTETS = "application/octet-stream"

# The types of the standard library, whatever the machine's own tables say, and those
# that Python 3.11 does not know or calls by an older name (RFC 9239).
_TYPES = mimetypes.MimeTypes(filenames=())
for _extension, _type in {
    ".avif": "image/avif",
    ".js": "text/javascript",
    ".md": "text/markdown",
    ".mjs": "text/javascript",
    ".otf": "font/otf",
    ".ttf": "font/ttf",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
}.items():
    _TYPES.add_type(_type, _extension)

# What a compressed file is, served as it lies there.
_ENCODINGS = {
    "br": "application/x-brotli",
    "bzip2": "application/x-bzip2",
    "compress": "application/x-compress",
    "gzip": "application/gzip",
    "xz": "application/x-xz",
}


async def file(
    path: str | os.PathLike[str],
    *,
    content_type: str | None = None,
    status: int = 200,
    download: str | None = None,
    headers: Fields = (),
) -> Response:
    """The file at *path*, with its type (by its name), length and Last-Modified.

    With *download* a browser does not show it but keeps it under that name, which may
    come from a peer: whatever it is, it stays one name (RFC 6266).
    NotFound if there is none, or something that is no regular file; OSError, which is
    answered with 500, if it cannot be read.  *path* is trusted: never join it of what a
    peer sent.  Cancelling it waits until the file has been opened.
    """
    more = Headers() if download is None else _kept_as(download)
    more.update(Headers(headers))
    found = await opened(path)
    kind = type_of(path) if content_type is None else content_type
    fields = Headers.from_wire(
        [
            (b"content-type", field_value("content-type", kind)),
            NOSNIFF,
            (b"last-modified", _modified(found.modified).encode("ascii")),
        ]
    )
    fields.update(more)
    return Response(status, fields, found.file)


def _kept_as(name: str) -> Headers:
    return Headers({"content-disposition": attachment(name)})


def type_of(path: str | os.PathLike[str]) -> str:
    """The media type that the name of *path* says; text is taken to be UTF-8.

    >>> type_of("a/page.html"), type_of("a.tar.gz"), type_of("README")
    ('text/html; charset=utf-8', 'application/gzip', 'application/octet-stream')
    """
    # With a slash in front nothing in the name is taken for the scheme of a URL.
    kind, encoding = _TYPES.guess_type(f"/{PurePath(path).name}")
    if encoding is not None:
        return _ENCODINGS.get(encoding, _OCTETS)
    if kind is None:
        return _OCTETS
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind


def _modified(seconds: float) -> str:
    # Never later than now (RFC 9110 section 8.8.2.1), whatever the file says.
    return format_date(min(seconds, time.time()))
