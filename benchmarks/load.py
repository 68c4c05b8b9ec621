"""Load: one measurement of one server, with wrk as the generator on another core."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass

import trio

from benchmarks.programs import Lines, started
from benchmarks.system import cores, processor_seconds, usage
from benchmarks.works import Work

# Connections of the generator: enough that the server never waits for it.
CONNECTIONS = 64

# Seconds that wrk may take longer than it was told.
OVERTIME = 20

# What wrk sends, and what it says in the end (github.com/wg/wrk, SCRIPTING).
_SCRIPT = """
wrk.method = "{method}"
wrk.body = {body}
function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write
  io.write(string.format(
    '{{"requests":%d,"microseconds":%d,"failed":%d,"p50":%f,"p99":%f}}\\n',
    summary.requests, summary.duration, failed + errors.status + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""

# The same for visitors who take turns; requests are made before the first is sent.
_TURNS = """
local cookies = {{{cookies}}}
local requests, turn = {{}}, 0
function init(args)
  for number, cookie in ipairs(cookies) do
    requests[number] = wrk.format(nil, nil, {{["Cookie"] = cookie}})
  end
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end
"""


class LoadFailed(Exception):
    """The generator has failed, or the server has not answered every request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What one run of the generator cost a server and gave its peers."""

    processor: float  # µs of the server's process tree for each request
    rate: float  # requests a second
    p50: float  # ms
    p99: float  # ms
    rss: int  # bytes at the end


async def measure(pid: int, port: int, work: Work, seconds: int) -> Measurement:
    """Load the server *pid* at *port* with *work*; LoadFailed if it does not stand it.

    What connecting costs is in it, once for thousands of requests.
    """
    before = processor_seconds(pid)
    said = await _wrk(port, work, seconds)
    used = processor_seconds(pid) - before
    if said["failed"] or not said["requests"]:
        raise LoadFailed(f"{work.name} at port {port}: {said}")
    return Measurement(
        processor=used / said["requests"] * 1e6,
        rate=said["requests"] / said["microseconds"] * 1e6,
        p50=said["p50"] / 1000,
        p99=said["p99"] / 1000,
        rss=usage(pid).rss,
    )


async def _wrk(port: int, work: Work, seconds: int) -> dict[str, float]:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(_script(work))
        script.flush()
        command += [script.name, f"http://127.0.0.1:{port}{work.path}"]
        async with started(command, core=cores().others) as wrk:
            with trio.move_on_after(seconds + OVERTIME):
                async for line in Lines(wrk):
                    if line.startswith(b"{"):
                        return dict(json.loads(line))
    raise LoadFailed(f"wrk said nothing of {work.name}: {wrk.process.returncode}")


def _script(work: Work) -> str:
    body = f'"{work.body.decode()}"' if work.body else "nil"
    script = _SCRIPT.format(method=work.method, body=body)
    if work.cookies:
        # What JSON writes of a cookie's characters (RFC 6265 4.1.1) Lua reads alike.
        script += _TURNS.format(cookies=", ".join(map(json.dumps, work.cookies)))
    return script
