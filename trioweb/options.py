"""The options of ``trioweb run``, and the settings that they stand for."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from trioweb.message.errors import SetupError
from trioweb.run.config import Config
from trioweb.run.settings import KINDS, Setting, from_text, is_list, nearest, settle
from trioweb.run.tls.config import Pair

# Those that people give often, with what stands for a value; `--set` has the others.
_COMMON = {
    "bind": "PLACE",
    "workers": "N|auto",
    "name": "NAME",
    "user": "NAME[:GROUP]",
    "access_log": "FORM",
    "grace": "SECONDS",
    "drain_delay": "SECONDS",
    "admin": "PLACE",
    "tls.cert": "FILE",
    "tls.key": "FILE",
    "tls.names": "NAME=CERT:KEY",
    "tls.client": "HOW",
    "tls.client_ca": "FILE",
    "tls.redirect": "PLACE",
    "trusted_proxies": "PROXY",
    "proxy_headers": "KIND",
    "recycling.requests": "N",
    "recycling.age": "SECONDS",
    "recycling.memory": "BYTES",
}

# What every other server calls these.
_OPTIONS = {"tls.cert": "--certfile", "tls.key": "--keyfile"}

_HELP = {
    "bind": "where to listen: HOST:PORT, PORT (localhost), :PORT (every interface), "
    "unix:PATH or fd:N; may be given again (default: localhost:8080)",
    "workers": "so many processes, kept alive and reloaded on SIGHUP; auto: one a core "
    "(default: this process serves by itself)",
    "name": "of a server with workers, for trioweb ctl (default: after TARGET)",
    "user": "who the workers become, if root starts them, before they load TARGET",
    "access_log": "human, json or off: a line on standard error for each exchange "
    "(default: human)",
    "grace": "that exchanges at work may go on after a stop (default: 30)",
    "drain_delay": "between a stop and its beginning, while /readyz says 503 "
    "(default: 0)",
    "admin": "where /metrics, /healthz and /readyz are answered, as 127.0.0.1:9100 "
    "(default: nowhere)",
    "tls.cert": "the certificate for HTTPS, and those that lead to its root, in PEM "
    "form (default: plain HTTP)",
    "tls.key": "its private key (default: in the same file)",
    "tls.names": "another certificate, for a name as shop.example or *.shop.example; "
    "may be given again",
    "tls.client": "request or require: whether peers may, or must, show certificates",
    "tls.client_ca": "who vouches for those",
    "tls.redirect": "where plain HTTP is sent on to HTTPS, as :80; may be given again",
    "trusted_proxies": "who may say for whom it speaks: an address, a network "
    "(10.0.0.0/8) or unix; may be given again (default: nobody)",
    "proxy_headers": "x-forwarded or forwarded: the fields that those write "
    "(default: x-forwarded)",
    "recycling.requests": "replace a worker that has answered so many",
    "recycling.age": "replace a worker that is so old",
    "recycling.memory": "replace a worker that holds so many",
}


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Let *parser* understand everything that may be said to ``trioweb run``."""
    add = parser.add_argument
    for name, metavar in _COMMON.items():
        add(
            option(name),
            dest=name,
            default=argparse.SUPPRESS,  # None is a value: no workers
            action="append" if is_list(name) else "store",
            type=_reader(name),
            metavar=metavar,
            help=_HELP[name],
        )
    add(
        "--set",
        action="append",
        default=[],
        type=_assignment,
        metavar="NAME=VALUE",
        help="any other setting, as limits.head_time=5; may be given again",
    )
    add(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings from a file (default: trioweb.toml, or [tool.trioweb] in "
        "pyproject.toml, in the working directory)",
    )
    add("--show-config", action="store_true", help="show all settings, and where from")
    add("--json", action="store_true", help="show them as JSON")
    add(
        "--dev-tls",
        action="store_true",
        help="HTTPS with a certificate that is made now and thrown away at the end",
    )
    add(
        "--reload",
        action="store_true",
        help="reload when the source changes; with one worker, unless there are more",
    )
    add(
        "--reload-include",
        action="append",
        default=[],
        metavar="PATTERN",
        help="files that count besides *.py, as '*.html'; may be given again",
    )


def option(name: str) -> str:
    """The option of a common setting.

    >>> option("recycling.age")
    '--recycling-age'
    """
    return _OPTIONS.get(name) or f"--{name.replace('.', '-').replace('_', '-')}"


def settings_of(arguments: argparse.Namespace) -> list[Setting]:
    """What the command line says, in the order in which it counts."""
    settings: list[Setting] = []
    for name in _COMMON:
        if hasattr(arguments, name):
            value = getattr(arguments, name)
            if is_list(name):
                value = tuple(part for each in value for part in each)
            settings.append(Setting(name, value, option(name)))
    assigned: list[Setting] = arguments.set
    return settings + _thrown_away(arguments) + assigned


def _thrown_away(arguments: argparse.Namespace) -> list[Setting]:
    """The certificate that was made for this run, if one was asked for."""
    made: Pair | None = getattr(arguments, "throwaway", None)
    if made is None:
        return []
    # Browsers must not remember for a year that localhost is to be had by https.
    values = {"tls.cert": made.cert, "tls.key": made.key, "tls.hsts": 0}
    return [Setting(name, value, "--dev-tls") for name, value in values.items()]


def refuse_odd(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """End the program (SystemExit 2) where options do not go together."""
    if arguments.dev_tls and hasattr(arguments, "tls.cert"):
        parser.error("--dev-tls makes a certificate, and --certfile names one")
    if arguments.reload_include and not arguments.reload:
        parser.error("--reload-include goes with --reload")
    if arguments.json and not arguments.show_config:
        parser.error("--json goes with --show-config")


def _reader(name: str) -> Callable[[str], object]:
    """What reads, and checks, the value of a setting."""

    def read(text: str) -> object:
        try:
            value = from_text(name, text)
            settle(Config(), [Setting(name, value, "")])
        except (ValueError, SetupError) as error:
            message = str(error).removeprefix(": ")
            raise argparse.ArgumentTypeError(message) from error
        return value

    return read


def _assignment(text: str) -> Setting:
    name, equals, value = text.partition("=")
    if not equals:
        msg = f"{text!r} is no assignment; write NAME=VALUE, as limits.head_time=5"
        raise argparse.ArgumentTypeError(msg)
    if name not in KINDS:
        msg = f"{name} is no setting; {nearest(name, KINDS)}"
        raise argparse.ArgumentTypeError(msg)
    return Setting(name, _reader(name)(value), f"--set {name}")
