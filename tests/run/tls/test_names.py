"""Names: which certificate a peer is shown, and what is wrong with files."""

from __future__ import annotations

import re
import ssl
import stat
from pathlib import Path

import pytest
import trio

from tests.run.tls.meeting import SERVER, hello, met, pem, place, trusting
from tests.wire.talking import logged
from trioweb import Request, Response, SetupError
from trioweb.message.transport import Certificate
from trioweb.run.tls.certificates import opened, warn_of_keys
from trioweb.run.tls.config import TLS, TLSError
from trioweb.run.tls.contexts import (
    CIPHERS,
    build,
    check_python,
    find,
    refuses_early_bytes,
)
from trioweb.run.tls.files import from_here
from trioweb.run.tls.greeting import Greeting
from trioweb.run.tls.hello import first_message

MANY = TLS(
    pem("server.pem"),
    pem("server.key"),
    names=(
        f"shop.example={pem('shop.pem')}:{pem('shop.key')}",
        f"*.shop.example={pem('both.pem')}",
    ),
)
STRICT = TLS(names=MANY.names)


async def handler(request: Request) -> Response:
    return Response(200, body=b"here")


def begun(tls: TLS) -> ssl.SSLObject:
    """Our end of a handshake that has begun."""
    sent = hello()
    greeting = Greeting(sent, first_message(sent) or b"", "shop.example")
    return build(tls).wrap(greeting, ssl.MemoryBIO(), ssl.MemoryBIO())


async def shown(tls: TLS, name: str | None) -> str:
    """Whose certificate a peer is shown that asks for *name*."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(pem("ca.pem"))
    context.check_hostname = False
    async with place(handler, tls) as found:
        peer = trio.SSLStream(await found.bare(), context, server_hostname=name)
        try:
            await peer.do_handshake()
        except trio.BrokenResourceError as error:
            return str(getattr(error.__cause__, "reason", None))
        finally:
            await trio.aclose_forcefully(peer)
        told = peer.getpeercert()
        return str(told["subject"][0][0][1])


ASKED = [
    ("T4 exactly", MANY, "shop.example", "shop"),
    ("T4 whatever its case", MANY, "SHOP.Example", "shop"),
    ("T4 one label below", MANY, "eu.shop.example", "below"),
    ("T4 two labels below", MANY, "a.eu.shop.example", "server"),
    ("T4 a name that only ends alike", MANY, "myshop.example", "server"),
    ("T4 another", MANY, "else.example", "server"),
    ("T4 none", MANY, None, "server"),
    ("T4 strictly, one it has", STRICT, "shop.example", "shop"),
    ("T4 strictly, another", STRICT, "else.example", "TLSV1_UNRECOGNIZED_NAME"),
    ("T4 strictly, none", STRICT, None, "TLSV1_UNRECOGNIZED_NAME"),
]


@pytest.mark.parametrize(
    ("tls", "name", "whose"), [e[1:] for e in ASKED], ids=[e[0] for e in ASKED]
)
async def test_a_certificate_is_chosen_by_the_name_asked_for(
    tls: TLS, name: str | None, whose: str
) -> None:
    assert await shown(tls, name) == whose


def test_t4_names_are_found_with_and_without_a_last_dot() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    assert find({"a.example": context}, "A.Example.") is context
    assert find({"*.example": context}, "a.example") is context
    assert find({"*.example": context}, "example") is None


@pytest.mark.parametrize("tls", [SERVER, MANY, STRICT])
def test_t4_python_is_never_asked_for_a_name(tls: TLS) -> None:
    """It would decode it, also that of a second first message, and print why not."""
    assert begun(tls).context.sni_callback is None


def test_t1_only_forward_secrecy_and_authenticated_encryption_is_spoken() -> None:
    context = begun(SERVER).context
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    spoken = {each["name"] for each in context.get_ciphers()}
    assert spoken == set(CIPHERS.split(":")) | {
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
    }
    for option in (
        ssl.OP_NO_COMPRESSION,
        ssl.OP_NO_RENEGOTIATION,
        ssl.OP_CIPHER_SERVER_PREFERENCE,
    ):
        assert context.options & option


async def test_t1_the_oldest_version_can_be_raised() -> None:
    tls = TLS(pem("server.pem"), pem("server.key"), minimum="1.3")
    async with place(handler, tls) as found:
        context = trusting()
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises(trio.BrokenResourceError):
            await found.connect(context)
        async with await found.connect() as peer:
            assert peer.version() == "TLSv1.3"


def test_t10_a_python_with_an_unsound_ssl_is_refused() -> None:
    check_python()
    check_python((3, 12, 0))
    check_python((3, 11, 2), lambda: True)
    with pytest.raises(TLSError, match="CVE-2023-40217"):
        check_python((3, 11, 4), lambda: False)


def test_t10_bytes_before_the_handshake_are_refused_and_that_can_be_told() -> None:
    assert refuses_early_bytes()
    # One whose peer is still there is given the benefit of the doubt: an alert follows.
    assert not refuses_early_bytes(ssl.SSLSocket)


# ------------------------------------------------------------- client certificates


async def introduced(tls: TLS, name: str | None) -> Certificate | None:
    """What the handler is told of a peer with the certificate *name*."""
    told: list[Certificate | None] = []

    async def ask(request: Request) -> Response:
        told.append(request.peer.certificate)
        return Response(200)

    context = trusting()
    if name is not None:
        context.load_cert_chain(pem(f"{name}.pem"), pem(f"{name}.key"))
    async with place(ask, tls) as found, await found.connect(context) as peer:
        await peer.send_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert (await peer.receive_some()).startswith(b"HTTP/1.1 200")
    return told[0]


VISITOR = ssl.PEM_cert_to_DER_cert(Path(pem("visitor.pem")).read_text("ascii"))
ASKING = TLS(SERVER.cert, SERVER.key, client="request", client_ca=pem("ca.pem"))
REQUIRING = TLS(SERVER.cert, SERVER.key, client="require", client_ca=pem("ca.pem"))


@pytest.mark.parametrize("tls", [ASKING, REQUIRING])
async def test_t9_a_verified_certificate_is_the_peers(tls: TLS) -> None:
    certificate = await introduced(tls, "visitor")
    assert certificate is not None
    assert certificate.subject == (
        ("organizationName", "Visitors"),
        ("commonName", "visitor"),
    )
    assert certificate.issuer == (("commonName", "The CA of the tests"),)
    assert certificate.alternatives == (
        ("email", "visitor@shop.example"),
        ("DNS", "visitor.example"),
    )
    assert certificate.der == VISITOR
    assert re.fullmatch(r"[0-9a-f]{64}", certificate.fingerprint)
    assert certificate.until > 4e9
    assert re.fullmatch(r"[0-9A-F]+", certificate.serial)


async def test_t9_who_has_none_is_let_in_where_it_is_only_requested() -> None:
    assert await introduced(ASKING, None) is None


@pytest.mark.parametrize(
    ("tls", "name"), [(ASKING, "stranger"), (REQUIRING, "stranger"), (REQUIRING, None)]
)
async def test_t9_who_is_not_vouched_for_is_refused(tls: TLS, name: str | None) -> None:
    with pytest.raises(trio.BrokenResourceError):
        await introduced(tls, name)


async def test_t9_nobody_is_asked_by_default() -> None:
    assert await introduced(SERVER, "visitor") is None


async def test_t4_who_is_known_by_one_name_cannot_ask_for_another_host() -> None:
    async with place(handler, ASKING) as found:
        assert b"here" in await found.asked(host=f"LOCALHOST:{found.port}")
        assert b"HTTP/1.1 421 " in await found.asked(host="shop.example")


# --------------------------------------------------------------- what cannot be used

NO_PAIR = "certificate and key must be whole, in PEM form"
WRONG = [
    (TLS("nowhere.pem"), "nowhere.pem cannot be read: No such file"),
    (TLS(pem("server.pem"), "nowhere.key"), "nowhere.key cannot be read"),
    (TLS(pem("server.pem"), pem("shop.key")), "is not the key of"),
    (TLS(pem("server.pem")), NO_PAIR),
    (TLS(pem("make")), NO_PAIR),
    (TLS(pem("server.key"), pem("server.key")), NO_PAIR),
    (TLS(pem("weak.pem"), pem("weak.key")), "is too weak (EE_KEY_TOO_SMALL)"),
    (TLS(pem("server.pem"), pem("secret.key")), "is encrypted; give a key without"),
    (TLS(key=pem("server.key")), "there is a key and no certificate"),
    (TLS(redirect=("localhost:0",)), "there is no HTTPS"),
    (TLS(SERVER.cert, SERVER.key, client="require"), "give client_ca"),
    (
        TLS(SERVER.cert, SERVER.key, client="require", client_ca=pem("make")),
        "holds no certificates in PEM form",
    ),
    (TLS(names=("a.example=nowhere.pem",)), "nowhere.pem cannot be read"),
]


@pytest.mark.parametrize(("tls", "told"), WRONG, ids=[told for _, told in WRONG])
def test_what_cannot_be_used_is_told_with_its_file(tls: TLS, told: str) -> None:
    with pytest.raises(TLSError, match=re.escape(told)):
        opened(tls)


def test_without_any_certificate_there_is_no_tls() -> None:
    assert opened(TLS()) is None
    with pytest.raises(TLSError, match="there is no certificate"):
        build(TLS())


NONSENSE = [
    ({"names": ("shop.pem",)}, "write shop.example=shop.pem:shop.key"),
    ({"names": ("a/b=shop.pem",)}, "names no certificate"),
    ({"minimum": "1.1"}, "minimum is '1.1'; give one of '1.2', '1.3'"),
    ({"client": "demand"}, "client is 'demand'; give one of None, 'request'"),
    ({"redirect": ("nowhere",)}, "is no place to listen"),
    ({"port": 0}, "ports go from 1"),
    ({"hsts": -1}, "give seconds from 0 up"),
    ({"handshakes": 0}, "give at least 1"),
    ({"look": 0.0}, "give seconds above 0"),
]


@pytest.mark.parametrize(
    ("given", "told"), NONSENSE, ids=[each[1] for each in NONSENSE]
)
def test_nonsense_is_refused_at_once(given: dict[str, object], told: str) -> None:
    with pytest.raises(SetupError, match=re.escape(told)):
        TLS(**given)  # type: ignore[arg-type]  # that is the point


def test_files_are_those_of_the_working_directory_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tls = from_here(TLS("a.pem", names=("b.example=c.pem",), client_ca="d.pem"))
    assert (tls.cert, tls.key) == (f"{tmp_path}/a.pem", f"{tmp_path}/a.pem")
    assert tls.names == (f"b.example={tmp_path}/c.pem:{tmp_path}/c.pem",)
    assert tls.client_ca == f"{tmp_path}/d.pem"


def test_o3_a_key_that_everybody_can_read_is_told(tmp_path: Path) -> None:
    key = tmp_path / "server.key"
    key.write_bytes(Path(pem("server.key")).read_bytes())
    for mode, told in ((0o644, 1), (0o640, 0)):
        key.chmod(mode)
        assert stat.S_IMODE(key.stat().st_mode) == mode
        with logged() as logs:
            warn_of_keys(TLS(pem("server.pem"), str(key)))
            warn_of_keys(TLS("nowhere.pem"))
            warn_of_keys(TLS())
        assert len(logs) == told


async def test_t8_no_early_data_is_offered() -> None:
    """Python's ssl has no way to accept any; were there one, tickets would say so."""
    async with met("memory") as (transport, peer):
        await transport.send_all(b"x")
        await peer.receive_some()
        session = peer.session
        assert session.has_ticket
