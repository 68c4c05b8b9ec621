"""Manners: what HTTPS asks of answers, whatever the application says.

Plain HTTP is sent on to https, browsers are told to come by it at once, and a request
for another host than its connection was made for is refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from urllib.parse import urlsplit

from trioweb.message.errors import BadRequest, HTTPError
from trioweb.message.handler import Handler
from trioweb.message.problem import problem
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.rules.target import TargetError, parse_authority
from trioweb.run.tls.config import TLS

# The port of https, which goes without saying.
_HTTPS = 443


def mannered(handler: Handler, tls: TLS) -> Handler:
    """*handler*, with what *tls* asks for; itself where that is nothing."""
    if not tls.on:
        return handler
    if tls.client is not None:
        handler = _only_as_agreed(handler)
    if tls.stay is not None:
        handler = _strict(handler, f"max-age={tls.stay}")
    if tls.redirect:
        handler = _redirecting(handler, tls.port or _HTTPS)
    return handler


def reached(tls: TLS, urls: Iterable[str]) -> TLS:
    """*tls*, with the port of the first of *urls* by https, unless it has one."""
    if tls.port is not None:
        return tls
    parts = (urlsplit(each) for each in urls)
    ports = (each.port for each in parts if each.scheme == "https")
    return dataclasses.replace(tls, port=next(ports, None))


def _redirecting(handler: Handler, port: int) -> Handler:
    suffix = "" if port == _HTTPS else f":{port}"

    async def redirect(request: Request) -> Response:
        # By TLS, or by a proxy that has spoken it: see `trusted_proxies`.
        if request.scheme != "http":
            return await handler(request)
        host = _host(request)
        if not host:
            refusal = BadRequest("HTTPS is spoken here, and this names no host")
            return problem(refusal, request.headers.get("accept"))
        target = request.target
        path = target.raw_path if target.raw_path.startswith("/") else "/"
        query = f"?{target.query}" if target.query else ""
        # With the same method and content (RFC 9110 section 15.4.9).
        location = f"https://{host}{suffix}{path}{query}"
        return Response(308, headers={"location": location})

    return redirect


def _strict(handler: Handler, value: str) -> Handler:
    async def strict(request: Request) -> Response:
        response = await handler(request)
        # Over plain HTTP anybody could say so (RFC 6797 section 7.2).
        if request.scheme == "https":
            response.headers.setdefault("strict-transport-security", value)
        return response

    return strict


def _only_as_agreed(handler: Handler) -> Handler:
    """Where peers say who they are, that must hold for the host they ask for."""

    async def agreed(request: Request) -> Response:
        asked = request.peer.asked
        if asked is not None and _host(request) != asked.lower().removesuffix("."):
            refusal = HTTPError(421, "this connection was made for another host")
            return problem(refusal, request.headers.get("accept"))
        return await handler(request)

    return agreed


def _host(request: Request) -> str:
    """The host asked for, in lower case, as it stands in a URL; empty if none is."""
    try:
        host, _ = parse_authority(request.authority)
    except TargetError:
        return ""
    return host.lower().removesuffix(".")
