"""Problem: a refusal as the peer reads it, in JSON, HTML or text (RFC 9457)."""

from __future__ import annotations

import html

import msgspec

from trioweb.message.errors import HTTPError
from trioweb.message.response import Response
from trioweb.rules.negotiate import choose
from trioweb.rules.status import reason

_JSON = "application/problem+json"
_HTML = "text/html"
_TEXT = "text/plain"

# What a refusal can be written as, the default first.  application/json stands for
# problem+json, which few clients think of asking for.
_OFFERED = (_JSON, "application/json", _HTML, _TEXT)

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{status} {title}</title>
<style>
  :root {{ color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }}
  body {{ max-width: 36rem; margin: 20vh auto 0; padding: 0 1.5rem; }}
  h1 {{ font-size: 1.5rem; }} b {{ opacity: .5; margin-right: .5rem; }}
</style>
<h1><b>{status}</b>{title}</h1>
<p>{detail}</p>
</html>
"""


class Problem(msgspec.Struct, omit_defaults=True):
    """The members of a problem document (RFC 9457 section 3.1)."""

    title: str
    status: int
    detail: str = ""


def problem(error: HTTPError, accept: str | None = None) -> Response:
    """The response that says *error*, in the form that *accept* prefers.

    A peer that accepts none of the forms gets the default all the same: a refusal in
    the wrong language is better than none (RFC 9110 section 12.1).
    """
    kind = choose(accept, _OFFERED)
    title = reason(error.status) or "Error"
    # Half a surrogate pair, as a path of the system may hold, has no form in UTF-8.
    detail = error.detail.encode("utf-8", "replace").decode()
    if kind == _HTML:
        page = _PAGE.format(
            status=error.status,
            title=html.escape(title),
            detail=html.escape(detail),
        )
        return _written(error, "text/html; charset=utf-8", page.encode())
    if kind == _TEXT:
        said = f"{error.status} {title}\n" + (f"{detail}\n" if detail else "")
        return _written(error, "text/plain; charset=utf-8", said.encode())
    document = Problem(title, error.status, detail)
    return _written(error, _JSON, msgspec.json.encode(document))


def _written(error: HTTPError, content_type: str, body: bytes) -> Response:
    headers = error.headers.copy()
    headers["content-type"] = content_type
    headers.setdefault("cache-control", "no-store")
    return Response(error.status, headers, body)
