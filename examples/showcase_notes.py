"""The showcase's board of notes: a small REST interface of five handlers."""

from __future__ import annotations

import itertools
from typing import Annotated

from msgspec import Meta, Struct

import trioweb
from trioweb import App, NotFound, Request, Response

MOST = 20  # notes


class Note(Struct):
    """A note as a peer sends it."""

    text: Annotated[str, Meta(min_length=1, max_length=200)]
    stars: Annotated[int, Meta(ge=0, le=5)] = 0


def notes(app: App) -> None:
    """Add the board to *app*, at ``/notes``."""
    board = {1: Note("물 한 잔", 5), 2: Note("a nursery is a block", 4)}
    numbers = itertools.count(3)
    group = app.group("/notes")

    @group.get("")
    async def listed(request: Request) -> dict[str, Note]:
        return {str(number): note for number, note in board.items()}

    @group.post("")
    async def create(request: Request) -> Response:
        note = await request.json(Note)
        if len(board) >= MOST:
            raise trioweb.Conflict("the board is full; delete a note")
        number = next(numbers)
        board[number] = note
        location = app.url("note", number=number)
        return trioweb.json(note, status=201, headers={"location": location})

    @group.get("/{number:int}", name="note")
    async def show(request: Request, number: int) -> Note:
        if number not in board:
            raise NotFound(f"there is no note {number}")
        return board[number]

    @group.put("/{number:int}")
    async def replace(request: Request, number: int) -> Note:
        await show(request, number)
        board[number] = await request.json(Note)
        return board[number]

    @group.delete("/{number:int}")
    async def take_down(request: Request, number: int) -> None:
        await show(request, number)
        del board[number]
