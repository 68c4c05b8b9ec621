"""wrk: requests of HTTP/1.1 on connections that are kept, as fast as they are answered.

A TLS connection that it makes anew resumes the one before, whatever it is told: it is
of no use where handshakes are to be measured.
"""

from __future__ import annotations

import json
import tempfile
import time

import trio

from benchmarks.programs import Lines, started
from benchmarks.sent import Sent
from benchmarks.system import cores
from benchmarks.works import Work

# Connections of the generator: enough that the server never waits for it.
CONNECTIONS = 64

# Seconds that wrk may take longer than it was told.
OVERTIME = 20

# What wrk sends, and what it says in the end (github.com/wg/wrk, SCRIPTING).
_SCRIPT = """
wrk.method = "{method}"
wrk.body = {body}
{fields}
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

# For requests that differ.  What does not change of them is cut to pieces once, for the
# generator must not be what is waited for.
_MARKED = """
local pieces, marks, number = {{}}, {{}}, {first}
function init(args)
  local text, from = wrk.format(), 1
  for at, mark, to in text:gmatch("(){{([nq])}}()") do
    pieces[#pieces + 1] = text:sub(from, at - 1)
    pieces[#pieces + 1] = mark
    marks[#pieces] = mark
    from = to
  end
  pieces[#pieces + 1] = text:sub(from)
end
function request()
  number = number + 1
  local n = string.format("%d", number)
  for place, mark in pairs(marks) do
    pieces[place] = mark == "n" and n or n:sub(-3)
  end
  return table.concat(pieces)
end
"""

# For several at once: wrk counts them by itself.
_PIPELINED = """
local all
function init(args)
  all = string.rep(wrk.format(), {depth})
end
function request()
  return all
end
"""


async def load(port: int, work: Work, seconds: int) -> Sent | None:
    """Ask the server at *port* for so many seconds; None if wrk has failed."""
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s"]
    scheme = "https" if work.tls else "http"
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script(work))
        file.flush()
        command += [file.name, f"{scheme}://127.0.0.1:{port}{work.path}"]
        async with started(command, core=cores().others) as wrk:
            with trio.move_on_after(seconds + OVERTIME):
                async for line in Lines(wrk):
                    if line.startswith(b"{"):
                        return _read(line, timed=work.depth == 1)
    return None


def _read(line: bytes, *, timed: bool) -> Sent:
    """The times of requests that are sent together it mostly takes for nought."""
    said = json.loads(line)
    return Sent(
        requests=said["requests"],
        failed=said["failed"],
        seconds=said["microseconds"] / 1e6,
        p50=said["p50"] / 1000 if timed else None,
        p99=said["p99"] / 1000 if timed else None,
    )


def script(work: Work) -> str:
    """What wrk has to be told of *work*, in Lua."""
    fields = (f"wrk.headers[{_lua(name)}] = {_lua(text)}" for name, text in work.fields)
    text = _SCRIPT.format(
        method=work.method,
        body=_lua(work.body.decode()) if work.body else "nil",
        fields="\n".join(fields),
    )
    if work.cookies:
        text += _TURNS.format(cookies=", ".join(map(_lua, work.cookies)))
    elif any("{n}" in value for _, value in work.fields):
        # From the clock, so that no later run repeats them either.
        text += _MARKED.format(first=time.time_ns() // 1000)
    elif work.depth > 1:
        text += _PIPELINED.format(depth=work.depth)
    return text


def _lua(text: str) -> str:
    # What JSON writes of the characters of a field or of JSON, Lua reads alike.
    return json.dumps(text)
