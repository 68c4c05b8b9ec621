"""Visit: one request's hold on its session in a store, from the load to the save."""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable, Sequence

import trio

from trioweb.app.sessions.caution import warn_of_sign_in
from trioweb.app.sessions.cookie import SessionCookie
from trioweb.app.sessions.identity import issue, key_of, well_formed
from trioweb.app.sessions.patience import T, within
from trioweb.app.sessions.store import Changes, Lifetime, Outcome, Record, Store
from trioweb.app.sessions.turns import turn
from trioweb.message.errors import Conflict
from trioweb.message.fields import SESSION_LIMIT, Fields, decoded, sound
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.message.session import ABOUT, Session, SignedIn

log = logging.getLogger(__name__)

# Cookies of the session's name that are looked up where a request has several: one is
# the browser's, one a neighbour's; more are somebody trying.
CANDIDATES = 4

# A session is touched when this part of its idle time has gone: so a busy visitor costs
# one write in a while, and loses no more than that part of the limit.
TOUCH = 1 / 20

# Seconds of the first pause before an update is tried again; it doubles each time, and
# is anything up to that, so that the many who failed together do not meet again.
RETRY = 0.001


class Visit:
    """What one request holds of a session in a store: the Keeper that is asked.

    *key* is that of the identity the browser has, None where it has none that is alive.
    """

    __slots__ = (
        "_admit",
        "_ended",
        "_idle",
        "_issued",
        "_key",
        "_known",
        "_record",
        "_saved",
        "_saving",
        "_store",
    )

    def __init__(
        self, store: Store, key: bytes | None = None, record: Record | None = None
    ) -> None:
        self._store = store
        self._key = key
        self._idle = 0.0 if record is None else record.idle
        self._saving = False
        self._saved: trio.Event | None = None  # if somebody waits for that
        self._issued: str | None = None  # an identity the browser must be told
        self._known = key is not None  # the browser has a cookie of it
        self._ended = False  # which is worth nothing any more
        self._record = record
        self._admit: Callable[[], None] | None = None

    def admitted_by(self, admit: Callable[[], None]) -> None:
        """Ask *admit*, which raises if it may not be, before a session is begun."""
        self._admit = admit

    def session(self) -> Session:
        """The session for the handler; not held here, for it holds this.

        In a circle each request would leave its garbage to the collector, and its
        memory would be used again only when it has long left the processor's caches.
        """
        if self._record is None:
            return Session(keeper=self)
        return Session(self._record.fields, user=self._record.user, keeper=self)

    @property
    def known(self) -> bool:
        """Whether the request came with a session that was alive."""
        return self._known

    @property
    def begun(self) -> bool:
        """Whether the browser, which had none, is to be told of a session."""
        return self._issued is not None and not self._known

    @property
    def exists(self) -> bool:
        """Whether there is a record of this session that can be written to."""
        return self._key is not None

    async def end(self, session: Session, lifetime: Lifetime, *, failed: bool) -> None:
        """Save with the response; what a handler that *failed* has set is dropped.

        Only its destroy() still counts: who wanted to be signed out is.
        """
        if session.used and not failed:
            await self.save(session)
        elif session.destroyed:
            await self._destroy(session)
        if self._key is not None and self._idle > lifetime.idle * TOUCH:
            await self._ask(self._store.touch(self._key))
        session.sealed = True

    def tell(self, cookie: SessionCookie, request: Request, response: Response) -> None:
        """Let *response* set or expire the cookie, where that is needed."""
        if self._issued is not None:
            cookie.set(request, response, self._issued)
        elif self._ended:
            cookie.expire(request, response)

    async def save(self, session: Session) -> None:
        """Write what has changed, now.

        One save after another: two that begin a session would begin two of them.
        """
        while self._saving:
            if self._saved is None:
                self._saved = trio.Event()
            await self._saved.wait()
        changes = session.changes()
        if not (changes or session.rotated or session.destroyed):
            return
        self._saving = True
        rotated, session.rotated = session.rotated, False
        try:
            await self._save(session, changes, rotated=rotated)
            rotated = False
        finally:
            session.rotated = session.rotated or rotated
            self._saving = False
            if self._saved is not None:
                self._saved.set()
                self._saved = None

    async def _save(self, session: Session, changes: Changes, *, rotated: bool) -> None:
        if session.destroyed:
            await self._destroy(session)
        if self._key is None:
            fields = {name: field for name, field in changes.items() if field}
            if not fields:
                return
            if self._admit is not None:
                self._admit()
            identity = issue()
            key = key_of(identity)
            await self._ask(self._store.create(key, fields, session.user))
        elif rotated:
            identity = issue()
            key = key_of(identity)
            rotating = self._store.rotate(self._key, key, changes, session.user)
            _require(await self._ask(rotating))
        elif changes:
            if session.user is None:
                warn_of_sign_in(changes)
            _require(await self._ask(self._store.save(self._key, changes)))
            self._idle = 0.0
            session.saved(changes)
            return
        else:
            return
        self._key, self._issued, self._idle = key, identity, 0.0
        session.saved(changes)

    async def write(self, fields: Fields) -> None:
        """Write *fields* into the record that is there."""
        if not self.exists:
            msg = (
                "the response has begun without a session, and its cookie can no "
                "longer be sent; store something before you return the response"
            )
            raise RuntimeError(msg)
        _require(await self._ask(self._store.save(self._held, fields)))

    async def update(
        self, key: str, function: Callable[[bytes | None], bytes]
    ) -> bytes:
        """Replace the field *key* by what *function* makes of it, atomically."""
        return await self._ask(self._in_turn(key, function))

    async def _in_turn(
        self, key: str, function: Callable[[bytes | None], bytes]
    ) -> bytes:
        async with turn(self._held):
            return await self._update(key, function)

    async def _update(
        self, key: str, function: Callable[[bytes | None], bytes]
    ) -> bytes:
        pause = RETRY
        while True:
            record = await self._store.load(self._held)
            if record is None:
                raise _gone()
            before = record.fields.get(key)
            new = function(before)
            outcome = await self._store.replace(self._held, key, before, new)
            if outcome is not Outcome.CHANGED:
                _require(outcome)
                self._idle = 0.0
                return new
            await trio.sleep(random.uniform(0, pause))  # noqa: S311  # no secret
            pause *= 2

    async def signed_in(self, user: str) -> list[SignedIn]:
        """The sessions of *user*, the one used last first."""
        return await self._ask(self._listed(user))

    async def _listed(self, user: str) -> list[SignedIn]:
        found = []
        for key in await self._store.keys(user):
            record = await self._store.load(key)
            if record is not None and record.user == user:
                about: str = decoded(record.fields.get(ABOUT, b'""'), str)
                current = key == self._key
                found.append(
                    SignedIn(key.hex(), about, record.age, record.idle, current)
                )
        return sorted(found, key=lambda each: each.idle)

    async def sign_out(self, user: str, handle: str) -> bool:
        """End the session *handle* if it is one of *user*; whether it was this one."""
        for key in await self._ask(self._store.keys(user)):
            if key.hex() == handle:
                await self._ask(self._store.delete(key))
                return key == self._key
        return False

    async def sign_out_everywhere(self, user: str, *, others: bool) -> None:
        """End every session of *user*, or every one but this."""
        but = self._key if others else None
        await self._ask(self._store.delete_all(user, but))

    @property
    def _held(self) -> bytes:
        """The key, where `exists`."""
        if self._key is None:
            msg = "there is no record of this session"
            raise RuntimeError(msg)
        return self._key

    async def _destroy(self, session: Session) -> None:
        if self._key is not None:
            await self._ask(self._store.delete(self._key))
            self._ended = self._known
            self._key = self._issued = None
        session.destroyed = False

    def _ask(self, asked: Awaitable[T]) -> Awaitable[T]:
        return within(self._store, asked)


async def begin(store: Store, sent: Sequence[str]) -> Visit:
    """The session that one of the cookies *sent* names, if alive; an empty one if not.

    An identity we never issued is never taken over (session fixation).  Of several
    cookies one counts only if the others are worth nothing.
    """
    possible = [value for value in sent if well_formed(value)]
    if not possible or len(possible) > CANDIDATES:
        return Visit(store)
    alive = []
    for identity in possible:
        key = key_of(identity)
        record = await within(store, store.load(key))
        if record is None:
            continue
        # What never waits never left this process, and is as it went in.
        if store.limit is None or sound(record.fields):
            alive.append((key, record))
        else:
            log.error("a session in the store is not JSON: it was dropped")
            await within(store, store.delete(key))
    return Visit(store, *alive[0]) if len(alive) == 1 else Visit(store)


def _require(outcome: Outcome) -> None:
    """Raise for what was not saved, so that nobody takes it for saved."""
    if outcome is Outcome.GONE:
        raise _gone()
    if outcome is Outcome.FULL:
        msg = (
            "with what other requests have added, the session would have more than "
            f"{SESSION_LIMIT} bytes; keep what grows in a database"
        )
        raise ValueError(msg)


def _gone() -> Conflict:
    return Conflict("the session has ended meanwhile; load the page again")
