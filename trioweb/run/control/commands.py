"""Commands: what each request on the control socket gets for an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from trioweb.run.cluster.messages import Follow, Look
from trioweb.run.control import changes
from trioweb.run.control.listing import Server, listing
from trioweb.run.control.protocol import (
    Done,
    Grown,
    List,
    Logs,
    Refused,
    Reply,
    Requests,
    Tree,
)
from trioweb.run.control.tail import KEPT

# Seconds a worker may take to tell of itself.  One that does nothing wrong takes some
# milliseconds, one that is blocked will not tell at all.
PATIENCE = 2.0

Send = Callable[[Reply], Awaitable[None]]
"""Sends one reply to who has asked."""


async def answer(request: Requests, server: Server, send: Send) -> Done | Refused:
    """Do what is asked; replies before the last one are sent."""
    match request:
        case List():
            await send(listing(server))
            return Done()
        case Logs(lines, follow):
            return await _logs(server, send, lines=lines, follow=follow)
        case Tree(worker):
            return await _trees(server, send, worker)
        case _:
            return await changes.make(server.supervisor, request)


async def _logs(server: Server, send: Send, *, lines: int, follow: bool) -> Done:
    supervisor, answers = server.supervisor, server.supervisor.answers
    with answers.following() as follower:
        try:
            asked = {view.pid for view in supervisor.post(None, Follow(on=True))}
            with trio.move_on_after(PATIENCE):
                while not asked <= follower.recalled:
                    await follower.more()
                    asked &= {view.pid for view in supervisor.workers}
            for said in follower.past(min(lines, KEPT)):
                await send(said)
            if not follow:
                return Done()
            async with trio.open_nursery() as following:
                following.start_soon(_invite, server, asked)
                while (line := await follower.next()) is not None:
                    await send(line)
                following.cancel_scope.cancel(reason="the server has ended")
        finally:
            if answers.followers == {follower}:
                supervisor.post(None, Follow(on=False))
    return Done("the server has ended")


async def _invite(server: Server, asked: set[int]) -> None:
    """Have those tell their lines, too, who come later."""
    supervisor = server.supervisor
    while True:
        for view in supervisor.workers:
            if view.pid not in asked:
                supervisor.post(view.slot, Follow(on=True))
        asked = {view.pid for view in supervisor.workers}
        await supervisor.changes.park()


async def _trees(server: Server, send: Send, slot: int | None) -> Done | Refused:
    supervisor = server.supervisor
    with supervisor.answers.awaiting() as ticket:
        asked = supervisor.post(slot, Look(ticket.number))
        if not asked and slot is not None:
            return Refused(changes.no_such(supervisor.plan, slot))
        with trio.move_on_after(PATIENCE):
            await ticket.answered({view.pid for view in asked})
        for view in asked:
            await send(Grown(view.slot, view.pid, ticket.trees.get(view.pid)))
        return Done()
