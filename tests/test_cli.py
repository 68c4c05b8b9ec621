"""The command line, as a program: what it says, where, and with which exit code."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.clients.command import APP, PATIENCE, announced, get, serving, trioweb
from trioweb import __version__


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a program in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.py").write_text(APP, encoding="utf-8")
    return tmp_path


# ---------------------------------------------------------------------- trioweb run


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_a_signal_and_ends_well(stop: signal.Signals) -> None:
    with serving("shop.py", "--bind", "localhost:0") as server:
        line, port, *_ = announced(server)
        assert line == (
            f"trioweb {__version__} is serving shop.py on http://127.0.0.1:{port} "
            f"and http://[::1]:{port} (Ctrl-C stops it)\n"
        )
        assert get(port, "/users/7") == (200, b'{"id":7}')
        server.send_signal(stop)
        assert server.wait(PATIENCE) == 0
        assert server.stderr is not None
        log = server.stderr.read()
    assert re.fullmatch(
        r"\S+Z GET /users/7 200 \d+ B [\d.]+ ms 127\.0\.0\.1:\d+\n", log
    )


def test_a_handler_alone_is_a_whole_program() -> None:
    with serving("shop:handler", "--bind=127.0.0.1:0", "--access-log=json") as server:
        _, port = announced(server)
        assert get(port, "/any/path?token=c0ffee") == (200, b"hello")
        server.terminate()
        assert server.wait(PATIENCE) == 0
        assert server.stderr is not None
        assert json.loads(server.stderr.read())["target"] == "/any/path?token=*"


def test_it_listens_at_every_bind_and_can_be_silent(here: Path) -> None:
    path = here / "app.sock"
    inherited = socket.create_server(("127.0.0.1", 0))
    with inherited:
        fd = inherited.fileno()
        options = ["--bind", f"unix:{path}", "--bind", f"fd:{fd}", "--access-log=off"]
        with serving("shop.py", *options, pass_fds=[fd]) as server:
            line, port = announced(server)
            assert "http+unix://%2F" in line
            assert get(port, "/users/1")[0] == 200
            server.terminate()
            assert server.wait(PATIENCE) == 0
            assert server.stderr is not None
            assert server.stderr.read() == ""
    assert not path.exists()


def test_a_port_in_use_is_one_line_and_exit_code_1() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = trioweb("run", "shop.py", "--bind", f"127.0.0.1:{port}")
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == (
        f"trioweb: port {port} on 127.0.0.1 is in use; "
        "stop the other program or choose another port with --bind\n"
    )


def test_a_target_that_is_not_there_is_one_line_and_exit_code_1() -> None:
    ended = trioweb("run", "shpo.py")
    assert ended.returncode == 1
    expected = "trioweb: shpo.py is not there; did you mean shop.py?\n"
    assert ended.stderr == expected


def test_a_fault_in_the_routes_is_one_line_with_its_place(here: Path) -> None:
    (here / "twice.py").write_text(
        "from trioweb import App\n"
        "app = App()\n"
        "@app.get('/')\n"
        "async def one(request): ...\n"
        "@app.get('/')\n"
        "async def two(request): ...\n",
        encoding="utf-8",
    )
    ended = trioweb("run", "twice.py", "--bind=localhost:0")
    assert ended.returncode == 1
    assert ended.stderr.startswith("trioweb: ")
    assert "twice.py:3" in ended.stderr
    assert "twice.py:5" in ended.stderr
    assert ended.stderr.count("\n") == 1


BROKEN = [
    ("an exception", "def f():\n    1 / 0\n\nf()\n", "ZeroDivisionError"),
    ("a missing module", "import no_such_module_t\n", "ModuleNotFoundError"),
    ("bad syntax", "def f(:\n", "SyntaxError"),
]


@pytest.mark.parametrize(
    ("text", "error"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
@pytest.mark.parametrize("target", ["broken.py", "broken"])
def test_a_file_that_fails_shows_its_own_traceback_and_nothing_of_ours(
    here: Path, target: str, text: str, error: str
) -> None:
    (here / "broken.py").write_text(text, encoding="utf-8")
    ended = trioweb("run", target)
    assert ended.returncode == 1
    assert f"\n{error}: " in ended.stderr
    assert f'{here / "broken.py"}", line' in ended.stderr
    files = set(re.findall(r'File "([^"]+)"', ended.stderr))
    assert files == {str(here / "broken.py")}
    assert ended.stderr.endswith(f"trioweb: {target} could not be loaded\n")


MISUSED = [
    ([], "required: COMMAND"),
    (["serve"], "invalid choice: 'serve'"),
    (["run"], "required: TARGET"),
    (["run", "shop.py", "--bind", "http://x"], "'http://x' is no place to listen"),
    (["run", "shop.py", "--access-log", "xml"], "--access-log: 'xml' is not"),
    (["run", "shop.py", "--workers", "0"], "--workers: workers is 0; give a number"),
    (["run", "shop.py", "--workers", "many"], "--workers: 'many' is not a whole"),
    (["run", "shop.py", "--grace", "soon"], "--grace: 'soon' is not a number"),
    (["run", "shop.py", "--set", "grace"], "'grace' is no assignment; write NAME="),
    (["run", "shop.py", "--set", "head_time=1"], "did you mean limits.head_time?"),
    (["run", "shop.py", "--set", "limits.rate=0"], "rate is 0; give a number above 0"),
    (["run", "shop.py", "--json"], "--json goes with --show-config"),
    (["run", "shop.py", "--dev-tls", "--certfile", "a.pem"], "--certfile names one"),
    (["run", "shop.py", "--tls-client", "maybe"], '"request", "require" or "none"'),
    (["run", "shop.py", "--tls-names", "shop.pem"], "write shop.example=shop.pem"),
    (["run", "shop.py", "--reload-include", "*"], "goes with --reload"),
]


@pytest.mark.parametrize(
    ("arguments", "message"), MISUSED, ids=[" ".join(m[0]) or "none" for m in MISUSED]
)
def test_a_command_that_is_not_understood_is_exit_code_2(
    arguments: list[str], message: str
) -> None:
    ended = trioweb(*arguments)
    assert ended.returncode == 2
    assert message in ended.stderr


def test_one_worker_is_looked_after_by_the_command() -> None:
    with serving("shop.py", "--workers=1", "--bind=localhost:0") as server:
        line, port, *_ = announced(server)
        assert "is serving shop.py" in line
        assert get(port, "/users/7") == (200, b'{"id":7}')
        server.terminate()
        assert server.wait(PATIENCE) == 0


# ------------------------------------------------------------ the rest of the command


def test_routes_are_listed_with_who_answers_and_where_that_is_said() -> None:
    ended = trioweb("routes", "shop.py")
    assert ended.returncode == 0
    assert [line.split() for line in ended.stdout.splitlines()] == [
        ["METHODS", "PATTERN", "NAME", "HANDLER", "WHERE"],
        ["GET", "/users/{id:int}", "user", "shop.user", "shop.py:6"],
        ["POST", "/users", "-", "shop.create", "shop.py:11"],
    ]


def test_the_routes_of_one_handler_are_all_there_are() -> None:
    ended = trioweb("routes", "shop.py:handler")
    assert ended.stdout == (
        "shop.py:handler is one handler, which answers every method and path.\n"
    )


def test_what_is_mounted_elsewhere_is_listed_with_its_full_place(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mall = "from shop import App, handler\napp = App()\napp.mount('/shop', handler)\n"
    (here / "mall.py").write_text(mall, encoding="utf-8")
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    row = trioweb("routes", f"{here}/mall.py").stdout.splitlines()[1].split()
    assert row == ["*", "/shop/*", "-", "shop.handler", f"{here}/mall.py:3"]


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-m", "trioweb"],
        [str(Path(sysconfig.get_path("scripts")) / "trioweb")],
    ],
    ids=["python -m trioweb", "trioweb"],
)
def test_the_version_is_told_by_both_names_of_the_command(command: list[str]) -> None:
    if not Path(command[0]).exists():
        pytest.skip("trioweb is not installed here")
    told = subprocess.run(
        [*command, "--version"],
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert told.stdout == f"trioweb {__version__}\n"


def test_help_tells_every_option() -> None:
    told = trioweb("run", "--help").stdout
    for option in ("--bind", "--workers", "--grace", "--config", "TARGET"):
        assert option in told
