"""Cookies: a counter of visits, a name and a theme; set, read and deleted."""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import quote, unquote

from trioweb import App, BadRequest, Request, Response, html, redirect, run
from trioweb.rules.forms import parse_query

PAGE = Template((Path(__file__).parent / "pages/cookies/home.html").read_text("utf-8"))
THEMES = ("light", "dark")
YEAR = 365 * 24 * 3600  # seconds

app = App()


@app.get("/")
async def home(request: Request) -> Response:
    """Count the visit, and greet whoever has said a name."""
    seen = request.cookies.get("visits", "")
    # A peer can send what it likes, so it is checked like any other input.
    visits = int(seen) + 1 if seen.isascii() and seen.isdigit() and len(seen) < 9 else 1
    theme = request.cookies.get("theme", "")
    page = PAGE.substitute(
        visits=visits,
        name=escape(unquote(request.cookies.get("name", ""))),
        theme=theme if theme in THEMES else "",
    )
    response = html(page, headers={"cache-control": "no-store"})
    response.set_cookie(
        "visits", str(visits), max_age=YEAR, http_only=True, same_site="lax"
    )
    return response


@app.post("/theme/{theme}")
async def choose(request: Request, theme: str) -> Response:
    """Keep a theme; the page's script may read it."""
    if theme not in THEMES:
        raise BadRequest(f"the theme is one of {', '.join(THEMES)}")
    response = redirect("/")
    response.set_cookie("theme", theme, max_age=YEAR, same_site="strict")
    return response


@app.post("/name")
async def name(request: Request) -> Response:
    """Keep a name.  A cookie is ASCII: other text goes in percent-encoded."""
    form = parse_query(await request.text())
    response = redirect("/")
    response.set_cookie("name", quote(form["name"]), http_only=True, same_site="lax")
    return response


@app.post("/forget")
async def forget(request: Request) -> Response:
    """Delete every cookie, with the attributes it was set with."""
    response = redirect("/")
    response.delete_cookie("visits", http_only=True, same_site="lax")
    response.delete_cookie("theme", same_site="strict")
    response.delete_cookie("name", http_only=True, same_site="lax")
    return response


if __name__ == "__main__":
    run(app, bind=sys.argv[1:] or "localhost:8080")
