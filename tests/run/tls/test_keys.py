"""Changes of keys (RFC 8446 section 4.6.3): answered, waited for, and not for ever.

Python's peers change none.  Ours writes the secret of its keys down, and goes on by
itself where the handshake has ended.
"""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
import trio.testing
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.run.crowds import PATIENCE
from tests.run.tls.meeting import CARRIERS, carried, over, trusting
from trioweb.message.transport import Transport
from trioweb.run.tls.bounds import RECORD, VAIN

# The types of records (RFC 8446 section 5.1).
HANDSHAKE = b"\x16"
CONTENT = b"\x17"

UPDATE = b"\x18\0\0\1\0"
UPDATE_BOTH = b"\x18\0\0\1\1"  # and asks for one of ours


class Keys:
    """The keys of a peer, by their secret, with TLS_AES_256_GCM_SHA384."""

    def __init__(self, secret: bytes) -> None:
        self._become(secret)

    def _become(self, secret: bytes) -> None:
        self._secret = secret
        self._cipher = AESGCM(self._expanded(b"key", 32))
        self._nonce = int.from_bytes(self._expanded(b"iv", 12), "big")
        self._count = 0

    def _expanded(self, label: bytes, size: int) -> bytes:
        """HKDF-Expand-Label (section 7.1), of one block."""
        label = b"tls13 " + label
        told = size.to_bytes(2, "big") + bytes([len(label)]) + label + b"\0\1"
        return hmac.digest(self._secret, told, "sha384")[:size]

    def seal(self, content: bytes, kind: bytes = CONTENT) -> bytes:
        """A record (section 5.2)."""
        head = b"\x17\3\3" + (len(content) + 17).to_bytes(2, "big")
        nonce = (self._nonce ^ self._count).to_bytes(12, "big")
        self._count += 1
        return head + self._cipher.encrypt(nonce, content + kind, head)

    def update(self, message: bytes = UPDATE) -> bytes:
        """The record that changes them, which they are then."""
        sealed = self.seal(message, HANDSHAKE)
        self._become(self._expanded(b"traffic upd", 48))
        return sealed


@contextlib.asynccontextmanager
async def met(
    carrier: str, directory: Path
) -> AsyncIterator[tuple[Transport, trio.abc.Stream, Keys]]:
    """Our end after a handshake, the peer's bare stream, and its keys."""
    context = trusting()
    context.keylog_filename = str(directory / "keys")
    async with carried(carrier) as (transport, stream):
        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as meeting:
                meeting.start_soon(transport.handshake)
                meeting.start_soon(over(stream, context).do_handshake)
        said = (directory / "keys").read_text("ascii").split()
        secret = said[said.index("CLIENT_TRAFFIC_SECRET_0") + 2]
        yield transport, stream, Keys(bytes.fromhex(secret))


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("message", [UPDATE, UPDATE_BOTH])
async def test_who_changes_its_keys_is_understood(
    carrier: str, message: bytes, tmp_path: Path
) -> None:
    async with met(carrier, tmp_path) as (transport, stream, keys):
        for _ in range(20):
            await stream.send_all(keys.seal(b"before") + keys.update(message))
            await stream.send_all(keys.seal(b"after"))
            assert await transport.receive_some() == b"before"
            with trio.fail_after(5):
                assert await transport.receive_some() == b"after"


@pytest.mark.parametrize("carrier", CARRIERS)
async def test_who_sends_nothing_else_is_left(carrier: str, tmp_path: Path) -> None:
    """Each costs us as much as a request."""
    async with met(carrier, tmp_path) as (transport, stream, keys):
        flood = b""
        while len(flood) < VAIN + 2 * RECORD:
            flood += keys.update()
        async with trio.open_nursery() as talking:
            talking.start_soon(stream.send_all, flood)
            with (
                trio.fail_after(5),
                pytest.raises(trio.BrokenResourceError, match="nothing of use"),
            ):
                await transport.receive_some()
            talking.cancel_scope.cancel()


async def test_who_takes_no_answers_is_not_read(tmp_path: Path) -> None:
    """Else what is to be answered would grow without end."""
    async with met("hub", tmp_path) as (transport, stream, keys):
        piece = bytes(10_000)
        room = True
        while room:  # the system makes some, and then no more
            room = transport.send_now(piece) > 0
            while transport.send_now(piece):
                pass
            await trio.sleep(0.05)
        said = [b"first", b"second", b"third"]
        for content in said:  # OpenSSL answers when the next comes
            await stream.send_all(keys.update(UPDATE_BOTH) + keys.seal(content))
            await trio.sleep(0.05)
        got: list[bytes] = []

        async def receive() -> None:
            while len(got) < len(said):
                got.append(bytes(await transport.receive_some()))

        async with trio.open_nursery() as talking:
            talking.start_soon(receive)
            await trio.testing.wait_all_tasks_blocked(0.05)
            assert got == said[:2]
            await stream.send_all(keys.seal(b" and last"))
            await trio.testing.wait_all_tasks_blocked(0.05)
            assert got == said[:2]
            with trio.fail_after(PATIENCE):
                while got != said:
                    await stream.receive_some()
