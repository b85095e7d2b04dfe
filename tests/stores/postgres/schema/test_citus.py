"""What only Citus does: a stream's rows and position on one node, partitions of days, old ones in columns."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from puppylog.stores.postgres.schema.bootstrap import Lifetimes, bootstrap
from puppylog.stores.postgres.store import PostgresStore
from support.asking import ask
from support.database_elsewhere import citus_database
from support.embedded import wait_until
from support.lines import Source, records

COORDINATOR = os.environ.get("PUPPYLOG_TEST_CITUS")
NOW = datetime.now(UTC)

pytestmark = pytest.mark.skipif(
    COORDINATOR is None, reason="NOT TESTED: Citus; set PUPPYLOG_TEST_CITUS to the URL of a database with workers"
)


@pytest.fixture
def url() -> Iterator[str]:
    with citus_database(COORDINATOR or "") as url:
        bootstrap(url, is_distributed=True)
        yield url


@pytest.fixture
def store(url: str) -> Iterator[PostgresStore]:
    with PostgresStore(url) as store:
        yield store


def test_each_stream_is_on_one_node_and_all_nodes_have_streams(url: str, store: PostgresStore) -> None:
    for number in range(12):
        Source(store, f"file:///{number}").append(records(2, ts=NOW))
    tables = ["log_records", "log_files", "rejected_lines", "invalidations"]
    names = ", ".join(f"'puppylog.{table}'::regclass" for table in tables)
    colocated = f"SELECT count(DISTINCT colocationid), count(*) FROM pg_dist_partition WHERE logicalrelid IN ({names})"
    assert ask(url, colocated) == [(1, 4)]
    nodes = """
        SELECT count(DISTINCT (nodename, nodeport)) FROM puppylog.log_streams AS s,
        LATERAL (SELECT get_shard_id_for_distribution_column('puppylog.log_records', s.id) AS shardid) AS shard
        JOIN pg_dist_shard_placement USING (shardid)
    """
    assert ask(url, nodes)[0][0] > 1


STREAMS_OF_NODES = """
    SELECT count(s.id) FROM (SELECT nodename, nodeport FROM pg_dist_node WHERE groupid > 0) AS node
    LEFT JOIN (
        SELECT s.id, placement.nodename, placement.nodeport FROM puppylog.log_streams AS s
        JOIN pg_dist_shard_placement AS placement
        ON placement.shardid = get_shard_id_for_distribution_column('puppylog.log_records', s.id)
    ) AS s USING (nodename, nodeport)
    GROUP BY nodename, nodeport ORDER BY 1
"""
STREAMS_OF_SHARDS = """
    SELECT max(streams) FROM (
        SELECT count(*) AS streams FROM puppylog.log_streams AS s
        GROUP BY get_shard_id_for_distribution_column('puppylog.log_records', s.id)
    ) AS shards
"""


def test_the_nodes_have_the_same_number_of_streams_from_the_first_two_on(url: str, store: PostgresStore) -> None:
    workers = len(ask(url, STREAMS_OF_NODES))
    for number in range(workers):
        store.open_streams([f"file:///one-by-one/{number}"])
    assert ask(url, STREAMS_OF_NODES) == [(1,)] * workers
    store.open_streams([f"file:///at-once/{number}" for number in range(7 * workers)])
    assert ask(url, STREAMS_OF_NODES) == [(8,)] * workers
    ((shards,),) = ask(url, "SELECT count(*) FROM pg_dist_shard WHERE logicalrelid = 'puppylog.log_records'::regclass")
    assert ask(url, STREAMS_OF_SHARDS) == [(-(-8 * workers // shards),)]


def test_collectors_that_create_streams_at_once_still_balance_them(url: str) -> None:
    workers = len(ask(url, STREAMS_OF_NODES))

    def create(number: int) -> None:
        with PostgresStore(url) as store:
            store.open_streams([f"file:///{number}"])

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(create, range(4 * workers)))
    assert ask(url, STREAMS_OF_NODES) == [(4,)] * workers


def test_old_partitions_become_columnar_and_accept_late_lines(url: str, store: PostgresStore) -> None:
    week_ago = NOW - timedelta(days=7)
    source = Source(store)
    source.append(records(1000, ts=week_ago, step_s=0), records(10, ts=NOW, step_s=0, start=100_000))
    ask(url, "SELECT puppylog.tend_days()")
    methods = """
        SELECT amname FROM puppylog.list_days() AS d JOIN pg_class AS c ON c.oid = to_regclass('puppylog.' || d.name)
        JOIN pg_am ON pg_am.oid = relam WHERE d.name = 'log_records_{day:%Y%m%d}'
    """
    assert ask(url, methods.format(day=week_ago)) == [("columnar",)]
    assert ask(url, methods.format(day=NOW)) == [("heap",)]
    source.append(records(5, ts=week_ago, start=source.offset))
    assert ask(url, "SELECT count(*), count(DISTINCT (file_id, line_offset)) FROM puppylog.log_records") == [
        (1015, 1015)
    ]


def test_old_partitions_are_dropped_on_every_node(url: str, store: PostgresStore) -> None:
    month_ago = NOW - timedelta(days=30)
    source = Source(store)
    source.append(records(100, ts=month_ago, step_s=0), records(10, ts=NOW, step_s=0, start=10_000))
    bootstrap(url, lifetimes=Lifetimes(drop_after_s=7 * 86_400))
    ask(url, "SELECT puppylog.tend_days()")
    assert ask(url, "SELECT count(*) FROM puppylog.log_records") == [(10,)]
    shards = f"SELECT count(*) FROM pg_dist_partition WHERE logicalrelid::text LIKE '%log_records_{month_ago:%Y%m%d}'"
    assert ask(url, shards) == [(0,)]


def is_started(url: str, rebalance: str) -> bool:
    try:
        ask(url, rebalance)
    except psycopg.errors.InternalError as error:
        assert "re-run the command" in str(error)  # noqa: PT017 - anything else is a failure
        return False
    return True


def test_no_line_is_lost_while_an_old_partition_becomes_columnar(url: str, store: PostgresStore) -> None:
    old = NOW - timedelta(days=7)
    sources = [Source(store, f"file:///{number}") for number in range(24)]
    for source in sources:  # the first of them starts the runner of the jobs, which turns the partition
        source.append(records(5, ts=old))
    wait_until(
        lambda: (
            ask(
                url,
                f"SELECT relam = (SELECT oid FROM pg_am WHERE amname = 'columnar') FROM pg_class "
                f"WHERE relname = 'log_records_{old:%Y%m%d}'",
            )
            == [(True,)]
        ),
        within_s=60,
        what="columns",
    )
    assert ask(url, "SELECT count(*) FROM puppylog.log_records") == [(5 * len(sources),)]


def test_the_advice_of_the_doctor_moves_shards_to_a_new_worker() -> None:
    with citus_database(COORDINATOR or "") as url:
        ((host, port),) = ask(
            url, "SELECT nodename, nodeport FROM pg_dist_node WHERE groupid > 0 ORDER BY 2 DESC LIMIT 1"
        )
        ask(url, f"SELECT citus_remove_node('{host}', {port})")
        bootstrap(url, is_distributed=True)
        with PostgresStore(url) as store:
            sources = [Source(store, f"file:///{number}") for number in range(8)]
            for source in sources:
                source.append(records(5, ts=NOW - timedelta(days=7)))
            ask(url, f"SELECT citus_add_node('{host}', {port})")
            (advice,) = (
                finding.advice
                for finding in store.list_findings().findings
                if finding.subject == f"worker {host}:{port}"
            )
            wait_until(lambda: is_started(url, advice), within_s=60, what="a moment in which no partition is made")
            wait_until(
                lambda: ask(url, "SELECT DISTINCT state FROM citus_rebalance_status()") == [("finished",)],
                within_s=120,
                what="the end of the rebalance",
            )
            for source in sources:
                source.append(records(5, ts=NOW - timedelta(days=7), start=source.offset))
            found = {finding.subject: finding.found for finding in store.list_findings().findings}
        assert found[f"worker {host}:{port}"] == "active; it holds 8 of the records' shards"
        assert ask(url, "SELECT count(*), count(DISTINCT (file_id, line_offset)) FROM puppylog.log_records") == [
            (80, 80)
        ]
