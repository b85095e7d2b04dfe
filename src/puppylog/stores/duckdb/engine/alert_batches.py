"""Which alerts are evaluated in one transaction, and in which order. Pure functions.

Alerts of one batch are judged by one query, which costs much less than a query for each. While a batch is judged, no
line is committed, so a batch is limited by the time that its alerts took before.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from puppylog.model.alert_schedule import count_due
from puppylog.stores.duckdb.engine.stored import StoredAlert

MAX_ALERTS: Final = 10
"""How many alerts a batch has at most. Larger batches save little, and their tables leave the processor's cache."""

# An alert with more due evaluations than this has a batch of its own.
_MAX_MISSED: Final = 20
# How long a batch may take in seconds, if its alerts take as long as the last time.
_MAX_S: Final = 0.5


def count_missed(stored: StoredAlert, now_us: int) -> int:
    """Return how many evaluations of an alert are due; 1 if its last one is in the future and must be re-based."""
    if stored.evaluated_us > now_us:
        return 1
    return count_due(stored.evaluated_us, now_us, stored.alert.period_s)


def order_due(due: Iterable[tuple[int, StoredAlert]], took_s: Mapping[int, float]) -> list[tuple[int, StoredAlert]]:
    """Return the alerts that have due evaluations: those with the fewest first, and of these the fastest first.

    Args:
        due: alerts, each with the number of its due evaluations.
        took_s: by alert, the duration of its last evaluation in seconds.
    """
    missing = [(missed, stored) for missed, stored in due if missed]
    return sorted(missing, key=lambda pair: (pair[0], took_s.get(pair[1].id, 0.0), pair[1].id))


def iter_batches(
    due: Iterable[tuple[int, StoredAlert]], took_s: Mapping[int, float], max_alerts: int
) -> Iterator[list[StoredAlert]]:
    """Yield the alerts of each transaction, in the order of ``due``.

    An alert with many due evaluations, or with an error, has a batch of its own.

    Args:
        due: alerts in the order of `order_due`, each with the number of its due evaluations.
        took_s: by alert, the duration of its last evaluation in seconds.
        max_alerts: how many alerts a batch may have.
    """
    batch: list[StoredAlert] = []
    for missed, stored in due:
        is_alone = missed > _MAX_MISSED or stored.error is not None
        would_take_s = sum(took_s.get(each.id, 0.0) for each in (*batch, stored))
        if batch and (is_alone or len(batch) == max_alerts or would_take_s > _MAX_S):
            yield batch
            batch = []
        batch.append(stored)
        if is_alone:
            yield batch
            batch = []
    if batch:
        yield batch
