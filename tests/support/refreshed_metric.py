"""A metric of a PostgreSQL store that is refreshed at times of the test's choice. No process runs the store's jobs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import psycopg

from puppylog.model.metric import Metric
from puppylog.stores.levels import LEVEL_SCHEMAS, list_levels
from puppylog.stores.postgres.store import PostgresStore

_RECORD: Final = "INSERT INTO puppylog.log_records (ts, stream_id, file_id, line_offset) VALUES (%s, 1, 1, 0)"
_NOTE: Final = "INSERT INTO puppylog.invalidations (stream_id, low, high) VALUES (1, %s, %s)"
_VALUES: Final = "SELECT CAST(extract(epoch FROM bucket) AS bigint), CAST(value AS bigint) FROM metrics.hits"
_COUNTS: Final = """
    SELECT CAST(floor(extract(epoch FROM ts) / %s) AS bigint) * %s, count(*) FROM puppylog.log_records GROUP BY 1
"""
_POLICY: Final = """
    SELECT ceil_to(%(at)s - puppylog.refreshed_back(period_s), period_s),
           floor_to(%(at)s - make_interval(secs => greatest(period_s, 2)), period_s)
    FROM puppylog.metrics
"""

START_S: Final = 1_790_000_000  # an instant that tests begin at, in seconds since the epoch


class RefreshedMetric:
    """The metric ``hits``, which counts all records. Times are in seconds since the epoch."""

    def __init__(self, url: str, period_s: int) -> None:
        """Delete all records and metrics of the store and create the metric."""
        self._period_s = period_s
        self._connection = psycopg.connect(url, autocommit=True, options="-c search_path=puppylog,public")
        for table in ("log_records", "invalidations"):
            self.ask(f"DELETE FROM puppylog.{table}")
        with PostgresStore(url) as store:
            for metric in store.list_metrics():
                store.delete_metric(metric.name)
            store.create_metric(Metric("hits", "count", "*", period_s))
        ((self._id, self.kind),) = self.ask("SELECT id, kind FROM puppylog.metrics")

    def ask(self, sql: str, values: Any = None) -> list[tuple[Any, ...]]:
        cursor = self._connection.execute(sql.encode(), values)
        return cursor.fetchall() if cursor.description else []

    def store_line(self, at_s: int) -> None:
        """Store a record as an ingest transaction does."""
        at = _instant(at_s)
        with self._connection.transaction():
            self.ask(_RECORD, [at])
            self.ask(_NOTE, [at, at])

    def refresh(self, clock_s: int) -> None:
        """Refresh the metric as the store's jobs do, at time ``clock_s``."""
        assert self.ask("SELECT puppylog.take_invalidations()") == [(True,)]
        if self.kind == "rollup":
            self.ask("SELECT puppylog.rebase_metrics(%s)", [_instant(clock_s)])
            self.ask("SELECT puppylog.refresh_rollup(%s, 'infinity', %s)", [self._id, _instant(clock_s)])
        else:
            self.ask("CALL puppylog.refresh_touched(%s, %s)", [self._id, _instant(clock_s)])

    def run_policy(self, clock_s: int) -> None:
        """Materialize the metric as TimescaleDB's policy does, at time ``clock_s``."""
        ((since, until),) = self.ask(_POLICY, {"at": _instant(clock_s)})
        self.ask("CALL puppylog.refresh_range(%s, %s, %s)", [self._id, since, until])

    def read_values(self) -> Mapping[int, int]:
        """Return the values of the metric by bucket."""
        return dict(self.ask(_VALUES))

    def count_records(self) -> Mapping[int, int]:
        """Return the number of records by bucket."""
        return dict(self.ask(_COUNTS, [self._period_s, self._period_s]))

    def read_levels(self) -> Mapping[int, Mapping[int, int]]:
        """Return the values of each level by bucket, stored and live ones. The keys are the levels' seconds."""
        return {
            step_s: dict(self.ask(_VALUES.replace("metrics.", f"{LEVEL_SCHEMAS[step_s]}.")))
            for step_s in list_levels(self._period_s)
        }

    def count_in_levels(self) -> Mapping[int, Mapping[int, int]]:
        """Return the sums of the metric's own values by level and bucket."""
        values = self.read_values()
        found: dict[int, dict[int, int]] = {}
        for step_s in list_levels(self._period_s):
            sums = found.setdefault(step_s, {})
            for bucket_s, value in values.items():
                start_s = bucket_s // step_s * step_s
                sums[start_s] = sums.get(start_s, 0) + value
        return found

    def error(self) -> str | None:
        return str(error) if (error := self.ask("SELECT error FROM puppylog.metrics")[0][0]) else None

    def close(self) -> None:
        self._connection.close()


def _instant(at_s: int) -> datetime:
    return datetime.fromtimestamp(at_s, UTC)
