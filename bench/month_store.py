"""Makes an embedded store with the records of 30 days.

The records go through the store's own appender, as a collector sends them, but no log file is written or parsed: the
files of 100 million lines would need 20 GB. The records have the fields that the reader of combined access logs makes.
One line in ten is of an application, with a severity and a message, and one in ten thousand is rejected.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import duckdb
import pyarrow as pa

from puppylog.model.alert import Comparison, define_alert
from puppylog.model.metric import Metric
from puppylog.model.record import RECORDS, REJECTS, Parsed
from puppylog.model.stream import EMPTY_FINGERPRINT, Move
from puppylog.stores.base import NewFile, Store

DAYS: Final = 30
STREAMS: Final = ("file:///var/log/nginx/access.log", "file:///var/log/shop/app.log")
ALERTS: Final = 10

_BATCH_ROWS: Final = 4 * 122_880
_LINE_BYTES: Final = 200
_LENGTH_US: Final = DAYS * 86_400_000_000
_APP_SHARE: Final = 10  # one line in so many is of the application
_REJECTED: Final = 10_000  # one line in so many does not fit
_AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/1"
_TS: Final = "make_timestamptz($first + CAST(CAST(n AS DOUBLE) * $length / $total AS BIGINT)) AS ts"
_ACCESS: Final = f"""
    SELECT n * {_LINE_BYTES} AS line_offset, {_TS},
           '10.' || hash(n) % 8 || '.' || hash(n + 1) % 25 || '.' || hash(n + 2) % 25 AS host,
           CASE WHEN hash(n + 3) % 10 < 8 THEN 'GET' ELSE 'POST' END AS request_method,
           '/shop/' || least(hash(n + 4) % 300, hash(n + 5) % 300) AS request_route, 'HTTP/1.1' AS request_proto,
           CAST(CASE WHEN hash(n + 6) % 1000 < 5 THEN 500 WHEN hash(n + 6) % 1000 < 30 THEN 404
                WHEN hash(n + 6) % 1000 < 80 THEN 302 ELSE 200 END AS SMALLINT) AS status_code,
           CAST(hash(n + 7) % 50000 AS BIGINT) AS response_bytes,
           CASE WHEN hash(n + 8) % 3 = 0 THEN 'https://example.com/shop/' || hash(n + 8) % 40 END AS referer,
           '{_AGENT}' || hash(n + 1) % 20 AS user_agent
    FROM range($start, $end) AS lines (n)
"""
_APP: Final = f"""
    SELECT n * {_LINE_BYTES} AS line_offset, {_TS}, 'web-' || hash(n) % 8 AS host,
           CASE WHEN hash(n + 1) % 200 = 0 THEN 'error' WHEN hash(n + 1) % 20 = 0 THEN 'warning' ELSE 'info' END
               AS severity,
           CASE hash(n + 2) % 4
                WHEN 0 THEN 'order ' || hash(n) % 1000000 || ' was paid after ' || hash(n) % 900 || ' ms'
                WHEN 1 THEN 'cannot reach payment service at 10.0.0.' || hash(n) % 9 || ': timeout'
                WHEN 2 THEN 'user ' || hash(n) % 50000 || ' logged in' ELSE 'cache miss for item ' || hash(n) % 9000 END
               AS message,
           '{{"duration_ms": ' || hash(n + 3) % 900 || '}}' AS attributes
    FROM range($start, $end) AS lines (n)
"""


def list_metrics(count: int) -> list[Metric]:
    """Return ``count`` metrics of all kinds of statistics, with and without segments; periods are 10 s to an hour."""
    kinds: list[dict[str, Any]] = [
        {"statistic": "count", "property": "*"},
        {"statistic": "count", "property": "*", "segment": "status_code"},
        {"statistic": "count", "property": "*", "segment": "request_route"},
        {"statistic": "sum", "property": "response_bytes"},
        {"statistic": "avg", "property": "response_bytes", "segment": "request_method"},
        {"statistic": "p95", "property": "response_bytes"},
        {"statistic": "distinct", "property": "host"},
        {"statistic": "ratio", "property": "*", "of": "status_code >= 500"},
        {"statistic": "count", "property": "*", "filter": "status_code >= 500"},
        {"statistic": "max", "property": "response_bytes", "segment": "request_route"},
    ]
    periods = (60, 300, 10, 3600)
    metrics = []
    for number in range(count):
        kind = kinds[number % len(kinds)]
        period_s = periods[number // len(kinds) % len(periods)]
        if kind.get("segment") == "request_route":
            period_s = max(period_s, 60)
        metrics.append(Metric(f"m{number}", period_s=period_s, **kind))
    return metrics


def fill(store: Store, lines: int, metrics: int, say: Callable[[str], None]) -> None:
    """Store ``lines`` lines of the last 30 days and define metrics and alerts on them.

    The metrics exist before the records, so they are materialized while the records arrive.
    """
    defined = list_metrics(metrics)
    for metric in defined:
        store.create_metric(metric)
    for metric in defined[:ALERTS]:
        store.create_alert(
            define_alert(
                f"a{metric.name}",
                metric,
                comparison=Comparison.ABOVE,
                threshold=1e12,
                window_s=10 * metric.period_s,
                period_s=60,
            )
        )
    first = int((datetime.now(UTC) - timedelta(days=DAYS)).timestamp() * 1_000_000)
    totals = (lines - lines // _APP_SHARE, lines // _APP_SHARE)
    with duckdb.connect(config={"threads": 1}) as generator:
        sources = [
            _Source(store, generator, sql, stream.stream_id, total, first)
            for stream, sql, total in zip(store.open_streams(STREAMS), (_ACCESS, _APP), totals, strict=True)
        ]
        for day in range(DAYS):
            for source in sources:
                source.append_day(day)
            say(f"day {day + 1} of {DAYS} is stored")


@dataclass(frozen=True, slots=True)
class _Source:
    """A stream whose file is rotated at the end of each day."""

    store: Store
    generator: duckdb.DuckDBPyConnection
    sql: str  # of the records
    stream_id: int
    total: int  # lines of all days
    first: int  # the time of the first line, in microseconds since 1970

    def append_day(self, day: int) -> None:
        """Store the lines of a day."""
        path, inode = f"/var/log/month/{self.stream_id}.{day}", self.stream_id * 100 + day
        (file,) = self.store.open_files([NewFile(self.stream_id, path, device=1, inode=inode)])
        appender = self.store.appender()
        day_start, day_end = self.total * day // DAYS, self.total * (day + 1) // DAYS
        for start in range(day_start, day_end, _BATCH_ROWS):
            end = min(start + _BATCH_ROWS, day_end)
            given = {"start": start, "end": end, "first": self.first, "length": _LENGTH_US, "total": self.total}
            rows = self.generator.sql(self.sql, params=given).to_arrow_table()
            appender.write(self.stream_id, file.file_id, _parsed(rows, start, end))
            begun = 0 if start == day_start else start * _LINE_BYTES
            is_last = end == day_end
            appender.commit(
                [Move(file.file_id, begun, end * _LINE_BYTES, EMPTY_FINGERPRINT, finished=is_last, context="")]
            )


def _parsed(rows: pa.Table, start: int, end: int) -> Parsed:
    columns = [
        rows[field.name].combine_chunks().cast(field.type)
        if field.name in rows.column_names
        else pa.nulls(rows.num_rows, field.type)
        for field in RECORDS
    ]
    rejected = [
        {"line_offset": n * _LINE_BYTES + 1, "reason": "no time stamp", "line": b"a line that does not fit %d" % n}
        for n in range(start, end, _REJECTED)
    ]
    return Parsed(
        pa.RecordBatch.from_arrays(columns, schema=RECORDS), pa.RecordBatch.from_pylist(rejected, schema=REJECTS)
    )
