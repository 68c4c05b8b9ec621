"""Certificates: the ones that are shown now, and how they are renewed while serving.

A handshake takes the contexts there are when it begins.  A renewal builds new ones
beside them, in a thread, and puts them in their place only when all are whole: so no
handshake ever meets half of a change, and connections go on with what they began with.
"""

from __future__ import annotations

import logging
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import trio

from trioweb.message.errors import SetupError
from trioweb.message.offload import offload
from trioweb.run.tls.config import TLS, pairs_of
from trioweb.run.tls.contexts import build
from trioweb.run.tls.files import Files, from_here
from trioweb.run.tls.handshakes import Handshakes

log = logging.getLogger("trioweb.error")


class Certificates:
    """What the files of *tls* held when they were last whole; TLSError if never.

    Unless they are *watched* they stay as they are.
    """

    def __init__(self, tls: TLS, *, watched: bool = True) -> None:
        # The application may change its working directory later.
        self.tls = from_here(tls)
        self.handshakes = Handshakes(tls.handshakes)
        self._files = Files(self.tls)
        self.contexts = build(self.tls)
        self._watched = watched
        self._asked = trio.Event()
        self._fault = ""  # why they could not be used when they were last read

    def ask(self) -> None:
        """Have the files read again now, whether they look changed or not."""
        self._asked.set()

    async def watch(self) -> None:
        """Read the files again whenever one has changed, until cancelled.

        And at every look while they cannot be used: what was in the way, as the rights
        of a file, may not show in it.
        """
        while self._watched:
            with trio.move_on_after(self.tls.look):
                await self._asked.wait()
            asked, self._asked = self._asked.is_set(), trio.Event()
            news = await self._files.changed() or asked
            if news or self._fault:
                await self._renew(news=news)

    async def _renew(self, *, news: bool) -> None:
        try:
            self.contexts = await offload(lambda: build(self.tls))
        except SetupError as error:
            # Half of a pair may be there before the other: the next look will see.
            before, self._fault = self._fault, str(error)
            if news or self._fault != before:
                log.error("%s; the certificates stay as they were", error)  # noqa: TRY400  # the file is in it
        else:
            self._fault = ""
            log.info("the certificates were read again")


def opened(tls: TLS, *, watched: bool = True) -> Certificates | None:
    """The certificates of *tls*, read now; None where TLS is not spoken.

    SetupError (TLSError) where they cannot be used.
    """
    pairs_of(tls)  # also what makes no sense without any
    return Certificates(tls, watched=watched) if tls.on else None


def warn_of_keys(tls: TLS) -> None:
    """Say which keys of *tls* every user of this machine can read."""
    default, named = pairs_of(tls)
    keys = {each.pair.key for each in named} | ({default.key} if default else set())
    for key in sorted(keys):
        with suppress(OSError):
            if Path(key).stat().st_mode & stat.S_IROTH:
                log.warning("every user can read the key in %s: chmod o-r", key)


@asynccontextmanager
async def watching(certificates: Certificates) -> AsyncIterator[None]:
    """Keep *certificates* as the files are while the block runs."""
    async with trio.open_nursery() as watch:
        watch.start_soon(certificates.watch)
        yield
        watch.cancel_scope.cancel(reason="nobody shakes hands any more")
