"""``python -m benchmarks.told APP``: a server that is told what it may use.

``--memory`` bytes are said to be the limit of a control group, in which there is this
process alone.  Nobody enforces it here: that is for whoever started the server.
``--connections`` is how many it may have.
"""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from trioweb.run import pressure
from trioweb.run.config import Config
from trioweb.run.main import run
from trioweb.run.target import load
from trioweb.wire.limits import Limits

_STATM = Path("/proc/self/statm")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Alone(pressure.Group):
    """A group that there is not: what it uses is what this process has resident."""

    limit: int = 0

    def look(self) -> pressure.Memory:
        """The memory of this process now."""
        return pressure.Memory(int(_STATM.read_text().split()[1]) * _PAGE, self.limit)


def main() -> None:
    """Serve, until a signal says that it is enough."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.told")
    parser.add_argument("app")
    parser.add_argument("--memory", type=int, default=0)
    parser.add_argument("--connections", type=int, default=Limits().connections)
    options = parser.parse_args()
    if options.memory:
        group = Alone(Path("/"), pressure.V2, options.memory)
        pressure.limited = lambda *_: [group]
    limits = Limits(connections=options.connections)
    run(
        load(options.app),
        bind="127.0.0.1:0",
        access_log="off",
        config=Config(limits=limits),
    )


if __name__ == "__main__":
    main()
