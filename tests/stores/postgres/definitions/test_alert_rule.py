"""The rule of an alert in SQL agrees with the model's, step by step; and the evaluator agrees with the model."""

import math
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from puppylog.model.alert import Alert
from puppylog.model.alert_rule import Window, observe, start, step
from puppylog.stores.rows import columns_of_alert
from support.alert_model import Trial, alerts, metric_statistics, trials
from support.alert_tables import (
    Connection,
    at,
    clear,
    connect,
    create_alert,
    create_metric,
    errors,
    evaluate,
    read_outcome,
    status_of,
)
from support.examples import examples
from support.postgres import PostgresServer


@pytest.fixture(scope="module")
def database(shared_postgres: PostgresServer, postgres_template: str) -> Iterator[Connection]:
    """A store for all examples of a test."""
    with (
        shared_postgres.database(template=postgres_template) as name,
        connect(shared_postgres.url(name)) as connection,
    ):
        yield connection


def windows(metric_statistic: str) -> st.SearchStrategy[Window]:
    """What may be in a window; a count is always finite."""
    near = st.sampled_from([9.5, 10.0, 10.5])
    # PostgreSQL refuses to divide what is next to nothing; no metric gives that.
    values = near | near | st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)
    if metric_statistic not in {"count", "rate"}:
        values |= st.sampled_from([math.nan, math.inf, -math.inf])
    return st.just(Window(0)) | st.builds(Window, st.integers(1, 12), values, values, values)


@st.composite
def streams(draw: st.DrawFn) -> tuple[str, Sequence[tuple[int, Window]]]:
    """The metric's statistic, and evaluations: the second and the window."""
    metric_statistic = draw(metric_statistics)
    evaluations = st.tuples(st.sampled_from([1, 5, 5, 5, 30]), windows(metric_statistic))
    second, stream = 0, []
    for step_s, window in draw(st.lists(evaluations, min_size=10, max_size=40)):
        second += step_s
        stream.append((second, window))
    return metric_statistic, stream


CHAIN = """
    WITH RECURSIVE chain (no, status) AS (
        SELECT 0, ROW(1, 's', 'ok', to_timestamp(0), NULL, NULL, to_timestamp(0), NULL)::puppylog.alert_states
        UNION ALL
        SELECT no + 1, puppylog.step_alert(
            jsonb_populate_record(NULL::puppylog.alerts, %(alert)s), status,
            puppylog.observe_window(%(statistic)s, %(metric_statistic)s, %(buckets)s, (%(counts)s::bigint[])[no + 1],
                (%(sums)s::float8[])[no + 1], (%(mins)s::float8[])[no + 1], (%(maxs)s::float8[])[no + 1]),
            to_timestamp((%(seconds)s::bigint[])[no + 1]))
        FROM chain WHERE no < cardinality(%(seconds)s::bigint[])
    )
    SELECT (status).* FROM chain WHERE no > 0 ORDER BY no
"""


@settings(max_examples=examples(40, soak=200))
@given(alert=alerts, metric_and_stream=streams())
def test_every_step_in_sql_equals_the_models(
    database: Connection, alert: Alert, metric_and_stream: tuple[str, Sequence[tuple[int, Window]]]
) -> None:
    metric_statistic, stream = metric_and_stream
    found = database.execute(
        CHAIN,
        {
            "alert": Jsonb(columns_of_alert(alert)),
            "statistic": alert.statistic,
            "metric_statistic": metric_statistic,
            "buckets": alert.window_s // 10,
            "seconds": [second for second, _ in stream],
            "counts": [window.count for _, window in stream],
            "sums": [window.sum for _, window in stream],
            "mins": [window.min for _, window in stream],
            "maxs": [window.max for _, window in stream],
        },
    ).fetchall()
    status, expected = start(at(0)), []
    for second, window in stream:
        status = step(alert, status, observe(alert, metric_statistic, 10, window), at(second))
        expected.append(status)
    assert [status_of(row) for row in found] == expected
    assert {(row["alert_id"], row["segment"]) for row in found} == {(1, "s")}


@settings(max_examples=examples(20, soak=100))
@given(trials())
def test_the_evaluator_agrees_with_the_model_in_any_number_of_calls(database: Connection, trial: Trial) -> None:
    clear(database)
    create_metric(database, trial.observations, statistic=trial.metric_statistic, period_s=trial.metric_period_s)
    alert_id = create_alert(database, trial.alert, at(trial.evaluated_at))
    for now, expected in trial.iter_expected():
        assert not evaluate(database, alert_id, at(now))
        assert errors(database) == {"a": None}
        assert read_outcome(database) == expected
