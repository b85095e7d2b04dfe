"""The rule of an alert in SQL agrees with the model's, step by step; and the evaluator tells what the model would."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from puppylog.model.alert import ALERT_STATISTICS, Alert, Comparison, NoData
from puppylog.model.alert_rule import Status, Window, adds_up, observe, start, step, window_of
from support.alert_tables import (
    ALERT,
    NOON,
    Connection,
    Observations,
    Told,
    at,
    clear,
    connect,
    create_alert,
    create_metric,
    errors,
    evaluate,
    status_of,
    tell,
)
from support.postgres import PostgresServer


@pytest.fixture(scope="module")
def database(shared_postgres: PostgresServer, postgres_template: str) -> Iterator[Connection]:
    """A store for many examples, one after another."""
    with (
        shared_postgres.database(template=postgres_template) as name,
        connect(shared_postgres.url(name)) as connection,
    ):
        yield connection


lengths = st.sampled_from([0, 1, 5, 10, 12, 30])
metric_statistics = st.sampled_from(["count", "sum", "avg", "min", "p99", "distinct"])
levels = st.sampled_from([0.0, 9.5, 10.0, 10.0, 10.0]) | st.floats(allow_nan=False, allow_infinity=False)
alerts = st.builds(
    replace,
    st.just(ALERT),
    statistic=st.sampled_from(ALERT_STATISTICS),
    comparison=st.sampled_from(Comparison),
    level=levels,
    window_s=st.integers(1, 10).map(lambda buckets: buckets * 10),
    for_s=lengths,
    keep_firing_for_s=lengths,
    no_data=st.sampled_from(NoData),
)


def windows(metric_statistic: str) -> st.SearchStrategy[Window]:
    """What may be in a window; a count is always finite."""
    near = st.sampled_from([9.5, 10.0, 10.5])
    # PostgreSQL refuses to divide what is next to nothing; no metric gives that.
    values = near | near | st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False)
    if metric_statistic != "count":
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


@settings(max_examples=200, deadline=None)
@given(alert=alerts, metric_and_stream=streams())
def test_every_step_is_the_models(
    database: Connection, alert: Alert, metric_and_stream: tuple[str, Sequence[tuple[int, Window]]]
) -> None:
    metric_statistic, stream = metric_and_stream
    found = database.execute(
        CHAIN,
        {
            "alert": Jsonb(asdict(alert)),
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


def expect(
    alert: Alert, observations: Observations, *, metric_statistic: str, metric_period_s: int, since: int, until: int
) -> Told:
    """What the model makes of it all at once: every evaluation after ``since`` up to ``until``."""
    lives: dict[str | None, Status] = {}
    signals = []
    for second in range((since // alert.period_s + 1) * alert.period_s, until + 1, alert.period_s):
        low, high = window_of(alert, metric_period_s, at(second))
        held: dict[str | None, dict[tuple[int, str | None], float]] = {}
        for (bucket, segment), value in observations.items():
            if low <= at(bucket) < high and value is not None:
                judged = held.setdefault(segment if alert.each_segment else None, {})
                is_added = not alert.each_segment and adds_up(metric_statistic)
                key = (bucket, None if is_added else segment)
                judged[key] = judged.get(key, 0) + value
        for segment in held.keys() | lives.keys() | (set() if alert.each_segment else {None}):
            values = list(held.get(segment, {}).values())
            window = Window(len(values), sum(values), min(values), max(values)) if values else Window(0)
            before = lives.get(segment) or start(at(second))
            after = step(alert, before, observe(alert, metric_statistic, metric_period_s, window), at(second))
            if after.state is not before.state:
                states = (before.state.value, after.state.value)
                signals.append((at(second), segment, *states, after.value, low, high))
            lives[segment] = after
    return Told(lives, sorted(signals, key=lambda signal: (signal[0], signal[1] is None, signal[1])))


@settings(max_examples=100, deadline=None)
@given(
    alert=alerts.flatmap(
        lambda alert: st.builds(
            replace,
            st.just(alert),
            each_segment=st.booleans(),
            period_s=st.sampled_from([1, 5, 7, 60]),
            delay_s=st.integers(0, 30),
            level=st.integers(0, 20),
        )
    ),
    metric_statistic=st.sampled_from(["count", "sum", "avg"]),
    metric_period_s=st.sampled_from([1, 2, 5, 10]),
    buckets=st.dictionaries(
        st.integers(-5, 10),
        st.dictionaries(
            st.sampled_from([None, "", "a", "b"]), st.none() | st.integers(0, 20).map(float) | st.just(math.inf)
        ),
        min_size=4,
    ),
    calls_s=st.lists(st.integers(0, 20) | st.integers(0, 250), min_size=1, max_size=4),
)
def test_the_evaluator_tells_in_any_number_of_calls_what_the_model_tells_in_one(
    database: Connection,
    *,
    alert: Alert,
    metric_statistic: str,
    metric_period_s: int,
    buckets: Mapping[int, Mapping[str | None, float | None]],
    calls_s: Sequence[int],
) -> None:
    clear(database)
    observations = {
        (NOON + no * metric_period_s, segment): value
        for no, values in buckets.items()
        for segment, value in values.items()
        if value != math.inf or metric_statistic != "count"  # that is finite
    }
    create_metric(database, observations, statistic=metric_statistic, period_s=metric_period_s)
    alert_id = create_alert(database, alert, at(NOON + 0.5))
    for call_s in sorted(calls_s):
        assert not evaluate(database, alert_id, at(NOON + call_s + 0.5))
        assert errors(database) == {"a": None}
        assert tell(database) == expect(
            alert,
            observations,
            metric_statistic=metric_statistic,
            metric_period_s=metric_period_s,
            since=NOON,
            until=NOON + call_s,
        )
