"""A session: a counter, signing in and out, and everywhere else you are signed in."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template

from trioweb import (
    App,
    BadRequest,
    Key,
    Request,
    Response,
    check_csrf,
    csrf_token,
    html,
    redirect,
    run,
    sessions,
)
from trioweb.message.handler import Handler
from trioweb.message.session import SignedIn
from trioweb.rules.forms import FormError, parse_query
from trioweb.rules.multimap import MultiMap

PAGES = Path(__file__).parent / "pages/session"
HOME, VISITOR, MEMBER, ROW = (
    Template((PAGES / f"{name}.html").read_text("utf-8"))
    for name in ("home", "visitor", "member", "row")
)
FORM = Key[MultiMap]("form")
NAME_LIMIT = 40  # characters

# Words of a User-Agent, the most telling first, and what people call it.
BROWSERS = {
    "Firefox": "Firefox",
    "Edg": "Edge",
    "Chrom": "Chromium",
    "Safari": "Safari",
    "curl": "curl",
}
SYSTEMS = {
    "Android": "Android",
    "iPhone": "an iPhone",
    "Mac OS": "a Mac",
    "Windows": "Windows",
    "Linux": "Linux",
}

app = App()
app.use(sessions())


async def ours(request: Request, handler: Handler) -> Response:
    """A layer: take no form but one that a page of this session has shown."""
    if request.method == "POST":
        try:
            request[FORM] = parse_query(await request.text(limit=4096))
        except FormError as error:
            raise BadRequest(str(error)) from error
        check_csrf(request, request[FORM].get("csrf", ""))
    return await handler(request)


app.use(ours)


@app.get("/")
async def home(request: Request) -> Response:
    """Show what the session holds, and where its user is signed in."""
    session = request.session
    token = csrf_token(request)
    if session.user is None:
        who = VISITOR.substitute(csrf=token)
    else:
        signed_in = await session.signed_in()
        who = MEMBER.substitute(
            csrf=token, name=escape(session.user), rows=rows(signed_in, token)
        )
    page = HOME.substitute(
        csrf=token,
        count=session.get("count", 0),
        flashes="".join(
            f"<p class=flash role=status>{escape(flash.message)}</p>"
            for flash in session.flashes()
        ),
        who=who,
    )
    return html(page)


@app.post("/count")
async def count(request: Request) -> Response:
    """Add one; of two tabs that do so at the same time both count."""
    await request.session.update("count", lambda count: (count or 0) + 1)
    return redirect("/")


@app.post("/login")
async def login(request: Request) -> Response:
    """Sign in whoever says a name: this is where a password would be checked."""
    name = request[FORM]["name"].strip()
    if not 0 < len(name) <= NAME_LIMIT:
        raise BadRequest(f"a name has from 1 to {NAME_LIMIT} characters")
    request.session.login(name, about=browser_of(request))
    request.session.flash(f"Hello, {name}.")
    return redirect("/")


@app.post("/logout")
async def logout(request: Request) -> Response:
    """End this session; what is said of it is all that the next one holds."""
    request.session.destroy()
    request.session.flash("You are signed out of this browser.")
    return redirect("/")


@app.post("/logout-everywhere")
async def logout_everywhere(request: Request) -> Response:
    """End every session of this user, this one too."""
    await request.session.sign_out_everywhere()
    request.session.flash("You are signed out everywhere.")
    return redirect("/")


@app.post("/logout-others")
async def logout_others(request: Request) -> Response:
    """End every session of this user but this one."""
    await request.session.sign_out_everywhere(others=True)
    request.session.flash("You are signed out everywhere else.")
    return redirect("/")


@app.post("/sessions/{handle}/end")
async def end(request: Request, handle: str) -> Response:
    """End one session of this user; nobody else's has a handle that counts."""
    await request.session.sign_out(handle)
    return redirect("/")


def rows(signed_in: Iterable[SignedIn], token: str) -> str:
    """The sessions as rows of a list."""
    return "".join(
        ROW.substitute(
            handle=each.handle,
            about=escape(each.about),
            began=ago(each.age),
            used=ago(each.idle),
            here="here" if each.current else "",
            csrf=token,
        )
        for each in signed_in
    )


def ago(seconds: float) -> str:
    """How long ago that was, in words."""
    minutes = int(seconds) // 60
    if minutes < 1:
        return "just now"
    return f"{minutes} min ago" if minutes < 60 else f"{minutes // 60} h ago"


def browser_of(request: Request) -> str:
    """What the peer says it is, so that people know their sessions apart."""
    agent = request.headers.get("user-agent", "")
    browser = next((BROWSERS[word] for word in BROWSERS if word in agent), "A browser")
    system = next((SYSTEMS[word] for word in SYSTEMS if word in agent), "")
    return f"{browser} on {system}" if system else browser


if __name__ == "__main__":
    run(app, bind=sys.argv[1:] or "localhost:8080")
