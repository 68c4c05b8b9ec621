"""HTTP dates, printed in one format and read in three (RFC 9110 section 5.6.7)."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

# Not strftime: its names follow the locale.
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)

_WEEKDAY = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_LONG_WEEKDAY = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_DAY = "(?P<day>[0-9]{2})"
_MONTH = rf"(?P<month>{'|'.join(_MONTHS)})"
_YEAR = "(?P<year>[0-9]{4})"
_TIME = "(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_FORMATS = (
    # IMF-fixdate: Sun, 06 Nov 1994 08:49:37 GMT
    re.compile(rf"{_WEEKDAY}, {_DAY} {_MONTH} {_YEAR} {_TIME} GMT"),
    # rfc850-date: Sunday, 06-Nov-94 08:49:37 GMT
    re.compile(rf"{_LONG_WEEKDAY}, {_DAY}-{_MONTH}-(?P<year>[0-9]{{2}}) {_TIME} GMT"),
    # asctime-date: Sun Nov  6 08:49:37 1994
    re.compile(rf"{_WEEKDAY} {_MONTH} (?P<day>[0-9]{{2}}| [0-9]) {_TIME} {_YEAR}"),
)

LEAP_SECOND = 60  # the highest second the grammar allows (RFC 9110 5.6.7)
CENTURY = 100  # years
FUTURE_YEARS = 50  # how far ahead a two-digit year may lie (RFC 9110 5.6.7)


def format_date(seconds: float) -> str:
    """The IMF-fixdate of a time in seconds since the epoch, fractions cut off.

    ValueError or OverflowError for a time outside the years 1 to 9999.

    >>> format_date(784111777)
    'Sun, 06 Nov 1994 08:49:37 GMT'
    """
    date = datetime.fromtimestamp(math.floor(seconds), UTC)
    day, month = _DAYS[date.weekday()], _MONTHS[date.month - 1]
    return f"{day}, {date.day:02} {month} {date.year:04} {date:%H:%M:%S} GMT"


def parse_date(text: str, now: float) -> float | None:
    """Seconds since the epoch, or None for what is no HTTP date.

    *now*, in the same unit, says which century a two-digit year means.  A weekday that
    does not fit the date is let pass.

    >>> parse_date("Sunday, 06-Nov-94 08:49:37 GMT", now=784111777)
    784111777.0
    """
    for expression in _FORMATS:
        if match := expression.fullmatch(text):
            return _seconds(match, now)
    return None


def _seconds(match: re.Match[str], now: float) -> float | None:
    month = _MONTHS.index(match["month"]) + 1
    day, hour, minute, second = map(int, match.group("day", "hour", "minute", "second"))
    year = int(match["year"])
    if len(match["year"]) == len("94"):
        year = _full_year(year, (month, day, hour, minute, second), now)
    if second > LEAP_SECOND:
        return None
    try:
        date = datetime(year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        return None
    # Added afterwards, because datetime knows no leap second.
    return date.timestamp() + second


def _full_year(year: int, rest: tuple[int, int, int, int, int], now: float) -> int:
    # The latest year with these digits that is not more than 50 years ahead.  Compared
    # field by field, because the date itself need not exist in every such year.
    today = datetime.fromtimestamp(now, UTC)
    latest = (today.year + FUTURE_YEARS, *today.timetuple()[1:6])
    year += (today.year // CENTURY + 1) * CENTURY
    while (year, *rest) > latest:
        year -= CENTURY
    return year
