"""Buckets that are merged from finer ones, against the same statistic over the records, on DuckDB."""

import math
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puppylog.model.metric import Metric
from puppylog.stores.aggregate import aggregate_sql, sketch_sql
from puppylog.stores.levels import Part, list_levels, merge_sketches_sql, merge_sql
from puppylog.stores.sketches import RELATIVE_ERROR, has_sketch
from support.examples import examples

pytestmark = pytest.mark.sampled

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY_S = 86_400
EXACT = ("count", "rate", "sum", "min", "max", "ratio", "avg", "stddev", "variance")
PERCENTILES = ("p1", "p50", "p95", "p99.9")

Record = tuple[int, str | None, float | None]  # microseconds since the epoch, segment, value
Buckets = dict[tuple[datetime, str | None], float | None]

instants = st.integers(-2 * DAY_S * 10**6, 2 * DAY_S * 10**6)
numbers = st.none() | st.integers(-3, 10).map(float) | st.floats(-1e9, 1e9) | st.floats(1e3, 1e12)
odd_numbers = numbers | st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -0.0, 5e-324, 1.7e308])
segments = st.sampled_from([None, "", "a", "b"])


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection


def metric_of(statistic: str, period_s: int = 10) -> Metric:
    is_counting = statistic in {"count", "rate", "ratio"}
    property_ = "*" if is_counting else "response_bytes"
    of = "response_bytes > 2" if statistic == "ratio" else None
    return Metric("m", statistic, property_, period_s, segment="request_route", of=of)


def store(database: duckdb.DuckDBPyConnection, metric: Metric, records: Sequence[Record]) -> None:
    """Make the records, the metric's own buckets, its sketch rows, and its levels, each from the finer one."""
    columns = {"ts": pa.timestamp("us", "UTC"), "request_route": pa.string(), "response_bytes": pa.float64()}
    rows = pa.Table.from_pylist([dict(zip(columns, record, strict=True)) for record in records], pa.schema(columns))
    database.register("arrow_records", rows)
    database.execute("CREATE OR REPLACE TABLE records AS FROM arrow_records")
    database.unregister("arrow_records")
    own = aggregate_sql(metric, "duckdb", source="records", is_hidden_kept=True)
    database.execute(f"CREATE OR REPLACE TABLE own AS {own}")
    if has_sketch(metric):
        database.execute(f"CREATE OR REPLACE TABLE sketch_own AS {sketch_sql(metric, 'duckdb', source='records')}")
    finer = Part("own", metric.period_s, "sketch_own")
    for step_s in list_levels(metric.period_s):
        database.execute(f"CREATE OR REPLACE TABLE level_{step_s} AS {merge_sql(metric, step_s, [finer])}")
        if has_sketch(metric):
            sketches = merge_sketches_sql(metric, step_s, [finer])
            database.execute(f"CREATE OR REPLACE TABLE sketch_{step_s} AS {sketches}")
        finer = Part(f"level_{step_s}", step_s, f"sketch_{step_s}", is_level=True)


def ask(database: duckdb.DuckDBPyConnection, query: str) -> Buckets:
    rows = database.sql(f"SELECT bucket, segment, value FROM ({query}) AS buckets").fetchall()
    buckets = {(bucket, segment): value for bucket, segment, value in rows}
    assert len(buckets) == len(rows)
    return buckets


def parts_at(step_s: int, edge: datetime) -> list[Part]:
    """Return the level of a step before an instant, and the metric's own buckets from there on."""
    where = "bucket {} TIMESTAMPTZ '" + edge.isoformat() + "'"
    level = Part(f"level_{step_s}", step_s, f"sketch_{step_s}", where.format("<"), is_level=True)
    return [level, Part("own", 10, "sketch_own", where.format(">="))]


def assert_close(found: Buckets, expected: Buckets, rel: float, absolute: float = 1e-9) -> None:
    assert found.keys() == expected.keys()
    for key, value in expected.items():
        assert found[key] == (None if value is None else pytest.approx(value, rel=rel, abs=absolute, nan_ok=True)), key


def test_a_level_is_a_multiple_of_the_period_and_at_least_four_times_as_long() -> None:
    levels = {period_s: list_levels(period_s) for period_s in (1, 7, 15, 20, 60, 1800, 3600, DAY_S)}
    assert levels == {
        1: [60, 3600, DAY_S],
        7: [],
        15: [60, 3600, DAY_S],
        20: [3600, DAY_S],
        60: [3600, DAY_S],
        1800: [DAY_S],
        3600: [DAY_S],
        DAY_S: [],
    }


@pytest.mark.parametrize("statistic", EXACT)
def test_merged_buckets_are_those_of_their_records(database: duckdb.DuckDBPyConnection, statistic: str) -> None:
    @settings(max_examples=examples(2, soak=40))
    @given(st.lists(st.tuples(instants, segments, numbers), max_size=40), st.sampled_from([60, 3600, DAY_S, 7 * DAY_S]))
    def run(records: list[Record], step_s: int) -> None:
        metric = metric_of(statistic)
        store(database, metric, records)
        expected = ask(database, aggregate_sql(metric_of(statistic, step_s), "duckdb", source="records"))
        for source in ([Part("own", 10)], *([[Part("level_60", 60, is_level=True)]])):
            assert_close(ask(database, merge_sql(metric, step_s, source)), expected, rel=1e-6, absolute=1e-6)
        level_s = max(level_s for level_s in (60, 3600, DAY_S) if level_s <= step_s)
        found = ask(database, merge_sql(metric, step_s, parts_at(level_s, EPOCH + timedelta(days=-1))))
        assert_close(found, expected, rel=1e-6, absolute=1e-6)

    run()


@pytest.mark.parametrize("statistic", PERCENTILES)
def test_a_percentile_of_merged_buckets_has_the_stated_error(
    database: duckdb.DuckDBPyConnection, statistic: str
) -> None:
    @settings(max_examples=examples(2, soak=60))
    @given(st.lists(st.tuples(instants, segments, numbers.filter(lambda n: n is None or n >= 0)), max_size=40))
    def run(records: list[Record]) -> None:
        metric = metric_of(statistic)
        store(database, metric, records)
        for step_s in (3600, DAY_S, 7 * DAY_S):
            expected = ask(database, aggregate_sql(metric_of(statistic, step_s), "duckdb", source="records"))
            level_s = min(step_s, DAY_S)
            for source in ([Part("own", 10, "sketch_own")], parts_at(level_s, EPOCH + timedelta(days=-1))):
                found = ask(database, merge_sql(metric, step_s, source))
                assert_close(found, expected, rel=RELATIVE_ERROR * 1.001, absolute=1e-299)

    run()


@pytest.mark.parametrize("statistic", ["count", "sum", "min", "max", "avg", "ratio", *PERCENTILES])
def test_numbers_that_are_not_finite_are_merged(database: duckdb.DuckDBPyConnection, statistic: str) -> None:
    @settings(max_examples=examples(2, soak=40))
    @given(st.lists(st.tuples(instants, segments, odd_numbers), max_size=20))
    def run(records: list[Record]) -> None:
        metric = metric_of(statistic)
        store(database, metric, records)
        found = ask(database, merge_sql(metric, DAY_S, [Part("level_3600", 3600, "sketch_3600", is_level=True)]))
        expected = ask(database, aggregate_sql(metric_of(statistic, DAY_S), "duckdb", source="records"))
        assert found.keys() == expected.keys()
        if statistic in {"count", "min", "max", "ratio"}:
            assert_close(found, expected, rel=1e-9)

    run()


def test_the_order_of_bins_is_that_of_values(database: duckdb.DuckDBPyConnection) -> None:
    values = [-math.inf, -1.7e308, -5.0, -1e-5, 0.0, 1e-5, 0.9, 1.0, 1.1, 5.0, 1.7e308, math.inf, math.nan]
    metric = metric_of("p50")
    store(database, metric, [(no * 10**7, None, value) for no, value in enumerate(values)])
    bins = [row[0] for row in database.sql("SELECT bin FROM sketch_own ORDER BY bucket").fetchall()]
    assert bins == sorted(bins)
    assert len(set(bins)) == len(values)


@pytest.mark.parametrize("number", [3, 100, 2000, 100_000])
def test_an_estimated_number_of_distinct_values_is_within_four_standard_errors(
    database: duckdb.DuckDBPyConnection, number: int
) -> None:
    chosen = random.Random(number)
    values = [float(chosen.randrange(number)) for _ in range(min(2 * number, 150_000))]
    metric = metric_of("distinct")
    store(database, metric, [(chosen.randrange(3600) * 10**6, None, value) for value in values])
    found = ask(database, merge_sql(metric, DAY_S, parts_at(3600, EPOCH)))
    real = len(set(values))
    assert found == {(EPOCH, None): pytest.approx(real, rel=4 * 1.04 / 32, abs=1)}


@pytest.mark.parametrize("statistic", ["avg", "stddev", "variance", "distinct", "p50"])
def test_buckets_without_hidden_columns_keep_a_value(database: duckdb.DuckDBPyConnection, statistic: str) -> None:
    """Buckets that were frozen before there were hidden columns have only their values."""
    metric = metric_of(statistic)
    store(database, metric, [(no * 5 * 10**6, "a", float(no)) for no in range(8)])
    columns = {"stddev": "weight = NULL, mean = NULL, m2 = NULL", "avg": "weight = NULL"}
    columns["variance"] = columns["stddev"]
    if statistic in columns:
        database.execute(f"UPDATE own SET {columns[statistic]}")
    else:
        database.execute("DELETE FROM sketch_own")
    rows = database.sql("SELECT value FROM own").fetchall()
    values = [value for (value,) in rows]
    expected = max(values) if statistic == "distinct" else sum(values) / len(values)
    assert ask(database, merge_sql(metric, DAY_S, [Part("own", 10, "sketch_own")])) == {(EPOCH, "a"): expected}
