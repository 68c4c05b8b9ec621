"""Protocols: what can be tortured, by the names under which it is told."""

from __future__ import annotations

from dataclasses import dataclass

from tests.torture import oracle, scenes
from tests.torture.lines import PLAIN, Line
from tests.torture.oracle import Promises
from tests.torture.scenes import Scene
from trioweb.wire import connection


@dataclass(frozen=True)
class Spoken:
    """What is spoken, by which line, and what is promised then."""

    scenes: dict[str, Scene]
    promises: Promises
    line: Line = PLAIN


def _protocols() -> dict[str, Spoken]:
    found = {
        "HTTP/1.1": Spoken(scenes.SCENES, oracle.PROMISES),
        "HTTP/1.1, no lane": Spoken(scenes.SCENES, oracle.PROMISES, Line(lane=False)),
        "HTTP/1.1 over TLS": Spoken(
            scenes.SCENES, oracle.PROMISES, Line(agreed="http/1.1")
        ),
    }
    if "h2" not in connection.protocols():
        return found
    # Its library is an extra.
    from tests.torture import oracle_h2, scenes_h2  # noqa: PLC0415

    known = (scenes_h2.SCENES, oracle_h2.PROMISES)
    return found | {
        "HTTP/2": Spoken(*known),
        "HTTP/2, no lane": Spoken(*known, Line(lane=False)),
        "HTTP/2 over TLS": Spoken(*known, Line(agreed="h2")),
    }


PROTOCOLS = _protocols()
