"""The command line: ``trioweb run``, ``trioweb routes`` and ``trioweb ctl``."""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from trioweb import __version__
from trioweb.app.app import App, Served
from trioweb.ctl import add_ctl, control
from trioweb.message.errors import SetupError
from trioweb.options import add_run_options, refuse_odd, settings_of
from trioweb.run.cluster.main import supervise
from trioweb.run.cluster.signals import hold_back
from trioweb.run.config import Config
from trioweb.run.main import run_here
from trioweb.run.reload import source_of
from trioweb.run.settings import Settled, settle
from trioweb.run.shown import as_json, as_toml
from trioweb.run.sources import surroundings
from trioweb.run.systemd import activated
from trioweb.run.target import load, show_fault
from trioweb.run.tls.throwaway import throwaway

if TYPE_CHECKING:
    from collections.abc import Sequence


_TARGET = "FILE.py, FILE.py:NAME, MODULE or MODULE:NAME; NAME is app, else handler"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command *argv*, by default this program's; its exit code.

    0: done, or stopped by a signal.  1: it could not start, as one line on standard
    error says.  3: no worker became ready.  SystemExit 2: the command was not
    understood.
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command == "run":
        refuse_odd(parser, arguments)
    try:
        return _COMMANDS[arguments.command](arguments)
    except SetupError as error:
        print(f"trioweb: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trioweb", description="Serve web applications on Trio."
    )
    parser.add_argument("--version", action="version", version=f"trioweb {__version__}")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", title="commands"
    )
    serving = commands.add_parser("run", help="serve an application until Ctrl-C")
    add_run_options(serving)
    routes = commands.add_parser("routes", help="list an application's routes")
    add_ctl(commands.add_parser("ctl", help="look at a server, and tell it what to do"))
    for command in (serving, routes):
        command.add_argument("target", metavar="TARGET", help=_TARGET)
    return parser


def _load(target: str) -> Served | None:
    """What *target* names; None when its own code has failed, as has then been told."""
    try:
        return load(target)
    except SetupError:
        raise
    except Exception as error:  # noqa: BLE001  # the user's code, whatever it raises
        show_fault(error)
        print(f"trioweb: {target} could not be loaded", file=sys.stderr)
        return None


def _run(arguments: argparse.Namespace) -> int:
    """Serve what the arguments name, by workers or by this process."""
    with ExitStack() as thrown_away:
        if arguments.dev_tls and not arguments.show_config:
            arguments.throwaway = thrown_away.enter_context(throwaway())
        return _serve(arguments)


def _serve(arguments: argparse.Namespace) -> int:
    settled = _settled(arguments)
    if arguments.show_config:
        print(as_json(settled) if arguments.json else as_toml(settled))
        return 0

    config = activated(settled)

    def announce(urls: list[str]) -> None:
        with suppress(OSError):  # a full disk keeps nobody from being served
            print(
                f"trioweb {__version__} is serving {arguments.target} on "
                f"{' and '.join(urls)} (Ctrl-C stops it)",
                file=sys.stderr,
            )

    source = None
    if arguments.reload:
        source = source_of(arguments.target, arguments.reload_include)
        if config.workers is None:
            raise SetupError('--reload needs a worker; leave out `workers = "none"`')
    if config.workers is not None:
        hold_back()  # one that comes when all is done must not change the exit code
        return supervise(
            arguments.target,
            config,
            announce,
            reread=lambda: _settled(arguments).config,
            source=source,
        )
    app = _load(arguments.target)
    if app is None:
        return 1
    run_here(app, config, announce)
    return 0


def _settled(arguments: argparse.Namespace) -> Settled:
    given = [*surroundings(file=arguments.config), *settings_of(arguments)]
    # The reloader is the supervisor, which is there only beside workers.
    default = Config(workers=1) if arguments.reload else Config()
    return settle(default, given)


def _routes(arguments: argparse.Namespace) -> int:
    app = _load(arguments.target)
    if app is None:
        return 1
    _show_routes(app, arguments.target)
    return 0


def _show_routes(app: Served, target: str) -> None:
    if not isinstance(app, App):
        print(f"{target} is one handler, which answers every method and path.")
        return
    rows = [("METHODS", "PATTERN", "NAME", "HANDLER", "WHERE")]
    for route in app.routes:
        methods = " ".join(route.methods) or "*"
        name = route.name or "-"
        rows.append((methods, route.pattern, name, route.handler, _near(route.where)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    # In one piece, which the system takes whole even where `head` reads a line of it.
    print("\n".join(line.rstrip() for line in lines))


def _near(where: str) -> str:
    """The place *where*, as seen from the working directory if it lies below."""
    path = Path(where)
    return (
        str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else where
    )


_COMMANDS = {"run": _run, "routes": _routes, "ctl": control}
