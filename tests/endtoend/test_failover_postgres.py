"""A collector goes on after a failover, and while a database is read-only: every line is stored once."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from puppylog.stores.postgres.schema.bootstrap import bootstrap
from support.embedded import wait_until
from support.postgres import SUPERUSER, PostgresServer
from support.rotating_log import Collecting, Writer

pytestmark = pytest.mark.sampled

COUNTS = """
    SELECT count(*), count(DISTINCT (file_id, line_offset)), count(DISTINCT response_bytes) FROM puppylog.log_records
"""


@contextmanager
def following(writer: Writer, url: str, folder: Path) -> Iterator[Collecting]:
    """Run a collector that watches the log."""
    collecting = Collecting(writer.path, url, folder / "collector.err")
    try:
        yield collecting
    finally:
        collecting.end()


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(tmp_path / "access.log", random.Random(1))
    yield writer
    writer.close()


def wait_for_all(server: PostgresServer, database: str, writer: Writer, collecting: Collecting) -> None:
    def has_all() -> bool:
        collecting.check()
        with server.connect(database) as connection:
            return connection.execute(COUNTS).fetchall() == [(writer.written,) * 3]

    wait_until(has_all, within_s=60, what="catching up")


def test_a_standby_without_the_last_commits_takes_over(writer: Writer, tmp_path: Path) -> None:
    with PostgresServer() as primary:
        database = primary.create_database()
        bootstrap(primary.url(database))
        with PostgresServer(standby_of=primary) as standby:
            hosts = f"host={primary.directory},{standby.directory}&port=5432,5432&target_session_attrs=read-write"
            url = f"postgresql://{SUPERUSER}@/{database}?{hosts}"
            writer.write(1000)
            with following(writer, url, tmp_path) as collecting:
                wait_for_all(primary, database, writer, collecting)
                wait_for_all(standby, database, writer, collecting)
                standby.stop()
                writer.write(500)
                wait_for_all(primary, database, writer, collecting)
                writer.rotate()  # the standby will not know the new file
                writer.write(300)
                wait_for_all(primary, database, writer, collecting)
                primary.stop("immediate")
                standby.start()
                standby.promote()
                writer.write(200)
                wait_for_all(standby, database, writer, collecting)
                assert collecting.stop() == 0
                assert "a standby without the last commits took over" in collecting.said


def test_a_database_becomes_read_only_for_a_while(
    shared_postgres: PostgresServer, postgres_template: str, writer: Writer, tmp_path: Path
) -> None:
    def set_read_only(value: str) -> None:
        with shared_postgres.connect() as admin:
            admin.execute(f"ALTER DATABASE {database} SET default_transaction_read_only = {value}")
            admin.execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'")

    with shared_postgres.database(template=postgres_template) as database:
        writer.write(100)
        with following(writer, shared_postgres.url(database), tmp_path) as collecting:
            wait_for_all(shared_postgres, database, writer, collecting)
            set_read_only("on")
            writer.write(100)
            wait_until(lambda: "read-only transaction" in collecting.said, what="a message")
            set_read_only("off")
            wait_for_all(shared_postgres, database, writer, collecting)
            assert collecting.stop() == 0
