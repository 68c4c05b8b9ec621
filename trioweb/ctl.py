"""``trioweb ctl``: asks a server with workers, and tells it what to do."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from trioweb.run.control import monit
from trioweb.run.control.branches import drawn
from trioweb.run.control.caller import ControlError, ask, listed
from trioweb.run.control.place import Server, servers
from trioweb.run.control.protocol import (
    LINES,
    Done,
    Grown,
    Listing,
    Logs,
    Missed,
    Reload,
    Reply,
    Requests,
    Restart,
    Said,
    Scale,
    Stop,
    Tree,
)
from trioweb.run.control.table import table
from trioweb.startup import add_startup, startup

_NONE = (
    "no server with workers runs here as this user; "
    "start one: trioweb run TARGET --workers 1"
)

# The colours that a server gives its lines where it stands in a terminal.
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")

Arguments = argparse.Namespace


def add_ctl(parser: argparse.ArgumentParser) -> None:
    """Let *parser* understand what may be said to ``trioweb ctl``."""
    parser.set_defaults(name=None, json=False)
    add = parser.add_subparsers(
        dest="ctl", required=True, metavar="COMMAND", title="commands"
    ).add_parser
    add("list", help="show the workers of every server")
    add("monit", help="the same, live; q ends it")
    logs = add("logs", help="show the last lines of the log")
    logs.add_argument(
        "-f", "--follow", action="store_true", help="and each as it comes"
    )
    logs.add_argument(
        "--lines", type=_count, default=LINES, metavar="N", help="so many (at most 100)"
    )
    add("reload", help="replace the workers one by one, with the code of now")
    scale = add("scale", help="have another number of workers")
    scale.add_argument("size", type=_count, metavar="N")
    restart = add("restart", help="replace one worker, or all as reload does")
    add("stop", help="stop gracefully; said again, at once")
    tree = add("tree", help="show what each worker is doing, or one")
    for command in (restart, tree):
        command.add_argument("worker", type=_count, nargs="?", metavar="WORKER")
    add_startup(add("startup", help="print a unit for systemd"))
    # Before the command or after it, as it comes to mind.
    for command in (parser, *_commands(parser)):
        command.add_argument(
            "--name",
            default=argparse.SUPPRESS,
            help="of the server; needed where several run",
        )
        command.add_argument(
            "--json",
            action="store_true",
            default=argparse.SUPPRESS,
            help="print JSON, for programs",
        )


def _commands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in parser._actions:  # noqa: SLF001  # argparse has no other way to ask
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            yield from action.choices.values()


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        msg = f"{text!r} is not a whole number"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def control(arguments: Arguments) -> int:
    """Do what the command says; the exit code.

    0: done.  1: it was refused or has failed, as one line on standard error says.  2:
    several servers run, and it was not said which is meant.  130: Ctrl-C, before it was
    known to be done.
    """
    try:
        return _COMMANDS[arguments.ctl](arguments)
    except ControlError as error:
        if arguments.json:
            _print_json({"done": False, "reason": str(error)})
        print(f"trioweb: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Who reads has had enough.  What the interpreter would still write, goes away.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


# ---------------------------------------------------------------- which server is meant


class _Ambiguous(Exception):
    """Several servers run, and it was not said which is meant."""


def _chosen(name: str | None) -> Server:
    """The server that is meant; ControlError where there is none."""
    found = servers()
    if name is not None:
        for each in found:
            if each.name == name:
                return each
        others = f"; there is {', '.join(each.name for each in found)}" if found else ""
        msg = f"no server called {name} runs here as this user{others}"
        raise ControlError(msg)
    if not found:
        raise ControlError(_NONE)
    if len(found) > 1:
        raise _Ambiguous
    return found[0]


def _seen(name: str | None) -> list[Listing]:
    """What there is of every server, or of one."""
    chosen = servers() if name is None else [_chosen(name)]
    return [listing for each in chosen if (listing := listed(each)) is not None]


def _with_server(
    command: Callable[[Arguments, Server], int], arguments: Arguments
) -> int:
    try:
        server = _chosen(arguments.name)
    except _Ambiguous:
        print("trioweb: several servers run; say which with --name:", file=sys.stderr)
        print(table(_seen(None), colour=False), file=sys.stderr)
        return 2
    return command(arguments, server)


# ------------------------------------------------------------------------- the commands


def _list(arguments: Arguments) -> int:
    listings = _seen(arguments.name)
    if arguments.json:
        _print_json([_plain(each) for each in listings])
    elif listings:
        print(table(listings, colour=_coloured()))
    else:
        print(f"trioweb: {_NONE}", file=sys.stderr)
    return 0


def _monit(arguments: Arguments) -> int:
    def look() -> list[Listing]:
        try:
            return _seen(arguments.name)
        except ControlError:  # it has ended, and may come back
            return []

    if arguments.name is not None:
        _chosen(arguments.name)
    try:
        if arguments.json:
            monit.repeat(lambda: _print_json([_plain(each) for each in look()]))
        else:
            monit.watch(look, colour=_coloured())
    except KeyboardInterrupt:
        pass
    return 0


def _logs(arguments: Arguments, server: Server) -> int:
    request = Logs(arguments.lines, arguments.follow)
    try:
        for reply in ask(server, request):
            if isinstance(reply, Said | Missed):
                _print_line(reply, as_json=arguments.json)
    except KeyboardInterrupt:
        if not arguments.follow:
            raise
    return 0


def _print_line(reply: Said | Missed, *, as_json: bool) -> None:
    if as_json:
        _print_json(_plain(reply))
    elif isinstance(reply, Missed):
        print(f"... {reply.lines} lines are missing here", flush=True)
    else:
        who = "-" if reply.worker is None else str(reply.worker)
        line = reply.line if _coloured() else _COLOUR.sub("", reply.line)
        print(f"{who} | {line}", flush=True)


def _tree(arguments: Arguments, server: Server) -> int:
    replies = ask(server, Tree(arguments.worker))
    grown = [each for each in replies if isinstance(each, Grown)]
    if arguments.json:
        _print_json([_plain(each) for each in grown])
    else:
        print("\n\n".join(map(drawn, grown)))
    return 0


def _change(
    asked: Callable[[Arguments], Requests], arguments: Arguments, server: Server
) -> int:
    for reply in ask(server, asked(arguments)):
        if isinstance(reply, Done) and arguments.json:
            _print_json({"done": True, "text": reply.text})
        elif isinstance(reply, Done):
            print(f"{server.name}: {reply.text}")
    return 0


def _restarted(arguments: Arguments) -> Requests:
    return Reload() if arguments.worker is None else Restart(arguments.worker)


def _startup(arguments: Arguments) -> int:
    if arguments.target:
        print(startup(arguments, None), end="")
        return 0

    def again(arguments: Arguments, server: Server) -> int:
        print(startup(arguments, listed(server)), end="")
        return 0

    return _with_server(again, arguments)


_COMMANDS: dict[str, Callable[[Arguments], int]] = {
    "list": _list,
    "monit": _monit,
    "logs": partial(_with_server, _logs),
    "tree": partial(_with_server, _tree),
    "reload": partial(_with_server, partial(_change, lambda _: Reload())),
    "restart": partial(_with_server, partial(_change, _restarted)),
    "scale": partial(_with_server, partial(_change, lambda each: Scale(each.size))),
    "stop": partial(_with_server, partial(_change, lambda _: Stop())),
    "startup": _startup,
}


# ------------------------------------------------------------------------- how it looks


def _plain(reply: Reply) -> object:
    """A reply as JSON shows it: without the name of its class."""
    fields = msgspec.to_builtins(reply)
    return {name: value for name, value in fields.items() if name != "type"}


def _print_json(value: object) -> None:
    print(msgspec.json.encode(value).decode(), flush=True)


def _coloured() -> bool:
    return (
        sys.stdout.isatty()
        and os.environ.get("TERM", "dumb") != "dumb"
        and not os.environ.get("NO_COLOR")
    )
