"""Asking: whether a server that is to be measured answers a work as it should."""

from __future__ import annotations

import http.client
from collections.abc import Sequence

import trio

from benchmarks.material import Material
from benchmarks.serving import ANSWER, Answer, NotServing
from benchmarks.works import Generator, Work

_HTTP2 = frozenset({Generator.STREAMS, Generator.TRANSFERS})


async def ask(port: int, work: Work, material: Material | None = None) -> Answer:
    """The answer to *work* of the server at *port*, by the protocol it is for.

    TLS is by version 1.3, with a certificate of *material*.  NotServing if there is no
    answer, or not by that protocol.
    """
    if work.generator in _HTTP2:
        return await _by_http2(port, work, material)
    try:
        return await trio.to_thread.run_sync(_by_http1, port, work, material)
    except (OSError, http.client.HTTPException) as error:
        raise NotServing(f"no answer to {work.name}: {error!r}") from error


def _by_http1(port: int, work: Work, material: Material | None) -> Answer:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER)
    if material is not None and work.tls:
        line = http.client.HTTPSConnection(
            "127.0.0.1", port, timeout=ANSWER, context=material.trust
        )
    try:
        line.request(work.method, work.path, work.body or None, work.first())
        response = line.getresponse()
        return Answer(response.status, response.read())
    finally:
        line.close()


async def _by_http2(port: int, work: Work, material: Material | None) -> Answer:
    ran = await trio.run_process(
        _curl(port, work, material),
        stdin=work.body,
        capture_stdout=True,
        capture_stderr=True,
        check=False,
    )
    body, _, said = ran.stdout.rpartition(b"\n")
    if ran.returncode or not said.startswith(b"2 "):
        raise NotServing(f"no answer to {work.name}: {said!r} {ran.stderr.decode()}")
    return Answer(int(said.split()[1]), body)


def _curl(port: int, work: Work, material: Material | None) -> Sequence[str]:
    command = ["curl", "--silent", "--show-error", "--http2", "--tlsv1.3"]
    command += ["--max-time", str(ANSWER), "--write-out"]
    command.append("\n%{http_version} %{response_code}")
    if material is not None:
        command += ["--cacert", str(material.authority)]
    if work.body:
        command += ["--data-binary", "@-", "--header", "Expect:"]
    for name, text in work.first().items():
        command += ["--header", f"{name}: {text}"]
    return [*command, f"https://127.0.0.1:{port}{work.path}"]
