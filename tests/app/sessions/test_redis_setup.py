"""RedisStore before the first request: its address, its password, what it needs."""

from __future__ import annotations

import socket
import ssl
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.app.sessions.redis_store import KEY, LONG, SITE, opened
from tests.clients.redis import TLS, RedisServer, proxied
from trioweb.app.sessions.redis import RedisStore
from trioweb.app.sessions.store import StoreError
from trioweb.message.errors import SetupError


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost",
        "localhost:6379",
        "http://localhost",
        "redis://",
        "redis:///0",
        "redis://:secret@host:port",
        "redis://:secret@host:70000",
        "redis://:secret@host/one",
        "redis://:secret@host/-1",
        "redis://:secret@host/0/1",
        "redis://:secret@host?ssl_cert_reqs=none",
        "redis://:secret@host?db",
        "redis://:secret@host#0",
        "redis://:secret@[::1",
        "unix://",
    ],
)
def test_an_address_that_is_none_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(SetupError, match="give redis://host") as caught:
        RedisStore(url)
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("prefix", ["", "é", "x" * 65])
def test_a_prefix_is_short_and_plain(prefix: str) -> None:
    with pytest.raises(SetupError, match="give 1 to 64 ASCII"):
        RedisStore("redis://localhost", prefix=prefix)


async def test_a_password_that_is_wrong_ends_the_start_and_is_not_shown(
    own_redis: Callable[..., RedisServer], caplog: pytest.LogCaptureFixture
) -> None:
    server = own_redis("--requirepass", "right/@:password")
    place = f"{server.path}"
    for secret in ("", ":secret@", "ada:secret@"):
        store = RedisStore(f"unix://{secret}{place}")
        with pytest.raises(SetupError, match="Redis at") as caught:
            async with store.open(SITE, LONG):
                pass
        assert "secret" not in f"{caught.value!r} {caplog.text} {store!r}"
    async with opened(f"unix://:right%2F%40%3Apassword@{place}") as store:
        assert await store.load(KEY) is None


async def test_a_database_or_right_that_is_missing_ends_the_start(
    own_redis: Callable[..., RedisServer],
) -> None:
    server = own_redis()
    with pytest.raises(SetupError, match="out of range"):
        async with opened(f"{server.url}?db=99"):
            pass
    server.call("ACL", "SETUSER", "ada", "on", ">pw", "allkeys", "+hello", "+select")
    with pytest.raises(SetupError, match="permission"):
        async with opened(f"unix://ada:pw@{server.path}"):
            pass


async def test_a_store_serves_one_layer_while_it_is_open(
    redis_server: RedisServer,
) -> None:
    store = RedisStore(redis_server.url)
    with pytest.raises(SetupError, match="not open"):
        await store.load(KEY)
    async with store.open(SITE, LONG):
        with pytest.raises(SetupError, match="another sessions"):
            async with store.open(SITE, LONG):
                pass
    async with store.open(SITE, LONG):
        assert await store.load(KEY) is None


def test_without_coredis_the_line_that_installs_it_is_named() -> None:
    program = (
        "import sys; sys.modules['coredis'] = None\nimport trioweb.app.sessions.redis"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert 'pip install "trioweb[redis]"' in done.stderr.splitlines()[-1]


# ---------------------------------------------------------------------------------- TLS

# A certificate for localhost, signed by itself, good for a hundred years.
CERTIFICATE = TLS / "localhost.pem"


@pytest.fixture
def by_tls(own_redis: Callable[..., RedisServer]) -> str:
    """The address host:port of a server that speaks TLS alone over TCP."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    options = ["--bind", "127.0.0.1", "--tls-port", str(port)]
    options += ["--tls-cert-file", str(CERTIFICATE)]
    options += ["--tls-key-file", str(TLS / "localhost.key")]
    own_redis(*options, "--tls-auth-clients", "no")
    return f"localhost:{port}"


async def test_by_tls_a_server_whose_certificate_is_trusted_is_asked(
    by_tls: str,
) -> None:
    trusting = ssl.create_default_context(cafile=CERTIFICATE)
    store = RedisStore(f"rediss://{by_tls}", ssl_context=trusting)
    async with store.open(SITE, LONG):
        await store.create(KEY, {"a": b"1"}, None)
        record = await store.load(KEY)
    assert record is not None
    assert record.fields == {"a": b"1"}


@pytest.mark.parametrize("trusting", [False, True], ids=["unknown", "another name"])
async def test_by_tls_a_server_that_is_not_known_is_not_asked(
    by_tls: str, caplog: pytest.LogCaptureFixture, *, trusting: bool
) -> None:
    url = f"rediss://:secret@{by_tls}"
    context = None
    if trusting:
        context = ssl.create_default_context(cafile=CERTIFICATE)
        url = url.replace("localhost", "127.0.0.1")
    store = RedisStore(url, ssl_context=context)
    async with store.open(SITE, LONG):
        with pytest.raises(StoreError) as caught:
            await store.load(KEY)
    assert "certificate verify failed" in caught.value.reason
    assert "secret" not in caplog.text


async def test_a_server_without_tls_is_not_asked_by_tls(
    redis_server: RedisServer,
) -> None:
    async with proxied(redis_server) as proxy:
        url = proxy.url.replace("redis:", "rediss:")
        async with opened(url) as store:
            with pytest.raises(StoreError, match="503"):
                await store.load(KEY)


def test_a_context_for_an_address_without_tls_is_a_mistake() -> None:
    with pytest.raises(SetupError, match="rediss://"):
        RedisStore("redis://localhost", ssl_context=ssl.create_default_context())
