"""A shelf of teas as a REST resource, and a page that uses it."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import msgspec
from msgspec import UNSET, Struct, UnsetType

from trioweb import App, NotFound, Request, Response, file, json, run

PAGES = Path(__file__).parent / "pages"


class Tea(Struct):
    """What a tea is, as a peer sends it."""

    name: str
    minutes: float = 3
    liked: bool = False


class Shelved(Tea, kw_only=True):
    """A tea that stands on the shelf, and where."""

    number: int


class Change(Struct, forbid_unknown_fields=True):
    """What is to become different: the members that are given, and no others."""

    name: str | UnsetType = UNSET
    minutes: float | UnsetType = UNSET
    liked: bool | UnsetType = UNSET


app = App()

numbers = itertools.count(1)
shelf: dict[int, Shelved] = {}


def put(number: int, tea: Tea) -> Shelved:
    """Put *tea* on the shelf, in place of what stood there."""
    shelf[number] = Shelved(**msgspec.structs.asdict(tea), number=number)
    return shelf[number]


for each in (Tea("보성 녹차", 2), Tea("Earl Grey", 4, liked=True), Tea("오미자차", 6)):
    put(next(numbers), each)


def find(number: int) -> Shelved:
    """The tea with *number*; a 404 if there is none."""
    if number not in shelf:
        raise NotFound(f"no tea has the number {number}")
    return shelf[number]


@app.get("/")
async def page(request: Request) -> Response:
    """Answer with the page that shows the shelf."""
    return await file(PAGES / "rest/shelf.html")


@app.get("/shelf.js")
async def script(request: Request) -> Response:
    """Answer with what the page does."""
    return await file(PAGES / "rest/shelf.js")


@app.get("/teas")
async def teas(request: Request) -> list[Shelved]:
    """List the shelf; ``?name=`` keeps the teas whose names contain that."""
    wanted = request.query.get("name", "").casefold()
    return [tea for tea in shelf.values() if wanted in tea.name.casefold()]


@app.post("/teas")
async def create(request: Request) -> Response:
    """Add a tea; Location says where it is found."""
    tea = put(next(numbers), await request.json(Tea))
    location = app.url("tea", number=tea.number)
    return json(tea, status=201, headers={"location": location})


@app.get("/teas/{number:int}", name="tea")
async def show(request: Request, number: int) -> Shelved:
    """Answer with one tea."""
    return find(number)


@app.put("/teas/{number:int}")
async def replace(request: Request, number: int) -> Shelved:
    """Replace a tea as a whole."""
    find(number)
    return put(number, await request.json(Tea))


@app.patch("/teas/{number:int}")
async def change(request: Request, number: int) -> Shelved:
    """Change some of a tea's members."""
    tea = find(number)
    for name, value in msgspec.structs.asdict(await request.json(Change)).items():
        if value is not UNSET:
            setattr(tea, name, value)
    return tea


@app.delete("/teas/{number:int}")
async def drink(request: Request, number: int) -> None:
    """Take a tea off the shelf."""
    find(number)
    del shelf[number]


if __name__ == "__main__":
    run(app, bind=sys.argv[1:] or "localhost:8080")
