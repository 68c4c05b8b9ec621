"""Exposition: a parser that nobody here wrote reads back what was counted."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from trioweb.message.measures import Family, Series
from trioweb.run.exposition import exposition

# No surrogates: they have no form in UTF-8.
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBER = st.one_of(
    st.integers(0, 2**60).map(float), st.floats(0, 1e300, allow_subnormal=False)
)


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample in *text*, by its name and labels."""
    found = {}
    for family in text_string_to_metric_families(text):
        for each in family.samples:
            place = each.name, frozenset(each.labels.items())
            assert place not in found
            found[place] = each.value
    return found


@given(
    st.dictionaries(st.tuples(TEXT, TEXT), NUMBER, max_size=5),
    TEXT,
    st.sampled_from(["counter", "gauge"]),
)
def test_whatever_the_labels_are_they_are_read_back(
    values: dict[tuple[str, str], float], text: str, kind: str
) -> None:
    family = Family("x_total", kind, text, ("a", "b"))  # type: ignore[arg-type]  # both are
    series = [Series(labels, (value,)) for labels, value in values.items()]
    read = samples(exposition([(family, series)]))
    assert read == {
        ("x_total", frozenset({("a", a), ("b", b)})): value
        for (a, b), value in values.items()
    }


@given(st.lists(st.integers(0, 2**40), min_size=4, max_size=4), NUMBER)
def test_the_buckets_of_a_histogram_contain_those_before_them(
    counts: list[int], total: float
) -> None:
    family = Family("x", "histogram", "X.", ("a",), (0.25, 1.0, 2.5))
    one = Series(("b",), (*map(float, counts), total))
    text = exposition([(family, [one])])
    read = samples(text)
    ends = [
        read["x_bucket", frozenset({("a", "b"), ("le", end)})]
        for end in ("0.25", "1", "2.5", "+Inf")
    ]
    assert ends == [sum(counts[:n]) for n in (1, 2, 3, 4)]
    assert read["x_count", frozenset({("a", "b")})] == sum(counts)
    assert math.isclose(read["x_sum", frozenset({("a", "b")})], total)


def test_it_reads_as_prometheus_says_it_should() -> None:
    orders = Family("orders_total", "counter", 'Of "one"\nday \\ night.', ("paid",))
    seconds = Family("seconds", "histogram", "Seconds.", (), (0.5, 1.0))
    text = exposition(
        [
            (seconds, [Series((), (1, 0, 2, 10.5))]),
            (orders, [Series(('a"\\\n',), (1e300,)), Series(("안녕\ud800",), (0.1,))]),
        ]
    )
    assert text == (
        '# HELP orders_total Of "one"\\nday \\\\ night.\n'
        "# TYPE orders_total counter\n"
        'orders_total{paid="a\\"\\\\\\n"} 1e+300\n'
        'orders_total{paid="안녕?"} 0.1\n'
        "# HELP seconds Seconds.\n"
        "# TYPE seconds histogram\n"
        'seconds_bucket{le="0.5"} 1\n'
        'seconds_bucket{le="1"} 1\n'
        'seconds_bucket{le="+Inf"} 3\n'
        "seconds_sum 10.5\n"
        "seconds_count 3\n"
    )
