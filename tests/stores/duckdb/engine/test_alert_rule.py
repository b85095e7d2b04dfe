"""The evaluator of the embedded store agrees with the model, also after the clock was set back."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pyarrow as pa
import pytest
from hypothesis import given, settings

from puppylog.model.alert import State
from puppylog.model.alert_rule import Status
from puppylog.stores.duckdb.engine.database import Connection, Engine
from puppylog.stores.duckdb.engine.evaluate import evaluate
from puppylog.stores.duckdb.engine.schema import migrate
from puppylog.stores.rows import columns_of_alert
from support.alert_model import Trial, trials
from support.alert_tables import Outcome, at, whole_of
from support.examples import examples

_OBSERVED = pa.schema(
    [("second", pa.int64()), ("segment", pa.string()), ("value", pa.float64()), ("whole", pa.int64())]
)
_RESET = """
DELETE FROM puppylog.alerts; DELETE FROM puppylog.segment_states; DELETE FROM puppylog.alert_history;
DELETE FROM puppylog.metrics
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A store for all examples of a test."""
    with Engine(tmp_path_factory.mktemp("engine") / "database") as engine:
        engine.write(migrate)
        yield engine


def prepare(connection: Connection, trial: Trial) -> None:
    """Put the metric and its alert straight into the tables."""
    connection.run(_RESET)
    held = [
        {"second": second, "segment": segment, "value": value, "whole": whole_of(second, segment)}
        for (second, segment), value in trial.observations.items()
    ]
    with connection.table("held", pa.Table.from_pylist(held, _OBSERVED)):
        connection.run(
            "CREATE OR REPLACE TABLE metrics.m AS SELECT to_timestamp(second) AS bucket, segment, value, "
            "TRY_CAST(value * whole AS BIGINT) AS part, whole FROM held"
        )
    connection.run(
        "INSERT INTO puppylog.metrics BY NAME SELECT 1 AS id, 'm' AS name, $statistic AS statistic, '*' AS property, "
        "$period_s AS period_s, 1 AS refresh_s, now() AS created_at, now() AS watermark, 0 AS refreshed_seq",
        {"statistic": trial.metric_statistic, "period_s": trial.metric_period_s},
    )
    definition = {name: value for name, value in columns_of_alert(trial.alert).items() if name != "metric"}
    columns = ", ".join(f"${name} AS {name}" for name in definition)
    connection.run(
        f"INSERT INTO puppylog.alerts BY NAME SELECT 1 AS id, 1 AS metric_id, now() AS created_at, "
        f"to_timestamp($at) AS evaluated_at, {columns}",
        {**definition, "at": trial.evaluated_at},
    )


def read_outcome(engine: Engine) -> Outcome:
    with engine.read() as connection:
        states = connection.rows("SELECT * FROM puppylog.alert_states")
        transitions = connection.rows("SELECT * FROM puppylog.alert_history ORDER BY id")
    names = ("evaluated_at", "segment", "from_state", "to_state", "value", "window_since", "window_until")
    return Outcome(
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
        },
        [tuple(row[name] for name in names) for row in transitions],
    )


@settings(max_examples=examples(100))
@given(trials())
def test_the_evaluator_agrees_with_the_model_in_any_number_of_calls(engine: Engine, trial: Trial) -> None:
    engine.write(lambda connection: prepare(connection, trial))
    for now, expected in trial.iter_expected():
        now_us = (at(now) - at(0)) // timedelta(microseconds=1)
        assert not engine.write(partial(evaluate, name="a", now_us=now_us))
        assert read_outcome(engine) == expected
