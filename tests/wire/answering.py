"""Handlers that answer as they are told, and what became of their answers."""

from __future__ import annotations

from tests.wire.talking import End, Talking, answer, answers
from trioweb.message.handler import Handler
from trioweb.message.request import Request
from trioweb.message.response import BodyWriter, File, Response, Send


def giving(
    body: bytes | BodyWriter | File = b"", status: int = 200, /, **fields: str
) -> Handler:
    headers = {name.replace("_", "-"): value for name, value in fields.items()}

    async def handler(request: Request) -> Response:
        return Response(status, headers, body)

    return handler


def writing(*pieces: bytes) -> BodyWriter:
    async def write(send: Send) -> None:
        for piece in pieces:
            await send(piece)

    return write


def broken(talk: Talking, status: int = 200) -> None:
    """A break that the peer can see, and one record in the log."""
    assert talk.end is End.RESET
    assert len(talk.logs) == 1
    assert [(got.status, got.complete) for got in answers(talk)] in (
        [],
        [(status, False)],
    )
    assert [record.ending.value for record in talk.records] == ["failed"]


def failed(talk: Talking) -> None:
    """A 500 in place of it, and one record in the log."""
    assert (answer(talk).status, answer(talk).complete) == (500, True)
    assert (talk.end, len(talk.logs)) == (End.FIN, 1)
    assert [record.ending.value for record in talk.records] == ["failed"]
