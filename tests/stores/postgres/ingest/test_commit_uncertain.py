"""A COMMIT whose answer got lost: whoever calls again stores nothing twice and loses nothing."""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.errors import StoreUnavailable, StreamBusy
from puppylog.model.stream import FilePosition, Move
from puppylog.stores.base import Appended, Appender
from puppylog.stores.postgres.ingest.append import Rows
from puppylog.stores.postgres.ingest.appender import CopyAppender
from puppylog.stores.postgres.store import PostgresStore
from support.cut_wire import CutWire
from support.embedded import wait_until
from support.lines import LINE_BYTES, Source, fingerprint, records, rejects
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
    """A store at the other end of the wire."""
    with (
        shared_postgres.database(template=postgres_template) as name,
        PostgresStore(shared_postgres.url(name, port=wire.port)) as store,
    ):
        yield store


def begin(store: PostgresStore, source: Source, *, since: int = 0) -> tuple[Appender, list[Move]]:
    """Return a batch of three records and a rejected line, ready to be committed."""
    appender = store.appender()
    appender.write(source.stream_id, source.file_id, records(3, start=since))
    appender.write(source.stream_id, source.file_id, rejects(b"bad", start=since + 3 * LINE_BYTES))
    return appender, [source.move(since, since + 4 * LINE_BYTES)]


def check(store: PostgresStore, batches: int) -> None:
    assert store.query(COUNTS).to_pylist() == [
        {
            "records": 3 * batches,
            "places": 3 * batches,
            "rejects": batches,
            "byte_offset": 4 * LINE_BYTES * batches,
        }
    ]


@pytest.mark.parametrize("heard", [True, False], ids=["heard", "not heard"])
def test_a_commit_without_an_answer_is_asked_about_and_stored_once(
    store: PostgresStore, wire: CutWire, *, heard: bool
) -> None:
    source = Source(store)
    appender, moves = begin(store, source)
    wire.cut_at(b"COMMIT", heard=heard)
    with pytest.raises(StoreUnavailable):
        appender.commit(moves)
    wait_until(lambda: wire.cuts == 1, what="the cut")
    assert appender.commit(moves) == Appended(records=3, rejects=1)
    check(store, 1)
    appender, moves = begin(store, source, since=4 * LINE_BYTES)
    appender.commit(moves)
    check(store, 2)


@pytest.mark.parametrize("heard", [True, False], ids=["heard", "not heard"])
def test_a_store_that_stays_away_after_a_lost_commit_is_asked_until_it_is_back(
    store: PostgresStore, wire: CutWire, *, heard: bool
) -> None:
    appender, moves = begin(store, Source(store))
    wire.cut_at(b"COMMIT", heard=heard, and_stay_down=True)
    for _ in range(3):
        with pytest.raises(StoreUnavailable):
            appender.commit(moves)
    wire.mend()
    assert appender.commit(moves) == Appended(records=3, rejects=1)
    check(store, 1)


@pytest.mark.parametrize("word", [b"move_position", b"COPY puppylog.log_records", b"COPY puppylog.rejected_lines"])
def test_what_is_cut_before_the_commit_leaves_nothing_and_is_stored_by_the_next_call(
    store: PostgresStore, wire: CutWire, word: bytes
) -> None:
    appender, moves = begin(store, Source(store))
    wire.cut_at(word, heard=True)
    with pytest.raises(StoreUnavailable):
        appender.commit(moves)
    wait_until(lambda: wire.cuts == 1, what="the cut")
    assert store.query(COUNTS)["records"].to_pylist() == [0]
    assert appender.commit(moves) == Appended(records=3, rejects=1)
    check(store, 1)


def test_cuts_at_every_message_of_a_transaction(store: PostgresStore, wire: CutWire) -> None:
    """Wherever it is cut, the batch is stored once, and the next one too."""
    source = Source(store)
    cuts = 0
    for batches, left in enumerate(range(1, 3000, 97)):
        appender, moves = begin(store, source, since=4 * LINE_BYTES * batches)
        wire.cut_after(left)
        try:
            appended = appender.commit(moves)
        except StoreUnavailable:
            cuts += 1
            wait_until(lambda cuts=cuts: wire.cuts == cuts, what="the cut")  # type: ignore[misc]  # mypy infers no default
            appended = appender.commit(moves)
        assert appended == Appended(records=3, rejects=1)
        wire.mend()
        check(store, batches + 1)
    assert cuts > 10


# --- the appender by itself, with a store that fails by arrangement


class Fate(Enum):
    """What becomes of a call of ``append``."""

    DONE = auto()
    LOST_BEFORE = auto()  # nothing is committed, and the caller learns that the store is away
    LOST_AFTER = auto()  # it is committed, and the caller learns that the store is away
    COMMITS_LATE = auto()  # the same, but it is committed only when the next call has begun


class FateStore:
    """A store of one file. What calls come to is arranged beforehand."""

    def __init__(self, fates: Sequence[Fate]) -> None:
        self.offset = 0
        self.lines: list[int] = []
        self._fates = list(fates)
        self._late: Move | None = None

    def append(self, moves: Sequence[Move], rows: Sequence[Rows]) -> Appended:
        (move,) = moves
        fate = self._fates.pop(0) if self._fates else Fate.DONE
        if self._late is not None:  # the row of the position was locked until now
            late, self._late = self._late, None
            self._take(late)
        if fate is Fate.LOST_BEFORE:
            raise StoreUnavailable("reach", "the store", "lost before")
        if self.offset != move.since:
            raise StreamBusy("reach", "the store", "it stands elsewhere")
        if fate is Fate.COMMITS_LATE:
            self._late = move
            raise StoreUnavailable("reach", "the store", "not committed yet")
        self._take(move)
        if fate is Fate.LOST_AFTER:
            raise StoreUnavailable("reach", "the store", "lost after")
        return Appended(sum(part.records.num_rows for part in rows), 0)

    def _take(self, move: Move) -> None:
        self.offset = move.until
        self.lines.append(move.since)

    def find_files(self, file_ids: Sequence[int]) -> Mapping[int, FilePosition]:
        (file_id,) = file_ids
        position = FilePosition(file_id, "/a", 1, 2, fingerprint(self.offset), self.offset, finished=False)
        return {file_id: position}


def move_of(number: int) -> Move:
    until = (number + 1) * LINE_BYTES
    return Move(7, number * LINE_BYTES, until, fingerprint(until), finished=False)


@given(st.lists(st.sampled_from(Fate), max_size=12))
def test_whatever_calls_come_to_every_batch_is_stored_once(fates: list[Fate]) -> None:
    store = FateStore(fates)
    batches = 3
    for number in range(batches):
        appender = CopyAppender(store.append, store.find_files)
        appender.write(1, 7, records(1, start=number * LINE_BYTES))
        for _ in range(len(fates) + 1):
            try:
                appended = appender.commit([move_of(number)])
            except StoreUnavailable:
                continue
            assert appended == Appended(1, 0)
            break
        assert store.lines == [n * LINE_BYTES for n in range(number + 1)]


def test_another_collector_that_has_taken_the_file_is_not_taken_for_oneself() -> None:
    """It stands where the lost batch would have taken it, but by other bytes."""

    class TheirStore(FateStore):
        def find_files(self, file_ids: Sequence[int]) -> Mapping[int, FilePosition]:
            (file_id,) = file_ids
            return {file_id: FilePosition(file_id, "/a", 1, 2, fingerprint(9), self.offset, finished=False)}

    store = TheirStore([Fate.LOST_BEFORE])
    appender = CopyAppender(store.append, store.find_files)
    appender.write(1, 7, records(1))
    with pytest.raises(StoreUnavailable):
        appender.commit([move_of(0)])
    store.offset = LINE_BYTES
    with pytest.raises(StreamBusy):
        appender.commit([move_of(0)])


def test_a_batch_of_several_files_is_committed_only_if_all_of_them_have_moved() -> None:
    """One that has moved by itself was moved by somebody else."""

    class TwoFiles(FateStore):
        def append(self, moves: Sequence[Move], rows: Sequence[Rows]) -> Appended:
            del moves, rows
            raise (
                StreamBusy("reach", "the store", "one of them stands elsewhere")
                if self.offset
                else StoreUnavailable("reach", "the store", "lost")
            )

        def find_files(self, file_ids: Sequence[int]) -> Mapping[int, FilePosition]:
            at = {7: self.offset, 8: 0}
            return {i: FilePosition(i, "/a", 1, 2, fingerprint(at[i]), at[i], finished=False) for i in file_ids}

    store = TwoFiles([])
    appender = CopyAppender(store.append, store.find_files)
    moves = [move_of(0), Move(8, 0, LINE_BYTES, fingerprint(LINE_BYTES), finished=False)]
    with pytest.raises(StoreUnavailable):
        appender.commit(moves)
    store.offset = LINE_BYTES
    with pytest.raises(StreamBusy):
        appender.commit(moves)
