"""https.py, run as a process: asked by curl, Node, openssl, wrk and Chromium."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.clients.chromium import browsing
from tests.clients.node import node
from tests.clients.process import END, Server, curl, output, serving
from tests.needs import needs, program
from tests.run.tls.meeting import CA, pem

PATH = "examples/https.py"
ANYWHERE = {"TRIOWEB_BIND": "localhost:0", "TRIOWEB_TLS_REDIRECT": "localhost:0"}
BY_PYTHON = [sys.executable, PATH, pem("server.pem"), pem("server.key"), CA]
BY_TRIOWEB = [sys.executable, "-m", "trioweb", "run", PATH]
BY_TRIOWEB += ["--certfile", pem("server.pem"), "--keyfile", pem("server.key")]
BY_TRIOWEB += ["--tls-client", "request", "--tls-client-ca", CA]
VISITOR = ("--cert", pem("visitor.pem"), "--key", pem("visitor.key"))


class Https(Server):
    """The server, by the name that its certificate is for."""

    name: str  # where HTTPS is spoken
    plain: str  # where it is not
    port: str


@asynccontextmanager
async def https(command: Sequence[str | Path] = BY_PYTHON) -> AsyncIterator[Https]:
    async with serving(command, env=ANYWHERE) as server:
        server.__class__ = Https
        assert isinstance(server, Https)
        server.port = server.url.rpartition(":")[2]
        server.name = f"https://localhost:{server.port}"
        (server.plain,) = re.findall(r"http://127\S+", server.said.decode())
        yield server


async def s_client(server: Https, *options: str, said: str = "") -> str:
    """What openssl tells of a connection in which it says *said*."""
    command = [program("openssl"), "s_client", "-connect", f"localhost:{server.port}"]
    with trio.fail_after(END):
        done = await trio.run_process(
            [str(word) for word in (*command, "-CAfile", CA, *options)],
            stdin=said.encode(),
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
    return (done.stdout + done.stderr).decode(errors="replace")


LAST = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


@needs("curl")
@pytest.mark.parametrize("command", [BY_PYTHON, BY_TRIOWEB], ids=["python", "trioweb"])
async def test_curl_is_answered_by_https_and_sent_there(
    command: Sequence[str], tmp_path: Path
) -> None:
    jar = str(tmp_path / "jar")
    async with https(command) as server:
        asked = ("--cacert", CA, "--cookie", jar, "--cookie-jar", jar, server.name)
        first, second = await curl(*asked), await curl(*asked)
        assert json.loads(first.body)["scheme"] == "https"
        assert json.loads(first.body)["asked"] == "localhost"
        assert json.loads(second.body)["visits"] == 2
        assert "strict-transport-security: max-age=31536000" in first.fields
        (cookie,) = [each for each in first.fields if each.startswith("set-cookie")]
        assert "__Host-" in cookie
        sent = await curl(f"{server.plain}/me?a=b")
        assert sent.status == 308
        port = server.port
        assert f"location: https://127.0.0.1:{port}/me?a=b" in sent.fields
        follow = ("-sL", "--cacert", CA, "-o", "/dev/null", "-w", "%{url} %{http_code}")
        there = await output(program("curl"), *follow, server.plain)
        assert there == f"{server.plain} 200"
        assert await server.stop() == 0


@needs("curl")
async def test_t9_curl_shows_a_certificate_and_is_known_by_it() -> None:
    async with https() as server:
        known = await curl("--cacert", CA, *VISITOR, f"{server.name}/me")
        assert json.loads(known.body)["subject"]["commonName"] == "visitor"
        unknown = await curl("--cacert", CA, f"{server.name}/me")
        assert unknown.status == 403


@needs("curl")
async def test_f19_curl_is_told_by_either_port_that_it_is_the_wrong_one() -> None:
    async with https() as server:
        wrong = await curl(server.name.replace("https", "http"))
        assert wrong.status == 400
        assert "HTTPS is spoken here" in wrong.body
        command = [program("curl"), "-sS", server.plain.replace("http", "https")]
        done = await trio.run_process(
            [str(word) for word in command],
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
        assert done.returncode == 35  # no TLS was spoken to it
        assert await server.stop() == 0
        assert b"Traceback" not in server.said


@needs("node")
async def test_a_node_agent_keeps_its_connection() -> None:
    script = """
      const https = require("node:https");
      const ca = require("node:fs").readFileSync(given[1]);
      const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca });
      const get = () => new Promise((resolve, reject) => {
        const request = https.get(given[0], { agent }, (response) => {
          const { socket } = response;
          let text = "";
          response.on("data", (piece) => { text += piece; });
          response.on("end", () => resolve([
            request.reusedSocket, JSON.parse(text).scheme,
            socket.getProtocol(), socket.authorized]));
        });
        request.on("error", reject);
      });
      const all = [await get(), await get()];
      agent.destroy();
      return all;
    """
    async with https() as server:
        found = await node(script, server.name, CA)
        assert found == [
            [False, "https", "TLSv1.3", True],
            [True, "https", "TLSv1.3", True],
        ]


@needs("chromium")
async def test_a_browser_is_served_and_sent_to_https() -> None:
    async with https() as server, browsing() as page:
        await page.call("Security.setIgnoreCertificateErrors", ignore=True)
        await page.open(server.plain)
        assert await page.evaluate("location.protocol") == "https:"
        found = json.loads(await page.evaluate("document.body.innerText"))
        assert found["scheme"] == "https"
        await page.open(server.name)
        await page.open(server.name)
        found = json.loads(await page.evaluate("document.body.innerText"))
        assert found["visits"] == 2


@needs("wrk")
async def test_a_second_of_load_ends_without_an_error() -> None:
    async with https() as server:
        report = await output(program("wrk"), "-t1", "-c16", "-d1s", server.name)
        assert "requests in" in report
        assert "Socket errors" not in report
        assert "Non-2xx" not in report
        assert await server.stop() == 0


OLD = ["-tls1", "-tls1_1"]
WEAK = ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA256", "DHE-RSA-AES128-GCM-SHA256"]


@needs("openssl")
async def test_t1_openssl_gets_no_old_version_and_no_weak_cipher() -> None:
    async with https() as server:
        for version in OLD:
            options = (version, "-cipher", "DEFAULT@SECLEVEL=0")
            assert "Cipher is (NONE)" in await s_client(server, *options)
        for cipher in WEAK:
            told = await s_client(server, "-tls1_2", "-cipher", cipher)
            assert "Cipher is (NONE)" in told
        for version in ("-tls1_2", "-tls1_3"):
            told = await s_client(server, version, said=LAST)
            assert "Verify return code: 0 (ok)" in told
            assert "Server Temp Key: X25519" in told


@needs("openssl")
async def test_t2_openssl_is_refused_another_handshake() -> None:
    async with https() as server:
        with trio.fail_after(5):
            told = await s_client(server, "-tls1_2", said="R\n")
        assert "RENEGOTIATING" in told
        assert "no renegotiation" in told


@needs("openssl")
async def test_t3_an_unknown_protocol_is_http_1_and_never_another() -> None:
    async with https() as server:
        told = await s_client(server, "-alpn", "foo", "-ign_eof", said=LAST)
        assert "No ALPN negotiated" in told
        assert "HTTP/1.1 200 OK" in told
        told = await s_client(server, "-alpn", "http/1.1", said=LAST)
        assert "ALPN protocol: http/1.1" in told


@needs("openssl")
async def test_t6_openssl_is_told_goodbye() -> None:
    async with https() as server:
        told = await s_client(server, "-ign_eof", "-msg", said=LAST)
        assert "HTTP/1.1 200 OK" in told
        assert "Alert [length 0002], warning close_notify" in told
        assert "unexpected eof" not in told


@needs("openssl")
async def test_t8_openssl_cannot_send_early_data(tmp_path: Path) -> None:
    session, early = tmp_path / "session", tmp_path / "early"
    early.write_text(LAST, "ascii")
    async with https() as server:
        keep = ("-tls1_3", "-ign_eof", "-sess_out", str(session))
        assert "Max Early Data: 0" in await s_client(server, *keep, said=LAST)
        try_it = ("-tls1_3", "-sess_in", str(session), "-early_data", str(early))
        told = await s_client(server, *try_it, said=LAST)
        assert "Early data was not sent" in told
        assert "Reused, TLSv1.3" in told
