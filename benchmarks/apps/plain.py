"""The work of the comparison, by trioweb, with all its defaults."""

from __future__ import annotations

from trioweb import App, Request

app = App()


@app.get("/")
async def plaintext(request: Request) -> str:
    """Text."""
    return "Hello, World!"


@app.get("/json")
async def message(request: Request) -> dict[str, str]:
    """A small object."""
    return {"message": "Hello, World!"}


@app.get("/users/{id:int}")
async def user(request: Request, id: int) -> dict[str, int]:  # noqa: A002
    """A parameter of the path, converted."""
    return {"id": id}


@app.post("/echo")
async def echo(request: Request) -> bytes:
    """The body, as it came."""
    return await request.body()
