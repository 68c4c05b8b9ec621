"""A unit of systemd that starts a server at boot, watches it and keeps it in bounds."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

# Seconds more than a stop may take before systemd kills what is left.
MARGIN = 5

# Seconds without a sign of life after which systemd restarts the server, which gives
# one every half of it.
WATCHDOG = 30

# What needs no quotes.
_PLAIN = re.compile(r"[A-Za-z0-9_@+=:,./-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What is to be run, where, by whom and under which name."""

    name: str
    command: Sequence[str]
    directory: str
    user: str
    stop: float  # seconds a stop may take
    low_port: bool = False  # whether it listens below port 1024


def unit(service: Service) -> str:
    """The text of ``/etc/systemd/system/NAME.service``."""
    capability = "CAP_NET_BIND_SERVICE" if service.low_port else ""
    return _UNIT.format(
        name=service.name,
        command=" ".join(map(quoted, service.command)),
        directory=service.directory.replace("%", "%%"),
        writable=quoted(service.directory),
        user=service.user,
        stop=math.ceil(service.stop) + MARGIN,
        watchdog=WATCHDOG,
        bounding=capability,
        ambient=f"\nAmbientCapabilities={capability}" if capability else "",
    )


def quoted(word: str) -> str:
    """One word of a command, as systemd reads it.

    >>> print(quoted("it's 5 %"), quoted("plain"))
    "it's 5 %%" plain
    """
    word = word.replace("%", "%%").replace("$", "$$")
    if _PLAIN.fullmatch(word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


_UNIT = """\
# Save it as /etc/systemd/system/{name}.service, then
#   systemctl daemon-reload
#   systemctl enable --now {name}
# and ask it with
#   sudo -u {user} trioweb ctl list

[Unit]
Description={name}, served by trioweb
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
ExecStart={command}
ExecReload=kill -HUP $MAINPID
WorkingDirectory={directory}
User={user}
Restart=on-failure
RestartSec=1
WatchdogSec={watchdog}
# Only the supervisor is told; what is left after the stop is killed, workers too.
KillMode=mixed
TimeoutStopSec={stop}
LimitNOFILE=65536
# Where `trioweb ctl` finds it.
RuntimeDirectory=trioweb/{name}
RuntimeDirectoryMode=0700
# It may write where it stands, and nowhere else.
ProtectSystem=strict
ReadWritePaths={writable}
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
NoNewPrivileges=yes
CapabilityBoundingSet={bounding}{ambient}
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service

[Install]
WantedBy=multi-user.target
"""
