"""Session: what one visitor's requests remember, as a value that knows what changed.

It holds no store and does no IO of its own: a session layer fills it before the handler
runs and saves what `changes` names before the response leaves.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from trioweb.message.errors import SetupError
from trioweb.message.fields import Fields, decoded, encoded
from trioweb.message.notes import Notes, require_key

T = TypeVar("T")

ABOUT = "~about"  # what the list of a user's sessions shows
_CSRF = "~csrf."  # what a form's token is made from
_FLASH = "~flash."

# Random bytes from which a form's token is made: as many as in an identity.
SECRET_SIZE = 32

# Bytes of the name of who signs in: it is kept beside the 16 KiB and in an index.  The
# longest e-mail address has 254, and people put longer things into forms.
USER_LIMIT = 1024

# Characters that are kept of what a list of sessions shows: three User-Agents.
ABOUT_LIMIT = 512


@dataclass(frozen=True, slots=True)
class Flash:
    """A message for the next page: what is said, and of which kind."""

    message: str
    kind: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """One of the sessions in which a user is signed in.

    *handle* names it for `Session.sign_out` and reveals nothing; *about* is what
    `Session.login` was told; *age* and *idle* are seconds since it began and since it
    was last used, the latter to within a twentieth of the idle limit.
    """

    handle: str
    about: str
    age: float
    idle: float
    current: bool


class Keeper(Protocol):
    """What a Session asks of the layer that keeps it."""

    @property
    def exists(self) -> bool:
        """Whether there is a record of this session that can be written to."""

    async def save(self, session: Session) -> None:
        """Write what has changed, now."""

    async def write(self, fields: Fields) -> None:
        """Write *fields* into the record that is there."""

    async def update(
        self, key: str, function: Callable[[bytes | None], bytes]
    ) -> bytes:
        """Replace the field *key* by what *function* makes of it, atomically."""

    async def signed_in(self, user: str) -> list[SignedIn]:
        """The sessions of *user*, the one used last first."""

    async def sign_out(self, user: str, handle: str) -> bool:
        """End the session *handle* if it is one of *user*; whether it was this one."""

    async def sign_out_everywhere(self, user: str, *, others: bool) -> None:
        """End every session of *user*, or every one but this."""


class Session(Notes):
    """What this visitor's requests remember: names and values, at most 16 KiB.

    Values are what JSON can say, and whatever else msgspec encodes (datetime, UUID,
    bytes, Struct, dataclass); the next request reads them as JSON, or by `value` as a
    type of your choice.  A list or dict that was changed in place counts as changed.
    """

    __slots__ = ("_keeper", "destroyed", "rotated", "used", "user")

    def __init__(
        self,
        fields: Fields | None = None,
        *,
        user: str | None = None,
        keeper: Keeper | None = None,
    ) -> None:
        super().__init__(fields)
        self._keeper = keeper
        self.user = user
        self.rotated = False
        self.destroyed = False
        self.used = False  # a handler or a layer has had it

    def __repr__(self) -> str:
        # Never the values: this is what ends up in logs.
        return f"<Session of {self.user or 'a visitor'}: {', '.join(self) or 'empty'}>"

    # -------------------------------------------------------------------- who it is of

    def login(self, user: str, *, about: str = "") -> None:
        """Sign *user* in: their sessions can be listed and ended together.

        The session gets a new identity, so that one planted before is worth nothing
        (session fixation).  What it holds is kept, unless another user was signed in.
        *about* is what a list of their sessions shows, as "Firefox on Linux": its first
        512 characters.  TypeError or ValueError for a *user* who is no text, or more
        than 1024 bytes of it.
        """
        _require_user(user)
        if self.user not in {None, user}:
            self.destroy()
        self.rotate()
        self.user = user
        for key in self._private(_CSRF):
            self._write(key, None)
        self._write(ABOUT, encoded(ABOUT, about[:ABOUT_LIMIT]))

    def rotate(self) -> None:
        """Ask for a new identity with the same values; the old identity dies."""
        self.require_open()
        self.rotated = True

    def destroy(self) -> None:
        """End the session: nothing of it remains, here or in any store.

        What is set after that begins another one.
        """
        self.require_open()
        self._erase()
        self.user = None
        self.rotated = False
        self.destroyed = True

    def secret(self) -> bytes:
        """32 random bytes that are this session's alone, made when first asked for.

        A form's token is made from them (`csrf_token`).  Whoever signs in gets others.
        """
        if not self._private(_CSRF):
            self.require_open()
            key = f"{_CSRF}{secrets.token_hex(4)}"
            self._write(key, encoded(key, secrets.token_bytes(SECRET_SIZE)))
        return self.secrets()[0]

    def secrets(self) -> list[bytes]:
        """Every secret of this session: several, where requests asked first at once."""
        fields = self._fields()
        return [decoded(fields[key], bytes) for key in self._private(_CSRF)]

    async def signed_in(self) -> list[SignedIn]:
        """The sessions of this session's user, the one used last first.

        Empty where nobody is signed in.
        """
        return await self._kept().signed_in(self.user) if self.user else []

    async def sign_out(self, handle: str) -> None:
        """End one of the sessions that `signed_in` lists, at once.

        Where that is this one it is as after `destroy`.
        """
        if not self.user:
            return
        this = await self._kept().sign_out(self.user, handle)
        if this and not self.sealed:
            self.destroy()

    async def sign_out_everywhere(self, *, others: bool = False) -> None:
        """End every session of this user at once; with *others*, all but this one."""
        if not self.user:
            return
        if not others:
            self.require_open()
        await self._kept().sign_out_everywhere(self.user, others=others)
        if not others:
            self.destroy()

    # ------------------------------------------------------------------------- flashes

    def flash(self, message: str, kind: str = "info") -> None:
        """Leave a *message* for the next page, which takes it by `flashes`."""
        self.require_open()
        last = max(self._private(_FLASH), default="")
        number = int(last.removeprefix(_FLASH).partition(".")[0] or 0) + 1
        # Each under a name of its own: requests that run at once leave one each.
        key = f"{_FLASH}{number:05d}.{secrets.token_hex(4)}"
        self._write(key, encoded(key, [message, kind]))

    def flashes(self) -> list[Flash]:
        """The messages left for this page, oldest first; they are gone then."""
        self.require_open()
        fields = self._fields()
        found = self._private(_FLASH)
        for key in found:
            self._write(key, None)
        return [Flash(*decoded(fields[key], tuple[str, str])) for key in found]

    # -------------------------------------------------------------------------- saving

    async def save(self, values: Mapping[str, object] | None = None) -> None:
        """Write what has changed, and *values*, now instead of with the response.

        With *values* it is the way to write once the response has begun: in a streamed
        body or a WebSocket.  RuntimeError then where there is no session yet, for its
        cookie can no longer be sent.
        """
        if not self.sealed:
            for key, value in (values or {}).items():
                self[key] = value
            await self._kept().save(self)
        elif values:
            for key in values:
                require_key(key)
            fields = {key: encoded(key, value) for key, value in values.items()}
            await self._kept().write(fields)
            self._forget(fields)
            self.saved(fields)

    async def update(self, key: str, function: Callable[[Any], T]) -> T:
        """Set *key* to what *function* makes of its value (None if absent), atomically.

        Of a hundred requests that add one at the same time, a hundred count.
        *function* may be called again, with a newer value, and must be quick.  What has
        changed besides is saved first.  Returns what *function* returned last.
        """
        require_key(key)
        made: list[T] = []

        def make(field: bytes | None) -> bytes:
            made[:] = [function(None if field is None else decoded(field))]
            return encoded(key, made[0])

        if self.destroyed or not self._kept().exists:  # nobody else can know of it
            self._gather(key)
            make(self._field(key))
            self[key] = made[0]
            return made[0]
        if not self.sealed:
            await self.save()
        field = await self._kept().update(key, make)
        self._forget([key])
        self.saved({key: field})
        return made[0]

    def _private(self, prefix: str) -> list[str]:
        return sorted(key for key in self._fields() if key.startswith(prefix))

    def _kept(self) -> Keeper:
        if self._keeper is None:
            msg = "this session has no layer that keeps it; add app.use(sessions())"
            raise SetupError(msg)
        return self._keeper


def _require_user(user: object) -> None:
    """TypeError or ValueError for what cannot name who signs in."""
    if type(user) is not str or not user:
        msg = f"login() takes who signs in as a str that is not empty, not {user!r}"
        raise TypeError(msg)
    try:
        length = len(user.encode())
    except UnicodeEncodeError as error:
        msg = f"login({user!r}): half of a surrogate pair is no text; refuse such names"
        raise ValueError(msg) from error
    if length > USER_LIMIT:
        msg = f"login() takes a name of {USER_LIMIT} bytes at most, not of {length}"
        raise ValueError(msg)
