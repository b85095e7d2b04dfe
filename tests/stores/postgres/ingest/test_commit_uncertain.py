"""A COMMIT whose answer is lost on the wire: the next call stores nothing twice and loses nothing."""

from collections.abc import Iterator

import pytest

from puppylog.errors import RequestRepeated, StoreUnavailable
from puppylog.model.request import ReceivedRequest
from puppylog.model.stream import Move
from puppylog.stores.base import Appended, Appender
from puppylog.stores.postgres.store import PostgresStore
from support.cut_wire import CutWire
from support.embedded import wait_until
from support.lines import LINE_BYTES, Source, records, rejects
from support.postgres import PostgresServer

COUNTS = """
    SELECT (SELECT count(*) FROM puppylog.log_records) AS records,
           (SELECT count(DISTINCT (file_id, line_offset)) FROM puppylog.log_records) AS places,
           (SELECT count(*) FROM puppylog.rejected_lines) AS rejects,
           (SELECT max(byte_offset) FROM puppylog.log_files) AS byte_offset
"""


@pytest.fixture
def wire(shared_postgres: PostgresServer) -> Iterator[CutWire]:
    with CutWire(shared_postgres.socket) as wire:
        yield wire


@pytest.fixture
def store(shared_postgres: PostgresServer, postgres_template: str, wire: CutWire) -> Iterator[PostgresStore]:
    """A store that is connected through the wire."""
    with (
        shared_postgres.database(template=postgres_template) as name,
        PostgresStore(shared_postgres.url(name, port=wire.port)) as store,
    ):
        yield store


def begin(store: PostgresStore, source: Source, *, start: int = 0) -> tuple[Appender, list[Move]]:
    """Return a batch of three records and a rejected line, ready to be committed."""
    appender = store.appender()
    appender.write(source.stream_id, source.file_id, records(3, start=start))
    appender.write(source.stream_id, source.file_id, rejects(b"bad", start=start + 3 * LINE_BYTES))
    return appender, [source.move(start, start + 4 * LINE_BYTES)]


def check(store: PostgresStore, batches: int) -> None:
    assert store.query(COUNTS).to_pylist() == [
        {
            "records": 3 * batches,
            "places": 3 * batches,
            "rejects": batches,
            "byte_offset": 4 * LINE_BYTES * batches,
        }
    ]


@pytest.mark.parametrize("delivered", [True, False], ids=["delivered", "not delivered"])
def test_a_commit_whose_answer_is_lost_is_stored_once(store: PostgresStore, wire: CutWire, *, delivered: bool) -> None:
    source = Source(store)
    appender, moves = begin(store, source)
    wire.cut_at(b"COMMIT", delivered=delivered)
    with pytest.raises(StoreUnavailable):
        appender.commit(moves)
    wait_until(lambda: wire.cuts == 1, what="the cut")
    assert appender.commit(moves) == Appended(records=3, rejects=1)
    check(store, 1)
    appender, moves = begin(store, source, start=4 * LINE_BYTES)
    appender.commit(moves)
    check(store, 2)


@pytest.mark.parametrize("delivered", [True, False], ids=["delivered", "not delivered"])
def test_a_commit_with_a_lost_answer_is_resolved_when_the_store_answers_again(
    store: PostgresStore, wire: CutWire, *, delivered: bool
) -> None:
    appender, moves = begin(store, Source(store))
    wire.cut_at(b"COMMIT", delivered=delivered, and_stay_down=True)
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            appender.commit(moves)
    wire.restore()
    assert appender.commit(moves) == Appended(records=3, rejects=1)
    check(store, 1)


@pytest.mark.parametrize("delivered", [True, False], ids=["delivered", "not delivered"])
def test_the_requests_of_a_commit_whose_answer_is_lost_are_stored_once(
    store: PostgresStore, wire: CutWire, *, delivered: bool
) -> None:
    source, request = Source(store), ReceivedRequest("a" * 64, "{}")
    appender, moves = begin(store, source)
    wire.cut_at(b"COMMIT", delivered=delivered)
    with pytest.raises(StoreUnavailable):
        appender.commit(moves, [request])
    wait_until(lambda: wire.cuts == 1, what="the cut")
    assert appender.commit(moves, [request]) == Appended(records=3, rejects=1)
    assert list(store.find_requests([request.digest])) == [request.digest]
    check(store, 1)
    appender, moves = begin(store, source, start=4 * LINE_BYTES)
    with pytest.raises(RequestRepeated):
        appender.commit(moves, [request])
    check(store, 1)


@pytest.mark.parametrize("word", [b"move_position", b"COPY puppylog.log_records", b"COPY puppylog.rejected_lines"])
def test_a_batch_that_is_cut_before_its_commit_is_stored_by_the_next_call(
    store: PostgresStore, wire: CutWire, word: bytes
) -> None:
    appender, moves = begin(store, Source(store))
    wire.cut_at(word, delivered=True)
    with pytest.raises(StoreUnavailable):
        appender.commit(moves)
    wait_until(lambda: wire.cuts == 1, what="the cut")
    assert store.query(COUNTS)["records"].to_pylist() == [0]
    assert appender.commit(moves) == Appended(records=3, rejects=1)
    check(store, 1)


def test_a_batch_is_stored_once_after_a_cut_at_any_message(store: PostgresStore, wire: CutWire) -> None:
    """After a cut at any message, the batch and the next batch are each stored once."""
    source = Source(store)
    cuts = 0
    for batches, left in enumerate(range(1, 3000, 97)):
        appender, moves = begin(store, source, start=4 * LINE_BYTES * batches)
        wire.cut_after(left)
        try:
            appended = appender.commit(moves)
        except StoreUnavailable:
            cuts += 1
            wait_until(lambda cuts=cuts: wire.cuts == cuts, what="the cut")  # type: ignore[misc]  # mypy infers no default
            appended = appender.commit(moves)
        assert appended == Appended(records=3, rejects=1)
        wire.restore()
        check(store, batches + 1)
    assert cuts > 10
