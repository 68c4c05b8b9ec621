"""Content-Disposition: every name arrives as that one name, and brings nothing else."""

from __future__ import annotations

from urllib.parse import unquote

import hypothesis.strategies as st
import pytest
from hypothesis import given

from trioweb.rules.disposition import attachment
from trioweb.rules.headers import Headers, parse_parameters

# id (RFC 6266), the name, the field behind "attachment; "
NAMES: list[tuple[str, str, str]] = [
    ("4.3 plain", "plan.pdf", 'filename="plan.pdf"'),
    ("4.3 spaces and commas", "a, b; c.pdf", 'filename="a, b; c.pdf"'),
    (
        "4.3 another script",
        "한글.pdf",
        "filename=\"__.pdf\"; filename*=UTF-8''%ED%95%9C%EA%B8%80.pdf",
    ),
    ("D percent", "a%41", "filename=\"a_41\"; filename*=UTF-8''a%2541"),
    ("D backslash", "a\\b", "filename=\"a_b\"; filename*=UTF-8''a%5Cb"),
    ("4.3 path", "../a", "filename=\".._a\"; filename*=UTF-8''..%2Fa"),
    (
        "R5 quotes, another name, a line end",
        'a";x=".bat\r\n',
        "filename=\"a_;x=_.bat__\"; filename*=UTF-8''a%22%3Bx%3D%22.bat%0D%0A",
    ),
]


@pytest.mark.parametrize(
    ("name", "field"), [case[1:] for case in NAMES], ids=[case[0] for case in NAMES]
)
def test_names(name: str, field: str) -> None:
    assert attachment(name) == "attachment; " + field


@pytest.mark.parametrize("name", ["", "a\ud800"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"empty|surrogates"):
        attachment(name)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
ODD = st.text("\";\\%=*/\r\n\0a é'", min_size=1)


@given(TEXT | ODD)
def test_r5_any_name_arrives_as_that_one_name(name: str) -> None:
    field = attachment(name)
    # What the wire sends is this line and no other.
    assert Headers({"content-disposition": field})["content-disposition"] == field
    kind, parameters = parse_parameters(field)
    assert kind == "attachment"
    assert set(parameters) <= {"filename", "filename*"}
    extended = parameters.get("filename*")
    if extended is None:
        assert parameters["filename"] == name
    else:
        assert unquote(extended.removeprefix("UTF-8''"), errors="strict") == name
