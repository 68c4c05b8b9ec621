"""Packing: what is read and written here is what the library reads (RFC 7541)."""

from __future__ import annotations

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.wire.h2.written import pack
from trioweb.wire.h2_codes import Code
from trioweb.wire.h2_packing import Decoder, Encoder, PackingError
from trioweb.wire.limits import UNPACKED

Fields = list[tuple[bytes, bytes]]

# Names of the static table and others, with values of it and others.
names = st.sampled_from(
    [b":status", b":path", b"content-length", b"etag", b"set-cookie", b"x-a", b"x-b"]
)
values = st.sampled_from([b"200", b"/", b"", b"a", b"b", b"c" * 126, b"d" * 127])
blocks = st.lists(st.lists(st.tuples(names, values), max_size=6), max_size=6)

# What blocks begin with, or go on with, and chance.
octets = st.sampled_from(
    [
        b"\x82", b"\x88", b"\xbe", b"\xbf", b"\x80", b"\xff", b"\x20", b"\x3f\xe1\x1f",
        b"\x44\x01a", b"\x44\x81\x1f", b"\x04\x01b", b"\x14\x01c", b"\x7e\x01d",
        b"\x40\x01x\x01y", b"\x00\x01x\x01y", b"\x0f\x0d\x021x", b"\x44", b"\x44\x7f",
        b"\x44\x05a", b"\x44\x84\xff\xff\xff\xff", b"\x7f\x00\x01e", b"\x10\x01x\x00",
    ]
)  # fmt: skip
pieces = st.lists(octets | st.binary(max_size=3), max_size=12).map(b"".join)


def unpacked(decoder: Decoder, block: bytes) -> Fields | None:
    try:
        decoder.unpack(block)
    except PackingError:
        assert decoder.fault is Code.COMPRESSION_ERROR
        return None
    size = sum(32 + len(name) + len(value) for name, value in decoder.fields)
    assert decoder.size == size
    return decoder.fields


def read(library: hpack.Decoder, block: bytes) -> Fields | None:
    try:
        fields = library.decode(block, raw=True)
    except hpack.HPACKError:
        return None
    return [(bytes(name), bytes(value)) for name, value in fields]


@given(st.lists(pieces, max_size=4))
def test_a_block_is_read_as_the_library_reads_it(sent: list[bytes]) -> None:
    ours, library = Decoder(), hpack.Decoder()
    for block in sent:
        fields = unpacked(ours, block)
        assert fields == read(library, block)
        if fields is None:
            return


@given(blocks, st.lists(st.sampled_from([0, 40, 100, 4096]), max_size=6))
def test_a_block_is_written_for_any_reader(
    sent: list[Fields], sizes: list[int]
) -> None:
    ours, reader = Encoder(), hpack.Decoder()
    for number, fields in enumerate(sent):
        if number < len(sizes):
            ours.header_table_size = sizes[number]
        assert read(reader, ours.pack(fields)) == fields


@given(blocks)
def test_what_the_library_writes_is_read(sent: list[Fields]) -> None:
    library, ours = hpack.Encoder(), Decoder()
    for fields in sent:
        assert unpacked(ours, library.encode(fields)) == fields


def test_what_repeats_takes_a_byte() -> None:
    encoder = Encoder()
    fields = [(b":status", b"200"), (b"content-type", b"text/plain")]
    assert len(encoder.pack(fields)) > 2
    again = encoder.pack(fields)
    assert len(again) == 2
    assert encoder.pack(fields) == again
    encoder.pack([(b"x", b"pushes the others back by one")])
    assert encoder.pack(fields) != again
    assert len(encoder.pack(fields)) == 2


def test_what_passes_is_not_remembered() -> None:
    encoder = Encoder()
    encoder.pack([(b"x", b"1")])
    for number in range(100, 400):
        encoder.pack([(b"content-length", b"%d" % number), (b"etag", b'"%d"' % number)])
    assert encoder.pack([(b"x", b"1")]) == b"\xbe"


def test_what_identifies_somebody_is_never_remembered() -> None:
    encoder, cookie = Encoder(), [(b"set-cookie", b"id=1")]
    first = encoder.pack(cookie)
    assert first[0] & 0xF0 == 0x10
    assert encoder.pack(cookie) == first
    assert encoder.pack([(b"x", b"1"), (b"x", b"1")])[-1:] == b"\xbe"


@pytest.mark.parametrize(
    "block",
    [
        b"\xbe" * 20,
        b"\xbe" * 10 + b"\0\1y\1z" + b"\xbe" * 10,
        pack([(b"x", b"a" * 20_000)] * 4),
    ],
    ids=["references", "together with the library", "text"],
)
def test_m4_what_unpacks_to_too_much_is_a_flood(block: bytes) -> None:
    decoder = Decoder()
    decoder.unpack(b"\x40\x01x\x7f\xbd\x1d" + b"a" * 3900)
    with pytest.raises(PackingError):
        decoder.unpack(block)
    assert decoder.fault is Code.ENHANCE_YOUR_CALM
    assert decoder.size <= UNPACKED + 4096


def test_7541_4_2_a_table_is_not_made_smaller_in_the_middle() -> None:
    assert unpacked(Decoder(), b"\x82\x20") is None
    assert unpacked(Decoder(), b"\x20\x82") == [(b":method", b"GET")]


def test_the_library_is_shown_no_field() -> None:
    decoder = Decoder()
    assert decoder.decode(memoryview(b"\x82")) == []
    assert decoder.fields == [(b":method", b"GET")]
