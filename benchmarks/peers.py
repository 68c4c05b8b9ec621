"""Peers: the servers that are compared, what each can do and how it is told to."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.peer import NodePeer, Peer

# What each can be asked for, by the names of the works.  It is theirs to do, or of the
# framework on them: what would be written for the comparison alone is left out.
_HTTP = frozenset(
    {
        *("plaintext", "json", "param", "echo", "headers", "stream"),
        *("connect", "pipelined", "idle", "workers"),
    }
)
_TLS = frozenset({"https", "handshake", "idle-tls"})
_H2 = frozenset({"h2", "h2-download", "h2-upload"})
_FILE = frozenset({"file"})
_TYPED = frozenset({"typed"})
_SESSION = frozenset({"session"})


def _versions(*packages: str) -> tuple[str, ...]:
    """The command that prints the versions of packages of Python."""
    told = ", ".join(f"'{package} ' + version('{package}')" for package in packages)
    code = f"from importlib.metadata import version; print({told}, sep=', ')"
    return ("{python}", "-c", code)


# ---------------------------------------------------------------------------- trioweb


def _trioweb(name: str, *more: str) -> Peer:
    return Peer(
        name=name,
        command=(
            *("{python}", "-m", "trioweb", "run", "benchmarks/apps/plain.py"),
            *("--bind", "127.0.0.1:{port}", "--access-log", "off"),
            *more,
        ),
        version=("{python}", "-m", "trioweb", "--version"),
        works=_HTTP | _TLS | _H2 | _FILE | _TYPED | _SESSION,
        tls=("--certfile", "{cert}", "--keyfile", "{key}"),
        crew=("--workers", "2"),
    )


TRIOWEB = _trioweb("trioweb")

# ------------------------------------------------------------------------------- Node

_BY_NODE = (
    "env", "NODE_PATH={environment}/node_modules", "NODE_ENV=production", "node",
)  # fmt: skip
_NODE_TLS = ("--cert", "{cert}", "--key", "{key}")
_NODE_CREW = ("--workers", "2")

_NODE = Peer(
    name="node",
    command=("node", "benchmarks/apps/node.js", "{port}"),
    version=("node", "--version"),
    works=_HTTP | _TLS | _H2 | _FILE | _TYPED,
    tls=_NODE_TLS,
    crew=_NODE_CREW,
)

_STREAMS = Peer(
    name="node-streams",
    command=("node", "benchmarks/apps/streams.js", "{port}"),
    version=("node", "--version"),
    works=_H2,
    tls=_NODE_TLS,
)


def _by_node(name: str, packages: Sequence[str], works: frozenset[str]) -> Peer:
    return NodePeer(
        name=name,
        packages=tuple(packages),
        command=(*_BY_NODE, f"benchmarks/apps/{name}.js", "{port}"),
        version=(*_BY_NODE, "-p", f"require('{name}/package.json').version"),
        works=works,
        tls=_NODE_TLS,
        crew=_NODE_CREW,
    )


# --------------------------------------------------------- applications on a server

_BARE = "benchmarks.apps.asgi:app"
_H11 = ("--http", "h11", "--loop", "asyncio")
_FAST = ("--http", "httptools", "--loop", "uvloop")
_FAST_PACKAGES = ("uvicorn==0.54.0", "httptools==0.9.0", "uvloop==0.23.0")


def _by_uvicorn(
    name: str,
    packages: Sequence[str],
    *,
    app: str = _BARE,
    how: tuple[str, ...] = _FAST,
    works: frozenset[str] = frozenset(),
) -> Peer:
    return Peer(
        name=name,
        packages=tuple(packages),
        command=(
            *("{python}", "-m", "uvicorn", app, "--port", "{port}", *how),
            *("--lifespan", "off", "--no-access-log", "--log-level", "warning"),
        ),
        version=_versions(*(package.partition("==")[0] for package in packages)),
        works=_HTTP | _TLS | works,
        tls=("--ssl-certfile", "{cert}", "--ssl-keyfile", "{key}"),
        crew=("--workers", "2"),
    )


def _by_hypercorn(
    name: str,
    packages: Sequence[str],
    *,
    module: str = "hypercorn",
    app: str = _BARE,
    worker: str = "trio",
    works: frozenset[str] = _H2,
) -> Peer:
    return Peer(
        name=name,
        packages=tuple(packages),
        command=(
            *("{python}", "-m", module, app, "--worker-class", worker),
            *("--config", "benchmarks/apps/hypercorn.toml"),
            *("--bind", "127.0.0.1:{port}", "--workers", "0"),
        ),
        version=_versions(*(package.partition("==")[0] for package in packages)),
        works=_HTTP | _TLS | works,
        tls=("--certfile", "{cert}", "--keyfile", "{key}"),
        crew=("--workers", "2"),
    )


_GRANIAN = Peer(
    name="granian",
    packages=("granian==2.8.7", "uvloop==0.23.0"),
    command=(
        *("{environment}/bin/granian", "--interface", "asgi", "--loop", "uvloop"),
        *("--host", "127.0.0.1", "--port", "{port}", "--log-level", "error", _BARE),
    ),
    version=_versions("granian", "uvloop"),
    works=_HTTP | _TLS | _H2 | _FILE,
    tls=("--ssl-certificate", "{cert}", "--ssl-keyfile", "{key}"),
    crew=("--workers", "2"),
)

_AIOHTTP = Peer(
    name="aiohttp",
    packages=("aiohttp==3.14.5",),
    command=("{python}", "-m", "benchmarks.apps.by_aiohttp", "{port}"),
    version=_versions("aiohttp"),
    # It starts no workers: that is left to others.
    works=(_HTTP - {"workers"}) | _TLS | _FILE,
    tls=("--cert", "{cert}", "--key", "{key}"),
)

_NGINX = Peer(
    name="nginx",
    command=("{python}", "-m", "benchmarks.apps.by_nginx", "{port}", "{environment}"),
    version=("sh", "-c", "nginx -v 2>&1 | cut -d/ -f2"),
    works=(_HTTP - {"param", "echo", "stream"}) | _TLS | _H2 | _FILE,
    tls=("--cert", "{cert}", "--key", "{key}"),
    crew=("--workers", "2"),
)

PEERS = (
    TRIOWEB,
    _trioweb("trioweb-h11", "--set", "lane=false"),
    _NODE,
    _STREAMS,
    _by_node(
        "express",
        ["express@5.3.0", "express-session@1.19.0"],
        _HTTP | _TLS | _FILE | _TYPED | _SESSION,
    ),
    _by_node(
        "fastify",
        ["fastify@5.12.8", "@fastify/static@10.1.11"],
        _HTTP | _TLS | {"h2"} | _FILE | _TYPED,
    ),
    _by_uvicorn("uvicorn-h11", ["uvicorn==0.54.0", "h11==0.16.0"], how=_H11),
    _by_uvicorn("uvicorn", _FAST_PACKAGES),
    _by_uvicorn(
        "starlette",
        ["starlette==1.10.0", *_FAST_PACKAGES],
        app="benchmarks.apps.by_starlette:app",
        works=_FILE,
    ),
    _by_uvicorn(
        "fastapi",
        ["fastapi==0.163.2", "pydantic==2.14.3", *_FAST_PACKAGES],
        app="benchmarks.apps.by_fastapi:app",
        works=_FILE | _TYPED,
    ),
    _by_hypercorn("hypercorn-trio", ["hypercorn==0.18.0", "trio==0.35.0"]),
    _by_hypercorn("hypercorn", ["hypercorn==0.18.0"], worker="asyncio"),
    _by_hypercorn(
        "anycorn-trio", ["anycorn==0.20.1", "trio==0.35.0"], module="anycorn"
    ),
    _by_hypercorn(
        "quart-trio",
        ["quart-trio==0.12.0", "quart==0.22.0", "hypercorn==0.18.0", "trio==0.35.0"],
        app="benchmarks.apps.by_quart:app",
        works=frozenset({"h2"}) | _FILE,
    ),
    _GRANIAN,
    _AIOHTTP,
    _NGINX,
)
