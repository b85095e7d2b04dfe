"""The levels of the embedded store's metrics against the metrics' own buckets, while lines come late."""

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from puppylog.model.metric import Metric
from puppylog.model.record import RECORDS
from puppylog.monitor.levels import find_newest, read_levels
from puppylog.monitor.metrics import Extent, measure_extent, read_observations, read_steps
from puppylog.monitor.range import Range
from puppylog.monitor.ranking import GREATEST, MEAN, SUM, read_largest
from puppylog.monitor.segments import segments_of
from puppylog.stores.base import Parameters, StoreInfo
from puppylog.stores.cancellation import Cancellation
from puppylog.stores.duckdb.client.doctor_levels import find_wrong_level
from puppylog.stores.duckdb.engine import schema
from puppylog.stores.duckdb.engine.clock import rebase
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.ingest import append_records
from puppylog.stores.duckdb.engine.ranges import US_PER_S
from puppylog.stores.duckdb.engine.refresh import refresh
from puppylog.stores.duckdb.engine.schema import list_migrations, migrate
from puppylog.stores.levels import LEVEL_SCHEMAS, Part, list_levels, merge_sql
from puppylog.stores.queries import load_queries
from support.examples import IS_SOAK, examples
from support.schema_template import copy_schema

pytestmark = pytest.mark.sampled

DOCTOR = load_queries("puppylog.stores.duckdb", "doctor.sql")
START_S = 1_700_000_000
STATISTICS = ("count", "rate", "sum", "avg", "stddev", "p50", "distinct", "ratio", "max")
METRICS = [
    Metric(
        f"m_{statistic}",
        statistic,
        "*" if statistic in {"count", "rate", "ratio"} else "response_bytes",
        10,
        segment="request_route",
        of="response_bytes > 5" if statistic == "ratio" else None,
    )
    for statistic in STATISTICS
]
Line = tuple[int, str, int]  # seconds after the start, route, response bytes

lines = st.lists(st.tuples(st.integers(-3 * 86_400, 0), st.sampled_from("ab"), st.integers(0, 1000)), max_size=12)


OLD_METRIC = """
INSERT INTO puppylog.metrics BY NAME
SELECT {id} AS id, 'm_{statistic}' AS name, '{statistic}' AS statistic, 'response_bytes' AS property, 10 AS period_s,
       'request_route' AS segment, 10 AS refresh_s, now() AS created_at, TIMESTAMPTZ '2023-11-14' AS watermark,
       0 AS refreshed_seq;
CREATE TABLE puppylog.rollup_{id} (bucket TIMESTAMPTZ NOT NULL, segment VARCHAR, value DOUBLE);
INSERT INTO puppylog.rollup_{id}
SELECT TIMESTAMPTZ '2023-11-13' + to_seconds(10 * i), 'a', 1 FROM range(9) AS numbers (i);
CREATE VIEW metrics.m_{statistic} AS SELECT bucket, segment, value FROM puppylog.rollup_{id}
"""


class EngineReader:
    """Answers queries of `monitor` from an engine in this process."""

    info = StoreInfo("memory:", "duckdb", "", 0)

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def query(
        self, sql: str, parameters: Parameters | None = None, *, cancellation: Cancellation | None = None
    ) -> pa.Table:
        del cancellation
        with self.engine.read() as connection:
            return connection.fetch(sql, dict(parameters or {}))

    @contextmanager
    def stream_query(
        self,
        sql: str,
        parameters: Parameters | None = None,
        *,
        timeout_s: float | None = None,
        cancellation: Cancellation | None = None,
    ) -> Iterator[Iterator[pa.RecordBatch]]:
        del timeout_s, cancellation
        yield iter(self.query(sql, parameters).to_batches())


@contextmanager
def open_engine(folder: Path) -> Iterator[Engine]:
    with Engine(copy_schema(folder / "database")) as engine:
        for metric in METRICS:
            engine.write(partial(DEFINITIONS.create_metric, metric=metric))
        yield engine


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with open_engine(tmp_path) as engine:
        yield engine


def append(engine: Engine, rows: Sequence[Line]) -> None:
    schema_ = RECORDS.append(pa.field("stream_id", pa.int32())).append(pa.field("file_id", pa.int32()))
    records = [
        {
            "ts": datetime.fromtimestamp(START_S + at_s, UTC),
            "line_offset": 0,
            "stream_id": 1,
            "file_id": 1,
            "request_route": route,
            "response_bytes": size,
        }
        for at_s, route, size in rows
    ]
    engine.write(lambda connection: append_records(connection, pa.Table.from_pylist(records, schema=schema_)))


def refresh_at(engine: Engine, now_s: int) -> None:
    def work(connection: Connection) -> None:
        rebase(connection, now_s * US_PER_S)
        names = [metric.name for metric in METRICS]
        while names:  # a refresh ends after half a second, which is short on a busy machine
            del names[: refresh(connection, names, now_s * US_PER_S)]

    engine.write(work)


def assert_levels_agree(engine: Engine) -> None:
    with engine.read() as connection:
        for stored in DEFINITIONS.list_metrics(connection):
            metric, own = stored.metric, Part(f"puppylog.buckets_{stored.id}", 10, f"puppylog.sketches_{stored.id}")
            for step_s in list_levels(metric.period_s):
                merged = merge_sql(metric, step_s, [own])
                expected = connection.rows(f"SELECT bucket, segment, value FROM ({merged}) AS merged ORDER BY ALL")
                view = f"{LEVEL_SCHEMAS[step_s]}.{metric.name}"
                found = connection.rows(f"SELECT bucket, segment, value FROM {view} ORDER BY ALL")
                assert len(found) == len(expected), view
                for row, wanted in zip(found, expected, strict=True):
                    value, other = row.pop("value"), wanted.pop("value")
                    assert row == wanted
                    assert value == other or math.isclose(value, other, rel_tol=1e-9, abs_tol=1e-9), (view, row)


@pytest.mark.long
@settings(
    max_examples=examples(2, soak=30),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(
    batches=st.lists(st.tuples(lines, st.integers(0, 2 * 86_400)), min_size=1, max_size=3),
    back_s=st.integers(0, 90_000),
)
def test_levels_agree_with_the_metrics_own_buckets(
    engine: Engine, batches: list[tuple[list[Line], int]], back_s: int
) -> None:
    engine.write(lambda connection: connection.run("DELETE FROM puppylog.log_records"))
    for name in [metric.name for metric in METRICS]:
        engine.write(partial(DEFINITIONS.delete_metric, name=name))
    for metric in METRICS:
        engine.write(partial(DEFINITIONS.create_metric, metric=metric))
    now_s = START_S
    for rows, seconds in batches:
        if rows:
            append(engine, rows)
        now_s += seconds
        refresh_at(engine, now_s)
        if IS_SOAK or rows == batches[-1][0]:
            assert_levels_agree(engine)
    refresh_at(engine, now_s - back_s)
    assert_levels_agree(engine)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineReader]:
    """Answers from a store that no test changes."""
    with open_engine(tmp_path_factory.mktemp("filled")) as engine:
        append(engine, [(-at_s, "ab"[at_s % 2], at_s % 997) for at_s in range(0, 260_000, 613)])
        refresh_at(engine, START_S - 40_000)
        yield EngineReader(engine)


def test_steps_that_are_read_from_levels_are_those_of_all_buckets(filled: EngineReader) -> None:
    start = datetime.fromtimestamp(START_S, UTC)
    ranges = [
        Range(),
        Range(since=start - timedelta(seconds=200_005)),
        Range(since=start - timedelta(days=2), until=start - timedelta(seconds=30_010)),
        Range(until=start - timedelta(hours=20)),
        Range(since=start - timedelta(seconds=95), until=start - timedelta(seconds=5)),
    ]
    levels = read_levels(filled)
    for metric_no, metric in enumerate(METRICS):
        for range_no, within in enumerate(ranges):
            for step_no, step_s in enumerate((10, 60, 300, 3600, 7200, 86_400, 7 * 86_400)):
                # In `make test` a fifth of the cases, among them each pair of a metric, a range and a step.
                if not IS_SOAK and (metric_no + range_no + step_no) % 5:
                    continue
                found = read_steps(filled, metric, step_s, within=within).to_pylist()
                bounds = within.parameters()
                where = f"bucket >= '{bounds['since']}'::TIMESTAMPTZ AND bucket < '{bounds['until']}'::TIMESTAMPTZ"
                id_ = levels[metric.name].metric_id
                own = Part(f"puppylog.buckets_{id_}", 10, f"puppylog.sketches_{id_}", where)
                merged = merge_sql(metric, step_s, [own])
                expected = filled.query(f"SELECT bucket, segment, value FROM ({merged}) AS m ORDER BY 1, 2").to_pylist()
                assert [(row["bucket"], row["segment"]) for row in found] == [
                    (row["bucket"], row["segment"]) for row in expected
                ]
                for row, wanted in zip(found, expected, strict=True):
                    value = wanted["value"]
                    expected_value = None if value is None else pytest.approx(value, rel=1e-9, abs=1e-9)
                    assert row["value"] == expected_value, (metric.name, within)


def test_the_newest_buckets_are_found_without_reading_all(filled: EngineReader) -> None:
    metric = METRICS[0]
    levels = read_levels(filled)[metric.name]
    for within in (Range(), Range(until=datetime.fromtimestamp(START_S - 100_003, UTC))):
        for segment in (None, "a"):
            for buckets in (1, 7, 100, 10_000):
                parameters = {**within.parameters(), "segment": segment}
                expected = filled.query(
                    "SELECT bucket, segment, value FROM metrics.m_count WHERE bucket >= $since::TIMESTAMPTZ "
                    "AND bucket < $until::TIMESTAMPTZ AND segment = coalesce($segment, segment) ORDER BY 1, 2",
                    parameters,
                ).to_pylist()
                newest = sorted({row["bucket"] for row in expected})[-buckets:]
                found = read_observations(filled, metric, within=within, buckets=buckets, segment=segment)
                assert found.to_pylist() == [row for row in expected if row["bucket"] in newest]
                part = find_newest(
                    filled, metric, levels, within=within, buckets=buckets, segments=segments_of(segment)
                )
                since = part.within.since
                names = {row["segment"] for row in expected if since is None or row["bucket"] >= since}
                assert (0 if since is None else 1) <= part.segments <= len(names)
                assert (part.within.since is not None) == (buckets < 10_000)


def test_segments_are_ranked_by_levels_as_by_all_buckets(filled: EngineReader) -> None:
    start = datetime.fromtimestamp(START_S, UTC)
    sizes = {"count": SUM, "sum": SUM, "rate": SUM, "max": GREATEST, "avg": MEAN}
    metrics = [metric for metric in METRICS if metric.statistic in sizes]
    for metric in metrics:
        for within in (Range(), Range(start - timedelta(seconds=200_005), start - timedelta(seconds=95))):
            size = sizes[metric.statistic]
            largest = read_largest(filled, metric, 60, within=within, size=size, most=1)
            steps, values = read_steps(filled, metric, 60, within=within), dict[str, list[float]]()
            for row in steps.to_pylist():
                values.setdefault(row["segment"], []).append(row["value"])
            totals: dict[str, Callable[[list[float]], float]] = {SUM: math.fsum, GREATEST: max, MEAN: statistics.fmean}
            total = totals[size]
            ranked = sorted(values, key=lambda segment: (-total(values[segment]), segment))
            assert largest.table.to_pylist() == [row for row in steps.to_pylist() if row["segment"] == ranked[0]]
            assert largest.left_out == 1
            assert largest.rest == pytest.approx(total(values[ranked[1]]))


def test_the_extent_of_a_metric_with_levels_is_that_of_all_buckets(filled: EngineReader) -> None:
    rows = filled.query("SELECT bucket, segment FROM metrics.m_count").to_pylist()
    buckets = {row["bucket"] for row in rows}
    segments = {row["segment"] for row in rows}
    assert measure_extent(filled, METRICS[0]) == Extent(
        len(rows), len(buckets), len(segments), min(buckets), max(buckets)
    )


def test_a_level_that_does_not_add_up_is_found(engine: Engine) -> None:
    append(engine, [(-at_s, "ab"[at_s % 2], at_s % 997) for at_s in range(0, 90_000, 613)])
    refresh_at(engine, START_S)
    reader = EngineReader(engine)
    rows = {row["statistic"]: row for row in reader.query(DOCTOR["metric_ages"]).to_pylist()}
    for statistic in ("count", "rate", "ratio", "avg"):
        row = rows[statistic]
        assert find_wrong_level(reader, row) is None
        relation = f"puppylog.level_{row['id']}_3600"
        sql = f"DELETE FROM {relation} WHERE bucket = (SELECT min(bucket) FROM {relation})"
        engine.write(partial(Connection.run, sql=sql))
        finding = find_wrong_level(reader, row)
        assert finding is not None
        assert finding.found.startswith("its level of 1h holds ")


def test_metrics_of_an_earlier_version_get_levels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(schema, "list_migrations", lambda: list_migrations()[:7])
        patched.setattr(schema, "SCHEMA_VERSION", 7)
        with Engine(tmp_path / "old") as engine:
            engine.write(migrate)
    with Engine(tmp_path / "old") as engine:
        for id_, statistic in enumerate(("count", "avg", "p50"), start=1):
            text = OLD_METRIC.format(id=id_, statistic=statistic)
            for statement in text.split(";"):
                engine.write(partial(Connection.run, sql=statement))
        engine.write(migrate)
        reader = EngineReader(engine)
        assert read_levels(reader).keys() == {"m_count", "m_avg", "m_p50"}
        assert reader.query("SELECT value, buckets FROM puppylog.level_1_3600").to_pylist() == [
            {"value": 9, "buckets": 9}
        ]
        append(engine, [(-1000 * no, "a", no) for no in range(90)])
        names = ["m_count", "m_avg", "m_p50"]
        engine.write(partial(refresh, names=names, now_us=(START_S + 9 * 86_400) * US_PER_S))
        assert_levels_agree(engine)
