"""Renewal: a server that reloads takes its settings as they are said by then."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable

from trioweb.message.errors import SetupError
from trioweb.run.cluster.members import Policy
from trioweb.run.config import Config
from trioweb.run.tls.config import TLS

log = logging.getLogger("trioweb.error")

Reread = Callable[[], Config]
"""What says a config anew; SetupError where it cannot."""

# What the supervisor itself stands on, and a reload leaves as it is.
FIXED = ("bind", "workers", "admin", "name", "user")


def renewed(config: Config, reread: Reread | None) -> Config:
    """The config as it is said now, but for what is FIXED.

    It is *config* itself where that is wrong, as a line of the log then says.
    """
    if reread is None:
        return config
    try:
        said = reread()
    except SetupError as error:
        log.error("%s; the settings stay as they were", error)  # noqa: TRY400  # the place is in it
        return config
    fixed = {name: getattr(config, name) for name in FIXED}
    return dataclasses.replace(said, tls=_renewed(config.tls, said.tls), **fixed)


def _renewed(tls: TLS, said: TLS) -> TLS:
    """Other certificates than before, but what is spoken stays where it is spoken."""
    if said.on != tls.on:
        log.error("HTTPS is switched on and off by a restart; it stays as it was")
        return tls
    port = tls.port if said.port is None else said.port
    return dataclasses.replace(said, redirect=tls.redirect, port=port)


def policy_of(config: Config) -> Policy:
    """What of *config* the plan goes by."""
    policy = Policy()
    follow(policy, config)
    return policy


def follow(policy: Policy, config: Config) -> None:
    """Let whoever has *policy* go by *config* from now on."""
    for field in dataclasses.fields(policy):
        setattr(policy, field.name, getattr(config, field.name))
