"""Link: what the streams of one connection share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trioweb.message.transport import Transport
from trioweb.wire.h2_account import Account
from trioweb.wire.h2_library import Library
from trioweb.wire.h2_outgoing import Outgoing
from trioweb.wire.service import Service


@dataclass(frozen=True, slots=True)
class Link:
    """The connection, as far as a stream needs it."""

    transport: Transport
    service: Service
    library: Library
    outgoing: Outgoing
    account: Account
    # Told of a stream that neither side needs any more; must not block.
    closed: Callable[[int], None]
