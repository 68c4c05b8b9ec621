"""Files: what is opened, what is not there, and what it is called."""

from __future__ import annotations

import os
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.app.asking import ask
from trioweb.app.app import as_app
from trioweb.app.files import file, type_of
from trioweb.message.errors import NotFound
from trioweb.message.offload import inline, runner
from trioweb.message.request import Request
from trioweb.message.response import File, Response
from trioweb.rules.dates import format_date

# The user to whom nothing belongs, on Linux.
NOBODY = 65534


def read(response: Response) -> bytes:
    assert isinstance(response.body, File)
    found = response.body.source.read(response.body.length)
    response.close()
    assert found is not None
    return bytes(found)


async def test_a_file_has_type_length_and_date(tmp_path: Path) -> None:
    path = tmp_path / "한글 page.html"
    path.write_text("<p>값", encoding="utf-8")
    os.utime(path, (784111777, 784111777))
    response = await file(path)
    assert response.status == 200
    assert dict(response.headers.items()) == {
        "content-type": "text/html; charset=utf-8",
        "x-content-type-options": "nosniff",
        "last-modified": "Sun, 06 Nov 1994 08:49:37 GMT",
    }
    assert isinstance(response.body, File)
    assert (response.body.offset, response.body.length) == (0, 6)
    assert read(response) == "<p>값".encode()


async def test_type_status_and_headers_may_be_given(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    response = await file(
        str(path),
        content_type="text/x-own",
        status=203,
        headers={"Last-Modified": "never", "x-a": "1"},
    )
    assert response.status == 203
    assert response.headers["content-type"] == "text/x-own"
    assert response.headers["last-modified"] == "never"
    assert read(response) == b""


async def test_r5_a_download_is_kept_under_its_name(tmp_path: Path) -> None:
    path = tmp_path / "1234"
    path.write_bytes(b"a")
    kept = await file(path, download='표";x=".bat\r\n', content_type="text/plain")
    field = kept.headers["content-disposition"]
    assert field.startswith('attachment; filename="_')
    assert field.endswith("; filename*=UTF-8''%ED%91%9C%22%3Bx%3D%22.bat%0D%0A")
    assert kept.headers["x-content-type-options"] == "nosniff"
    assert read(kept) == b"a"
    with pytest.raises(ValueError, match="empty"):
        await file(path, download="")


async def test_a_date_in_the_future_is_now(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    os.utime(path, (1 << 40, 1 << 40))
    response = await file(path)
    assert response.headers["last-modified"] == format_date(time.time())
    response.close()


async def test_what_is_no_file_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket"))
        for name in (
            "absent",
            "file/below",
            "a" * 300,
            "a\x00b",
            "\ud800",
            "circle",
            "pipe",
            "socket",
            ".",
        ):
            with pytest.raises(NotFound):
                await file(tmp_path / name)
    with pytest.raises(NotFound):
        await file("/dev/null")


@contextmanager
def nobody() -> Iterator[None]:
    """Be somebody who may not read everything, as root may."""
    user = os.geteuid()
    os.seteuid(user or NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


async def test_a_file_that_may_not_be_read_is_our_failure(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch(mode=0)

    async def show(request: Request) -> Response:
        return await file(path)

    with nobody():
        assert (await ask(as_app(show), "GET", "/")).status == 500


async def test_any_other_error_of_the_system_is_our_failure(tmp_path: Path) -> None:
    # As root may read everything: too many open files, in this process alone.
    path = tmp_path / "a"
    path.touch()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    token = runner.set(inline)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        with pytest.raises(OSError, match="open files"):
            await file(path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        runner.reset(token)


async def test_a_response_that_is_dropped_closes_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    # In the loop, for trio holds what a thread returned until the next one returns.
    token = runner.set(inline)
    response = await file(path)
    runner.reset(token)
    assert isinstance(response.body, File)
    source = response.body.source
    del response
    assert source.closed


TYPES = [
    ("a.html", "text/html; charset=utf-8"),
    ("A.HTML", "text/html; charset=utf-8"),
    ("a.js", "text/javascript; charset=utf-8"),
    ("a.mjs", "text/javascript; charset=utf-8"),
    ("a.css", "text/css; charset=utf-8"),
    ("a.md", "text/markdown; charset=utf-8"),
    ("a.json", "application/json"),
    ("a.svg", "image/svg+xml"),
    ("a.png", "image/png"),
    ("a.webp", "image/webp"),
    ("a.woff2", "font/woff2"),
    ("a.wasm", "application/wasm"),
    ("a.mp4", "video/mp4"),
    ("a.pdf", "application/pdf"),
    ("a.html.gz", "application/gzip"),
    ("a.tgz", "application/gzip"),
    ("a.css.br", "application/x-brotli"),
    ("a.tar.xz", "application/x-xz"),
    ("README", "application/octet-stream"),
    ("a.unknown", "application/octet-stream"),
    (".html", "application/octet-stream"),
    ("b.html/a", "application/octet-stream"),
    ("data:text/html,x", "application/octet-stream"),
    ("http:a.png", "image/png"),
    ("a?b#c.png", "image/png"),
]


@pytest.mark.parametrize(("name", "kind"), TYPES)
def test_the_name_says_the_type(name: str, kind: str) -> None:
    assert type_of(name) == kind
    assert type_of(Path("한글") / name) == kind
