"""The unit for systemd: what it runs, and that no word of it says more than it is."""

from __future__ import annotations

import pytest

from trioweb.run.control.unit import Service, quoted, unit

SHOP = Service(
    name="shop",
    command=["/usr/bin/python3", "-m", "trioweb", "run", "my shop.py", "--grace", "10"],
    directory="/srv/100%",
    user="www",
    stop=15.2,
)


def lines(service: Service) -> set[str]:
    return set(unit(service).splitlines())


def test_it_says_what_is_run_by_whom_and_how_it_ends() -> None:
    assert lines(SHOP) >= {
        "Type=notify",
        'ExecStart=/usr/bin/python3 -m trioweb run "my shop.py" --grace 10',
        "ExecReload=kill -HUP $MAINPID",
        "WorkingDirectory=/srv/100%%",
        "User=www",
        "WatchdogSec=30",
        "KillMode=mixed",
        "TimeoutStopSec=21",
        "RuntimeDirectory=trioweb/shop",
        "CapabilityBoundingSet=",
    }
    assert "AmbientCapabilities" not in unit(SHOP)


def test_a_port_below_1024_needs_a_capability_and_no_more() -> None:
    low = Service(
        name="shop", command=["x"], directory="/", user="www", stop=1, low_port=True
    )
    assert lines(low) >= {
        "CapabilityBoundingSet=CAP_NET_BIND_SERVICE",
        "AmbientCapabilities=CAP_NET_BIND_SERVICE",
    }


WORDS = [
    ("plain", "shop:app", "shop:app"),
    ("space", "my shop.py", '"my shop.py"'),
    ("specifier", "%h", '"%%h"'),
    ("variable", "${HOME}", '"$${HOME}"'),
    ("quotes", 'a"b\\', '"a\\"b\\\\"'),
    ("line end", "a\nExecStart=/bin/sh", '"a\\nExecStart=/bin/sh"'),
    ("separator", ";", '";"'),
    ("empty", "", '""'),
]


@pytest.mark.parametrize(
    ("word", "said"), [row[1:] for row in WORDS], ids=[row[0] for row in WORDS]
)
def test_a_word_stays_one_word(word: str, said: str) -> None:
    assert quoted(word) == said
