"""What `puppylog.stores.base.RecordReader` promises."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from contract.columnar import make_columnar, make_ordinary
from contract.differences import ENUM_LITERAL, Difference
from puppylog.errors import PuppylogError, QueryError
from puppylog.stores.base import Store
from puppylog.stores.cancellable import CancellableReader
from puppylog.stores.cancellation import Cancellation
from support.lines import Source, records
from support.server import StoreServer

pytestmark = pytest.mark.sampled


def ask(store: Store, sql: str) -> Sequence[dict[str, Any]]:
    with store.stream_query(sql) as batches:
        return [row for batch in batches for row in batch.to_pylist()]


def test_a_users_sql_can_name_log_records_without_a_schema(store: Store) -> None:
    Source(store).append(records(3))
    assert ask(store, "SELECT count(*) AS n FROM log_records") == [{"n": 3}]


def test_values_are_bound_and_never_become_sql(kept_store: Store) -> None:
    evil = "'; DROP TABLE puppylog.log_records; --"
    assert kept_store.query("SELECT $text AS text", {"text": evil}).to_pylist() == [{"text": evil}]


NOT_READING = (
    "DROP TABLE log_records",
    "DELETE FROM log_records",
    "INSERT INTO log_groups VALUES (1, 'x')",
    "CREATE TABLE x (a INTEGER)",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE log_records",
    "",
    "SELECT nextval('puppylog.ids')",
    "no sql at all",
    "SELECT no_such_column FROM log_records",
)


def test_a_users_sql_that_does_not_read_is_refused_in_one_line(kept_store: Store) -> None:
    def count_lines(sql: str) -> int:
        """Return the number of lines of the refusal, or 0 if the statement is not refused."""
        try:
            ask(kept_store, sql)
        except QueryError as refusal:
            return len(refusal.message.splitlines())
        return 0

    assert {sql: count_lines(sql) for sql in NOT_READING} == dict.fromkeys(NOT_READING, 1)


def test_a_large_answer_comes_in_batches(kept_store: Store) -> None:
    with kept_store.stream_query("SELECT i FROM generate_series(1, 300000) AS t(i)") as batches:
        sizes = [batch.num_rows for batch in batches]
    assert sum(sizes) == 300_000
    assert max(sizes) < 300_000


def test_an_answer_may_be_left_unread(kept_store: Store) -> None:
    with kept_store.stream_query(
        "SELECT i FROM generate_series(1, 10000) AS a(i), generate_series(1, 1000) AS b(j)"
    ) as batches:
        next(batches)
    assert ask(kept_store, "SELECT 1 AS one") == [{"one": 1}]


def test_an_answer_without_rows_still_names_its_columns(kept_store: Store) -> None:
    with kept_store.stream_query("SELECT host, status_code FROM log_records") as batches:
        (batch,) = list(batches)
    assert batch.schema.names == ["host", "status_code"]


def test_an_enumeration_is_returned_as_text(store: Store, differs: Callable[[Difference], bool]) -> None:
    sql = "SELECT CAST('b' AS ENUM ('a', 'b')) AS letter"
    if differs(ENUM_LITERAL):
        with pytest.raises(QueryError, match=ENUM_LITERAL.expected):
            ask(store, sql)
    else:
        assert ask(store, sql) == [{"letter": "b"}]


ENDLESS = "SELECT count(*) AS n FROM generate_series(1, 1000000) AS a(i), generate_series(1, 1000000) AS b(j)"


def test_another_thread_ends_a_query_of_a_function_that_gets_a_reader(kept_store: Store) -> None:
    cancellation, ended = Cancellation(), threading.Event()
    reader = CancellableReader(kept_store, cancellation)
    assert reader.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]
    started: list[float] = []

    def cancel() -> None:
        started.append(time.monotonic())
        cancellation.cancel_until(ended.is_set, every_s=0.1)

    threading.Timer(0.3, cancel).start()
    try:
        with pytest.raises(PuppylogError):
            reader.query(ENDLESS)
        assert time.monotonic() - started[0] < 2
        with pytest.raises(QueryError, match="it was cancelled"):
            reader.query("SELECT 1 AS one")
    finally:
        ended.set()
    assert kept_store.query("SELECT 1 AS one").to_pylist() == [{"one": 1}]


def test_another_thread_ends_a_query(kept_store: Store) -> None:
    cancellation, ended = Cancellation(), threading.Event()
    threading.Timer(0.3, lambda: cancellation.cancel_until(ended.is_set, every_s=0.1)).start()
    try:
        with pytest.raises(PuppylogError), kept_store.stream_query(ENDLESS, cancellation=cancellation) as batches:
            list(batches)
        with (
            pytest.raises(QueryError, match="it was cancelled"),
            kept_store.stream_query("SELECT 1", cancellation=cancellation),
        ):
            pass
    finally:
        ended.set()
    assert ask(kept_store, "SELECT 1 AS one") == [{"one": 1}]


def test_every_reading_counts_all_records_while_they_become_columnar(server: StoreServer, store: Store) -> None:
    for name in ("file:///one", "file:///two", "file:///three"):
        Source(store, name).append(records(2000))
    asked = "SELECT count(*) AS n FROM puppylog.log_records"

    def change() -> None:
        for _ in range(5):
            make_columnar(server)
            make_ordinary(server)

    with ThreadPoolExecutor(1) as pool:
        changing = pool.submit(change)
        while not changing.done():
            assert ask(store, asked) == [{"n": 6000}]
            assert store.query(asked).to_pylist() == [{"n": 6000}]
        changing.result()
