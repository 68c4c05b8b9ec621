"""The servers whose sessions are compared, and where each keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peer import NodePeer, Peer


@dataclass(frozen=True, slots=True)
class Kept:
    """A server, and the kind of store it keeps sessions in."""

    kind: str
    peer: Peer


def all_of(place: Path, redis: int) -> Sequence[Kept]:
    """Every server: in the order of the table, trioweb first of each kind.

    *place* is an empty directory, *redis* the port of a Redis server at 127.0.0.1.
    """
    url = f"redis://127.0.0.1:{redis}"
    return (
        Kept("memory", trioweb("memory")),
        Kept("memory", _express("memory")),
        Kept("sqlite", trioweb("sqlite", str(place / "sessions"))),
        Kept("redis", trioweb("redis", url)),
        Kept("redis", _express("redis", _REDIS, url)),
        Kept("cookie", trioweb("cookie")),
        Kept("cookie", _STARLETTE),
        Kept("cookie", _QUART),
    )


def trioweb(kind: str, at: str = "") -> Peer:
    """Our server with its sessions in a store of *kind*, which is *at* some place."""
    command = (
        *("env", f"KEPT_IN={kind}", f"KEPT_AT={at}"),
        *("{python}", "-m", "trioweb", "run", "benchmarks/apps/kept.py"),
        *("--bind", "127.0.0.1:{port}", "--access-log", "off"),
    )
    version = _version("trioweb")
    return Peer(name=f"trioweb-{kind}", command=command, version=version)


def _express(kind: str, packages: Sequence[str] = (), *arguments: str) -> Peer:
    node = (
        "env",
        "NODE_PATH={environment}/node_modules",
        "NODE_ENV=production",
        "node",
    )
    versions = "['express-session', 'express'].map(name => name + ' ' + require(name"
    return NodePeer(
        name=f"express-{kind}",
        packages=("express@5.3.0", "express-session@1.19.0", *packages),
        command=(*node, "benchmarks/apps/kept.js", "{port}", *arguments),
        version=(*node, "-p", f"{versions} + '/package.json').version).join(', ')"),
    )


def _version(package: str) -> tuple[str, ...]:
    code = f"from importlib.metadata import version; print(version('{package}'))"
    return ("{python}", "-c", code)


_REDIS = ("connect-redis@10.0.0", "redis@6.3.1")

_STARLETTE = Peer(
    name="starlette",
    packages=(
        "starlette==1.10.0",
        "itsdangerous==2.2.0",
        "uvicorn==0.54.0",
        "h11==0.16.0",
    ),
    command=(
        *("{python}", "-m", "uvicorn", "benchmarks.apps.kept_starlette:app"),
        *("--port", "{port}", "--http", "h11", "--loop", "asyncio"),
        *("--lifespan", "off", "--no-access-log", "--log-level", "warning"),
    ),
    version=_version("starlette"),
)

_QUART = Peer(
    name="quart",
    packages=("quart==0.22.0", "hypercorn==0.18.0"),
    # Hypercorn is what its documentation recommends.
    command=(
        *("{python}", "-m", "hypercorn", "benchmarks.apps.kept_quart:app"),
        *("--bind", "127.0.0.1:{port}", "--workers", "0"),
    ),
    version=_version("quart"),
)
