import re

import pytest

from puppylog.errors import UsageError
from puppylog.model.metric import STATISTICS, parse_attribute, parse_percentile, parse_property, parse_statistic
from puppylog.model.record import COLUMNS, NUMERIC_COLUMNS


@pytest.mark.parametrize("statistic", STATISTICS)
def test_the_case_of_a_statistic_is_ignored(statistic: str) -> None:
    assert parse_statistic(f" {statistic.upper()} ") == statistic


@pytest.mark.parametrize(
    ("text", "canonical", "fraction"),
    [
        ("p50", "p50", 0.5),
        ("P99", "p99", 0.99),
        ("p99.9", "p99.9", 0.999),
        ("p99.90", "p99.9", 0.999),
        ("p05", "p5", 0.05),
        ("p99.0", "p99", 0.99),
        ("p0.1", "p0.1", 0.001),
        ("p99.999999", "p99.999999", 0.99999999),
    ],
)
def test_a_percentile_has_one_spelling(text: str, canonical: str, fraction: float) -> None:
    assert parse_statistic(text) == canonical
    assert parse_percentile(canonical) == fraction


@pytest.mark.parametrize(
    "text", ["", "p", "p0", "p00.0", "p100", "p99.9999999", "p-1", "p٩٩", "median", "rates", "p5 0"]
)
def test_an_unknown_statistic_is_refused(text: str) -> None:
    assert parse_percentile(text) is None
    with pytest.raises(UsageError, match=f"^cannot use statistic {re.escape(repr(text))}: known are count, rate"):
        parse_statistic(text)


@pytest.mark.parametrize("statistic", ["count", "rate"])
def test_a_counting_statistic_takes_any_property(statistic: str) -> None:
    for column in COLUMNS - {"attributes"}:
        assert parse_property(column, statistic) == column
    assert parse_property(" * ", statistic) == "*"


def test_a_ratio_takes_whole_records_only() -> None:
    assert parse_property("*", "ratio") == "*"
    with pytest.raises(UsageError, match=r"^cannot take ratio of 'host': a ratio takes whole records; leave out -p$"):
        parse_property("host", "ratio")


def test_columns_may_have_their_names_in_the_original_puppylog() -> None:
    assert parse_property("response_bsize", "sum") == "response_bytes"
    assert parse_property("indent_logname", "distinct") == "ident"


@pytest.mark.parametrize("statistic", [*sorted({*STATISTICS} - {"count", "rate", "ratio", "distinct"}), "p99"])
def test_other_statistics_need_numeric_columns(statistic: str) -> None:
    for column in NUMERIC_COLUMNS:
        assert parse_property(column, statistic) == column
    assert parse_property("attributes.time_taken", statistic) == "attributes.time_taken"
    with pytest.raises(UsageError, match=f"^cannot take {re.escape(statistic)} of host: it is not a number$"):
        parse_property("host", statistic)
    with pytest.raises(UsageError, match="only count, rate and ratio take whole records"):
        parse_property("*", statistic)


@pytest.mark.parametrize("text", ["", "hosts", "attributes", "attributes.", "attributes.1a", "attributes.a b", "a;b"])
def test_an_unknown_property_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=f"^cannot use property {re.escape(repr(text))}: no such column; known are"):
        parse_property(text, "count")


def test_dots_in_the_key_of_an_attribute_name_nested_objects() -> None:
    assert parse_attribute("attributes.a.b") == "a.b"
    assert parse_attribute("host") is None
    assert parse_attribute("*") is None
