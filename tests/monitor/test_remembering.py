"""A command asks for the metrics and their levels once, however many functions need them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager

import pyarrow as pa

from puppylog.monitor.counting.tallied import TALLIES_SQL
from puppylog.monitor.metric_reader import METRICS_SQL, MetricReader
from puppylog.monitor.metrics import count_buckets, find_ends, get_metric, read_observations
from puppylog.monitor.range import ALWAYS
from puppylog.monitor.remembering import RememberingReader
from puppylog.monitor.report import make_report
from puppylog.monitor.search import Search
from puppylog.stores.base import Parameters
from puppylog.stores.cancellation import Cancellation
from support.memory import MemoryReader


class CountingReader:
    """Counts the queries that reach the store."""

    def __init__(self, store: MemoryReader) -> None:
        self._store = store
        self.asked: list[str] = []

    def query(
        self, sql: str, parameters: Parameters | None = None, *, cancellation: Cancellation | None = None
    ) -> pa.Table:
        self.asked.append(sql)
        return self._store.query(sql, parameters, cancellation=cancellation)

    def stream_query(
        self,
        sql: str,
        parameters: Parameters | None = None,
        *,
        timeout_s: float | None = None,
        cancellation: Cancellation | None = None,
    ) -> AbstractContextManager[Iterator[pa.RecordBatch]]:
        raise NotImplementedError


def test_the_metrics_are_asked_for_once(reader: MemoryReader) -> None:
    rows: list[tuple[str, str | None, float]] = [("2015-05-17T10:00:00+00:00", "a", 1.0)]
    reader.make_metric("hits", rows, segment="request_route")
    store = CountingReader(reader)
    metrics = MetricReader(store)
    metric = get_metric(metrics, "hits").metric
    assert read_observations(metrics, metric, buckets=10).to_pylist()[0]["value"] == 1.0
    assert count_buckets(metrics, metric, 1000) == 1
    assert find_ends(metrics, metric, ALWAYS) == find_ends(reader, metric, ALWAYS)
    assert store.asked.count(METRICS_SQL) == 1
    assert len(store.asked) == 4


def test_another_command_sees_new_metrics(reader: MemoryReader) -> None:
    reader.make_metric("hits", [])
    get_metric(MetricReader(reader), "hits")
    reader.make_metric("misses", [], id=2)
    assert get_metric(MetricReader(reader), "misses").metric.name == "misses"


def test_one_query_is_remembered_with_its_parameters(reader: MemoryReader) -> None:
    remembered, other = "SELECT $n::INTEGER AS n", "SELECT $n::INTEGER + 1 AS n"
    store = CountingReader(reader)
    remembering = RememberingReader(store, remembered)
    for n in (1, 2, 1, 2):
        assert remembering.query(remembered, {"n": n}).to_pylist() == [{"n": n}]
        assert remembering.query(other, {"n": n}).to_pylist() == [{"n": n + 1}]
    assert (store.asked.count(remembered), store.asked.count(other)) == (2, 4)


def test_a_report_asks_once_which_tallies_there_are(reader: MemoryReader) -> None:
    store = CountingReader(reader)
    make_report(store, Search(), "duckdb")
    assert store.asked.count(TALLIES_SQL) == 1
