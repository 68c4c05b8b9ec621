"""http2.py, run as a process: asked by curl, Node, nghttp, h2load and Chromium."""

from __future__ import annotations

import re
import sys

import pytest

pytest.importorskip("h2")

from tests.clients.chromium import browsing
from tests.clients.node import node
from tests.clients.process import Way, both_ways, by_python, output, serving
from tests.needs import needs, program
from tests.run.tls.meeting import pem

PATH = "examples/http2.py"

# A request of Node's own HTTP/2 client, and what became of it.
ASK = """
  const http2 = require("node:http2");
  const session = http2.connect(given[0]);
  const goaways = [];
  session.on("goaway", (code, last) => goaways.push([code, last]));
  const ask = (headers, body) => new Promise((resolve, reject) => {
    const stream = session.request(headers);
    const got = { interim: [], text: "", trailers: {} };
    stream.setEncoding("utf8");
    stream.on("headers", (head) => got.interim.push(head[":status"]));
    stream.on("response", (head) => { got.head = head; });
    stream.on("trailers", (fields) => { got.trailers = { ...fields }; });
    stream.on("data", (piece) => { got.text += piece; });
    stream.on("error", reject);
    stream.on("close", () => resolve({ ...got, code: stream.rstCode }));
    stream.end(body);
  });
"""


@needs("curl")
@both_ways
async def test_curl_speaks_either_version(way: Way) -> None:
    async with serving(way(PATH)) as server:
        for how, version in [
            ("--http2-prior-knowledge", "2"),
            ("--http1.1", "1.1"),
            ("--http2", "1.1"),  # an upgrade that RFC 9113 no longer has
        ]:
            said = await output(
                *(program("curl"), "-s", how, "-w", " %{http_version}"),
                f"{server.url}/how",
            )
            assert said == f'{{"version":"{version}","scheme":"http"}} {version}'
        assert await server.stop() == 0


@needs("curl")
async def test_curl_sends_and_gets_much() -> None:
    async with serving(by_python(PATH)) as server:
        said = await output(
            *(program("curl"), "-s", "--http2-prior-knowledge"),
            *("--data-binary", f"@{sys.executable}", "-o", "/dev/null"),
            *("-w", "%{http_code} %{size_upload} %{size_download}"),
            f"{server.url}/upper",
        )
        status, sent, got = said.split()
        assert status == "200"
        assert int(sent) == int(got) > 0


@needs("node")
async def test_node_gets_hints_an_answer_and_trailers() -> None:
    script = f"""{ASK}
      const page = await ask({{ ":path": "/" }});
      const upper = await ask({{ ":path": "/upper", ":method": "POST" }}, "abc");
      const none = await ask({{ ":path": "/none", ":method": "HEAD" }});
      session.close();
      return [page, upper, none];
    """
    async with serving(by_python(PATH)) as server:
        page, upper, none = await node(script, server.url)
    assert page["interim"] == [103]
    assert 'HTTP/<span id="version">2</span>' in page["text"]
    assert (upper["text"], upper["head"][":status"]) == ("ABC", 200)
    assert len(upper["trailers"]["digest"]) == 64
    assert (none["head"][":status"], none["text"]) == (404, "")
    assert [each["code"] for each in (page, upper, none)] == [0, 0, 0]


@needs("node")
async def test_a_hundred_tiles_take_as_long_as_one() -> None:
    script = f"""{ASK}
      const began = Date.now();
      const tiles = await Promise.all(Array.from({{ length: 100 }}, (_, number) =>
        ask({{ ":path": `/tiles/${{number}}` }})));
      const took = Date.now() - began;
      session.close();
      return [took, tiles.map((tile) => tile.head[":status"])];
    """
    async with serving(by_python(PATH)) as server:
        took, statuses = await node(script, server.url)
    assert statuses == [200] * 100
    assert took < 5000  # one after the other: 10 s


@needs("node")
async def test_node_is_said_goodbye_and_loses_nothing() -> None:
    script = f"""{ASK}
      const first = await ask({{ ":path": "/how" }});
      const late = ask({{ ":path": "/tiles/1" }});
      process.kill(Number(given[1]), "SIGTERM");
      const tile = await late;
      await new Promise((resolve) => session.on("close", resolve));
      return [first.head[":status"], tile.head[":status"], tile.code, goaways];
    """
    async with serving(by_python(PATH)) as server:
        pid = str(server.process.pid)
        first, tile, code, goaways = await node(script, server.url, pid)
        assert await server.process.wait() == 0
    assert (first, tile, code) == (200, 200, 0)
    assert goaways[0] == [0, 2**31 - 1]
    assert goaways[-1] == [0, 3]


@needs("nghttp")
async def test_nghttp_gets_a_page() -> None:
    async with serving(by_python(PATH)) as server:
        said = await output(program("nghttp"), "-nv", f"{server.url}/how")
    assert ":status: 200" in said
    assert "END_STREAM" in said
    assert "RST_STREAM" not in said


@needs("h2load")
async def test_many_requests_on_some_connections_end_well() -> None:
    async with serving(by_python(PATH)) as server:
        said = await output(
            program("h2load"), "-n", "2000", "-c", "4", "-m", "16", f"{server.url}/how"
        )
    assert "2000 succeeded, 0 failed, 0 errored, 0 timeout" in said


@needs("chromium")
async def test_chromium_paints_the_mosaic_by_h2() -> None:
    command = [sys.executable, "-m", "trioweb", "run", PATH, "--bind", "localhost:0"]
    command += ["--certfile", pem("server.pem"), "--keyfile", pem("server.key")]
    async with serving(command) as server, browsing() as page:
        await page.call("Security.setIgnoreCertificateErrors", ignore=True)
        port = server.url.rstrip("/").rpartition(":")[2]
        await page.open(f"https://localhost:{port}/")
        await page.until("document.querySelector('#took').textContent !== '…'")
        said = await page.evaluate("document.body.innerText")
    assert re.search(r"HTTP/2\s+100 tiles in \d+ ms by h2", said)
