"""Packing: the fields of HTTP/2 as they are compressed, by `hpack` (RFC 7541).

The tables and what is rare are the library's.  Fields that are plain references, as
nearly all are from the second request on, are read and written here: for each one the
library takes five microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import hpack
from hpack.huffman_table import decode_huffman

from trioweb.wire.h2_codes import Code
from trioweb.wire.head import RawFields
from trioweb.wire.limits import HPACK_TABLE, UNPACKED

Field = tuple[bytes, bytes]

PackingError = hpack.HPACKError
"""A block cannot be unpacked; the connection is of no use any more."""

# RFC 7541 4.1 and RFC 9113 6.5.2: what a field counts beyond its name and value, bytes.
OVERHEAD: Final = 32

# The first bits of a reference, of a field that is to be remembered and of a new size
# of the table; all others are fields that are not (RFC 7541 section 6).
_REFERENCE: Final = 0x80
_REMEMBER: Final = 0x40
_RESIZE: Final = 0x20
_FORMS: Final = _REFERENCE | _REMEMBER | _RESIZE

# The first bit of a string that is compressed, and a length of which there is more to
# come (section 5).
_HUFFMAN: Final = 0x80
_MORE: Final = 0x7F

# References that are the library's matter: to nothing, and with more to come.
_RARE = frozenset({_REFERENCE, _REFERENCE | _MORE})

# Fields that differ from one response to the next, and would push out of the table what
# does not (nghttp2 has the same), by how they begin where they are not remembered.
_PASSING = {
    b"age": b"\x0f\x06",
    b"content-length": b"\x0f\x0d",
    b"etag": b"\x0f\x13",
    b"location": b"\x0f\x1f",
}


class Decoder(hpack.Decoder):
    """Keeps what it unpacks for us; the library is shown no field, and judges none."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: RawFields = []
        self.size = 0  # of those, each with its OVERHEAD, bytes
        self.fault: Code | None = None

    def decode(
        self,
        data: bytes | memoryview,
        raw: bool = False,
    ) -> Iterable[hpack.HeaderTuple]:
        """Unpack one block, of which the library's caller is told nothing."""
        self.unpack(bytes(data))
        return []

    def unpack(self, data: bytes) -> None:
        """Unpack one block into *fields*; PackingError, and why in *fault*."""
        self.fields, self.size = [], 0
        try:
            at = self._unpack_plain(data)
            if at < len(data):
                self._unpack_rest(data[at:])
        except hpack.OversizedHeaderListError:
            self.fault = Code.ENHANCE_YOUR_CALM
            raise
        except hpack.HPACKError:
            self.fault = Code.COMPRESSION_ERROR
            raise

    def _unpack_plain(self, data: bytes) -> int:
        """Take fields as long as each is plain: where the first begins that is not."""
        table, at = self.header_table, 0
        while at < len(data):
            first = data[at]
            if first & _REFERENCE:
                if first in _RARE:
                    break
                field = table.get_by_index(first & ~_REFERENCE)
                at += 1
            elif found := self._unpack_named(data, at):
                field, at = found
            else:
                break
            self.fields.append(field)
            self.size += len(field[0]) + len(field[1]) + OVERHEAD
            if self.size > UNPACKED:
                raise hpack.OversizedHeaderListError("it unpacks to too much")
        return at

    def _unpack_named(self, data: bytes, at: int) -> tuple[Field, int] | None:
        """A field at *at* whose name is a reference, and its end; None if not plain."""
        first = data[at]
        bits = 0x3F if first & _REMEMBER else 0x0F
        index = first & bits
        if index in {0, bits} or first & _FORMS == _RESIZE or at + 2 > len(data):
            return None
        length = data[at + 1]
        end = at + 2 + (length & ~_HUFFMAN)
        if length & _MORE == _MORE or end > len(data):
            return None
        value = data[at + 2 : end]
        if length & _HUFFMAN:
            value = decode_huffman(value)
        field = (self.header_table.get_by_index(index)[0], value)
        if first & _REMEMBER:
            self.header_table.add(*field)
        return field, end

    def _unpack_rest(self, data: bytes) -> None:
        if self.fields and data[0] & _FORMS == _RESIZE:
            # The library has not seen the fields before it.
            raise hpack.HPACKDecodingError("a new size of the table comes too late")
        self.max_header_list_size = UNPACKED - self.size
        for name, value in super().decode(data, raw=True):
            self.fields.append((bytes(name), bytes(value)))
            self.size += len(name) + len(value) + OVERHEAD


class Encoder(hpack.Encoder):
    """Remembers no more than our own bound, however much its peer offers to."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[Field, bytes] = {}  # references, until the table changes

    @property
    def header_table_size(self) -> int:
        """The size of the dynamic table, bytes."""
        return self.header_table.maxsize

    @header_table_size.setter
    def header_table_size(self, value: int) -> None:
        value = min(value, HPACK_TABLE)
        if value == self.header_table.maxsize:
            return  # the library would forget to say an earlier one
        self._known.clear()
        # The inherited setter also notes that the next block must say so.
        hpack.Encoder.header_table_size.fset(self, value)  # type: ignore[attr-defined]  # mypy sees no property

    def pack(self, fields: RawFields) -> bytes:
        """One block of *fields*."""
        # Of no fields the library says but that the table has a new size.
        packed = [self.encode(())] if self.header_table.resized else []
        packed += [self._known.get(field) or self._pack(field) for field in fields]
        return b"".join(packed)

    def _pack(self, field: Field) -> bytes:
        name, value = field
        if (begin := _PASSING.get(name)) and len(value) < _MORE:
            return b"%b%c%b" % (begin, len(value), value)
        if name == b"set-cookie":
            # What identifies somebody, others could find out by what their own fields
            # cost, if it were remembered (RFC 7541 section 7.1).
            return self.add(field, sensitive=True, huffman=True)
        packed = self.add(field, sensitive=False, huffman=True)
        if packed[0] & _REFERENCE:
            self._known[field] = packed
        else:
            self._known.clear()
        return packed
