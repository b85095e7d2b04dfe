"""A store with a largest size, during ingest at full speed, while the engine is killed as it archives.

The store is never larger, the metrics of dropped days stay, and every line is once in the archive or in the store.
These variables make it longer:

PUPPYLOG_TEST_SOAK_RETENTION_S      how many seconds lines are stored
PUPPYLOG_TEST_SOAK_RETENTION_BYTES  the largest size
PUPPYLOG_TEST_SOAK_RETENTION_KILLS  SIGKILLs of the engine while it archives
"""

import os
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pytest

from puppylog.errors import PuppylogError
from puppylog.model.finding import Health
from puppylog.model.metric import Metric
from puppylog.model.record import NO_REJECTS, RECORDS, Parsed
from puppylog.model.retention import Retention
from puppylog.model.stream import Move
from puppylog.stores.base import NewFile, Store
from support.embedded import EmbeddedStore, wait_until
from support.lines import fingerprint, open_stream

LENGTH_S: Final = float(os.environ.get("PUPPYLOG_TEST_SOAK_RETENTION_S", "1"))
MAX_BYTES: Final = int(os.environ.get("PUPPYLOG_TEST_SOAK_RETENTION_BYTES", "50000000"))
KILLS: Final = int(os.environ.get("PUPPYLOG_TEST_SOAK_RETENTION_KILLS", "1"))
IS_LONG: Final = LENGTH_S > 60

BATCH_ROWS: Final = 4 * 122_880 if IS_LONG else 20_000
TEXTS: Final = 1 if IS_LONG else 12  # random texts per line, of 32 bytes each
DAY_ROWS: Final = 700_000 if IS_LONG else 200_000
START: Final = "2023-01-01 00:00:00+00"
CHECKED_LINES: Final = 20_000_000  # in one query

# A line's number is its offset. Two of a hundred lines are late by hours, and one of a thousand by days.
LINES: Final = f"""
SELECT n AS line_offset,
       TIMESTAMPTZ '{START}' + to_microseconds(n * CAST(86400000000 AS BIGINT) // {DAY_ROWS})
           - to_seconds(CASE WHEN n % 1000 = 7 THEN n * 7919 % 400000
                             WHEN n % 50 = 3 THEN n * 104729 % 20000 ELSE 0 END) AS ts,
       '10.0.' || n * 31 % 256 || '.' || n * 17 % 256 AS host, 'GET' AS request_method,
       '/shop/' || n * 7 % 300 AS request_route,
       CAST([200, 200, 200, 404, 500][n * 13 % 5 + 1] AS SMALLINT) AS status_code, n * 97 % 50000 AS response_bytes,
       {" || ".join(["md5(random()::VARCHAR)"] * TEXTS)} AS message
FROM range($start, $end) AS numbers (n)
"""
DAYS: Final = """
SELECT time_bucket(INTERVAL '1 day', ts) AS day, count(*) AS hits, count(*) FILTER (status_code = 500) AS errors,
       sum(response_bytes) AS bytes, min(response_bytes) AS least
FROM lines GROUP BY 1
"""
FOUND: Final = """
SELECT time_bucket(INTERVAL '1 day', bucket) AS day,
       sum(value) FILTER (name = 'hits') AS hits, sum(value) FILTER (name = 'errors' AND segment = '500') AS errors,
       sum(value) FILTER (name = 'bytes') AS bytes, min(value) FILTER (name = 'least') AS least
FROM (
    SELECT 'hits' AS name, * FROM metrics.hits UNION ALL SELECT 'errors', * FROM metrics.by_status
    UNION ALL SELECT 'bytes', * FROM metrics.bytes UNION ALL SELECT 'least', * FROM metrics.least
) AS all_metrics
GROUP BY 1 ORDER BY 1
"""
METRICS: Final = (
    Metric("hits", "count", "*", 3600),
    Metric("by_status", "count", "*", 600, segment="status_code"),
    Metric("bytes", "sum", "response_bytes", 86_400),
    Metric("least", "min", "response_bytes", 60),
)


class Writer:
    """Stores numbered lines of one file, each once, whatever happens to the engine."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stream_id = open_stream(store, "file:///var/log/soak.log").stream_id
        (file,) = store.open_files([NewFile(self._stream_id, "/var/log/soak.log", device=1, inode=2)])
        self._file_id = file.file_id
        self._generator = duckdb.connect(config={"threads": 1})
        self._generator.execute("SET TimeZone = 'UTC'")
        self._generator.execute(
            f"CREATE TABLE expected AS SELECT * FROM ({DAYS.replace('lines', '(FROM ' + _lines() + ')')}) LIMIT 0"
        )
        self.lines = 0
        self.refused = 0

    def append(self, rows: int) -> None:
        """Store the next lines in one transaction; try until it is committed."""
        bounds = {"start": self.lines, "end": self.lines + rows}
        lines = self._generator.sql(LINES, params=bounds).to_arrow_table()
        self._generator.register("lines", lines)
        self._generator.execute(f"INSERT INTO expected {DAYS}")
        appender = self._store.appender()
        appender.write(self._stream_id, self._file_id, _parsed(lines))
        move = Move(
            self._file_id, self.lines, self.lines + rows, fingerprint(self.lines + rows), finished=False, context=""
        )
        while True:
            try:
                appender.commit([move])
                break
            except PuppylogError as error:
                if not error.transient:
                    raise
                self.refused += 1
                time.sleep(0.1)  # as a collector does before it tries again
        self.lines += rows

    def expected(self) -> list[tuple[Any, ...]]:
        """Return per day what the metrics must have."""
        sql = "SELECT day, sum(hits), sum(errors), sum(bytes), min(least) FROM expected GROUP BY 1 ORDER BY 1"
        return self._generator.execute(sql).fetchall()

    def close(self) -> None:
        self._generator.close()


def _lines() -> str:
    return f"({LINES.replace('$start', '0').replace('$end', '0')})"


def _parsed(lines: pa.Table) -> Parsed:
    columns = [lines[field.name].combine_chunks().cast(field.type) if field.name in lines.column_names
               else pa.nulls(lines.num_rows, field.type) for field in RECORDS]  # fmt: skip
    return Parsed(pa.RecordBatch.from_arrays(columns, schema=RECORDS), NO_REJECTS)


class Watch:
    """Measures the store every second, and kills the engine while it archives."""

    def __init__(self, server: EmbeddedStore, archive: Path) -> None:
        self._server = server
        self._archive = archive
        self._stop = threading.Event()
        self._chance = random.Random(17)
        self.sizes: list[int] = []
        self.kills = 0
        self._killer = threading.Thread(target=self._kill)
        self._threads = [threading.Thread(target=self._measure), self._killer]

    @contextmanager
    def running(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()

    @property
    def is_killing(self) -> bool:
        """Whether the engine is still to be killed. After an error it is not, so that the test ends and fails."""
        return self._killer.is_alive()

    def _measure(self) -> None:
        store = self._server.connect()
        log = self._server.directory.write_ahead_log
        while not self._stop.wait(1.0 if IS_LONG else 0.1):
            with suppress(PuppylogError, FileNotFoundError):  # the engine was just killed
                sql = "SELECT used_blocks * block_size AS used FROM pragma_database_size()"
                used = int(store.query(sql)["used"][0].as_py())
                self.sizes.append(used + (log.stat().st_size if log.exists() else 0))

    def _kill(self) -> None:
        while self.kills < KILLS and not self._stop.wait(LENGTH_S / (KILLS + 1) * self._chance.random() * 1.6):
            while not self._is_archiving():
                if self._stop.wait(0.002):
                    return
            self._stop.wait(self._chance.random() * 0.3)
            self._server.kill_engine()
            self.kills += 1

    def _is_archiving(self) -> bool:
        with suppress(OSError, ValueError):  # ValueError: there is no folder yet
            (store,) = self._archive.iterdir()
            newest = max(path for path in store.iterdir() if path.name.startswith("day="))
            return any(path.suffix == ".tmp" for path in newest.iterdir())
        return False


@pytest.mark.sampled
@pytest.mark.long
@pytest.mark.timeout(LENGTH_S * 2 + 900)
def test_a_store_of_limited_size_keeps_its_metrics_and_archives_every_line_once(tmp_path: Path) -> None:
    archive = tmp_path / "archive"
    with EmbeddedStore(tmp_path / "store") as server:
        store = server.connect()
        for metric in METRICS:
            store.create_metric(metric)
        store.set_retention(Retention(max_bytes=MAX_BYTES, archive=str(archive)))
        writer, watch = Writer(store), Watch(server, archive)
        with watch.running():
            until = time.monotonic() + LENGTH_S
            while watch.is_killing or time.monotonic() < until:
                writer.append(BATCH_ROWS)
        report(writer, watch, store)
        assert watch.kills == KILLS
        assert max(watch.sizes) <= MAX_BYTES
        check_lines(writer, store, archive)
        wait_until(lambda: server.is_settled(store), within_s=120, what="the refresh of the metrics")
        check_metrics(writer, store)
        bad = [finding for finding in store.list_findings().findings if finding.state is Health.WRONG]
        assert bad == []
        writer.close()


def report(writer: Writer, watch: Watch, store: Store) -> None:
    (dropped,) = store.query("SELECT records, before FROM puppylog.dropped").to_pylist()
    (files,) = store.query("SELECT count(*) AS n, sum(size_bytes) AS bytes FROM puppylog.archived_files").to_pylist()
    print(  # noqa: T201 - for those who run it long
        f"{writer.lines:,} lines stored, {dropped['records']:,} dropped, before {dropped['before']:%Y-%m-%d %H:%M}; "
        f"{files['n']:,} files of {int(files['bytes'] or 0):,} bytes; largest of {len(watch.sizes):,} sizes "
        f"{max(watch.sizes):,} of {MAX_BYTES:,} bytes; {watch.kills} kills; {writer.refused} commits tried again"
    )


def check_metrics(writer: Writer, store: Store) -> None:
    """Every day's metrics are those of all lines that were ever stored, those of dropped days too."""
    found = [tuple(row.values()) for row in store.query(FOUND).to_pylist()]
    expected = [(day, *map(float, values)) for day, *values in writer.expected()]
    assert [(day, hits, errors or 0.0, *rest) for day, hits, errors, *rest in found] == expected


def check_lines(writer: Writer, store: Store, archive: Path) -> None:
    """Every line is once in the archive or in the store. The archive's files are those that the store has recorded."""
    recorded = store.query("SELECT root, path FROM puppylog.archived_files WHERE archived_at IS NOT NULL").to_pylist()
    paths = [str(Path(row["root"], row["path"])) for row in recorded]
    assert sorted(paths) == sorted(str(path) for path in archive.glob("*/day=*/*.parquet"))
    assert list(archive.glob("**/*.tmp")) == []
    live = store.query("SELECT line_offset FROM puppylog.log_records")
    assert live.num_rows < writer.lines
    with duckdb.connect(config={"threads": 1}) as reader:
        reader.register("live", live)
        for start in range(0, writer.lines, CHECKED_LINES):
            end = min(start + CHECKED_LINES, writer.lines)
            assert count(reader, paths, start, end) == (end - start, end - start)
        assert count(reader, paths, -1, 1 << 60)[0] == writer.lines
    (through_sql,) = ask(store, "SELECT (SELECT count(*) FROM log_archive) + (SELECT count(*) FROM log_records) AS n")
    assert through_sql == {"n": writer.lines}


def count(reader: duckdb.DuckDBPyConnection, paths: Sequence[str], start: int, end: int) -> tuple[int, int]:
    """Return how many lines have a number in the range, and how many numbers they have."""
    is_whole = end - start <= CHECKED_LINES
    lines = "SELECT line_offset FROM read_parquet($paths) UNION ALL SELECT line_offset FROM live"
    sql = f"""SELECT count(*), {"count(DISTINCT line_offset)" if is_whole else 0}
              FROM ({lines}) AS lines WHERE line_offset >= $start AND line_offset < $end"""
    lines_found, numbers = reader.execute(sql, {"paths": list(paths), "start": start, "end": end}).fetchall()[0]
    return lines_found, numbers


def ask(store: Store, sql: str) -> list[dict[str, Any]]:
    with store.stream_query(sql) as batches:
        return [row for batch in batches for row in batch.to_pylist()]
