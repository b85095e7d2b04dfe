"""The batches in which alerts are evaluated."""

from collections.abc import Sequence
from dataclasses import replace

from puppylog.stores.duckdb.engine.alert_batches import iter_batches, order_due
from puppylog.stores.duckdb.engine.stored import StoredAlert
from support.alert_tables import ALERT


def stored(number: int, error: str | None = None) -> StoredAlert:
    return StoredAlert(number, replace(ALERT, name=str(number)), 1, "count", 1, 0, 0, error)


def ids(batches: Sequence[Sequence[StoredAlert]]) -> list[list[int]]:
    return [[each.id for each in batch] for batch in batches]


def test_a_slow_alert_is_evaluated_after_fast_ones() -> None:
    alerts = [stored(number) for number in range(5)]
    missed = [1, 1, 0, 1, 2]
    ordered = order_due(zip(missed, alerts, strict=True), {0: 0.5, 1: 0.1, 4: 0.001})
    assert [each.id for _, each in ordered] == [3, 1, 0, 4]


def test_a_batch_has_a_limited_number_of_alerts() -> None:
    due = [(1, stored(number)) for number in range(5)]
    assert ids([*iter_batches(due, {}, 2)]) == [[0, 1], [2, 3], [4]]


def test_a_batch_takes_a_limited_time() -> None:
    due = [(1, stored(number)) for number in range(5)]
    assert ids([*iter_batches(due, {0: 0.2, 1: 0.2, 2: 0.2, 3: 9.0}, 10)]) == [[0, 1], [2], [3], [4]]


def test_an_alert_with_many_due_evaluations_or_an_error_is_evaluated_alone() -> None:
    due = [(1, stored(0)), (1, stored(1, "a test")), (1, stored(2)), (2, stored(3)), (21, stored(4)), (21, stored(5))]
    assert ids([*iter_batches(due, {}, 10)]) == [[0], [1], [2, 3], [4], [5]]
    assert ids([*iter_batches([], {}, 10)]) == []
