"""The command line: ``trioweb run TARGET``, ``trioweb routes TARGET``."""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from trioweb import __version__
from trioweb.app.app import App, Served
from trioweb.message.errors import SetupError
from trioweb.run.binds import parse_bind
from trioweb.run.cluster.main import supervise
from trioweb.run.cluster.signals import hold_back
from trioweb.run.config import MOST, Config, LogForm, Workers, configure
from trioweb.run.main import run
from trioweb.run.target import load, show_fault

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
        _refuse_unbuilt(parser, arguments)
    try:
        if arguments.command == "run" and arguments.workers is not None:
            return _serve(None, arguments)
        app = _load(arguments.target)
        if app is None:
            return 1
        if arguments.command == "run":
            return _serve(app, arguments)
        _show_routes(app, arguments.target)
    except SetupError as error:
        print(f"trioweb: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trioweb", description="Serve web applications on Trio."
    )
    parser.add_argument("--version", action="version", version=f"trioweb {__version__}")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="COMMAND", title="commands"
    )
    serving = commands.add_parser("run", help="serve an application until Ctrl-C")
    _add_run_options(serving)
    routes = commands.add_parser("routes", help="list an application's routes")
    for command in (serving, routes):
        command.add_argument("target", metavar="TARGET", help=_TARGET)
    return parser


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add(
        "--bind",
        action="append",
        type=_bind,
        metavar="PLACE",
        help="where to listen: HOST:PORT, PORT (localhost), :PORT (every interface), "
        "unix:PATH or fd:N; may be given again (default: localhost:8080)",
    )
    add(
        "--access-log",
        choices=get_args(LogForm),
        help="a line on standard error for each exchange (default: human)",
    )
    add(
        "--workers",
        type=_workers,
        metavar="N|auto",
        help="so many processes, kept alive and reloaded on SIGHUP; auto: one a core "
        "(default: this process serves by itself)",
    )
    add(
        "--grace",
        type=float,
        metavar="SECONDS",
        help="that exchanges at work may go on after a stop (default: 30)",
    )
    add("--certfile", metavar="FILE", help="certificates for HTTPS (not built yet)")
    add("--keyfile", metavar="FILE", help="their private key (not built yet)")
    add("--reload", action="store_true", help="restart on changes (not built yet)")
    add("--config", metavar="FILE", help="settings from a file (not built yet)")


def _bind(text: str) -> str:
    try:
        parse_bind(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _workers(text: str) -> Workers:
    try:
        return Config(workers="auto" if text == "auto" else int(text)).workers
    except (ValueError, SetupError) as error:
        msg = f"{text!r} is neither a number from 1 to {MOST} nor auto"
        raise argparse.ArgumentTypeError(msg) from error


def _refuse_unbuilt(
    parser: argparse.ArgumentParser, arguments: argparse.Namespace
) -> None:
    https = "no HTTPS yet; let a proxy in front speak it, and leave this out"
    for option, given, reason in (
        ("--certfile", arguments.certfile, https),
        ("--keyfile", arguments.keyfile, https),
        ("--reload", arguments.reload, "not built yet; start it again by hand"),
        ("--config", arguments.config, "not built yet; give the options here"),
    ):
        if given:
            parser.error(f"{option}: {reason}")


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


def _serve(app: Served | None, arguments: argparse.Namespace) -> int:
    """Serve *app*, or by workers what the arguments name; the exit code."""

    def announce(urls: list[str]) -> None:
        with suppress(OSError):  # a full disk keeps nobody from being served
            print(
                f"trioweb {__version__} is serving {arguments.target} on "
                f"{' and '.join(urls)} (Ctrl-C stops it)",
                file=sys.stderr,
            )

    config = configure(
        bind=arguments.bind,
        access_log=arguments.access_log,
        workers=arguments.workers,
        grace=arguments.grace,
    )
    if app is None:
        hold_back()  # one that comes when all is done must not change the exit code
        return supervise(arguments.target, config, announce)
    run(app, config=config, on_listen=announce)
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
