"""Packing: the fields of HTTP/2 as they are compressed, by `hpack` (RFC 7541)."""

from __future__ import annotations

from collections.abc import Iterable

import hpack

from trioweb.wire.h2_codes import Code
from trioweb.wire.head import RawFields
from trioweb.wire.limits import HPACK_TABLE, UNPACKED


class Decoder(hpack.Decoder):
    """Keeps what it unpacks for us; the library is shown no field, and judges none."""

    def __init__(self) -> None:
        super().__init__(max_header_list_size=UNPACKED)
        self.fields: RawFields = []
        self.fault: Code | None = None

    def decode(
        self,
        data: bytes | memoryview,
        raw: bool = False,
    ) -> Iterable[hpack.HeaderTuple]:
        """Unpack one block."""
        try:
            self.fields = [
                (bytes(name), bytes(value))
                for name, value in super().decode(bytes(data), raw=True)
            ]
        except hpack.OversizedHeaderListError:
            self.fault = Code.ENHANCE_YOUR_CALM
            raise
        except hpack.HPACKError:
            self.fault = Code.COMPRESSION_ERROR
            raise
        return []


class Encoder(hpack.Encoder):
    """Remembers no more than our own bound, however much its peer offers to."""

    @property
    def header_table_size(self) -> int:
        """The size of the dynamic table, bytes."""
        return self.header_table.maxsize

    @header_table_size.setter
    def header_table_size(self, value: int) -> None:
        # The inherited setter also notes that the next block must say so.
        hpack.Encoder.header_table_size.fset(  # type: ignore[attr-defined]  # mypy sees no property
            self, min(value, HPACK_TABLE)
        )


def guarded(field: tuple[bytes, bytes]) -> hpack.HeaderTuple:
    """The field as it is to be packed: what identifies somebody, never by reference.

    Others could find it out by what their own fields cost (RFC 7541 section 7.1).
    """
    if field[0] == b"set-cookie":
        return hpack.NeverIndexedHeaderTuple(*field)
    return hpack.HeaderTuple(*field)
