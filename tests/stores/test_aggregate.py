"""Every statistic against its definition in Python, on DuckDB. The SQL for PostgreSQL is compared as text."""

import json
import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puppylog.model.metric import Metric
from puppylog.stores.aggregate import aggregate_sql
from support.examples import examples
from support.memory import MemoryReader

pytestmark = pytest.mark.sampled

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Row = dict[str, Any]
Key = tuple[datetime, str | None]

COLUMNS = pa.schema(
    [
        ("ts", pa.timestamp("us", "UTC")),
        ("stream_id", pa.int32()),
        ("request_route", pa.string()),
        ("response_bytes", pa.int64()),
        ("attributes", pa.string()),
    ]
)


@pytest.fixture(scope="module")
def reader() -> Iterator[MemoryReader]:
    with MemoryReader() as reader:
        reader.insert("log_streams", id=1, group_id=7)
        reader.insert("log_streams", id=2, group_id=8)
        reader.insert("log_streams", id=3)
        yield reader


def fill(reader: MemoryReader, rows: Sequence[Row]) -> None:
    """Make ``rows`` the store's only records."""
    table = pa.Table.from_pylist([dict.fromkeys(COLUMNS.names) | row for row in rows], COLUMNS)
    reader.connection.execute("DELETE FROM puppylog.log_records")
    reader.connection.register("incoming", table)
    reader.connection.execute(
        "INSERT INTO puppylog.log_records BY NAME SELECT *, 0 AS file_id, 0 AS line_offset FROM incoming"
    )
    reader.connection.unregister("incoming")


def ask(reader: MemoryReader, metric: Metric, **limits: Any) -> dict[Key, float | None]:
    table = reader.query(aggregate_sql(metric, "duckdb", **limits))
    assert table.schema.field("bucket").type == pa.timestamp("us", "UTC")
    assert table.schema.field("segment").type == pa.string()
    assert table.schema.field("value").type == pa.float64()
    answer = {(row["bucket"].astimezone(UTC), row["segment"]): row["value"] for row in table.to_pylist()}
    assert len(answer) == table.num_rows
    return answer


def number(text: str | None) -> float | None:
    """Return the number that a plain decimal text stands for, or None."""
    try:
        return float(text) if text is not None and text.strip() == text and text[-1].isdigit() else None
    except ValueError:
        return None


def percentile(values: Sequence[float], percent: float) -> float:
    """Interpolate between the two nearest values."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return float(ordered[below] + (ordered[above] - ordered[below]) * (place - below))


Values = Sequence[float]
DEFINITIONS: dict[str, Callable[[Values], float | None]] = {
    "count": len,
    "distinct": lambda values: len(set(values)),
    "sum": lambda values: sum(values) if values else None,
    "avg": lambda values: statistics.fmean(values) if values else None,
    "min": lambda values: min(values, default=None),
    "max": lambda values: max(values, default=None),
    "stddev": lambda values: statistics.stdev(values) if len(values) > 1 else None,
    "variance": lambda values: statistics.variance(values) if len(values) > 1 else None,
    "p50": lambda values: percentile(values, 50) if values else None,
    "p99.9": lambda values: percentile(values, 99.9) if values else None,
}

SECTIONS = {None: None, "/": "", "/a": "a", "/a/b": "a", "//": "", "x": "", "/é/": "é"}
NUMBERS = ["1", "-2.5", ".5", "007", "1e-3", "+4", "123456789012345", "0.1"]
NO_NUMBERS = ["", "abc", "1e400", "nan", "inf", "1,5", " 1", "1 ", "0x10", "1_0", "12345678901234567", "\u0661"]
rows = st.lists(
    st.fixed_dictionaries(
        {
            "ts": st.integers(-40_000_000, 40_000_000).map(lambda us: EPOCH + timedelta(microseconds=us)),
            "stream_id": st.sampled_from([1, 2, 3]),
            "request_route": st.sampled_from(list(SECTIONS)),
            "response_bytes": st.none() | st.integers(-3, 10) | st.integers(0, 2**40),
            "attributes": st.none()
            | st.sampled_from(NUMBERS + NO_NUMBERS).map(lambda n: json.dumps({"a": {"select": n}})),
        }
    ),
    max_size=30,
)


def expect(
    metric: Metric, records: Sequence[Row], operand: Callable[[Row], Any], is_in: Callable[[Row], bool]
) -> dict[Key, float | None]:
    groups: dict[Key, list[Any]] = defaultdict(list)
    for record in filter(is_in, records):
        seconds = math.floor((record["ts"] - EPOCH).total_seconds() / metric.period_s) * metric.period_s
        segment = None if metric.segment is None else SECTIONS[record["request_route"]]
        groups[EPOCH + timedelta(seconds=seconds), segment].append(operand(record))
    define = DEFINITIONS[metric.statistic]
    return {key: define([value for value in values if value is not None]) for key, values in groups.items()}


def assert_same(found: dict[Key, float | None], expected: dict[Key, float | None]) -> None:
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key] == (None if value is None else pytest.approx(value, rel=1e-9, abs=1e-9)), key


def attribute(record: Row) -> str | None:
    return None if record["attributes"] is None else str(json.loads(record["attributes"])["a"]["select"])


@pytest.mark.parametrize("statistic", DEFINITIONS)
def test_a_statistic_is_what_its_definition_says(reader: MemoryReader, statistic: str) -> None:
    @settings(max_examples=examples(6, soak=25))
    @given(rows, st.sampled_from([1, 7, 60, 39600, 604800]), st.booleans(), st.booleans())
    def run(records: list[Row], period_s: int, is_segmented: bool, is_filtered: bool) -> None:
        fill(reader, records)
        metric = Metric(
            "m",
            statistic,
            "response_bytes",
            period_s,
            segment="SPLIT_PART(request_route, '/', 2)" if is_segmented else None,
            filter="request_route <> '/a'" if is_filtered else None,
        )
        expected = expect(
            metric,
            records,
            lambda record: record["response_bytes"],
            lambda record: not is_filtered or record["request_route"] not in {"/a", None},
        )
        assert_same(ask(reader, metric), expected)

    run()


@pytest.mark.parametrize("statistic", DEFINITIONS)
def test_an_attribute_that_is_no_number_is_no_value(reader: MemoryReader, statistic: str) -> None:
    def operand(record: Row) -> Any:
        text = attribute(record)
        if statistic in {"count", "distinct"}:
            return text
        return None if text in NO_NUMBERS else number(text)

    @settings(max_examples=examples(6, soak=25))
    @given(rows)
    def run(records: list[Row]) -> None:
        fill(reader, records)
        metric = Metric("m", statistic, "attributes.a.select", 60)
        assert_same(ask(reader, metric), expect(metric, records, operand, lambda _: True))

    run()


def test_a_count_of_records_counts_those_without_any_value(reader: MemoryReader) -> None:
    @settings(max_examples=examples(6, soak=25))
    @given(rows)
    def run(records: list[Row]) -> None:
        fill(reader, records)
        metric = Metric("m", "count", "*", 10)
        assert_same(ask(reader, metric), expect(metric, records, lambda _: 1, lambda _: True))

    run()


SECOND = timedelta(seconds=1)
THREE = [{"ts": EPOCH + n * SECOND, "stream_id": n, "response_bytes": n} for n in (1, 2, 3)]


def test_a_bucket_whose_records_all_fail_the_filter_has_no_row(reader: MemoryReader) -> None:
    fill(reader, [*THREE, {"ts": EPOCH + 9 * SECOND, "stream_id": 1, "response_bytes": None}])
    assert ask(reader, Metric("m", "count", "*", 1, filter="response_bytes > 1")) == {
        (EPOCH + 2 * SECOND, None): 1,
        (EPOCH + 3 * SECOND, None): 1,
    }
    assert ask(reader, Metric("m", "count", "*", 1, filter="NULL")) == {}


def test_a_bucket_without_any_value_has_a_row(reader: MemoryReader) -> None:
    fill(reader, [{"ts": EPOCH, "stream_id": 1}])
    for statistic, value in {"sum": None, "avg": None, "max": None, "p50": None, "count": 0, "distinct": 0}.items():
        assert ask(reader, Metric("m", statistic, "response_bytes", 1)) == {(EPOCH, None): value}


def test_a_bucket_is_half_open(reader: MemoryReader) -> None:
    us = timedelta(microseconds=1)
    fill(reader, [{"ts": EPOCH + offset, "stream_id": 1} for offset in (-us, 0 * us, 10 * SECOND - us, 10 * SECOND)])
    assert ask(reader, Metric("m", "count", "*", 10)) == {
        (EPOCH - 10 * SECOND, None): 1,
        (EPOCH, None): 2,
        (EPOCH + 10 * SECOND, None): 1,
    }


def test_only_the_streams_of_the_group_are_counted(reader: MemoryReader) -> None:
    fill(reader, THREE)
    metric = Metric("m", "sum", "response_bytes", 60)
    assert ask(reader, metric) == {(EPOCH, None): 6}
    assert ask(reader, metric, group_id=8) == {(EPOCH, None): 2}
    assert ask(reader, metric, group_id=9) == {}


def test_a_further_condition_does_not_widen_the_filter(reader: MemoryReader) -> None:
    fill(reader, THREE)
    metric = Metric("m", "sum", "response_bytes", 60, filter="response_bytes = 1 OR response_bytes = 2")
    until = "ts < TIMESTAMPTZ '1970-01-01 00:00:02+00' OR false"
    assert ask(reader, metric, where=until, group_id=7) == {(EPOCH, None): 1}
    assert ask(reader, metric, where=until, group_id=8) == {}


def test_a_segment_is_text_whatever_the_expression_gives(reader: MemoryReader) -> None:
    fill(reader, THREE)
    for segment, texts in {
        "response_bytes > 1": {"true", "false"},
        "response_bytes / 2": {"0", "1"},
        "response_bytes / 2.0": {"0.5", "1", "1.5"},
        "NULL": {None},
        "'$x {y} %s ''z'''": {"$x {y} %s 'z'"},
    }.items():
        assert {key[1] for key in ask(reader, Metric("m", "count", "*", 60, segment=segment))} == texts


@pytest.mark.parametrize(
    ("period_s", "timescaledb"),
    [
        (10, "time_bucket(INTERVAL '10 seconds', ts)"),
        (86400, "time_bucket(INTERVAL '86400 seconds', ts)"),
        (7, "time_bucket(INTERVAL '7 seconds', ts, TIMESTAMPTZ '1970-01-01 00:00:00+00')"),
        (604800, "time_bucket(INTERVAL '604800 seconds', ts, TIMESTAMPTZ '1970-01-01 00:00:00+00')"),
    ],
)
def test_timescaledb_gets_an_origin_only_for_periods_that_need_it(period_s: int, timescaledb: str) -> None:
    metric = Metric("m", "count", "*", period_s)
    assert aggregate_sql(metric, "timescaledb").startswith(f"SELECT {timescaledb} AS bucket, ")


def test_the_query_for_postgresql_uses_its_dialect() -> None:
    metric = Metric("m", "p99", "attributes.a.b", 7, segment="attributes ->> 'k'", filter="status_code / 100 = 5")
    assert aggregate_sql(metric, "postgres", where="ts >= $1", group_id=3) == (
        "SELECT date_bin(INTERVAL '7 seconds', ts, TIMESTAMPTZ '1970-01-01 00:00:00+00') AS bucket, "
        "(attributes ->> 'k') AS segment, "
        "CAST(percentile_cont(0.99) WITHIN GROUP (ORDER BY CAST(SUBSTRING((attributes -> 'a' ->> 'b') FROM "
        "'^[+-]?(?:[0-9]{1,15}(?:[.][0-9]{0,15})?|[.][0-9]{1,15})(?:[eE]-[0-9]{1,2})?$') AS DOUBLE PRECISION)) "
        "AS DOUBLE PRECISION) AS value\n"
        "FROM puppylog.log_records\n"
        "WHERE (ts >= $1) AND ((CAST(status_code AS BIGINT) / NULLIF(100, 0)) = 5) "
        "AND stream_id IN (SELECT id FROM puppylog.log_streams WHERE group_id = 3)\n"
        "GROUP BY 1, 2"
    )
