"""Refreshes in the engine: after any change of the clock, a metric's sum is the number of its records."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from puppylog.model.metric import Metric
from puppylog.model.record import RECORDS
from puppylog.stores.duckdb.engine.clock import rebase
from puppylog.stores.duckdb.engine.database import Connection, Engine
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.duckdb.engine.ingest import append_records
from puppylog.stores.duckdb.engine.refresh import US_PER_S, forget_invalidations, refresh_by_name
from puppylog.stores.duckdb.engine.schema import migrate
from support.clock_steps import PERIODS, Step, clock_steps
from support.examples import examples

START_S = 1_790_000_000


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "database") as engine:
        engine.write(migrate)
        yield engine


def store_line(engine: Engine, at_s: int) -> None:
    row = {"ts": datetime.fromtimestamp(at_s, UTC), "line_offset": 0}
    schema = RECORDS.append(pa.field("stream_id", pa.int32())).append(pa.field("file_id", pa.int32()))
    table = pa.Table.from_pylist([{**row, "stream_id": 1, "file_id": 1}], schema=schema)
    engine.write(lambda connection: append_records(connection, table))


def refresh(engine: Engine, name: str, clock_s: int) -> None:
    def work(connection: Connection) -> None:
        rebase(connection, clock_s * US_PER_S)
        refresh_by_name(connection, name, clock_s * US_PER_S)
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


@settings(max_examples=examples(30), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(period_s=st.sampled_from(PERIODS), steps=clock_steps(has_policy=False))
def test_every_refresh_leaves_the_sum_equal_to_the_number_of_records(
    engine: Engine, period_s: int, steps: Sequence[Step]
) -> None:
    engine.write(lambda connection: connection.run("DELETE FROM puppylog.log_records"))
    engine.write(lambda connection: DEFINITIONS.create_metric(connection, Metric("hits", "count", "*", period_s)))
    clock_s = START_S
    for what, seconds in [*steps, ("refresh", 0)]:
        if what == "line":
            store_line(engine, clock_s + seconds)
        elif what == "clock":
            clock_s += seconds
        else:
            refresh(engine, "hits", clock_s)
            said, there = buckets(engine, "hits", period_s)
            assert said == there
    engine.write(lambda connection: DEFINITIONS.delete_metric(connection, "hits"))


@pytest.mark.parametrize("step", [timedelta(seconds=5), timedelta(hours=1), timedelta(days=3)])
def test_after_the_clock_is_set_back_new_lines_are_read_live(engine: Engine, step: timedelta) -> None:
    engine.write(lambda connection: DEFINITIONS.create_metric(connection, Metric("hits", "count", "*", 1)))
    store_line(engine, START_S)
    refresh(engine, "hits", START_S + 100)
    back_s = START_S + 100 - int(step.total_seconds())
    refresh(engine, "hits", back_s)
    store_line(engine, back_s)
    said, there = buckets(engine, "hits", 1)
    assert said == there
    assert sum(said.values()) == 2
