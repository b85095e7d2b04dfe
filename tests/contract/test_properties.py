"""What a store promises of properties that are expressions: they equal plain Python over the records."""

import json
import math
import random
import statistics
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from puppylog.cli.metric_definition import read_property
from puppylog.model.metric import Metric
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.lines import NOON, Source, rows
from support.observations import Observations, assert_same, points
from support.server import StoreServer

pytestmark = pytest.mark.sampled

DURATIONS = ["1500", "250.5", "-3", "0", "1e-3", "fast", "", "12 ms", None]
NUMBERS = {"1500": 1500.0, "250.5": 250.5, "-3": -3.0, "0": 0.0, "1e-3": 0.001}
PERIOD_S = 60


def make_record(chance: random.Random) -> dict[str, Any]:
    duration = chance.choice(DURATIONS)
    attributes = {} if duration is None else {"duration_ms": duration}
    return {
        "ts": NOON + timedelta(seconds=chance.randrange(600)),
        "response_bytes": chance.choice([None, 0, 10, 10_000]),
        "attributes": json.dumps(attributes),
    }


def duration_of(record: dict[str, Any]) -> float | None:
    return NUMBERS.get(json.loads(record["attributes"]).get("duration_ms"))


def expect(
    records: Sequence[dict[str, Any]],
    operand: Callable[[dict[str, Any]], float | None],
    statistic: Callable[[Sequence[float]], float | None],
) -> Observations:
    buckets: dict[datetime, list[float]] = defaultdict(list)
    for record in records:
        start_s = math.floor(record["ts"].timestamp() / PERIOD_S) * PERIOD_S
        values = buckets[datetime.fromtimestamp(start_s, UTC)]
        if (value := operand(record)) is not None:
            values.append(value)
    return {(bucket, None): statistic(values) if values else None for bucket, values in buckets.items()}


def per_ms(record: dict[str, Any]) -> float | None:
    """Return the bytes per millisecond; None if there is no number, or if the duration is zero."""
    duration, size = duration_of(record), record["response_bytes"]
    return None if not duration or size is None else size / duration


def test_a_property_that_is_an_expression_equals_plain_python_over_the_records(
    server: StoreServer, store: Store
) -> None:
    chance = random.Random(7)
    before, late = ([make_record(chance) for _ in range(40)] for _ in range(2))
    source = Source(store)
    source.append(rows(before))
    expected: dict[str, tuple[str, str, Callable[..., Any], Callable[..., Any]]] = {
        "slowest": ("max", "duration_ms / 1000", lambda r: None if (d := duration_of(r)) is None else d / 1000, max),
        "mean": ("avg", "duration_ms", duration_of, statistics.fmean),
        "speed": ("sum", "response_bytes / duration_ms", per_ms, math.fsum),
        "kib": ("max", "response_bytes / 1024", lambda r: r["response_bytes"] and r["response_bytes"] // 1024, max),
    }
    for name, (statistic, text, *_) in expected.items():
        prop = read_property(store, text, statistic)
        assert store.create_metric(Metric(name, statistic, prop, PERIOD_S, refresh_s=1))
    source.append(rows(late, start=10**6))  # below the watermark
    wait_until(lambda: server.is_settled(store), what="the refresh")
    for name, (_, _, operand, statistic_of) in expected.items():
        assert_same(points(store, name), expect([*before, *late], operand, statistic_of))
