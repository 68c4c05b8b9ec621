"""Node: a script run with arguments, printing JSON."""

from __future__ import annotations

import json
from typing import Any

from tests.clients.process import output
from tests.needs import program


async def node(script: str, *arguments: str) -> Any:  # noqa: ANN401  # JSON is anything
    """What *script*, the body of an async function of *arguments*, returns."""
    whole = (
        'const http = require("node:http"); '
        f"(async (...given) => {{ {script} }})(...process.argv.slice(1))"
        ".then((value) => console.log(JSON.stringify(value)))"
    )
    return json.loads(await output(program("node"), "-e", whole, *arguments))


async def node_ws(script: str, *arguments: str) -> Any:  # noqa: ANN401  # as above
    """The same with ``WebSocket`` from ws, the package that wscat brings."""
    wscat = program("wscat").resolve().parent.parent
    places = [str(wscat.parent), str(wscat / "node_modules")]
    fetched = f'module.paths.push(...{places}); const WebSocket = require("ws");'
    return await node(fetched + script, *arguments)
