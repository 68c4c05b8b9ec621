"""Charsets: a list, and every label on it is one that Python can decode."""

from __future__ import annotations

import codecs

import pytest

from trioweb.message.charsets import CODECS, codec_of


@pytest.mark.parametrize("label", CODECS)
def test_every_label_names_a_codec_of_text(label: str) -> None:
    assert codecs.lookup(CODECS[label]).encode("a")[0]
    assert "a".encode(CODECS[label]).decode(CODECS[label]) == "a"


def test_labels_are_found_in_any_case() -> None:
    assert codec_of(" EUC-KR ") == "cp949"


@pytest.mark.parametrize("label", ["", "rot13", "idna", "x" * 10_000, "unknown"])
def test_what_is_not_on_the_list_is_not_looked_for(label: str) -> None:
    assert codec_of(label) is None
