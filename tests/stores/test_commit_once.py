"""A commit whose answer is lost, with the appenders of both stores and a store whose failures the test chooses."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from enum import Enum, auto
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from puppylog.errors import RequestRepeated, StoreUnavailable, StreamBusy
from puppylog.model.request import ReceivedRequest
from puppylog.model.stream import FilePosition, Move
from puppylog.stores.base import Appended, Appender
from puppylog.stores.duckdb.client.appender import SpoolAppender
from puppylog.stores.duckdb.spool import Spool
from puppylog.stores.postgres.ingest.appender import CopyAppender
from support.lines import LINE_BYTES, fingerprint, records


class Fate(Enum):
    """What happens to a call of ``append``."""

    DONE = auto()
    LOST_BEFORE = auto()  # nothing is committed, and StoreUnavailable is raised
    LOST_AFTER = auto()  # the batch is committed, and StoreUnavailable is raised
    COMMITS_LATE = auto()  # as LOST_AFTER, but the batch is committed only after the next call has started


class FateStore:
    """A store of one file. The test chooses what happens to each call of ``append``."""

    def __init__(self, fates: Sequence[Fate]) -> None:
        self.offset = 0
        self.lines: list[int] = []
        self._fates = list(fates)
        self._late: Move | None = None

    def append(self, moves: Sequence[Move]) -> Appended:
        (move,) = moves
        fate = self._fates.pop(0) if self._fates else Fate.DONE
        if self._late is not None:  # the row of the position was locked until now
            late, self._late = self._late, None
            self._take(late)
        if fate is Fate.LOST_BEFORE:
            raise StoreUnavailable("reach", "the store", "lost before")
        if self.offset != move.start:
            raise StreamBusy("reach", "the store", "it stands elsewhere")
        if fate is Fate.COMMITS_LATE:
            self._late = move
            raise StoreUnavailable("reach", "the store", "not committed yet")
        self._take(move)
        if fate is Fate.LOST_AFTER:
            raise StoreUnavailable("reach", "the store", "lost after")
        return Appended(1, 0)

    def _take(self, move: Move) -> None:
        self.offset = move.end
        self.lines.append(move.start)

    def find_files(self, file_ids: Sequence[int]) -> Mapping[int, FilePosition]:
        (file_id,) = file_ids
        position = FilePosition(file_id, "/a", 1, 2, fingerprint(self.offset), self.offset, finished=False)
        return {file_id: position}


def move_of(number: int) -> Move:
    end = (number + 1) * LINE_BYTES
    return Move(7, number * LINE_BYTES, end, fingerprint(end), finished=False)


Appending: TypeAlias = Callable[[FateStore], AbstractContextManager[Callable[[], Appender]]]


@contextmanager
def copying(store: FateStore) -> Iterator[Callable[[], Appender]]:
    """Yield a function that returns an appender of the PostgreSQL store."""
    yield lambda: CopyAppender(lambda moves, *_: store.append(moves), store.find_files)


@contextmanager
def spooling(store: FateStore) -> Iterator[Callable[[], Appender]]:
    """Yield a function that returns an appender of the embedded store."""
    with tempfile.TemporaryDirectory() as folder, Spool(Path(folder)) as spool:
        yield lambda: SpoolAppender(spool, lambda moves, *_: store.append(moves), store.find_files)


BOTH = pytest.mark.parametrize("appending", [copying, spooling], ids=["postgresql", "duckdb"])


@BOTH
@given(fates=st.lists(st.sampled_from(Fate), max_size=12))
def test_every_batch_is_stored_once_although_answers_to_its_commits_are_lost(
    appending: Appending, fates: list[Fate]
) -> None:
    store = FateStore(fates)
    with appending(store) as appender_of:
        for number in range(3):
            appender = appender_of()
            appender.write(1, 7, records(1, start=number * LINE_BYTES))
            for _ in range(len(fates) + 1):
                try:
                    appended = appender.commit([move_of(number)])
                except StoreUnavailable:
                    continue
                assert appended == Appended(1, 0)
                break
            assert store.lines == [n * LINE_BYTES for n in range(number + 1)]


@BOTH
def test_a_file_that_another_collector_moved_to_the_same_offset_does_not_count_as_committed(
    appending: Appending,
) -> None:
    """The file is at the end of the lost batch's move, but its bytes before this offset are different."""

    class TheirStore(FateStore):
        def find_files(self, file_ids: Sequence[int]) -> Mapping[int, FilePosition]:
            (file_id,) = file_ids
            return {file_id: FilePosition(file_id, "/a", 1, 2, fingerprint(9), self.offset, finished=False)}

    store = TheirStore([Fate.LOST_BEFORE])
    with appending(store) as appender_of:
        appender = appender_of()
        appender.write(1, 7, records(1))
        with pytest.raises(StoreUnavailable):
            appender.commit([move_of(0)])
        store.offset = LINE_BYTES
        with pytest.raises(StreamBusy):
            appender.commit([move_of(0)])


@BOTH
def test_a_request_that_the_lost_commit_has_stored_is_not_repeated(appending: Appending) -> None:
    """The lost commit ends after the positions were read, so the next commit finds its own request in the store."""

    class RequestsFirst(FateStore):
        """Compares requests before positions."""

        def append(self, moves: Sequence[Move]) -> Appended:
            if self._late is not None:
                late, self._late = self._late, None
                self._take(late)
                raise RequestRepeated("store", "request a", "an identical one was stored")
            return super().append(moves)

    request = ReceivedRequest("a" * 64, "{}")
    store = RequestsFirst([Fate.COMMITS_LATE])
    with appending(store) as appender_of:
        appender = appender_of()
        appender.write(1, 7, records(1))
        with pytest.raises(StoreUnavailable):
            appender.commit([move_of(0)], [request])
        assert appender.commit([move_of(0)], [request]) == Appended(1, 0)
    assert store.lines == [0]


@BOTH
def test_a_batch_of_several_files_is_committed_only_if_all_of_them_have_moved(appending: Appending) -> None:
    """If only one of the files has moved, another collector has moved it."""

    class TwoFiles(FateStore):
        def append(self, moves: Sequence[Move]) -> Appended:
            del moves
            raise (
                StreamBusy("reach", "the store", "one of them stands elsewhere")
                if self.offset
                else StoreUnavailable("reach", "the store", "lost")
            )

        def find_files(self, file_ids: Sequence[int]) -> Mapping[int, FilePosition]:
            at = {7: self.offset, 8: 0}
            return {i: FilePosition(i, "/a", 1, 2, fingerprint(at[i]), at[i], finished=False) for i in file_ids}

    store = TwoFiles([])
    moves = [move_of(0), Move(8, 0, LINE_BYTES, fingerprint(LINE_BYTES), finished=False)]
    with appending(store) as appender_of:
        appender = appender_of()
        with pytest.raises(StoreUnavailable):
            appender.commit(moves)
        store.offset = LINE_BYTES
        with pytest.raises(StreamBusy):
            appender.commit(moves)
