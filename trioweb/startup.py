"""``trioweb ctl startup``: a unit of systemd, for a target or a server that runs."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from urllib.parse import urlsplit

from trioweb.options import add_run_options, settings_of
from trioweb.run.binds import Tcp, parse_bind
from trioweb.run.config import Config
from trioweb.run.control.caller import ControlError
from trioweb.run.control.place import name_for
from trioweb.run.control.protocol import Listing
from trioweb.run.control.unit import Service, unit
from trioweb.run.settings import settle
from trioweb.run.sources import surroundings

# Ports below it are for root, or who has the capability.
_UNPRIVILEGED = 1024


def add_startup(parser: argparse.ArgumentParser) -> None:
    """Let *parser* understand what may be said to it."""
    parser.description = (
        "Print a unit for systemd that runs TARGET with these options; without TARGET, "
        "one that does what a running server does."
    )
    parser.add_argument("--user", help="that it is to run as (default: this one)")
    parser.add_argument(
        "target",
        nargs=argparse.REMAINDER,
        metavar="TARGET [OPTION ...]",
        help="as for trioweb run",
    )


def startup(arguments: argparse.Namespace, running: Listing | None) -> str:
    """The unit; *running* is a server to start in the same way, if no target is given.

    ControlError where it would run as root.
    """
    user = arguments.user or getpass.getuser()
    if user in {"root", "0"}:
        msg = "a server must not run as root; say as whom: ctl startup --user NAME ..."
        raise ControlError(msg)
    service = _again(running, user) if running is not None else _new(arguments, user)
    return unit(service)


def _again(running: Listing, user: str) -> Service:
    ports = [urlsplit(url).port for url in running.urls if url.startswith("http://")]
    return Service(
        name=running.name,
        command=running.command,
        directory=running.directory,
        user=user,
        stop=running.patience,
        low_port=any(port is not None and port < _UNPRIVILEGED for port in ports),
    )


def _new(arguments: argparse.Namespace, user: str) -> Service:
    parser = argparse.ArgumentParser(prog="trioweb ctl startup", add_help=False)
    add_run_options(parser)
    parser.add_argument("target", metavar="TARGET")
    given = parser.parse_args(arguments.target)
    known = [*surroundings(file=given.config), *settings_of(given)]
    config = settle(Config(), known).config
    command = [sys.executable, "-m", "trioweb", "run", *arguments.target]
    if config.workers is None:
        # Somebody has to take the reload, and to answer `trioweb ctl`.
        command += ["--workers", "1"]
    if arguments.name is not None and config.name is None:
        command += ["--name", arguments.name]
    binds = [parse_bind(each) for each in config.bind]
    return Service(
        name=arguments.name or config.name or name_for(given.target),
        command=command,
        directory=str(Path.cwd()),
        user=user,
        stop=config.drain_delay + config.grace + config.cleanup,
        low_port=any(
            isinstance(each, Tcp) and 0 < each.port < _UNPRIVILEGED for each in binds
        ),
    )
