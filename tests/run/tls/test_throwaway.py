"""A certificate for one run: made on the spot, and gone at the end."""

from __future__ import annotations

import contextlib
import re
import sys
from pathlib import Path

import pytest
import trio

from tests.clients.process import ROOT, by_trioweb, serving
from tests.run.tls.meeting import over, rest, trusting
from trioweb.cli import main
from trioweb.message.errors import SetupError
from trioweb.run.tls.throwaway import throwaway

APP = ROOT / "examples/hello_server.py"


def test_without_the_extra_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    made = contextlib.ExitStack()
    with pytest.raises(SetupError, match=r'pip install "trioweb\[dev-tls\]"'):
        made.enter_context(throwaway())


def test_what_is_only_shown_needs_no_certificate(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "trustme", None)
    assert main(["run", str(APP), "--dev-tls", "--show-config"]) == 0
    assert main(["run", str(APP), "--dev-tls"]) == 1
    assert "trioweb[dev-tls]" in capsys.readouterr().err


def test_it_is_for_its_owner_only_and_is_gone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("trustme")
    with throwaway() as pair:
        file = Path(pair.cert)
        assert pair.key == pair.cert
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.parent.stat().st_mode & 0o777 == 0o700
        assert str(file.parent / "ca.pem") in capsys.readouterr().err
    assert not file.parent.exists()


@pytest.mark.parametrize("workers", [[], ["--workers", "1"]], ids=["none", "one"])
async def test_localhost_is_served_by_https_for_this_run(workers: list[str]) -> None:
    pytest.importorskip("trustme")
    async with serving([*by_trioweb(APP), "--dev-tls", *workers]) as server:
        (ca,) = re.findall(r"(/\S+ca\.pem)", server.said.decode())
        port = int(server.url.rpartition(":")[2])
        for host in ("127.0.0.1", "localhost"):
            stream = await trio.open_tcp_stream("127.0.0.1", port)
            async with over(stream, trusting(ca), host) as peer:
                await peer.send_all(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
                answer = await rest(peer)
                assert b"strict-transport-security: max-age=0\r\n" in answer
        assert await server.stop() == 0
        assert not Path(ca).exists()  # noqa: ASYNC240  # when all is over
        assert b"every user can read" not in server.said
