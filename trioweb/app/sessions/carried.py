"""CookieStore: the whole session in its signed cookie, and nothing on the server."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import NoReturn

import msgspec

from trioweb.app.sessions.cookie import SessionCookie
from trioweb.app.sessions.memory import changed
from trioweb.app.sessions.store import Lifetime
from trioweb.app.sessions.visit import CANDIDATES, TOUCH
from trioweb.message.errors import SetupError
from trioweb.message.fields import Fields, size
from trioweb.message.request import Request
from trioweb.message.response import Response
from trioweb.message.session import Session, SignedIn
from trioweb.message.site import Site
from trioweb.rules.signing import Signer

# Seconds that the clocks of the machines that share the keys may differ.  What was
# signed later than that is not taken: a clock has jumped back, and what had expired
# would be alive again.
SKEW = 60.0

_ELSEWHERE = (
    "a CookieStore cannot {0}, for it has no list of sessions; use a store that has "
    "one: sessions(store=MemoryStore()), a SQLiteStore or a RedisStore"
)


class _Content(msgspec.Struct, array_like=True):
    """What stands in the cookie: no names, for it has 4 KiB and is sent each time."""

    born: float
    user: str | None
    fields: dict[str, msgspec.Raw]


_decoder = msgspec.json.Decoder(_Content)


@dataclass(frozen=True, slots=True)
class Carried:
    """A session as a cookie carries it; times are in seconds since the epoch."""

    born: float
    seen: float
    user: str | None = None
    fields: Fields = field(default_factory=dict)


class CookieStore:
    """Sessions that need no server: each in its own cookie, signed with *keys*.

    The first key signs, the others still count: put a new one in front, and remove the
    old one after the absolute time.  Each has at least 32 bytes, is secret, and the
    same in every worker and on every machine.

    Know what you choose.  Whoever has the cookie can **read** it: it is signed, not
    encrypted.  It has **4 KiB**, attributes included.  It cannot be **revoked**:
    destroy() and rotate() count in this browser alone, a copy is good until it expires,
    and signing out everywhere and the list of a user's sessions are refused
    (SetupError).  And of two requests that change it at the same time **one is lost**,
    so `update` is refused as well.
    """

    def __init__(self, keys: Sequence[str | bytes]) -> None:
        try:
            Signer(keys, "")
        except (TypeError, ValueError) as error:
            msg = f"CookieStore(keys): {error}"
            raise SetupError(msg) from error
        self._keys = list(keys)
        self._signers: dict[str, Signer] = {}

    @asynccontextmanager
    async def open(self, site: Site, lifetime: Lifetime) -> AsyncIterator[None]:
        """Nothing is to be held open."""
        yield

    def begin(self, name: str, sent: Sequence[str], lifetime: Lifetime) -> CarriedVisit:
        """The session that one of the cookies *sent* carries; an empty one if none.

        *name* is the cookie's: what is signed for it is worth nothing in another.  Of
        several cookies one counts only if the others are worth nothing.
        """
        signer = self._signers.get(name)
        if signer is None:
            signer = self._signers[name] = Signer(self._keys, f"session {name}")
        now = time.time()
        alive = []
        for text in sent if len(sent) <= CANDIDATES else ():
            carried = read(signer, text)
            if carried is not None and _alive(carried, lifetime, now):
                alive.append(carried)
        return CarriedVisit(signer, now, alive[0] if len(alive) == 1 else None)


class CarriedVisit:
    """The session of one request that its cookie carries, and the Keeper it asks."""

    def __init__(self, signer: Signer, now: float, carried: Carried | None) -> None:
        self._signer = signer
        self._now = now
        self._known = carried is not None  # the browser has a cookie that counts
        self._kept = carried or Carried(born=now, seen=now)
        self._changed = False

    def session(self) -> Session:
        """The session for the handler; not held here, for it holds this."""
        return Session(self._kept.fields, user=self._kept.user, keeper=self)

    @property
    def known(self) -> bool:
        """Whether the request came with a session that was alive."""
        return self._known

    @property
    def begun(self) -> bool:
        """Whether the browser, which had none, is to be told of a session."""
        return self._changed and not self._known

    @property
    def exists(self) -> bool:
        """True, so that `Session.update` comes here and is refused from the start."""
        return True

    async def end(self, session: Session, lifetime: Lifetime, *, failed: bool) -> None:
        """Make up the cookie; what a handler that *failed* has set is dropped.

        Only its destroy() still counts: who wanted to be signed out is.
        """
        if not failed:
            await self.save(session)
        elif session.destroyed:
            self._destroy(session)
        # Where the session was not looked at, what is answered may be for everybody:
        # a cookie would make every cache on the way give it to the others.
        idle = self._now - self._kept.seen > lifetime.idle * TOUCH
        if session.used and self._known and idle:
            self._changed = True
        session.sealed = True

    def tell(self, cookie: SessionCookie, request: Request, response: Response) -> None:
        """Let *response* set or expire the cookie, where that is needed.

        ValueError for a session that is too large for one.
        """
        if not self._changed:
            return
        if not self._kept.fields and self._kept.user is None:
            if self._known:
                cookie.expire(request, response)
            return
        text = write(self._signer, replace(self._kept, seen=self._now))
        try:
            cookie.set(request, response, text)
        except ValueError as error:
            raise ValueError(_too_large(self._kept.fields, len(text))) from error

    async def save(self, session: Session) -> None:
        """Note what has changed: it leaves with the response, which carries it."""
        changes = session.changes()
        if session.destroyed:
            self._destroy(session)
        if not (changes or session.rotated):
            return
        # As in every store: whoever signs in has a new session.
        born = self._kept.born if session.user == self._kept.user else self._now
        fields = changed(self._kept.fields, changes)
        self._kept = Carried(born, self._now, session.user, fields)
        self._changed = True
        session.rotated = False
        session.saved(changes)

    async def write(self, fields: Fields) -> NoReturn:
        """Refuse to write after the response has begun: RuntimeError."""
        msg = (
            f"the response has begun, and the session ({', '.join(fields)}) can no "
            "longer leave in its cookie; store it before you return the response"
        )
        raise RuntimeError(msg)

    async def update(
        self, key: str, function: Callable[[bytes | None], bytes]
    ) -> NoReturn:
        """Refuse what two requests cannot both do: SetupError."""
        raise SetupError(_ELSEWHERE.format(f"update {key!r} atomically"))

    async def signed_in(self, user: str) -> list[SignedIn]:
        """Refuse: SetupError."""
        raise SetupError(_ELSEWHERE.format("say where a user is signed in"))

    async def sign_out(self, user: str, handle: str) -> NoReturn:
        """Refuse: SetupError."""
        raise SetupError(_ELSEWHERE.format("end another session"))

    async def sign_out_everywhere(self, user: str, *, others: bool) -> NoReturn:
        """Refuse: SetupError."""
        raise SetupError(_ELSEWHERE.format("sign a user out everywhere"))

    def _destroy(self, session: Session) -> None:
        self._kept = Carried(born=self._now, seen=self._now)
        self._changed = True
        session.destroyed = False


def read(signer: Signer, text: str) -> Carried | None:
    """The session that *text* carries; None for what *signer* did not sign."""
    signed = signer.verify(text)
    if signed is None:
        return None
    try:
        content = _decoder.decode(signed.value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # ours, but of another version
    fields = {name: bytes(raw) for name, raw in content.fields.items()}
    return Carried(content.born, signed.at, content.user, fields)


def write(signer: Signer, carried: Carried) -> str:
    """The text that `read` reads as *carried*."""
    fields = {name: msgspec.Raw(value) for name, value in carried.fields.items()}
    content = _Content(carried.born, carried.user, fields)
    return signer.sign(msgspec.json.encode(content), carried.seen)


def _alive(carried: Carried, lifetime: Lifetime, now: float) -> bool:
    return (
        carried.seen <= now + SKEW
        and now < carried.seen + lifetime.idle
        and now < carried.born + lifetime.absolute
    )


def _too_large(fields: Mapping[str, bytes], length: int) -> str:
    largest = max(fields, key=lambda name: size({name: fields[name]}), default="")
    return (
        f"the session makes a cookie of {length} bytes, more than a browser keeps "
        f"(4096 with its attributes); most of it is session[{largest!r}]: use a store "
        "that keeps it on the server, sessions(store=MemoryStore()), SQLiteStore or "
        "RedisStore"
    )
