"""HTTPS: who is asking, how, and with which certificate; plain HTTP is sent on.

    python examples/https.py chain.pem key.pem [people.pem]
    trioweb run examples/https.py --dev-tls

The last file, if given, holds who vouches for visitors that show a certificate.
"""

from __future__ import annotations

import sys

from trioweb import TLS, App, Config, Forbidden, MemoryStore, Request, run, sessions

app = App()
app.use(sessions(MemoryStore()))


@app.get("/")
async def hello(request: Request) -> dict[str, object]:
    """Say how the request came, and how often this visitor has been here."""
    visits = int(request.session.get("visits", 0)) + 1
    request.session["visits"] = visits
    return {
        "scheme": request.scheme,
        "version": request.version,
        "asked": request.peer.asked,
        "visits": visits,
    }


@app.get("/me")
async def me(request: Request) -> dict[str, object]:
    """Tell a visitor who it is: only one that has shown a certificate."""
    certificate = request.peer.certificate
    if certificate is None:
        raise Forbidden("show a certificate of yours")
    return {
        "subject": dict(certificate.subject),
        "names": [name for _, name in certificate.alternatives],
        "fingerprint": certificate.fingerprint,
    }


def tls(cert: str, key: str, people: str | None = None) -> TLS:
    """Our certificate; and that visitors may show theirs, if somebody vouches."""
    return TLS(
        cert,
        key,
        client=None if people is None else "request",
        client_ca=people,
        redirect=("localhost:8080",),
    )


if __name__ == "__main__":
    run(app, config=Config(bind=("localhost:8443",), tls=tls(*sys.argv[1:])))
