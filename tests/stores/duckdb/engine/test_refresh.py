"""Refreshes in the engine: after any change of the clock, a metric's sum is the number of its records."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from puppylog.model.metric import Metric
from puppylog.model.record import RECORDS
from puppylog.stores.duckdb.engine import refresh as refresh_module
from puppylog.stores.duckdb.engine.clock import rebase
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.ingest import append_records
from puppylog.stores.duckdb.engine.ranges import US_PER_S
from puppylog.stores.duckdb.engine.refresh import forget_invalidations
from puppylog.stores.duckdb.engine.refresh import refresh as refresh_metrics
from support.clock_steps import PERIODS, Step, clock_steps
from support.examples import examples
from support.schema_template import copy_schema

START_S = 1_790_000_000


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(copy_schema(tmp_path / "database")) as engine:
        yield engine


def store_line(engine: Engine, at_s: int) -> None:
    row = {"ts": datetime.fromtimestamp(at_s, UTC), "line_offset": 0}
    schema = RECORDS.append(pa.field("stream_id", pa.int32())).append(pa.field("file_id", pa.int32()))
    table = pa.Table.from_pylist([{**row, "stream_id": 1, "file_id": 1}], schema=schema)
    engine.write(lambda connection: append_records(connection, table))


def refresh(engine: Engine, names: Sequence[str], clock_s: int) -> None:
    def work(connection: Connection) -> None:
        rebase(connection, clock_s * US_PER_S)
        left = names
        while left:  # a refresh ends after a while, and leaves the other metrics to the next one
            left = left[refresh_metrics(connection, left, clock_s * US_PER_S) :]
        forget_invalidations(connection)

    engine.write(work)


def buckets(engine: Engine, name: str, period_s: int) -> tuple[dict[int, int], dict[int, int]]:
    """Return the number of records per bucket, from the metric and from the records."""
    raw = f"epoch_us(ts) // {period_s * US_PER_S} * {period_s}"
    with engine.read() as connection:
        said = connection.rows(
            f"SELECT CAST(epoch(bucket) AS BIGINT) AS b, CAST(value AS BIGINT) AS n FROM metrics.{name}"
        )
        there = connection.rows(f"SELECT {raw} AS b, count(*) AS n FROM puppylog.log_records GROUP BY 1")
    return {row["b"]: int(row["n"]) for row in said}, {row["b"]: row["n"] for row in there}


@pytest.mark.long
@settings(max_examples=examples(6, soak=30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(periods=st.lists(st.sampled_from(PERIODS), min_size=1, max_size=3), steps=clock_steps(has_policy=False))
def test_every_refresh_leaves_the_sum_equal_to_the_number_of_records(
    engine: Engine, periods: list[int], steps: Sequence[Step]
) -> None:
    engine.write(lambda connection: connection.run("DELETE FROM puppylog.log_records"))
    for left in engine.write(DEFINITIONS.list_metrics):  # by an example that failed, whose failure this would hide
        engine.write(partial(DEFINITIONS.delete_metric, name=left.metric.name))
    metrics = [Metric(f"hits_{no}", "count", "*", period_s) for no, period_s in enumerate(periods)]
    names = [metric.name for metric in metrics]
    for metric in metrics:
        engine.write(partial(DEFINITIONS.create_metric, metric=metric))
    clock_s = START_S
    for what, seconds in [*steps, ("refresh", 0)]:
        if what == "line":
            store_line(engine, clock_s + seconds)
        elif what == "clock":
            clock_s += seconds
        else:
            # Some are refreshed together, and some alone or not at all.
            refresh(engine, names[seconds % len(names) :], clock_s)
            for metric in metrics:
                said, there = buckets(engine, metric.name, metric.period_s)
                assert said == there
    for name in names:
        engine.write(partial(DEFINITIONS.delete_metric, name=name))


def test_a_refresh_of_several_metrics_ends_after_the_time_that_it_may_take(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "c", "d"):
        engine.write(partial(DEFINITIONS.create_metric, metric=Metric(name, "count", "*", 1)))
    store_line(engine, START_S)
    names = ["d", "deleted", "c", "a"]
    monkeypatch.setattr(refresh_module, "_MAX_S", -1.0)
    for done, filled in ((2, ["d"]), (1, ["c", "d"]), (1, ["a", "c", "d"])):
        assert engine.write(partial(refresh_metrics, names=names, now_us=(START_S + 60) * US_PER_S)) == done
        names = names[done:]
        with engine.read() as connection:
            rows = connection.rows("SELECT name FROM puppylog.metrics WHERE refreshed_at IS NOT NULL ORDER BY name")
        assert [row["name"] for row in rows] == filled
    assert names == []


@pytest.mark.parametrize("step", [timedelta(seconds=5), timedelta(hours=1), timedelta(days=3)])
def test_after_the_clock_is_set_back_new_lines_are_read_live(engine: Engine, step: timedelta) -> None:
    engine.write(lambda connection: DEFINITIONS.create_metric(connection, Metric("hits", "count", "*", 1)))
    store_line(engine, START_S)
    refresh(engine, ["hits"], START_S + 100)
    back_s = START_S + 100 - int(step.total_seconds())
    refresh(engine, ["hits"], back_s)
    store_line(engine, back_s)
    said, there = buckets(engine, "hits", 1)
    assert said == there
    assert sum(said.values()) == 2
