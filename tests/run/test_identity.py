"""Users that workers become: who they are, and what is left of root's rights."""

from __future__ import annotations

import getpass
import os
import pwd
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

from tests.clients.process import ROOT, by_trioweb, serving, started
from tests.run.cluster.crews import PATIENCE, by_workers, children, crewed, said, until
from trioweb import Config, run
from trioweb.message.errors import SetupError
from trioweb.run.identity import Identity, identity, warn_of_root
from trioweb.run.main import run_here

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root becomes another user")


def test_nobody_is_meant_where_none_is_given_or_it_is_us() -> None:
    assert identity(None) is None
    assert identity(getpass.getuser()) is None
    assert identity(str(os.geteuid())) is None


@root
def test_a_user_is_found_with_its_groups() -> None:
    entry = pwd.getpwnam("nobody")
    found = identity("nobody")
    assert found is not None
    assert (found.uid, found.gid, found.home) == (
        entry.pw_uid,
        entry.pw_gid,
        entry.pw_dir,
    )
    assert entry.pw_gid in found.groups
    assert identity(f"{entry.pw_uid}:{entry.pw_gid}") == found
    by_group = identity("nobody:daemon")
    assert by_group is not None
    assert by_group.gid in by_group.groups
    assert by_group.gid != found.gid


@root
def test_numbers_without_names_will_do_if_both_are_given() -> None:
    assert identity("54321:54322") == Identity("54321", 54321, 54322, (54322,))


UNKNOWN = [
    ("no such user", "nobody-here", "there is no user 'nobody-here'"),
    ("a number alone", "54321", "give its group too"),
    ("no such group", "nobody:nobody-here", "there is no group 'nobody-here'"),
]


@pytest.mark.parametrize(
    ("user", "message"), [case[1:] for case in UNKNOWN], ids=[c[0] for c in UNKNOWN]
)
def test_who_is_unknown_is_told(user: str, message: str) -> None:
    with pytest.raises(SetupError, match=message):
        identity(user)


@pytest.mark.parametrize("user", ["", ":", "a:", ":b", "a:b:c", "a b", "-a", "a\n"])
def test_what_is_no_user_is_refused(user: str) -> None:
    with pytest.raises(SetupError, match="NAME:GROUP"):
        Config(user=user)


def test_a_user_without_workers_is_refused() -> None:
    async def handler(request: object) -> str:
        return "hi"

    with pytest.raises(SetupError, match="give workers"):
        run_here(handler, Config(user="nobody"), print)
    with pytest.raises(SystemExit, match="give workers"):
        run(handler, config=Config(user="nobody"))


WARNED = [
    ("every interface", ":8080", True),
    ("an address", "192.0.2.1:80", True),
    ("a name", "shop.example:80", True),
    ("localhost", "localhost:8080", False),
    ("loopback", "127.0.0.2:8080", False),
    ("loopback of IPv6", "[::1]:8080", False),
    ("a Unix socket", "unix:/run/shop.sock", False),
    ("inherited", "fd:3", False),
]


@root
@pytest.mark.parametrize(
    ("bind", "warned"), [case[1:] for case in WARNED], ids=[c[0] for c in WARNED]
)
def test_o2_root_that_serves_others_is_warned_of(
    bind: str, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    warn_of_root(None, [bind])
    assert ("give --user NAME" in caplog.text) is warned
    caplog.clear()
    warn_of_root(identity("nobody"), [bind])
    assert not caplog.text


@root
@pytest.mark.parametrize("workers", [[], ["--workers", "1"]], ids=["none", "one"])
async def test_o2_the_warning_stops_nobody(workers: list[str]) -> None:
    command = by_trioweb(ROOT / "tests/apps/crew.py")
    command[command.index("localhost:0")] = ":0"
    async with serving([*command, *workers]) as server:
        await until(lambda: "root serves at :0" in said(server))
        assert await server.stop() == 0


# The interpreter may lie where only root can go.  For a process whose mounts nobody
# else sees, everybody can.
OPENED = """
set -e
place=$1; whole=$2; shift 2
mkdir -p "$place"
mount --bind "$whole" "$place"
top=/$(echo "$whole" | cut -d/ -f2)
[ "$top" = "$whole" ] || mount -t tmpfs -o mode=755 none "$top"
mkdir -p "$whole"
mount --bind "$place" "$whole"
exec "$@"
"""


def opened(place: Path) -> list[str | Path]:
    """The beginning of a command whose interpreter any user can reach."""
    whole = Path(sys.base_prefix)
    closed = [
        each
        for each in (whole, *whole.parents)
        if not each.stat().st_mode & stat.S_IXOTH
    ]
    if not closed:
        return []
    return ["unshare", "-m", "sh", "-c", OPENED, "sh", place, whole]


@contextmanager
def reachable() -> Iterator[Path]:
    """A directory that any user can go to, unlike those of pytest."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:  # whose mode follows
        directory = Path(name)
        directory.chmod(0o711)
        yield directory


def status(pid: int) -> dict[str, list[str]]:
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return {name: rest.split() for name, _, rest in (e.partition(":") for e in lines)}


@root
async def test_o2_workers_are_another_user_and_the_supervisor_is_root() -> None:
    """And o3: nobody but root reads the memory of a worker."""
    with reachable() as place:
        path = place / "crew.sock"
        command = by_workers("--user", "nobody:daemon", "--bind", f"unix:{path}")
        command = [*opened(place / "python"), *command]
        async with started(["unshare", "-m", "true"]) as program:
            if opened(place) and await program.process.wait() != 0:
                pytest.skip(
                    "nobody reaches the interpreter, and no mount may change it"
                )
        async with crewed(program=command) as crew:
            both = await crew.everybody(2)
            someone = identity("nobody:daemon")
            assert someone is not None
            for pid in both:
                found = status(pid)
                assert found["Uid"] == [str(someone.uid)] * 4
                assert found["Gid"] == [str(someone.gid)] * 4
                assert found["Groups"] == [str(each) for each in someone.groups]
                assert found["NoNewPrivs"] == ["1"]
                assert found["CapPrm"] == found["CapEff"] == ["0" * 16]
                assert owner(Path(f"/proc/{pid}/mem")) == 0  # not dumpable
            assert status(crew.pid)["Uid"] == ["0"] * 4
            assert owner(path) == someone.uid
            directory = Path(str((await crew.who())["directory"]))
            assert owner(directory) == someone.uid
            # One that comes later is no more than those were.
            crew.kill(min(both))
            later = await crew.everybody(2)
            assert {status(pid)["Uid"][0] for pid in later} == {str(someone.uid)}
            assert await crew.stop() == 0
            assert not exists(path)
            assert not exists(directory)


def owner(path: Path) -> int:
    return path.stat().st_uid


def exists(path: Path) -> bool:
    return path.exists()


@root
async def test_o2_who_is_unknown_is_told_before_anything_is_started() -> None:
    async with started(by_workers("--user", "nobody-here")) as program:
        with trio.fail_after(PATIENCE):
            assert await program.process.wait() == 1
        assert children(program.process.pid) == set()
