"""chat.py, run as a process: what is said in one worker is heard in the other."""

from __future__ import annotations

import signal

from tests.clients.chromium import Page, browsing
from tests.clients.node import node_ws
from tests.clients.process import Way, both_ways, by_python, curl, serving
from tests.needs import needs
from tests.run.cluster.crews import crewed, until

PATH = "examples/chat.py"

# Two WebSockets of Node's ws, in the two workers, which hear each other and themselves.
TALK = """
  const open = (name) => new Promise((resolve, reject) => {
    const ws = new WebSocket(`${given[0]}/rooms/찻집?name=${encodeURIComponent(name)}`);
    ws.news = [];
    ws.ended = new Promise((end) => ws.on("close", (code) => end(code)));
    ws.on("error", reject);
    ws.on("message", (data, binary) => {
      ws.news.push({ ...JSON.parse(data), binary });
      if (ws.news.length === 1) resolve(ws);
    });
  });
  const heard = (ws, text) => new Promise((resolve) => {
    const look = () => ws.news.some((one) => one.text === text)
      ? resolve() : setTimeout(look, 5);
    look();
  });
  const one = await open("수달");
  let two = await open("까치");
  for (let tries = 0; two.news[0].worker === one.news[0].worker; tries++) {
    if (tries > 100) throw new Error("there is only one worker");
    two.close();
    await two.ended;
    two = await open("까치");
  }
  const pong = new Promise((resolve) => two.on("pong", (data) => resolve(`${data}`)));
  two.ping("아직");
  two.send(Buffer.from("binary is not text"));
  two.send("안녕하세요");
  await heard(one, "안녕하세요");
  one.send("물 한 잔");
  await heard(two, "물 한 잔");
  two.send("x".repeat(5000));
  const tooLong = await two.ended;
  one.close(1000, "enough");
  const said = (ws) => ws.news.filter((one) => one.kind === "said");
  return {
    one: said(one), two: said(two), pong: await pong, tooLong, end: await one.ended,
  };
"""


@needs("wscat")
@needs("node")
async def test_nodes_ws_hears_in_both_workers_what_is_said_in_one() -> None:
    async with serving(by_python(PATH)) as server:
        found = await node_ws(TALK, server.url.replace("http", "ws"))
        assert await server.stop() == 0
    assert [each["text"] for each in found["one"]] == ["안녕하세요", "물 한 잔"]
    assert [each["who"] for each in found["two"]] == ["까치", "수달"]
    assert {each["worker"] for each in found["one"]} == {0, 1}
    assert not any(each["binary"] for each in found["one"] + found["two"])
    assert found["pong"] == "아직"
    assert (found["tooLong"], found["end"]) == (1009, 1000)
    assert b"Traceback" not in server.said


WORKER = "document.querySelector('#state.open .worker')?.dataset.worker"
SAID = "[...document.querySelectorAll('.bubble p')].map((one) => one.textContent)"


async def come(page: Page, url: str, *, but: str = "none") -> str:
    """Enter the room until another worker than that has the connection; which has."""
    while True:
        await page.open(url)
        await page.until(f"{WORKER} !== undefined")
        worker = str(await page.evaluate(WORKER))
        if worker != but:
            return worker


async def say(page: Page, text: str) -> None:
    """Write and send it, as a visitor does."""
    await page.evaluate(
        f"document.querySelector('[name=text]').value = {text!r};"
        "document.querySelector('#say button').click()"
    )


async def shown(page: Page, text: str) -> None:
    """Wait until the page shows it."""
    await page.until(f"{SAID}.includes({text!r})")


@needs("chromium")
async def test_two_tabs_on_two_workers_hear_each_other() -> None:
    async with serving(by_python(PATH)) as server, browsing() as one:
        two = await one.another()
        first = await come(one, f"{server.url}/?room=찻집&name=수달")
        second = await come(two, f"{server.url}/?room=찻집&name=까치", but=first)
        assert {first, second} == {"0", "1"}
        await say(one, "안녕하세요")
        await shown(two, "안녕하세요")
        await say(two, "<b>네</b>")
        for page in (one, two):
            await shown(page, "<b>네</b>")
            assert await page.evaluate(SAID) == ["안녕하세요", "<b>네</b>"]
        mine = "document.querySelectorAll('.bubble.mine').length"
        assert [await page.evaluate(mine) for page in (one, two)] == [1, 1]
        gone = "[...document.querySelectorAll('.news')].at(-1).textContent"
        await two.open("about:blank")
        await one.until(f"{gone} === '까치 has left'")
        await one.evaluate(
            "var code; socket.addEventListener('close', (e) => code = e.code)"
        )
        assert await server.stop() == 0
        await one.until("code === 1001")
        assert b"Traceback" not in server.said


@needs("chromium")
async def test_a_tab_whose_worker_dies_or_is_renewed_comes_back() -> None:
    async with crewed(program=by_python(PATH)) as crew, browsing() as page:
        await until(lambda: len(crew.workers()) == 2)
        await come(page, f"{crew.server.url}/?room=tea&name=수달")
        for number, harm in enumerate((signal.SIGKILL, signal.SIGHUP)):
            await page.evaluate("document.querySelector('#state').className = 'before'")
            for pid in crew.workers() if harm == signal.SIGKILL else {crew.pid}:
                crew.kill(pid, harm)
            await page.until(f"{WORKER} !== undefined")
            await say(page, f"still here {number}")
            await shown(page, f"still here {number}")
        assert await crew.stop() == 0


@needs("curl")
@both_ways
async def test_the_page_and_its_parts_come_and_a_plain_get_is_told(way: Way) -> None:
    async with serving(way(PATH)) as server:
        assert "<html" in (await curl(server.url)).body
        for name in ("chat.css", "chat.js"):
            assert (await curl(f"{server.url}/parts/{name}")).status == 200
        assert (await curl(f"{server.url}/parts/chat.py")).status == 404
        refused = await curl(f"{server.url}/rooms/tea")
        assert refused.status == 426
        assert "upgrade: websocket" in refused.fields
        assert await server.stop() == 0
