from collections.abc import Sequence
from pathlib import Path

import pytest

from puppylog.collect import introduction as introduction_module
from puppylog.collect.followed import Followed
from puppylog.collect.introduction import Introduction
from puppylog.formats.registry import find_format
from puppylog.model.stream import EMPTY_FINGERPRINT, FilePosition, Stream
from puppylog.stores.base import NewFile
from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.tailer import Tailer


class Known:
    """What a store was told of new files, call by call."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def open_files(self, new: Sequence[NewFile]) -> Sequence[FilePosition]:
        first_id = 100 + sum(map(len, self.calls))
        self.calls.append([file.path for file in new])
        return [
            FilePosition(
                file_id, file.path, file.device, file.inode, EMPTY_FINGERPRINT, file.byte_offset, finished=False
            )
            for file_id, file in enumerate(new, start=first_id)
        ]


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def introduction(known: Known) -> Introduction:
    return Introduction(known.open_files, find_format("plain"))


@pytest.fixture
def followed(tmp_path: Path) -> Followed:
    return Followed(Stream(1, "file:///a.log", None, ()), Tailer(str(tmp_path / "a.log")))


def file(serial: int, file_id: int | None = None) -> TailedFile:
    return TailedFile(serial, f"/{serial}.log", 1, serial, 0, file_id)


def chunk(of: TailedFile, since: int = 0, data: bytes = b"line\n") -> Chunk:
    return Chunk(of, since, since + len(data), data, since, EMPTY_FINGERPRINT)


def test_new_files_are_made_known_together_before_their_first_chunks_are_given(
    introduction: Introduction, known: Known, followed: Followed
) -> None:
    first, second = file(1), file(2)
    read = [(followed, chunk(first)), (followed, chunk(second)), (followed, chunk(first, since=5))]
    given = []
    for followed_, given_chunk in introduction.iter_open(read):
        assert known.calls == [["/1.log", "/2.log"]]
        given.append((followed_, given_chunk))
    assert given == read
    assert {serial: opened.file_id for serial, opened in followed.files.items()} == {1: 100, 2: 101}


def test_the_chunks_of_a_known_file_wait_for_nobody(
    introduction: Introduction, known: Known, followed: Followed
) -> None:
    old, new = file(1, file_id=7), file(2)
    chunks = introduction.iter_open([(followed, chunk(new)), (followed, chunk(old))])
    assert next(chunks) == (followed, chunk(old))
    assert known.calls == []
    assert next(chunks) == (followed, chunk(new))
    assert known.calls == [["/2.log"]]
    assert followed.files[1].file_id == 7
    assert list(introduction.iter_open([(followed, chunk(new, since=5))])) == [(followed, chunk(new, since=5))]
    assert known.calls == [["/2.log"]]


@pytest.mark.parametrize("limit", [{"_WAITING_CHUNKS": 4}, {"_WAITING_BYTES": 20}])
def test_no_more_than_so_much_waits(
    introduction: Introduction,
    known: Known,
    followed: Followed,
    monkeypatch: pytest.MonkeyPatch,
    limit: dict[str, int],
) -> None:
    for name, value in limit.items():
        monkeypatch.setattr(introduction_module, name, value)
    read = [(followed, chunk(file(serial))) for serial in range(10)]
    assert list(introduction.iter_open(read)) == read
    assert [len(call) for call in known.calls] == [4, 4, 2]


def test_where_nothing_is_new_the_store_is_not_asked(
    introduction: Introduction, known: Known, followed: Followed
) -> None:
    assert list(introduction.iter_open([])) == []
    assert len(list(introduction.iter_open([(followed, chunk(file(1, file_id=7)))]))) == 1
    assert known.calls == []
