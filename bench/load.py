"""The engine's jobs and the ingest under load: many alerts over many hosts, and heavy queries during a backfill.

CPU seconds are the engine's own, as the kernel counts them. On a machine with other work the engine may fall behind.
The figure "if it was on time" is then the CPU that its evaluations took, for as many evaluations as were due. The age
of the oldest evaluation means something on a quiet machine only.
"""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from bench.ingest import COUNTS
from bench.processes import BenchBroken, Workspace, read_cpu_s
from bench.report import Figure, Target, percentile, single
from puppylog.model.alert import Comparison, define_alert
from puppylog.model.metric import Metric
from puppylog.model.record import NO_REJECTS, RECORDS, Parsed
from puppylog.model.stream import EMPTY_FINGERPRINT, Move
from puppylog.stores.base import NewFile, Store
from puppylog.stores.connect import stop
from puppylog.stores.duckdb.client.store import DuckdbStore

QUERIES = (2, 6)
"""The numbers of heavy queries that run during a backfill."""

_WINDOW_PERIODS = 6
_SETTLE_PERIODS = _WINDOW_PERIODS + 2  # after these the windows are full, and all segments are known
_MAX_WAIT_S = 60.0
_STILL_CPU_S = 0.05
_BEGUN_CPU_S = 1.0  # after so much work of the engine, heavy queries have begun
_SHARE = Target(at_most=50)
_OLDEST = Target(at_most=2)
_SLOWER = Target(at_most=2)
_STATISTICS = (("count", "*", None), ("count", "*", "status_code >= 500"), ("avg", "response_bytes", None))
_AGE = """
    SELECT max((epoch_us(now()) - epoch_us(evaluated_at)) / 1e6)::DOUBLE AS age_s,
           count(*) FILTER (WHERE error IS NOT NULL) AS errors
    FROM puppylog.alerts
"""
_EVALUATED = "SELECT sum(epoch_us(evaluated_at) / 1e6)::DOUBLE AS evaluated_s FROM puppylog.alerts"
_JUDGED = "SELECT count(*) AS segments FROM puppylog.alert_states"
_CROSS_JOIN = "SELECT count(*) FROM range(1000000) AS a (x), range(1000000) AS b (y) WHERE (x * y) % 7 = {number}"


@dataclass(frozen=True, slots=True)
class Fleet:
    """Hosts that log, and alerts on each of them."""

    alerts: int = 100  # each on a metric of its own
    hosts: int = 100_000
    records_per_s: int = 2_000  # each of a random host
    period_s: int = 10  # of the metrics and of the alerts
    periods: int = 6  # that are measured

    @property
    def seconds(self) -> int:
        """How long `measure_fleet` takes at least."""
        return self.period_s * (3 + _SETTLE_PERIODS + self.periods)

    def __str__(self) -> str:
        return f"{self.alerts} metrics and {self.alerts} alerts over {self.hosts:,} hosts"


def measure_fleet(work: Path, fleet: Fleet) -> list[Figure]:
    """Measure the engine while records of all hosts arrive and the alerts judge each host."""
    workspace = Workspace(work)
    with DuckdbStore(workspace.store) as store, _feeding(store, fleet):
        time.sleep(fleet.period_s)
        ingest = _measure_share(store, 2 * fleet.period_s)
        _define(store, fleet)
        time.sleep(_SETTLE_PERIODS * fleet.period_s)
        ages: list[float] = []
        before = _count_evaluations(store, fleet)
        share = _measure_share(store, fleet.periods * fleet.period_s, ages)
        rounds = (_count_evaluations(store, fleet) - before) / fleet.alerts
        (judged,) = store.query(_JUDGED).to_pylist()
    stop(workspace.url)
    if not judged["segments"] or not rounds:
        raise BenchBroken("the alerts have judged no host")
    return [
        single(f"engine with {fleet}", share, "% of a core"),
        single("  if it was on time", share * fleet.periods / rounds, "% of a core", _SHARE),
        single("  the ingest alone, before they existed", ingest, "% of a core"),
        single("  host states that the alerts keep", judged["segments"], ""),
        single("  the oldest evaluation, at most", max(ages) / fleet.period_s, "periods ago", _OLDEST),
        single("  the oldest evaluation, p50", percentile(ages, 50) / fleet.period_s, "periods ago"),
    ]


def _count_evaluations(store: Store, fleet: Fleet) -> float:
    """Return the sum of the instants of all alerts' last evaluations, counted in periods."""
    (row,) = store.query(_EVALUATED).to_pylist()
    return float(row["evaluated_s"]) / fleet.period_s


def _define(store: Store, fleet: Fleet) -> None:
    for number in range(fleet.alerts):
        statistic, property_, filter_ = _STATISTICS[number % len(_STATISTICS)]
        period_s = fleet.period_s
        metric = Metric(
            f"m{number}", statistic, property_, period_s, segment="host", filter=filter_, refresh_s=period_s
        )
        store.create_metric(metric)
        alert = define_alert(
            f"a{number}",
            metric,
            comparison=Comparison.ABOVE,
            threshold=9_900 if statistic == "avg" else 4,
            window_s=_WINDOW_PERIODS * period_s,
            statistic="avg" if statistic == "avg" else "sum",
            period_s=period_s,
            each_segment=True,
        )
        store.create_alert(alert)


def _measure_share(store: DuckdbStore, seconds: float, ages: list[float] | None = None) -> float:
    """Return the engine's use of a core in percent, and add the age of the oldest evaluation to ``ages`` repeatedly."""
    pid = store.engine_pid
    before, started = read_cpu_s(pid), time.perf_counter()
    while time.perf_counter() - started < seconds:
        time.sleep(0.5)
        if ages is not None:
            (row,) = store.query(_AGE).to_pylist()
            if row["errors"]:
                raise BenchBroken(f"{row['errors']} alerts cannot be evaluated")
            ages.append(row["age_s"])
    return 100 * (read_cpu_s(pid) - before) / (time.perf_counter() - started)


@contextmanager
def _feeding(store: Store, fleet: Fleet) -> Iterator[None]:
    """Append records of random hosts every second, until the end of the block."""
    is_over, failed = threading.Event(), threading.Event()

    def feed() -> None:
        try:
            _append_until(is_over, store, fleet)
        except BaseException:
            failed.set()
            raise

    thread = threading.Thread(target=feed, name="feeder")
    thread.start()
    try:
        yield
        if failed.is_set():
            raise BenchBroken("the records of the hosts could not be stored")
    finally:
        is_over.set()
        thread.join()


def _append_until(is_over: threading.Event, store: Store, fleet: Fleet) -> None:
    chance = random.Random(1)
    hosts = pa.array([f"host-{number:06d}.example.org" for number in range(fleet.hosts)])
    (stream,) = store.open_streams(["file:///bench/fleet.log"])
    (file,) = store.open_files([NewFile(stream.stream_id, "/bench/fleet.log", device=1, inode=1)])
    appender = store.appender()
    start = 0
    while True:
        appender.write(stream.stream_id, file.file_id, _make_records(chance, hosts, start, fleet.records_per_s))
        end = start + fleet.records_per_s
        appender.commit([Move(file.file_id, start, end, EMPTY_FINGERPRINT, finished=False)])
        start = end
        if is_over.wait(1.0):
            return


def _make_records(chance: random.Random, hosts: pa.Array, start: int, count: int) -> Parsed:
    """Return records of now, each of a random host."""
    values = {
        "line_offset": pa.array(range(start, start + count), pa.int64()),
        "ts": pa.array([time.time_ns() // 1000] * count, pa.timestamp("us", "UTC")),
        "host": hosts.take(pa.array([chance.randrange(len(hosts)) for _ in range(count)])),
        "status_code": pa.array([500 if chance.random() < 0.1 else 200 for _ in range(count)], pa.int16()),
        "response_bytes": pa.array([chance.randrange(10_000) for _ in range(count)], pa.int64()),
    }
    columns = [values.get(field.name, pa.nulls(count, field.type)) for field in RECORDS]
    return Parsed(pa.RecordBatch.from_arrays(columns, schema=RECORDS), NO_REJECTS)


def measure_queries(work: Path, log: Path, lines: int, numbers: Sequence[int] = QUERIES) -> list[Figure]:
    """Collect ``log`` without other work, and while each of ``numbers`` of heavy queries run; compare the times."""
    work.mkdir()
    alone_s = _collect(work / "alone", log, lines, queries=0)
    figures = [single("ingest without other queries", lines / alone_s, "lines/s")]
    for queries in numbers:
        taken_s = _collect(work / f"with-{queries}", log, lines, queries=queries)
        figures += [
            single(f"  while {queries} cross joins run", lines / taken_s, "lines/s"),
            single("    times slower", taken_s / alone_s, "", _SLOWER),
        ]
    return figures


def _collect(work: Path, log: Path, lines: int, *, queries: int) -> float:
    """Collect ``log`` into a new store while endless queries run; return the seconds.

    Raises:
        BenchBroken: a query has ended, or the store lacks a line or has one twice.
    """
    workspace = Workspace(work)
    with DuckdbStore(workspace.store) as store, _querying(workspace, store.engine_pid, queries):
        taken_s = workspace.run("collector", "-s", str(log)).wall_s
        (counts,) = store.query(COUNTS).to_pylist()
    stop(workspace.url)
    if counts != {"records": lines, "rejects": 0}:
        raise BenchBroken(f"the store has {counts} of {lines} lines")
    return taken_s


@contextmanager
def _querying(workspace: Workspace, engine_pid: int, queries: int) -> Iterator[None]:
    """Run endless queries until the end of the block."""
    before = read_cpu_s(engine_pid)
    running = [
        workspace.start("sql", _CROSS_JOIN.format(number=number), "--timeout", "3600") for number in range(queries)
    ]
    try:
        deadline = time.monotonic() + _MAX_WAIT_S
        while queries and read_cpu_s(engine_pid) - before < _BEGUN_CPU_S:
            if time.monotonic() > deadline:
                raise BenchBroken("the heavy queries do not begin")
            time.sleep(0.05)
        _wait_until_still([process.pid for process in running])
        yield
        if any(process.poll() is not None for process in running):
            raise BenchBroken("a query has ended before the ingest")
    finally:
        for process in running:
            process.kill()
            process.wait()


def _wait_until_still(pids: Sequence[int]) -> None:
    """Wait until processes have started, and use no more CPU because they wait for an answer."""
    deadline, before = time.monotonic() + _MAX_WAIT_S, -1.0
    while (now := sum(map(read_cpu_s, pids))) - before > _STILL_CPU_S:
        if time.monotonic() > deadline:
            raise BenchBroken("the heavy queries' clients do not wait")
        before = now
        time.sleep(0.5)
