"""Real proxies in front of real workers, by the files that the pages show."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import trio

from tests.clients.process import ROOT, Program, started
from tests.needs import program
from tests.run.cluster.crews import PATIENCE

# A certificate for localhost and its key, which are nobody's.
TLS = ROOT / "tests/clients/tls"


def block(page: str, language: str) -> str:
    """The one block of *language* on a page of docs/deploy."""
    text = (ROOT / "docs/deploy" / page).read_text("utf-8")
    (found,) = re.findall(
        rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
    )
    return str(found)


def placed(text: str, places: Mapping[str, object]) -> str:
    """*text* with what stands once in it put elsewhere."""
    for there, here in places.items():
        assert text.count(there) == 1, there
        text = text.replace(there, str(here))
    return text


def free_port() -> int:
    """A port of the loopback that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
    return port


@dataclass(frozen=True, slots=True)
class Front:
    """A proxy: the file it is given, and the command that starts it."""

    write: Callable[[Path, str, int, int], None]  # directory, server, admin, port
    command: Callable[[Path], list[str | Path]]


def _write_nginx(directory: Path, server: str, _: int, port: int) -> None:
    own = placed(
        block("nginx.md", "nginx"),
        {
            "127.0.0.1:8080": server,
            "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
            "/etc/ssl/shop.pem": TLS / "localhost.pem",
            "/etc/ssl/shop.key": TLS / "localhost.key",
        },
    )
    (directory / "shop.conf").write_text(own, "utf-8")
    temporary = "\n".join(
        f"{kind}_temp_path {directory}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # One process, which leaves no other behind when it is killed.
    # Who is root would become another user, who may not enter a test's directory.
    user = "user root;" if os.geteuid() == 0 else ""
    (directory / "nginx.conf").write_text(
        f"{user} pid {directory}/pid; daemon off; master_process off;\n"
        "error_log stderr warn;\n"
        f"events {{}}\nhttp {{ access_log off;\n{temporary}\ninclude shop.conf; }}\n",
        "utf-8",
    )


def _nginx(directory: Path) -> list[str | Path]:
    return [program("nginx"), "-e", "stderr", "-c", directory / "nginx.conf"]


def _write_haproxy(directory: Path, server: str, admin: int, port: int) -> None:
    both = directory / "shop.pem"
    parts = [(TLS / name).read_text("ascii") for name in _PARTS]
    both.write_text("".join(parts), "ascii")
    own = placed(
        block("haproxy.md", "haproxy"),
        {
            "127.0.0.1:8080": server.replace("unix:", "unix@"),
            "port 9100": f"port {admin}",
            "bind :443 ssl": f"bind 127.0.0.1:{port} ssl",
            "/etc/ssl/shop.pem": both,
        },
    )
    (directory / "haproxy.cfg").write_text(own, "utf-8")


_PARTS = ("localhost.pem", "localhost.key")


def _haproxy(directory: Path) -> list[str | Path]:
    return [program("haproxy"), "-db", "-f", directory / "haproxy.cfg"]


FRONTS = {
    "nginx": Front(_write_nginx, _nginx),
    "haproxy": Front(_write_haproxy, _haproxy),
}


@dataclass(frozen=True, slots=True)
class Running:
    """A proxy that runs, and the port where it listens."""

    program: Program
    port: int


@asynccontextmanager
async def fronted(
    name: str, directory: Path, server: str, admin: int
) -> AsyncIterator[Running]:
    """A proxy that passes everything on to *server*, and asks its *admin* port."""
    front, port = FRONTS[name], free_port()
    front.write(directory, server, admin, port)
    async with started(front.command(directory)) as running:
        with trio.fail_after(PATIENCE):
            while not await _listens(port):
                assert running.process.poll() is None, running.said.decode()
                await trio.sleep(0.02)
        yield Running(running, port)


async def _listens(port: int) -> bool:
    try:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
    except OSError:
        return False
    await stream.aclose()
    return True
