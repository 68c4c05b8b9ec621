"""hello_server.py, run as a process: the bare handler."""

from __future__ import annotations

import signal

from tests.clients.node import node
from tests.clients.process import Way, both_ways, by_python, curl, output, serving
from tests.needs import needs, program

PATH = "examples/hello_server.py"
PAGE = "<h1>Hello, Trio!</h1>\n<p>안녕하세요!</p>\n"


@needs("curl")
@both_ways
async def test_curl_gets_two_pieces_and_sigterm_ends_it_well(way: Way) -> None:
    async with serving(way(PATH)) as server:
        answer = await curl(server.url)
        assert (answer.status, answer.body) == (200, PAGE)
        assert "transfer-encoding: chunked" in answer.fields
        assert "content-type: text/html; charset=utf-8" in answer.fields
        assert await server.stop() == 0


@needs("curl")
async def test_it_is_reached_by_either_family_and_by_its_name() -> None:
    async with serving(by_python(PATH)) as server:
        port = server.url.rpartition(":")[2]
        for host in ("127.0.0.1", "localhost"):
            assert (await curl(f"http://{host}:{port}/")).body == PAGE


async def test_sigint_ends_it_well() -> None:
    async with serving(by_python(PATH)) as server:
        server.process.send_signal(signal.SIGINT)
        assert await server.process.wait() == 0
        assert b"Traceback" not in server.said


@needs("node")
async def test_node_fetches_it() -> None:
    script = """
      const response = await fetch(given[0]);
      return [response.status, await response.text()];
    """
    async with serving(by_python(PATH)) as server:
        assert await node(script, server.url) == [200, PAGE]


@needs("node")
async def test_a_node_agent_keeps_its_connection() -> None:
    script = """
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      const get = () => new Promise((resolve, reject) => {
        const request = http.get(given[0], { agent }, (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (piece) => { text += piece; });
          response.on("end", () => resolve([request.reusedSocket, text]));
        });
        request.on("error", reject);
      });
      const all = [await get(), await get(), await get()];
      agent.destroy();
      return all;
    """
    async with serving(by_python(PATH)) as server:
        first, *others = await node(script, server.url)
        assert first == [False, PAGE]
        assert others == [[True, PAGE], [True, PAGE]]


@needs("wrk")
async def test_a_second_of_load_ends_without_an_error() -> None:
    async with serving(by_python(PATH)) as server:
        report = await output(program("wrk"), "-t1", "-c64", "-d1s", server.url)
        assert "requests in" in report
        assert "Socket errors" not in report
        assert "Non-2xx" not in report
        assert await server.stop() == 0
