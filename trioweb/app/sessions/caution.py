"""Caution: a sign-in that keeps its session's identity is warned of."""

from __future__ import annotations

import warnings

from trioweb.app.sessions.store import Changes

# Keys under which programs remember who has signed in.
_SIGNS_IN = frozenset(
    {"user", "user_id", "userid", "uid", "username", "account", "account_id"}
    | {"auth", "authenticated", "logged_in", "admin", "is_admin", "role"}
)
_NOBODY = {None, b"null", b"false", b"0", b'""'}


class SessionWarning(UserWarning):
    """A session is used in a way that is probably a hole."""


def warn_of_sign_in(changes: Changes) -> None:
    """Warn where *changes* sign somebody in whose session was there before."""
    for key in _SIGNS_IN.intersection(changes):
        if changes[key] not in _NOBODY:
            msg = (
                f"session[{key!r}] was set and the session kept its identity, which "
                "somebody else may have planted; sign in with session.login(user), or "
                "call session.rotate()"
            )
            warnings.warn(msg, SessionWarning, stacklevel=2)
