"""sessions(): the layer that brings a request its session and saves it in time."""

from __future__ import annotations

import logging
import math
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from functools import partial

from trioweb.app.place import place
from trioweb.app.sessions.carried import CarriedVisit, CookieStore
from trioweb.app.sessions.cookie import NAME, Secure, SessionCookie
from trioweb.app.sessions.memory import MemoryStore
from trioweb.app.sessions.rate import Rate
from trioweb.app.sessions.sqlite import SQLiteStore
from trioweb.app.sessions.store import Lifetime, Store
from trioweb.app.sessions.visit import Visit, begin
from trioweb.message.errors import Forbidden, SetupError
from trioweb.message.handler import Handler
from trioweb.message.key import Key
from trioweb.message.request import Request
from trioweb.message.response import File, Response, SameSite
from trioweb.message.site import Site
from trioweb.rules.headers import Headers
from trioweb.rules.origin import SAFE_METHODS, foreign, is_origin
from trioweb.rules.vary import add_vary

log = logging.getLogger(__name__)

# Seconds that a session lives unused: what OWASP says for most applications.
IDLE = 30 * 60.0

# Seconds that it lives at most: a working day, and who stole it has no longer.
ABSOLUTE = 12 * 3600.0

_FAILED = 500  # and above: RFC 9110 15.6

_NAMES = Key[list[str]]("names of the session cookies of the layers so far")


class Sessions:
    """The layer that `sessions` makes."""

    # A layer inside this one that refuses a request may have signed somebody out, or
    # noted where they wanted to go: that is saved as if the handler had refused it.
    wants_responses = True

    def __init__(
        self,
        store: Store | CookieStore | None,
        lifetime: Lifetime,
        cookie: SessionCookie,
        trusted: Collection[str],
        rate: Rate | None = None,
    ) -> None:
        self._given = store
        self._store = store
        self._lifetime = lifetime
        self._cookie = cookie
        self._trusted = frozenset(trusted)
        self._rate = rate

    @asynccontextmanager
    async def lifespan(self, site: Site) -> AsyncIterator[None]:
        """Hold the store open."""
        store = _store_for(site) if self._given is None else self._given
        async with store.open(site, self._lifetime):
            self._store = store
            yield

    async def __call__(self, request: Request, handler: Handler) -> Response:
        """Answer *request* with its session loaded before and saved after."""
        if not request.wants_session:
            return await handler(request)
        visit = await self._begin(request)
        session = request.session = visit.session()
        around = self._alone(request)
        try:
            response = await handler(request)
        finally:
            around.pop()
        await visit.end(session, self._lifetime, failed=response.status >= _FAILED)
        if visit.begun and request.method not in SAFE_METHODS:
            # A browser that kept its cookie from another site's form (SameSite) would
            # take a new one all the same, and its session would be another.
            self._require_ours(request)
        visit.tell(self._cookie, request, response)
        # A body that is still to be written may look at the session yet.
        later = visit.known and not isinstance(response.body, bytes | File)
        if session.used or later:
            # What was said with a look at the session is for this visitor alone.
            _keep_private(response.headers)
        return response

    def _alone(self, request: Request) -> list[str]:
        """The cookies of the layers around the handler, this one's last.

        SetupError where two have the same.
        """
        name = self._cookie.name
        if _NAMES not in request:
            request[_NAMES] = []
        names = request[_NAMES]
        if name in names:
            msg = (
                f"two sessions() around this route both have the cookie {name!r}, and "
                "each would end the other's sessions; leave one out, or give it "
                "another name="
            )
            raise SetupError(msg)
        names.append(name)
        return names

    async def _begin(self, request: Request) -> Visit | CarriedVisit:
        sent = self._cookie.sent(request)
        if sent and request.method not in SAFE_METHODS:
            self._require_ours(request)
        if self._store is None:
            raise SetupError(_CLOSED)
        if isinstance(self._store, CookieStore):
            return self._store.begin(self._cookie.name, sent, self._lifetime)
        visit = await begin(self._store, sent)
        if self._rate is not None:
            visit.admitted_by(partial(self._rate.admit, request.peer.host))
        return visit

    def _require_ours(self, request: Request) -> None:
        """Forbidden for what another site has a browser do with our cookie (CSRF)."""
        site = request.headers.get("sec-fetch-site")
        origin = request.headers.get("origin")
        if foreign(site, origin, request.authority, self._trusted):
            raise Forbidden("another site asked for this; do it from our own pages")


def sessions(
    store: Store | CookieStore | None = None,
    *,
    idle: float = IDLE,
    absolute: float = ABSOLUTE,
    name: str = NAME,
    secure: Secure = "auto",
    same_site: SameSite = "lax",
    domain: str | None = None,
    persistent: bool = False,
    trusted_origins: Collection[str] = (),
    new_per_minute: float | None = None,
) -> Sessions:
    """A layer that gives each request its session: ``app.use(sessions())``.

    *store* keeps them: by default a MemoryStore, or, where there are several workers, a
    SQLiteStore in the server's own directory; a CookieStore lets each carry its own,
    and can do less.  A session ends *idle* seconds after it was last used, and
    *absolute* seconds after it began.

    The cookie is called *name*, HttpOnly, and *same_site*.  It is *secure*, and called
    ``__Host-`` *name*, where the request came by https ("auto"), always or never.
    With a *domain* it is shared with every host below.  It ends with the browser unless
    *persistent*.

    A request that would change something and carries the cookie, or begins a session,
    is refused (403) where its browser says that another origin made it, unless that is
    one of *trusted_origins* ("https://www.example.com").  One address that has begun
    more than *new_per_minute* sessions is refused another (429); a CookieStore, which
    keeps none, needs no such bound.  SetupError for what cannot work.
    """
    where = place()
    try:
        _require_store(store)
        lifetime = _lifetime(idle, absolute)
        cookie = SessionCookie(
            name=name,
            secure=secure,
            same_site=same_site,
            domain=domain,
            max_age=int(absolute) if persistent else None,
        )
        _require_origins(trusted_origins)
        rate = None if new_per_minute is None else Rate(new_per_minute)
    except SetupError as error:
        msg = f"{where}: {error}"
        raise SetupError(msg) from None
    return Sessions(store, lifetime, cookie, trusted_origins, rate)


def _require_store(store: object) -> None:
    if isinstance(store, type):
        msg = f"store is the class {store.__name__}; make one of it, {store.__name__}()"
        raise SetupError(msg)
    if store is not None and not hasattr(store, "open"):
        msg = f"store is {store!r}; give a MemoryStore(), SQLiteStore(path), ..."
        raise SetupError(msg)


_VARY = (b"vary", b"Cookie")
_PRIVATE = (b"cache-control", b"private, no-store")


def _keep_private(headers: Headers) -> None:
    """Say that what was answered is for this visitor alone (RFC 9111 section 5.2.2)."""
    lines = headers.raw
    names = [name for name, _ in lines]
    # As lines that need no check: with every response of a session they would have it.
    if b"vary" in names:
        add_vary(headers, "Cookie")
    else:
        lines.append(_VARY)
    if b"cache-control" not in names:
        lines.append(_PRIVATE)


_CLOSED = "the sessions' store is not open; serve the App that has them, or app.open()"


def _lifetime(idle: float, absolute: float) -> Lifetime:
    given: dict[str, object] = {"idle": idle, "absolute": absolute}
    for what, seconds in given.items():
        if not (isinstance(seconds, int | float) and 0 < seconds < math.inf):
            msg = f"{what} is {seconds!r}; give a number of seconds above 0"
            raise SetupError(msg)
    return Lifetime(idle, absolute)


def _require_origins(trusted: Collection[str]) -> None:
    if isinstance(trusted, str):
        msg = f"trusted_origins={trusted!r} is one str; give a list of them"
        raise SetupError(msg)
    for origin in trusted:
        if not is_origin(origin):
            msg = f"{origin!r} is no origin; write it as https://www.example.com"
            raise SetupError(msg)


def _store_for(site: Site) -> Store:
    """What keeps sessions where nobody has chosen."""
    if site.workers == 1:
        return MemoryStore()
    if site.worker == 0:
        log.warning(
            "the sessions of %d workers are kept in a SQLite file until the server "
            "ends; sessions(SQLiteStore(path)) keeps them for longer",
            site.workers,
        )
    return SQLiteStore(site.directory / "sessions.sqlite")
