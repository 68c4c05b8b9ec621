"""HTTP/2: a mosaic whose hundred tiles come at once, on one connection.

    python examples/http2.py
    trioweb run examples/http2.py --dev-tls

Nothing in it is for HTTP/2 alone: the same functions answer HTTP/1.1.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import trio

from trioweb import App, Headers, Request, Response, Send, file, html, run

PAGE = Path(__file__).parent / "pages/http2/mosaic.html"
WAIT = 0.1  # seconds that a tile takes, as one from a slow disk would

app = App()


@app.get("/")
async def mosaic(request: Request) -> Response:
    """The page; before it is read the browser knows of its style."""
    await request.inform(103, {"link": "</mosaic.css>; rel=preload; as=style"})
    page = await trio.Path(PAGE).read_text("utf-8")
    return html(page.replace("VERSION", request.version))


@app.get("/mosaic.css")
async def style(request: Request) -> Response:
    """The style, from its file."""
    return await file(PAGE.with_name("mosaic.css"))


@app.get("/tiles/{number:int}")
async def tile(request: Request, number: int) -> Response:
    """One tile, slowly: a hundred of them still take no longer than one."""
    await trio.sleep(WAIT)
    hue = number * 36 % 360
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">'
        f'<rect width="1" height="1" fill="hsl({hue} 70% {30 + number % 50}%)"/></svg>'
    )
    return Response(200, {"content-type": "image/svg+xml"}, svg.encode())


@app.post("/upper")
async def upper(request: Request) -> Response:
    """Each piece of the content in capitals as it comes; its digest as a trailer."""
    digest = hashlib.sha256()

    async def write(send: Send) -> None:
        async for piece in request.stream():
            digest.update(piece)
            await send(piece.upper())
        response.trailers = Headers({"digest": digest.hexdigest()})

    response = Response(200, {"content-type": "text/plain; charset=utf-8"}, write)
    return response


@app.get("/how")
async def how(request: Request) -> dict[str, str]:
    """Say how this request came."""
    return {"version": request.version, "scheme": request.scheme}


if __name__ == "__main__":
    run(app, bind=sys.argv[1:] or "localhost:8080")
