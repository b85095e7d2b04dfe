"""Which records a store keeps: the setting, age, and the metrics of dropped records."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg
import pytest

from contract.differences import DROPS_LATER, NO_ARCHIVE, NO_GROUP_AGE, Difference
from puppylog.errors import UsageError
from puppylog.model.metric import Metric
from puppylog.model.retention import KEEP_ALL, Retention
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.lines import Source, records
from support.server import StoreServer

pytestmark = pytest.mark.sampled

DAY_S: Final = 86_400


def test_a_store_remembers_which_records_it_keeps(server: StoreServer, differs: Callable[[Difference], bool]) -> None:
    store = server.connect()
    assert store.get_retention() == KEEP_ALL
    groups = () if differs(NO_GROUP_AGE) else (("shop", 7 * DAY_S), ("audit", 90 * DAY_S))
    kept = Retention(30 * DAY_S, groups, 10**10)
    assert store.set_retention(kept)
    assert not store.set_retention(kept)
    assert server.connect().get_retention() == kept
    assert store.set_retention(Retention(max_bytes=2 * 10**8))
    assert store.get_retention() == Retention(max_bytes=2 * 10**8)
    assert store.set_retention(KEEP_ALL)
    assert store.get_retention() == KEEP_ALL


def test_a_store_archives_records_or_refuses_to(
    store: Store, differs: Callable[[Difference], bool], tmp_path: Path
) -> None:
    kept = Retention(30 * DAY_S, archive=str(tmp_path / "archive"))
    if differs(NO_ARCHIVE):
        with pytest.raises(UsageError, match=NO_ARCHIVE.expected):
            store.set_retention(kept)
        assert store.get_retention() == KEEP_ALL
    else:
        assert store.set_retention(kept)
        assert store.get_retention() == kept


def test_metrics_keep_the_records_that_are_too_old(
    server: StoreServer, store: Store, differs: Callable[[Difference], bool]
) -> None:
    store.create_metric(Metric("hits", "count", "*", 60, refresh_s=1))
    today = datetime.now(UTC)
    Source(store).append(records(3, ts=today - timedelta(days=10)), records(2, start=300, ts=today - timedelta(days=2)))
    wait_until(lambda: server.is_settled(store), what="the refresh of the metric")
    assert store.set_retention(Retention(7 * DAY_S))
    wait_until(lambda: drop_old(server, store, is_later=differs(DROPS_LATER)) == 2, what="the drop")
    assert store.query("SELECT sum(value) AS n FROM metrics.hits")["n"].to_pylist() == [5]
    assert store.set_retention(KEEP_ALL)
    Source(store, "file:///var/log/late.log").append(records(1, ts=today - timedelta(days=2)))
    wait_until(lambda: server.is_settled(store), what="the refresh of the metric")
    assert store.query("SELECT sum(value) AS n FROM metrics.hits")["n"].to_pylist() == [6]
    said = [finding for finding in store.list_findings().findings if finding.subject == "metric hits"]
    assert said
    assert not any(finding.state.is_bad for finding in said)


def test_the_records_of_a_group_have_their_own_age(
    server: StoreServer, store: Store, differs: Callable[[Difference], bool]
) -> None:
    if differs(NO_GROUP_AGE):
        with pytest.raises(UsageError, match=NO_GROUP_AGE.expected):
            store.set_retention(Retention(groups=(("shop", 7 * DAY_S),)))
        return
    store.create_metric(Metric("hits", "count", "*", 60, refresh_s=1))
    old = datetime.now(UTC) - timedelta(days=10)
    for name, group in (("shop", "shop"), ("other", None)):
        Source(store, f"file:///var/log/{name}.log", group).append(records(3, ts=old))
    wait_until(lambda: server.is_settled(store), what="the refresh of the metric")
    assert store.set_retention(Retention(groups=(("shop", 7 * DAY_S),)))
    wait_until(lambda: drop_old(server, store, is_later=differs(DROPS_LATER)) == 3, what="the drop")
    assert store.query("SELECT sum(value) AS n FROM metrics.hits")["n"].to_pylist() == [6]


def drop_old(server: StoreServer, store: Store, *, is_later: bool) -> int:
    """Drop old records now, if the store does so only every few minutes; return the number of records."""
    if is_later:
        with psycopg.connect(server.database_url, autocommit=True) as connection:
            connection.execute("SELECT puppylog.tend_days()")
    return int(store.query("SELECT count(*) AS n FROM puppylog.log_records")["n"][0].as_py())


def test_the_oldest_days_go_if_the_records_need_too_much_space(
    server: StoreServer, store: Store, differs: Callable[[Difference], bool]
) -> None:
    if not differs(DROPS_LATER):
        return  # test_size_limit tests the embedded store
    store.create_metric(Metric("hits", "count", "*", 60, refresh_s=1))
    now = datetime.now(UTC)
    source = Source(store)
    for days in (9, 5, 2, 0):
        source.append(records(2, start=source.offset, ts=now - timedelta(days=days, seconds=2), step_s=0.1))
    wait_until(lambda: server.is_settled(store), what="the refresh of the metric")
    with psycopg.connect(server.database_url, autocommit=True) as connection:
        connection.execute("UPDATE puppylog.retention SET max_bytes = 1")  # less than users may choose

        def drop_excess() -> int:
            connection.execute(f"SELECT {DROPS_LATER.expected}".encode())
            return int(store.query("SELECT count(*) AS n FROM puppylog.log_records")["n"][0].as_py())

        # TimescaleDB's watermark is the newest bucket that has been materialized, and the records after it stay.
        wait_until(lambda: drop_excess() <= 4, what="the drop")
    assert store.query("SELECT sum(value) AS n FROM metrics.hits")["n"].to_pylist() == [8]
    Source(store, "file:///var/log/late.log").append(records(1, ts=now - timedelta(days=9)))
    wait_until(lambda: server.is_settled(store), what="the refresh of the metric")
    assert store.query("SELECT sum(value) AS n FROM metrics.hits")["n"][0].as_py() >= 8
