"""Queries of clients have limits of time, memory and number, and end when their client disconnects."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pyarrow as pa
import pytest

from puppylog.errors import PuppylogError, QueryError, StoreUnavailable
from puppylog.model.metric import Metric
from puppylog.stores.cancellation import Cancellation
from puppylog.stores.duckdb.client.store import DuckdbStore
from puppylog.stores.duckdb.engine import running_query
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.database import Engine
from puppylog.stores.duckdb.engine.server import Service
from support.embedded import EmbeddedStore, wait_until
from support.lines import Source, records

pytestmark = pytest.mark.sampled

ENDLESS = "SELECT count(*) AS n FROM range(10000000) AS a, range(1000000) AS b"


def ask(store: DuckdbStore, sql: str) -> list[dict[str, Any]]:
    with store.stream_query(sql) as batches:
        return [row for batch in batches for row in batch.to_pylist()]


@contextlib.contextmanager
def unlimited_and_limited(server: EmbeddedStore, timeout_s: float) -> Iterator[tuple[DuckdbStore, DuckdbStore]]:
    """Yield a client without a time-out and a client with one."""
    with server.connect() as unlimited, DuckdbStore(server.directory.path, timeout_s=timeout_s) as limited:
        yield unlimited, limited


def is_over(thread: threading.Thread) -> bool:
    return not thread.is_alive()


def run_until_cancelled(server: EmbeddedStore, cancellation: Cancellation) -> None:
    with (
        server.connect() as store,
        pytest.raises(PuppylogError),
        store.stream_query(ENDLESS, cancellation=cancellation) as batches,
    ):
        list(batches)


def cpu_s(pid: int) -> float:
    """Return the processor time of a process in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_idle(pid: int) -> bool:
    before = cpu_s(pid)
    threading.Event().wait(0.3)
    return cpu_s(pid) - before < 0.1


def test_a_query_that_takes_too_long_is_ended(server: EmbeddedStore) -> None:
    with unlimited_and_limited(server, 0.5) as (unlimited, limited):
        with pytest.raises(QueryError, match=r"it took longer than 0\.5 s \(see --timeout\)"):
            ask(limited, ENDLESS)
        with pytest.raises(QueryError, match=r"it took longer than 0\.5 s"):
            limited.query(ENDLESS)
        wait_until(lambda: is_idle(unlimited.engine_pid), what="the end of the query")


def test_only_few_queries_of_users_run_at_once_and_they_delay_no_other_client(server: EmbeddedStore) -> None:
    with unlimited_and_limited(server, 1.0) as (unlimited, limited):
        started = cpu_s(unlimited.engine_pid)
        cancellations = [Cancellation() for _ in range(2)]
        heavy = [threading.Thread(target=run_until_cancelled, args=(server, one)) for one in cancellations]
        for thread in heavy:
            thread.start()
        wait_until(lambda: cpu_s(unlimited.engine_pid) > started + 0.3, what="the start of the queries")
        with pytest.raises(QueryError, match="2 others have been running for 1 s; try later"):
            ask(limited, "SELECT 1 AS one")
        Source(unlimited).append(records(3))
        assert unlimited.query("SELECT count(*) AS n FROM puppylog.log_records").to_pylist() == [{"n": 3}]
        for thread, cancellation in zip(heavy, cancellations, strict=True):
            assert thread.is_alive()
            cancellation.cancel_until(partial(is_over, thread), every_s=0.1)
        for thread in heavy:
            thread.join()
        assert ask(limited, "SELECT 1 AS one") == [{"one": 1}]


def test_an_answer_that_is_not_read_blocks_no_other_query(server: EmbeddedStore) -> None:
    rows = "SELECT repeat('x', 1000) AS text FROM range(3000000)"
    with unlimited_and_limited(server, 5.0) as (unlimited, limited), contextlib.ExitStack() as unread:
        for _ in range(3):
            next(unread.enter_context(unlimited.stream_query(rows)))
        assert ask(limited, "SELECT 1 AS one") == [{"one": 1}]


def test_a_query_with_a_huge_result_fails_and_the_engine_goes_on(server: EmbeddedStore) -> None:
    value = "repeat(repeat(host, 10000), 10000)"
    with server.connect() as store:
        Source(store).append(records(3000))
        pid = store.engine_pid
        with pytest.raises(QueryError, match=r"cannot (finish|run) this"):
            ask(store, f"SELECT max(length({value})), max({value}) FROM log_records")
        Source(store, "file:///b.log").append(records(3))
        assert server.engine_pids() == [pid]
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        peak_kb = int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1])
        assert peak_kb < 6_000_000


def test_an_interrupt_ends_sql_at_once_and_its_query_with_it(server: EmbeddedStore) -> None:
    with server.connect() as store:
        started = cpu_s(store.engine_pid)
        command = [sys.executable, "-m", "puppylog", "--store", server.url, "sql", ENDLESS]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asking:
            wait_until(lambda: cpu_s(store.engine_pid) > started + 0.3, what="the start of the query")
            asking.send_signal(signal.SIGINT)
            _, said = asking.communicate(timeout=30)  # half the time after which the store would end the query
        assert (asking.returncode, said) == (130, b"")
        wait_until(lambda: is_idle(store.engine_pid), what="the end of the query")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with Engine(tmp_path / "records.duckdb") as engine:
        yield engine


def test_the_error_that_aborts_a_transaction_is_raised(engine: Engine) -> None:
    def work(connection: Connection) -> None:
        with connection.table("rows", pa.table({"a": [1]})):
            connection.run("INSERT INTO nowhere SELECT error('the cause') FROM rows")

    def abort(connection: Connection) -> None:
        with connection.table("rows", pa.table({"a": [1]})):
            connection.run("CREATE TEMP TABLE t AS SELECT error('the cause') FROM rows")

    for failing in (work, abort):
        with pytest.raises(QueryError, match=r"the cause|nowhere"):
            engine.write(failing)
    assert engine.write(lambda connection: connection.value("SELECT 1")) == 1


def test_a_transaction_without_enough_memory_may_be_retried(engine: Engine) -> None:
    engine.write(lambda connection: connection.run("SET GLOBAL memory_limit = '200MB'"))
    with pytest.raises(StoreUnavailable, match="Out of Memory") as failure:
        engine.write(lambda connection: connection.run("SELECT list(repeat('x', 1000000) || i) FROM range(10000) t(i)"))
    assert failure.value.transient


def test_a_new_metric_that_cannot_be_filled_is_deleted() -> None:
    deleted: list[object] = []

    def refuse(metric: Metric) -> None:
        raise PuppylogError("fill", metric.name)

    service = SimpleNamespace(_jobs=SimpleNamespace(materialize=refuse), _engine=SimpleNamespace(write=deleted.append))
    with pytest.raises(PuppylogError, match="cannot fill hits"):
        Service._materialize(cast("Service", service), Metric("hits", "count", "*", 60))
    assert len(deleted) == 1


def test_a_stopwatch_does_not_count_the_time_while_it_is_paused(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("puppylog.stores.duckdb.engine.running_query.time.monotonic", lambda: now[0])
    watch = running_query.Stopwatch()
    for step_s, change in ((1.0, watch.resume), (2.0, watch.pause), (30.0, watch.pause), (40.0, watch.resume)):
        now[0] += step_s
        change()
    assert watch.read_s() == 2.0
    now[0] += 5.0
    assert watch.read_s() == 7.0


def test_a_long_answer_of_our_own_is_whole(server: EmbeddedStore) -> None:
    """Its first batches are computed in the thread of the request, and the others in another one."""
    with server.connect() as store:
        for rows in (0, 1, 65_536, 65_537, 131_073, 500_000):
            answer = store.query(f"SELECT range AS n FROM range({rows})")
            assert sorted(answer["n"].to_pylist()) == list(range(rows))


def test_one_thread_watches_all_queries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running_query, "_WATCH_S", 0.001)
    monkeypatch.setattr(running_query, "_WATCH_ON_S", 0.0)
    watcher = running_query.QueryWatcher()
    looks: list[str] = []

    def fail() -> None:
        raise ValueError

    with watcher.watching(fail), watcher.watching(partial(looks.append, "first")):
        with watcher.watching(partial(looks.append, "second")):
            wait_until(lambda: {"first", "second"} <= set(looks), what="looks at both queries")
            assert sum(thread.name == "query-watch" for thread in threading.enumerate()) == 1
        looks.clear()
        wait_until(lambda: looks.count("first") > 2, what="looks at the first query")
        assert "second" not in looks
    wait_until(lambda: not any(thread.name == "query-watch" for thread in threading.enumerate()), what="its end")
    looks.clear()
    with watcher.watching(partial(looks.append, "third")):
        wait_until(lambda: "third" in looks, what="another thread")


def niceness(thread_id: int) -> int:
    return os.getpriority(os.PRIO_PROCESS, thread_id)


def test_large_batches_have_a_lower_priority_than_queries(tmp_path: Path) -> None:
    before = {int(path.name) for path in Path("/proc/self/task").iterdir()}
    with Engine(tmp_path / "records.duckdb") as engine:
        own = niceness(threading.get_native_id())
        new = {int(path.name) for path in Path("/proc/self/task").iterdir()} - before
        assert {niceness(thread_id) for thread_id in new} == {own + 5}  # DuckDB's threads
        assert engine.write(lambda _: niceness(threading.get_native_id())) == own
        assert engine.write(lambda _: niceness(threading.get_native_id()), is_bulk=True) == own + 5
        assert engine.write(lambda _: niceness(threading.get_native_id())) == own
