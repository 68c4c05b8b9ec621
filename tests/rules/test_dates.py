"""HTTP dates (RFC 9110 section 5.6.7)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trioweb.rules.dates import format_date, parse_date

THEN = 784111777.0
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()


def _seconds(*fields: int) -> float:
    year, month, day, hour, minute, second = fields
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()


READ = [
    ("IMF-fixdate", "Sun, 06 Nov 1994 08:49:37 GMT", THEN),
    ("rfc850-date", "Sunday, 06-Nov-94 08:49:37 GMT", THEN),
    ("asctime-date", "Sun Nov  6 08:49:37 1994", THEN),
    ("asctime-date with two digits", "Wed Nov 16 08:49:37 1994", THEN + 864000),
    ("wrong weekday", "Mon, 06 Nov 1994 08:49:37 GMT", THEN),
    ("epoch", "Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
    ("before the epoch", "Wed, 31 Dec 1969 23:59:59 GMT", -1.0),
    ("29 February", "Thu, 29 Feb 2024 00:00:00 GMT", _seconds(2024, 2, 29, 0, 0, 0)),
    ("leap second", "Sat, 31 Dec 2016 23:59:60 GMT", _seconds(2017, 1, 1, 0, 0, 0)),
    ("last year", "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799.0),
    (
        "50 years ahead",
        "Sunday, 22-Nov-76 12:00:00 GMT",
        _seconds(2076, 11, 22, 12, 0, 0),
    ),
    (
        "50 years and a second ahead",
        "Monday, 22-Nov-76 12:00:01 GMT",
        _seconds(1976, 11, 22, 12, 0, 1),
    ),
    ("this year", "Sunday, 01-Jan-26 00:00:00 GMT", _seconds(2026, 1, 1, 0, 0, 0)),
    ("29 February 2000", "Tuesday, 29-Feb-00 00:00:00 GMT", 951782400.0),
    ("empty", "", None),
    ("zone", "Sun, 06 Nov 1994 08:49:37 UTC", None),
    ("no zone", "Sun, 06 Nov 1994 08:49:37", None),
    ("offset", "Sun, 06 Nov 1994 08:49:37 +0000", None),
    ("lower case", "sun, 06 nov 1994 08:49:37 gmt", None),
    ("one digit", "Sun, 6 Nov 1994 08:49:37 GMT", None),
    ("unknown weekday", "Xyz, 06 Nov 1994 08:49:37 GMT", None),
    ("unknown month", "Sun, 06 Nox 1994 08:49:37 GMT", None),
    ("30 February", "Sun, 30 Feb 2024 08:49:37 GMT", None),
    ("29 February of no leap year", "Wed, 29 Feb 2023 00:00:00 GMT", None),
    ("29 February by two digits", "Wednesday, 29-Feb-23 00:00:00 GMT", None),
    ("day 0", "Sun, 00 Nov 1994 08:49:37 GMT", None),
    ("year 0", "Sun, 06 Nov 0000 08:49:37 GMT", None),
    ("hour 24", "Sun, 06 Nov 1994 24:00:00 GMT", None),
    ("minute 60", "Sun, 06 Nov 1994 08:60:00 GMT", None),
    ("second 61", "Sun, 06 Nov 1994 08:49:61 GMT", None),
    ("other digits", "Sun, 0\N{ARABIC-INDIC DIGIT SIX} Nov 1994 08:49:37 GMT", None),
    ("text behind", "Sun, 06 Nov 1994 08:49:37 GMT\n", None),
    ("ISO 8601", "1994-11-06T08:49:37Z", None),
    ("short weekday in rfc850", "Sun, 06-Nov-94 08:49:37 GMT", None),
]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [case[1:] for case in READ],
    ids=[f"5.6.7 {case[0]}" for case in READ],
)
def test_reading(text: str, seconds: float | None) -> None:
    assert parse_date(text, NOW) == seconds


def test_two_digits_mean_the_next_century_near_its_turn() -> None:
    now = _seconds(2099, 1, 1, 0, 0, 0)
    found = parse_date("Thursday, 01-Jan-05 00:00:00 GMT", now)
    assert found == _seconds(2105, 1, 1, 0, 0, 0)


def test_fractions_are_cut_off() -> None:
    assert format_date(THEN + 0.9999999) == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert format_date(-0.5) == "Wed, 31 Dec 1969 23:59:59 GMT"


def test_a_time_without_a_calendar_is_refused() -> None:
    for seconds in (1e12, -1e12, 1e300, float("nan"), float("inf")):
        with pytest.raises((ValueError, OverflowError)):
            format_date(seconds)


@given(st.integers(-62135596800, 253402300799))
def test_a_printed_date_is_read_back(seconds: int) -> None:
    text = format_date(seconds)
    assert text == formatdate(seconds, usegmt=True)
    assert parse_date(text, NOW) == seconds


@given(st.floats(-1e9, 4e9), st.integers(0, 99), st.integers(1, 28))
def test_a_two_digit_year_is_at_most_fifty_years_away(
    now: float, year: int, day: int
) -> None:
    found = parse_date(f"Monday, {day:02}-Mar-{year:02} 00:00:00 GMT", now)
    assert found is not None
    half_century = 50 * 365.2425 * 86400
    assert abs(found - now) <= half_century + 2 * 86400


@given(st.text())
def test_any_text_is_a_date_or_none(text: str) -> None:
    assert parse_date(text, NOW) is None
