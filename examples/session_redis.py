"""Sessions in Redis: any number of servers, on any number of machines, share them."""

from __future__ import annotations

import os
import sys

from trioweb import App, RedisStore, Request, run, sessions

app = App()
store = RedisStore(os.environ.get("REDIS_URL", "redis://localhost"))
app.use(sessions(store))


@app.get("/")
async def home(request: Request) -> str:
    """Count this visitor's visits, whichever server they come to."""
    visits = await request.session.update("visits", lambda visits: (visits or 0) + 1)
    return f"You have been here {visits} times.\n"


if __name__ == "__main__":
    run(app, bind=sys.argv[1:] or "localhost:8080")
