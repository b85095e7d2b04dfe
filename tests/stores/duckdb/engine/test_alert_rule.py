"""The evaluator of the embedded store agrees with the model, also after the clock was set back."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puppylog.model.alert import State
from puppylog.model.alert_rule import Status
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.evaluate import evaluate
from puppylog.stores.rows import columns_of_alert
from support.alert_model import Trial, trials
from support.alert_tables import NOON, Outcome, at, whole_of
from support.examples import examples
from support.schema_template import copy_schema

_OBSERVED = pa.schema(
    [("second", pa.int64()), ("segment", pa.string()), ("value", pa.float64()), ("whole", pa.int64())]
)
_RESET = """
DELETE FROM puppylog.alerts; DELETE FROM puppylog.segment_states; DELETE FROM puppylog.alert_history;
DELETE FROM puppylog.metrics
"""
_OF = (
    "SELECT to_timestamp(second) AS bucket, segment, value, TRY_CAST(value * whole AS BIGINT) AS part, whole FROM held"
)
_MATERIALIZE = f"CREATE OR REPLACE TABLE puppylog.rollup_{{no}} AS {_OF} WHERE second < $watermark"
_LIVE = f"CREATE OR REPLACE TABLE metrics.live_{{no}} AS {_OF} WHERE second >= $watermark"
_VIEW = """
CREATE OR REPLACE VIEW metrics.m{no} AS FROM puppylog.rollup_{no} UNION ALL FROM metrics.live_{no}
"""
_METRIC = """
INSERT INTO puppylog.metrics BY NAME
SELECT $no AS id, $name AS name, $statistic AS statistic, '*' AS property, $period_s AS period_s, 1 AS refresh_s,
       now() AS created_at, to_timestamp($watermark) AS watermark, 0 AS refreshed_seq
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A store for all examples of a test."""
    with Engine(copy_schema(tmp_path_factory.mktemp("engine") / "database")) as engine:
        yield engine


def prepare(connection: Connection, trials: Sequence[Trial], watermarks: Sequence[int]) -> None:
    """Put metrics and their alerts straight into the tables, with ids from 1."""
    connection.run(_RESET)
    for no, (trial, watermark_s) in enumerate(zip(trials, watermarks, strict=True), 1):
        held = [
            {"second": second, "segment": segment, "value": value, "whole": whole_of(second, segment)}
            for (second, segment), value in trial.observations.items()
        ]
        with connection.table("held", pa.Table.from_pylist(held, _OBSERVED)):
            connection.run(_MATERIALIZE.format(no=no), {"watermark": watermark_s})
            connection.run(_LIVE.format(no=no), {"watermark": watermark_s})
        connection.run(_VIEW.format(no=no))
        metric: dict[str, int | str] = {
            "no": no,
            "name": f"m{no}",
            "statistic": trial.metric_statistic,
            "period_s": trial.metric_period_s,
        }
        connection.run(_METRIC, {**metric, "watermark": watermark_s})
        definition = {
            name: value for name, value in columns_of_alert(trial.alert).items() if name not in {"metric", "contacts"}
        }
        definition["name"] = f"a{no}"
        columns = ", ".join(f"${name} AS {name}" for name in definition)
        connection.run(
            f"INSERT INTO puppylog.alerts BY NAME SELECT $no AS id, $no AS metric_id, now() AS created_at, "
            f"to_timestamp($at) AS evaluated_at, {columns}",
            {**definition, "no": no, "at": trial.evaluated_at},
        )


def read_outcomes(engine: Engine, alerts: int) -> list[Outcome]:
    with engine.read() as connection:
        states = connection.rows("SELECT * FROM puppylog.alert_states")
        transitions = connection.rows("SELECT * FROM puppylog.alert_history ORDER BY id")
    names = ("evaluated_at", "segment", "from_state", "to_state", "value", "window_since", "window_until")
    return [
        Outcome(
            {
                row["segment"]: Status(
                    State(row["state"]),
                    row["since"],
                    row["clear_since"],
                    row["value"],
                    row["evaluated_at"],
                    row["seen_at"],
                )
                for row in states
                if row["alert_id"] == no
            },
            [tuple(row[name] for name in names) for row in transitions if row["alert_id"] == no],
        )
        for no in range(1, alerts + 1)
    ]


@pytest.mark.long
@settings(max_examples=examples(6, soak=100))
@given(st.lists(st.tuples(trials(), st.integers(-10, 20)), min_size=1, max_size=3))
def test_the_evaluator_agrees_with_the_model_for_any_number_of_alerts_and_calls(
    engine: Engine, drawn: list[tuple[Trial, int]]
) -> None:
    calls = drawn[0][0].calls  # the alerts are evaluated together
    together = [replace(trial, calls=calls) for trial, _ in drawn]
    watermarks = [NOON + buckets * trial.metric_period_s for trial, buckets in drawn]
    engine.write(lambda connection: prepare(connection, together, watermarks))
    names = [f"a{no}" for no in range(1, len(together) + 1)]
    for expected in zip(*(trial.iter_expected() for trial in together), strict=True):
        now_us = (at(expected[0][0]) - at(0)) // timedelta(microseconds=1)
        assert not engine.write(partial(evaluate, names=names, now_us=now_us))
        assert read_outcomes(engine, len(together)) == [outcome for _, outcome in expected]
