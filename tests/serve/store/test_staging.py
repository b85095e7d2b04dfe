"""Rows that wait at the server until a client has sent all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from puppylog.errors import StoreFull, StoreUnavailable
from puppylog.serve.store.staging import MOST, Stagings
from puppylog.stores.staging import StagedRows
from support.lines import records, rejects, with_data

CLIENT, OTHER = "a" * 32, "b" * 32


@pytest.fixture
def stagings() -> Iterator[Stagings]:
    stagings = Stagings()
    yield stagings
    stagings.close()


def count_open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_rows_come_back_as_they_were_written_with_their_lines() -> None:
    written = [with_data(records(3, message="é", attributes='{"a": 1}')), rejects(b"\x00\xff", start=300)]
    staged = StagedRows()
    for parsed in written:
        staged.write(parsed)
    for _ in range(2):
        assert list(staged) == written
    staged.discard()
    staged.discard()
    assert list(staged) == []


def test_a_part_that_comes_twice_is_kept_once_and_a_missing_part_is_noticed(stagings: Stagings) -> None:
    stagings.add(CLIENT, "x", 0, [records(1)])
    stagings.add(CLIENT, "x", 0, [records(1)])
    with pytest.raises(StoreUnavailable, match="does not have all parts"):
        stagings.add(CLIENT, "x", 2, [records(1)])
    stagings.add(CLIENT, "x", 1, [records(2, start=100)])
    assert [parsed.records.num_rows for parsed in stagings.find(CLIENT, "x", 2).rows] == [1, 2]
    for parts in (1, 3):
        with pytest.raises(StoreUnavailable):
            stagings.find(CLIENT, "x", parts)


def test_the_rows_of_a_client_are_neither_found_nor_discarded_by_another_one(stagings: Stagings) -> None:
    stagings.add(CLIENT, "x", 0, [records(1)])
    for act in (lambda: stagings.find(OTHER, "x", 1), lambda: stagings.add(OTHER, "x", 1, [])):
        with pytest.raises(StoreUnavailable):
            act()
    stagings.discard(OTHER, "x")
    assert stagings.find(CLIENT, "x", 1).parts == 1


def test_rows_are_deleted_with_the_session_and_leave_no_file(stagings: Stagings) -> None:
    before = count_open_files()
    for number in range(MOST):
        stagings.add(CLIENT, str(number), 0, [records(1)])
    with pytest.raises(StoreFull, match="files are being replaced already"):
        stagings.add(OTHER, "more", 0, [records(1)])
    assert count_open_files() == before + MOST
    stagings.discard(CLIENT)
    assert count_open_files() == before
    stagings.add(OTHER, "more", 0, [records(1)])
