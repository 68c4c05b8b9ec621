"""Identity: the user that workers become, who were started by root (capabilities(7)).

Root binds the port and starts processes anew; what the application does, and what goes
wrong in it, is not root's.
"""

from __future__ import annotations

import ctypes
import grp
import ipaddress
import logging
import os
import pwd
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trioweb.run.binds import Tcp, Unix, parse_bind
from trioweb.run.settings import SettingError

log = logging.getLogger("trioweb.error")

# prctl(2).
_DUMPABLE = 4
_NO_NEW_PRIVILEGES = 38


@dataclass(frozen=True, slots=True)
class Identity:
    """A user, with the groups that it is in; *home* is where it lives."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str = "/"


def identity(user: str | None) -> Identity | None:
    """Who *user* (``NAME``, ``NAME:GROUP``, or numbers) is; None for who we are.

    SettingError where there is no such user, or where we are not root and cannot become
    another.
    """
    if user is None:
        return None
    name, _, group = user.partition(":")
    found = _found(name, _gid(group) if group else None)
    if found.uid == os.geteuid():
        return None
    if os.geteuid() != 0:
        msg = f"only root can serve as {name}; start as root, or leave user out"
        raise SettingError(msg)
    return found


def _found(name: str, gid: int | None) -> Identity:
    try:
        entry = pwd.getpwuid(int(name)) if name.isdecimal() else pwd.getpwnam(name)
    except KeyError:
        # Containers have numbers of which nobody has told them the names.
        if name.isdecimal() and gid is not None:
            return Identity(name, int(name), gid, (gid,))
        more = "; give its group too" if name.isdecimal() else ""
        raise SettingError(f"there is no user {name!r} here{more}") from None
    gid = entry.pw_gid if gid is None else gid
    groups = tuple(os.getgrouplist(entry.pw_name, gid))
    return Identity(entry.pw_name, entry.pw_uid, gid, groups, entry.pw_dir)


def _gid(group: str) -> int:
    try:
        return int(group) if group.isdecimal() else grp.getgrnam(group).gr_gid
    except KeyError:
        raise SettingError(f"there is no group {group!r} here") from None


def become(someone: Identity | None) -> None:
    """Be *someone* from now on, for ever, and in every process started from here."""
    if someone is None:
        return
    os.setgroups(someone.groups)
    os.setgid(someone.gid)  # all three of them: the real, the effective and the saved
    os.setuid(someone.uid)
    os.environ.update(HOME=someone.home, USER=someone.name, LOGNAME=someone.name)
    try:
        prctl = ctypes.CDLL(None).prctl
    except (AttributeError, OSError, TypeError):  # not Linux
        return
    # No program that it starts gets more rights than it has, whatever its file says.
    prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    # Another process of the same user cannot read its memory, nor is it left on a disk.
    prctl(_DUMPABLE, 0, 0, 0, 0)


def hand_over(someone: Identity | None, directory: Path, binds: Sequence[str]) -> None:
    """Give *someone* the *directory* of the server, and the Unix sockets among *binds*.

    Who may connect to those is said by its group, as if it had made them.
    """
    if someone is None:
        return
    places = [bind.path for bind in map(parse_bind, binds) if isinstance(bind, Unix)]
    for path in (directory, *places):
        os.chown(path, someone.uid, someone.gid, follow_symlinks=False)


def warn_of_root(someone: Identity | None, binds: Sequence[str]) -> None:
    """Say once that what is served to others is served by root."""
    if someone is not None or os.geteuid() != 0:
        return
    if open_to_others := [bind for bind in binds if _reaches_others(bind)]:
        log.warning(
            "root serves at %s, which others can reach; give --user NAME, with "
            "--workers, and the application runs as that",
            " and ".join(open_to_others),
        )


def _reaches_others(bind: str) -> bool:
    place = parse_bind(bind)
    if not isinstance(place, Tcp):
        return False  # a name with its own mode, or what somebody else has opened
    try:
        hosts = place.addresses or (place.host,)
        return not all(ipaddress.ip_address(host).is_loopback for host in hosts)
    except ValueError:  # a name
        return True
