"""A user's query that waits for a lock sees the rows as they are when the lock is free, and not as they were before."""

from concurrent.futures import ThreadPoolExecutor

import psycopg

from puppylog.stores.postgres.store import PostgresStore
from support.embedded import wait_until
from support.lines import Source, records

WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'puppylog-sql' AND wait_event_type = 'Lock'
"""


def test_records_that_move_to_another_table_while_a_query_waits_are_counted(postgres_store_url: str) -> None:
    def count() -> list[int]:
        asked = "SELECT count(*) AS n FROM puppylog.log_records"
        with PostgresStore(postgres_store_url) as store, store.stream_query(asked) as batches:
            return [row["n"] for batch in batches for row in batch.to_pylist()]

    def is_waiting() -> bool:
        with psycopg.connect(postgres_store_url) as connection:
            return connection.execute(WAITING).fetchall() == [(1,)]

    with PostgresStore(postgres_store_url) as store:
        Source(store).append(records(100))
    with ThreadPoolExecutor(1) as pool, psycopg.connect(postgres_store_url) as job:
        # As a job of TimescaleDB that compresses a chunk: TRUNCATE removes rows also for snapshots from before.
        job.execute(
            "CREATE TEMPORARY TABLE kept AS SELECT tableoid::regclass AS partition, r.* FROM puppylog.log_records AS r"
        )
        [(partition,)] = job.execute("SELECT DISTINCT CAST(partition AS text) FROM kept").fetchall()
        job.execute(f"TRUNCATE {partition}".encode())
        job.execute("ALTER TABLE kept DROP COLUMN partition")
        job.execute("INSERT INTO puppylog.log_records SELECT * FROM kept")
        answer = pool.submit(count)
        wait_until(is_waiting, what="the wait for the lock")
        job.commit()
        assert answer.result() == [100]
