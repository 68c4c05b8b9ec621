"""The handshake of a WebSocket, by the sections of RFC 6455."""

from __future__ import annotations

import pytest

from trioweb.rules.handshake import Refusal, accept, agree, check_origin, choose
from trioweb.rules.headers import Headers

# RFC 6455 section 1.3.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

ASKED = {"sec-websocket-version": "13", "sec-websocket-key": KEY}


def test_1_3_the_key_is_answered() -> None:
    assert agree(Headers(ASKED), "websocket", "1.1") == {
        "upgrade": "websocket",
        "sec-websocket-accept": ACCEPT,
    }


def test_8441_5_in_http_2_there_is_no_key_and_no_answer_to_it() -> None:
    fields = Headers({"sec-websocket-version": "13"})
    assert agree(fields, "websocket", "2") == {}


REFUSED = [
    ("4.2.1 no upgrade", {}, None, 426),
    ("4.2.1 another protocol", {}, "h2c", 426),
    ("4.2.1 no version", {"sec-websocket-version": None}, "websocket", 400),
    ("4.4 version 8", {"sec-websocket-version": "8"}, "websocket", 426),
    ("4.4 two versions", {"sec-websocket-version": "13, 8"}, "websocket", 426),
    ("4.4 nearly 13", {"sec-websocket-version": "013"}, "websocket", 426),
    ("4.2.1 no key", {"sec-websocket-key": None}, "websocket", 400),
    ("4.2.1 an empty key", {"sec-websocket-key": ""}, "websocket", 400),
    ("4.2.1 a short key", {"sec-websocket-key": "c2hvcnQ="}, "websocket", 400),
    ("4.2.1 a long key", {"sec-websocket-key": "A" * 24}, "websocket", 400),
    ("4.2.1 no base64", {"sec-websocket-key": "!" * 22 + "=="}, "websocket", 400),
    ("4.2.1 no ASCII", {"sec-websocket-key": "é" * 22 + "=="}, "websocket", 400),
    ("4.2.1 two keys", {"sec-websocket-key": f"{KEY}, {KEY}"}, "websocket", 400),
    ("content", {"content-length": "5"}, "websocket", 400),
    ("chunked content", {"transfer-encoding": "chunked"}, "websocket", 400),
]


def asked(changes: dict[str, str | None]) -> Headers:
    fields = {**ASKED, **changes}
    return Headers({name: value for name, value in fields.items() if value is not None})


@pytest.mark.parametrize(
    ("changes", "upgrade", "status"),
    [case[1:] for case in REFUSED],
    ids=[case[0] for case in REFUSED],
)
def test_what_is_no_handshake_is_refused(
    changes: dict[str, str | None], upgrade: str | None, status: int
) -> None:
    with pytest.raises(Refusal) as raised:
        agree(asked(changes), upgrade, "1.1")
    assert raised.value.status == status
    assert raised.value.detail
    # RFC 9110 15.5.22: a 426 says what to upgrade to, and 7.8: for this connection.
    upgrades = raised.value.fields.get("upgrade"), raised.value.fields.get("connection")
    assert upgrades == (("websocket", "upgrade") if status == 426 else (None, None))


def test_4_4_another_version_is_told_ours() -> None:
    for version, status in (("1.1", 426), ("2", 400)):
        with pytest.raises(Refusal) as raised:
            agree(Headers({"sec-websocket-version": "12"}), "websocket", version)
        assert raised.value.status == status
        assert raised.value.fields["sec-websocket-version"] == "13"


def test_9113_8_6_in_http_2_nothing_is_said_of_upgrade() -> None:
    with pytest.raises(Refusal) as raised:
        agree(Headers(), None, "2")
    assert (raised.value.status, raised.value.fields) == (400, {})


def test_no_content_may_be_said() -> None:
    fields = Headers({**ASKED, "content-length": "0"})
    assert agree(fields, "websocket", "1.1")["sec-websocket-accept"] == accept(KEY)


HOST = "example.com"

ORIGINS: list[tuple[str, dict[str, str], tuple[str, ...], bool]] = [
    ("10.2 no browser", {}, (), True),
    ("10.2 our own page", {"origin": "https://example.com"}, (), True),
    ("10.2 our own page says so", {"sec-fetch-site": "same-origin"}, (), True),
    ("10.2 another site", {"origin": "https://evil.example"}, (), False),
    ("10.2 another port", {"origin": "http://example.com:81"}, (), False),
    ("10.2 a sandbox", {"origin": "null"}, (), False),
    ("10.2 a neighbour", {"sec-fetch-site": "same-site"}, (), False),
    (
        "10.2 a listed site",
        {"origin": "https://a.example", "sec-fetch-site": "cross-site"},
        ("https://a.example",),
        True,
    ),
    ("10.2 not listed", {"origin": "https://b.example"}, ("https://a.example",), False),
    ("10.2 ours, though others are", {"origin": "http://example.com"}, ("a",), True),
    ("10.2 any", {"origin": "null"}, ("*",), True),
]


@pytest.mark.parametrize(
    ("fields", "origins", "allowed"),
    [case[1:] for case in ORIGINS],
    ids=[case[0] for case in ORIGINS],
)
def test_pages_of_other_sites_are_refused(
    fields: dict[str, str], origins: tuple[str, ...], allowed: bool
) -> None:
    if allowed:
        check_origin(Headers(fields), HOST, origins)
        return
    with pytest.raises(Refusal) as raised:
        check_origin(Headers(fields), HOST, origins)
    assert raised.value.status == 403


SUBPROTOCOLS = [
    ("4.1 none asked for", None, ("a",), None),
    ("4.1 the peer's favourite", "b, a", ("a", "b"), "b"),
    ("4.1 the one we speak", "c, a", ("a", "b"), "a"),
    ("4.2.2 none in common", "c", ("a", "b"), None),
    ("4.2.2 case counts", "A", ("a",), None),
    ("4.2.2 we speak none", "a", (), None),
]


@pytest.mark.parametrize(
    ("offered", "ours", "chosen"),
    [case[1:] for case in SUBPROTOCOLS],
    ids=[case[0] for case in SUBPROTOCOLS],
)
def test_a_subprotocol_is_chosen(
    offered: str | None, ours: tuple[str, ...], chosen: str | None
) -> None:
    fields = {} if offered is None else {"sec-websocket-protocol": offered}
    assert choose(Headers(fields), ours) == chosen


@pytest.mark.parametrize("offered", ["a, a", "a b", '"a"', "a;b"])
def test_4_1_what_is_no_list_of_different_tokens_is_refused(offered: str) -> None:
    with pytest.raises(Refusal) as raised:
        choose(Headers({"sec-websocket-protocol": offered}), ("a",))
    assert raised.value.status == 400
