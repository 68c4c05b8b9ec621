"""RedisStore: sessions in a Redis or Valkey server, for any number of machines."""

from __future__ import annotations

import logging
import math
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

from trioweb.app.sessions.redis_address import parse_address
from trioweb.app.sessions.redis_scripts import (
    BORN,
    CREATE,
    DELETE,
    DELETE_ALL,
    LIST,
    LOAD,
    REPLACE,
    ROTATE,
    SAVE,
    SEEN,
    USER,
    Script,
)
from trioweb.app.sessions.store import (
    LIMIT,
    Changes,
    Lifetime,
    Outcome,
    Record,
    StoreError,
)
from trioweb.message.errors import SetupError
from trioweb.message.fields import SESSION_LIMIT, Fields
from trioweb.message.site import Site

try:
    from trioweb.app.sessions.redis_pool import Pool, Rejected, Reply
except ModuleNotFoundError as error:
    _MISSING = 'RedisStore needs coredis: pip install "trioweb[redis]"'
    raise SetupError(_MISSING) from error

T = TypeVar("T")

log = logging.getLogger(__name__)

# Sessions of one user that are listed; "sign out everywhere" ends any number.  They are
# to be read by a person.
LISTED = 500

# Characters that all keys may begin with; so the longest list fits into one reply.
_PREFIX = 64


class RedisStore:
    """Sessions in a Redis or Valkey server: for many workers, on many machines.

    *url* is redis://host, rediss://host (by TLS, checked by *ssl_context*) or
    unix:///path, with a user, password and database as in
    redis://user:password@host:6379/0.  All keys begin with *prefix*: applications that
    share a server each give their own.

    Every write is one script, so that it happens as a whole or not at all, and a lost
    answer is a StoreError (503): it is not known then whether it happened.  Sessions
    end by the server's clock.  It needs Redis 6 or later, and no Redis Cluster.
    """

    limit: float | None = LIMIT

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "trioweb",
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._address = parse_address(url, ssl_context)
        if not prefix or len(prefix) > _PREFIX or not prefix.isascii():
            msg = f"prefix is {prefix!r}; give 1 to {_PREFIX} ASCII characters"
            raise SetupError(msg)
        self._prefix = prefix.encode()
        self._pool: Pool | None = None
        self._common: Sequence[bytes] = ()

    @asynccontextmanager
    async def open(self, site: Site, lifetime: Lifetime) -> AsyncIterator[None]:
        """Be connected while the block runs.

        SetupError if the server will not have us.  One that does not answer is no
        fault of ours: it may come later.
        """
        if self._pool is not None:
            msg = "this RedisStore is in use by another sessions(); give each its own"
            raise SetupError(msg)
        self._common = [
            b"%d" % math.ceil(lifetime.idle * 1000),
            b"%d" % math.ceil(lifetime.absolute * 1000),
            b"%d" % SESSION_LIMIT,
            self._prefix,
        ]
        self._pool = pool = Pool(self._address)
        try:
            async with pool.open():
                refusal = await self._refusal()
                if not refusal:
                    yield
        finally:
            self._pool = None
        if refusal:  # out here: a nursery would put it into a group
            raise SetupError(refusal)

    async def load(self, key: bytes) -> Record | None:
        """The record of *key*; None if there is none, or it has expired."""
        return _read(_record, await self._run(LOAD, [self._name(key)]))

    async def create(self, key: bytes, fields: Fields, user: str | None) -> None:
        """Make a record under *key*, which is new."""
        words = [_encoded(user), *_changes(fields)]
        await self._write(CREATE, [self._name(key)], *words)

    async def save(self, key: bytes, changes: Changes) -> Outcome:
        """Write the fields of *changes* and no others, all or none; and touch it."""
        return await self._write(SAVE, [self._name(key)], *_changes(changes))

    async def replace(
        self, key: bytes, field: str, expected: bytes | None, new: bytes
    ) -> Outcome:
        """Write *new* into *field* if it still holds *expected* (None: is absent)."""
        # Nothing is absent; what is there is marked, for it may be empty, too.
        before = b"" if expected is None else b"=" + expected
        words = [before, *_changes({field: new})]
        return await self._write(REPLACE, [self._name(key)], *words)

    async def touch(self, key: bytes) -> None:
        """Begin the idle time anew."""
        await self.save(key, {})

    async def rotate(
        self, key: bytes, new: bytes, changes: Changes, user: str | None
    ) -> Outcome:
        """Write *changes* and move the record from *key* to *new*, in one step."""
        words = [_encoded(user), *_changes(changes)]
        return await self._write(ROTATE, [self._name(key), self._name(new)], *words)

    async def delete(self, key: bytes) -> None:
        """End the session *key*; nothing if there is none."""
        await self._write(DELETE, [self._name(key)])

    async def keys(self, user: str) -> list[bytes]:
        """The keys of the sessions that *user* has; of very many, some."""
        reply = await self._run(LIST, [self._set(user)], b"%d" % LISTED)
        return _read(partial(_keys, len(self._name(b""))), reply)

    async def delete_all(self, user: str, but: bytes | None = None) -> None:
        """End every session of *user*, except the one under the key *but*."""
        kept = b"" if but is None else self._name(but)
        await self._write(DELETE_ALL, [self._set(user)], kept)

    async def _refusal(self) -> str:
        """Why the server will not have us; empty where it will, or does not answer."""
        try:
            await self.load(b"")
        except Rejected as error:
            return error.reason
        except StoreError as error:
            log.warning("no sessions yet: %s", error.reason)
        return ""

    async def _write(
        self, script: Script, keys: Sequence[bytes], *words: bytes
    ) -> Outcome:
        return _read(_outcome, await self._run(script, keys, *words))

    async def _run(self, script: Script, keys: Sequence[bytes], *words: bytes) -> Reply:
        if self._pool is None:
            msg = "the RedisStore is not open; serve the App that has sessions()"
            raise SetupError(msg)
        return await self._pool.run(script, keys, [*self._common, *words])

    def _name(self, key: bytes) -> bytes:
        return b"%b:s:%b" % (self._prefix, key.hex().encode())

    def _set(self, user: str) -> bytes:
        return b"%b:u:%b" % (self._prefix, user.encode())


def _read(parse: Callable[[Reply], T], reply: Reply) -> T:
    """What *parse* makes of *reply*; StoreError where it is not of our making."""
    try:
        return parse(reply)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        msg = "what is in Redis under our keys is not ours; give each program a prefix="
        raise StoreError(msg) from error


def _record(reply: Reply) -> Record | None:
    """What LOAD returns."""
    if not reply:
        return None
    time, flat = reply
    if not isinstance(time, int) or not isinstance(flat, list):
        raise TypeError
    pairs = dict(zip(flat[::2], flat[1::2], strict=True))
    born, seen, user = pairs.pop(BORN), pairs.pop(SEEN), pairs.pop(USER, None)
    return Record(
        {name.decode(): value for name, value in pairs.items()},
        None if user is None else user.decode(),
        # The server's clock may have been set back.
        age=max(0.0, (time - int(born)) / 1000),
        idle=max(0.0, (time - int(seen)) / 1000),
    )


def _keys(start: int, reply: Reply) -> list[bytes]:
    """What LIST returns: names whose keys begin at *start*."""
    (names,) = reply
    if not isinstance(names, list):
        raise TypeError
    return [bytes.fromhex(name[start:].decode()) for name in names]


def _outcome(reply: Reply) -> Outcome:
    """What the scripts that write return."""
    (outcome,) = reply
    if not isinstance(outcome, bytes):
        raise TypeError
    return Outcome(outcome.decode())


def _changes(changes: Changes) -> list[bytes]:
    """*changes* as scripts take them."""
    put = [(name, value) for name, value in changes.items() if value is not None]
    words = [b"%d" % len(put)]
    for name, value in put:
        words += (name.encode(), value)
    return words + [name.encode() for name, value in changes.items() if value is None]


def _encoded(user: str | None) -> bytes:
    return (user or "").encode()
