"""The layout of records in each flavour: creating the partition of a day, the size, and the conversion to columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from bench.processes import BenchBroken
from puppylog.stores.connect import connect

_MAKE_PARTITIONS = "SELECT puppylog.make_days(%s::date[])"
_MAKE_CHUNK = """
INSERT INTO puppylog.log_records (ts, stream_id, file_id, line_offset)
SELECT day, stream_id, 1, 0 FROM unnest(%s::date[]) AS day, generate_series(1, 64) AS stream_id
"""
_FORGET_ROWS = "DELETE FROM puppylog.log_records"

_PARTITIONS_BYTES = """
SELECT sum(pg_total_relation_size(inhrelid)) FROM pg_inherits WHERE inhparent = 'puppylog.log_records'::regclass
"""
_SHARDS_BYTES = """
SELECT sum(citus_total_relation_size(inhrelid::regclass)) FROM pg_inherits
WHERE inhparent = 'puppylog.log_records'::regclass
"""
_CHUNKS_BYTES = "SELECT hypertable_size('puppylog.log_records')"

_CHUNKS = "SELECT CAST(chunk AS text) FROM show_chunks('puppylog.log_records') AS chunk"
_COMPRESS = "SELECT compress_chunk(%s::text::regclass)"
_DAYS_IN_ROWS = """
SELECT CAST(c.oid::regclass AS text) FROM puppylog.list_days() AS d
JOIN pg_class AS c ON c.oid = to_regclass(format('puppylog.%I', d.name))
JOIN pg_am AS am ON am.oid = c.relam WHERE am.amname = 'heap'
"""
_TURN_COLUMNAR = "SELECT alter_table_set_access_method(%s::text::regclass, 'columnar')"


@dataclass(frozen=True, slots=True)
class Layout:
    """What the bench must know of a flavour."""

    flavour: str
    version: str
    has_jobs: bool  # whether the server runs the jobs, without a client

    @property
    def is_timescale(self) -> bool:
        return self.flavour.startswith("timescaledb")

    @property
    def is_citus(self) -> bool:
        return self.flavour == "citus"

    @property
    def has_columns(self) -> bool:
        return self.is_timescale or self.is_citus

    def make_days(self, connection: "psycopg.Connection[Any]", days: Sequence[date]) -> None:
        if not self.is_timescale:
            connection.execute(_MAKE_PARTITIONS, [list(days)])
            return
        connection.execute(_MAKE_CHUNK, [list(days)])
        connection.execute(_FORGET_ROWS)

    def size_bytes(self, connection: "psycopg.Connection[Any]") -> int:
        question = _CHUNKS_BYTES if self.is_timescale else _SHARDS_BYTES if self.is_citus else _PARTITIONS_BYTES
        row = connection.execute(question).fetchone()
        if row is None or row[0] is None:
            raise BenchBroken("the records have no size")
        return int(row[0])

    def turn_columnar(self, connection: "psycopg.Connection[Any]") -> None:
        """Convert all records to columns, whatever their age.

        Each chunk is a transaction, as in TimescaleDB's policy. In one transaction, locks on several data nodes could
        deadlock with a query, which no server would detect.
        """
        list_, turn = (_CHUNKS, _COMPRESS) if self.is_timescale else (_DAYS_IN_ROWS, _TURN_COLUMNAR)
        for (name,) in connection.execute(list_).fetchall():
            connection.execute(turn, [name])


def read_layout(url: str) -> Layout:
    """Return the layout of a database in which Puppylog is installed."""
    with connect(url) as store:
        info = store.info
    with psycopg.connect(url) as connection:
        has_cron = connection.execute("SELECT FROM pg_extension WHERE extname = 'pg_cron'").fetchone() is not None
    return Layout(info.flavour, info.version, has_jobs=info.flavour.startswith("timescaledb") or has_cron)
