"""The servers whose WebSockets are compared; none of them compresses messages here."""

from __future__ import annotations

from benchmarks.peer import NodePeer, Peer

_APPS = "benchmarks/websockets/apps"
_ASGI = "benchmarks.websockets.apps.asgi:app"


def _version(package: str) -> tuple[str, ...]:
    code = f"from importlib.metadata import version; print(version('{package}'))"
    return ("{python}", "-c", code)


TRIOWEB = Peer(
    name="trioweb",
    command=(
        *("{python}", "-m", "trioweb", "run", f"{_APPS}/ours.py"),
        *("--bind", "127.0.0.1:{port}", "--access-log", "off"),
    ),
    version=("{python}", "-m", "trioweb", "--version"),
)

_NODE = ("env", "NODE_PATH={environment}/node_modules", "node")

PEERS = (
    TRIOWEB,
    Peer(
        name="hypercorn-trio",
        packages=("hypercorn[trio]==0.18.0",),
        command=(
            *("{python}", "-m", "hypercorn", _ASGI, "--worker-class", "trio"),
            *("--bind", "127.0.0.1:{port}", "--workers", "0"),
        ),
        version=_version("hypercorn"),
    ),
    Peer(
        name="uvicorn-websockets",
        packages=("uvicorn==0.54.0", "h11==0.16.0", "websockets==17.4"),
        command=(
            *("{python}", "-m", "uvicorn", _ASGI, "--port", "{port}"),
            *("--ws", "websockets", "--ws-per-message-deflate", "false"),
            *("--http", "h11", "--loop", "asyncio", "--lifespan", "off"),
            *("--no-access-log", "--log-level", "warning"),
        ),
        version=_version("uvicorn"),
    ),
    Peer(
        name="aiohttp",
        packages=("aiohttp==3.14.5",),
        command=("{python}", f"{_APPS}/by_aiohttp.py", "{port}"),
        version=_version("aiohttp"),
    ),
    NodePeer(
        name="node-ws",
        packages=("ws@8.23.0",),
        command=(*_NODE, f"{_APPS}/ws.js", "{port}"),
        version=(*_NODE, "-p", "'ws ' + require('ws/package.json').version"),
    ),
)
