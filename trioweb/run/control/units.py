"""Units: numbers as people read them."""

from __future__ import annotations

_STEPS = (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1))


def duration(seconds: float) -> str:
    """Seconds in the two units that say most.

    >>> [duration(each) for each in (0.25, 9.9, 59, 61, 7980, 273600)]
    ['0.2 s', '9.9 s', '59 s', '1 min 1 s', '2 h 13 min', '3 d 4 h']
    """
    if seconds < 10:
        return f"{seconds:.1f} s"
    for unit, size, lesser, part in _STEPS:
        if seconds >= size:
            whole, rest = divmod(int(seconds), size)
            return f"{whole} {unit} {rest // part} {lesser}"
    return f"{int(seconds)} s"


def size(count: int) -> str:
    """Bytes in units of 1000.

    >>> [size(each) for each in (0, 999, 34_300_000, 2_150_000_000)]
    ['0 B', '999 B', '34.3 MB', '2.1 GB']
    """
    value, units = float(count), iter(("B", "kB", "MB", "GB"))
    unit = next(units)
    for larger in units:
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} B" if unit == "B" else f"{value:.1f} {unit}"


def rate(per_second: float) -> str:
    """A rate, with a decimal where that says something.

    >>> [rate(each) for each in (0.0, 0.04, 0.5, 12.4, 1204.2)]
    ['0', '0.04', '0.5', '12', '1204']
    """
    if per_second == 0 or per_second >= 10:
        return f"{per_second:.0f}"
    return f"{per_second:.1f}" if per_second >= 0.1 else f"{per_second:.2f}"
