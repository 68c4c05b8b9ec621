"""Pages from files: opened when they are asked for, off the event loop."""

from __future__ import annotations

import sys
from pathlib import Path

from trioweb import App, NotFound, Request, Response, file, run

FOLDER = Path(__file__).parent / "pages"

# The pages there are, by name: a path that a peer sent never becomes a file's.
PAGES = {page.stem: page for page in FOLDER.glob("*.html")}

app = App()


@app.get("/")
async def home(request: Request) -> Response:
    """Answer with the first page."""
    return await file(PAGES["welcome"])


@app.get("/{name}")
async def page(request: Request, name: str) -> Response:
    """Answer with the page of that name."""
    if name not in PAGES:
        raise NotFound(f"there is no page {name!r}")
    return await file(PAGES[name])


if __name__ == "__main__":
    run(app, bind=sys.argv[1:] or "localhost:8080")
