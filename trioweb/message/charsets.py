"""Charsets: the encodings of text that a peer may name (WHATWG Encoding section 4)."""

from __future__ import annotations

# The labels that browsers and mail programs use, by Python's name for the codec.  A
# list and not Python's own search: that imports a module for a name it does not know,
# remembers every such name for good, and finds things that are no charsets of text.
_LABELS = {
    "utf-8": "utf-8 utf8 unicode-1-1-utf-8",
    "utf-16": "utf-16",
    "utf-16-le": "utf-16le",
    "utf-16-be": "utf-16be",
    "ascii": "ascii us-ascii",
    "latin-1": "iso-8859-1 iso8859-1 latin1 latin-1 l1",
    "iso8859-2": "iso-8859-2 latin2",
    "iso8859-5": "iso-8859-5 cyrillic",
    "iso8859-7": "iso-8859-7 greek",
    "iso8859-9": "iso-8859-9 latin5",
    "iso8859-15": "iso-8859-15 latin9",
    "cp1250": "windows-1250 cp1250",
    "cp1251": "windows-1251 cp1251",
    "cp1252": "windows-1252 cp1252",
    "cp1253": "windows-1253 cp1253",
    "cp1254": "windows-1254 cp1254",
    "koi8-r": "koi8-r",
    "koi8-u": "koi8-u",
    "cp949": "euc-kr ks_c_5601-1987 ksc5601 windows-949 cp949",
    "cp932": "shift_jis shift-jis sjis windows-31j ms932 cp932",
    "euc_jp": "euc-jp",
    "iso2022_jp": "iso-2022-jp",
    "gb18030": "gb18030 gbk gb2312",
    "big5hkscs": "big5 big5-hkscs",
}

CODECS = {label: codec for codec, names in _LABELS.items() for label in names.split()}


def codec_of(charset: str) -> str | None:
    """Python's codec for *charset*, in any case; None for one that is not known."""
    return CODECS.get(charset.strip().lower())
