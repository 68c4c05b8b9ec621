"""Config: what is refused, and what `run(app, port=8080)` means."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from trioweb.message.errors import SetupError
from trioweb.run.config import Config, configure
from trioweb.run.recycling import Recycling
from trioweb.wire.limits import Limits

REFUSED: list[tuple[str, Callable[[], object], str]] = [
    ("no bind", lambda: Config(bind=()), "tuple of places"),
    ("string for tuple", lambda: Config(bind="8080"), "tuple of places"),  # type: ignore[arg-type]  # the mistake itself
    ("bad bind", lambda: Config(bind=("http://a",)), "'http://a' is no place"),
    ("negative grace", lambda: Config(grace=-1), "grace is -1; give a number"),
    ("endless cleanup", lambda: Config(cleanup=math.inf), "cleanup is inf"),
    ("not a number", lambda: Config(grace=math.nan), "grace is nan"),
    ("log form", lambda: Config(access_log="xml"), '"human", "json" or "off"'),  # type: ignore[arg-type]  # the mistake itself
    ("no limit", lambda: Limits(head_time=0), "head_time is 0; give a number above 0"),
    ("endless", lambda: Limits(stall=math.inf), "stall is inf; give a number above 0"),
    ("a network with host bits", lambda: Config(trusted_proxies=("10.0.0.1/8",)), "10"),
    ("a name", lambda: Config(trusted_proxies=("proxy",)), "'proxy' is no trusted"),
    ("one string", lambda: Config(trusted_proxies="10.0.0.1"), "give a tuple"),  # type: ignore[arg-type]  # the mistake itself
    ("other fields", lambda: Config(proxy_headers="via"), '"forwarded"'),  # type: ignore[arg-type]  # the mistake itself
    ("no workers", lambda: Config(workers=0), "from 1 to 1024"),
    ("too many", lambda: Config(workers=2000), "from 1 to 1024"),
    ("true", lambda: Config(workers=True), "workers is True"),
    ("another word", lambda: Config(workers="all"), 'or "auto"'),  # type: ignore[arg-type]  # the mistake itself
    ("no time to start", lambda: Config(startup=-1), "startup is -1"),
    ("endless silence", lambda: Config(silence=math.inf), "silence is inf"),
    ("no requests", lambda: Recycling(requests=0), "requests is 0"),
    ("a whole share", lambda: Recycling(jitter=1), "jitter is 1"),
    ("two places", lambda: configure(port=80, bind="8080"), "keep one of them"),
    ("port too high", lambda: configure(port=65536), "from 0 to 65535"),
]


@pytest.mark.parametrize(
    ("make", "message"), [case[1:] for case in REFUSED], ids=[c[0] for c in REFUSED]
)
def test_a_config_that_cannot_run_is_refused_with_the_remedy(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises(SetupError) as caught:
        make()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_courtesy_may_be_left_out() -> None:
    assert Limits(drain_linger=0, half_close=0.0).drain_linger == 0


def test_the_default_is_loopback_only() -> None:
    assert Config().bind == ("localhost:8080",)


def test_a_port_is_a_port_of_localhost() -> None:
    assert configure(port=0).bind == ("localhost:0",)


def test_one_bind_or_several_may_be_given() -> None:
    assert configure(bind=":80").bind == (":80",)
    assert configure(bind=[":80", "fd:3"]).bind == (":80", "fd:3")


def test_what_is_given_besides_a_config_stands_in_its_place() -> None:
    given = Config(grace=1, access_log="json")
    assert configure(given) is given
    changed = configure(given, port=1, access_log="off", workers=2)
    assert changed == Config(
        grace=1, bind=("localhost:1",), access_log="off", workers=2
    )
    assert configure(given, workers="auto", grace=2).grace == 2


def test_an_admin_place_and_a_drain_delay_are_checked() -> None:
    assert Config().admin is None
    assert Config(admin="127.0.0.1:9100", drain_delay=5).drain_delay == 5
    with pytest.raises(SetupError, match="nowhere at all"):
        Config(admin="nowhere at all")
    with pytest.raises(SetupError, match="drain_delay is -1"):
        Config(drain_delay=-1)
