from collections.abc import Sequence
from pathlib import Path

import pytest

from puppylog.collect import file_registration as registration_module
from puppylog.collect.file_registration import FileRegistration
from puppylog.collect.tailed_source import TailedSource
from puppylog.formats.registry import find_format
from puppylog.model.stream import EMPTY_FINGERPRINT, FilePosition, Stream
from puppylog.stores.base import NewFile
from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.tailer import Tailer


class Known:
    """A store that remembers which files were registered in each call."""

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
def registration(known: Known) -> FileRegistration:
    return FileRegistration(known.open_files)


@pytest.fixture
def source(tmp_path: Path) -> TailedSource:
    return TailedSource(Stream(1, "file:///a.log", None, ()), find_format("plain"), Tailer(str(tmp_path / "a.log")))


def file(serial: int, file_id: int | None = None) -> TailedFile:
    return TailedFile(serial, f"/{serial}.log", 1, serial, 0, file_id)


def chunk(of: TailedFile, start: int = 0, data: bytes = b"line\n") -> Chunk:
    return Chunk(of, start, start + len(data), data, start, EMPTY_FINGERPRINT)


def test_new_files_are_registered_together_before_their_first_chunks_are_given(
    registration: FileRegistration, known: Known, source: TailedSource
) -> None:
    first, second = file(1), file(2)
    read = [(source, chunk(first)), (source, chunk(second)), (source, chunk(first, start=5))]
    given = []
    for given_source, given_chunk in registration.iter_registered(read):
        assert known.calls == [["/1.log", "/2.log"]]
        given.append((given_source, given_chunk))
    assert given == read
    assert {serial: opened.file_id for serial, opened in source.files.items()} == {1: 100, 2: 101}


def test_the_chunks_of_a_registered_file_do_not_wait(
    registration: FileRegistration, known: Known, source: TailedSource
) -> None:
    old, new = file(1, file_id=7), file(2)
    chunks = registration.iter_registered([(source, chunk(new)), (source, chunk(old))])
    assert next(chunks) == (source, chunk(old))
    assert known.calls == []
    assert next(chunks) == (source, chunk(new))
    assert known.calls == [["/2.log"]]
    assert source.files[1].file_id == 7
    assert list(registration.iter_registered([(source, chunk(new, start=5))])) == [(source, chunk(new, start=5))]
    assert known.calls == [["/2.log"]]


@pytest.mark.parametrize("limit", [{"_WAITING_CHUNKS": 4}, {"_WAITING_BYTES": 20}])
def test_files_are_registered_before_too_many_chunks_wait(
    registration: FileRegistration,
    known: Known,
    source: TailedSource,
    monkeypatch: pytest.MonkeyPatch,
    limit: dict[str, int],
) -> None:
    for name, value in limit.items():
        monkeypatch.setattr(registration_module, name, value)
    read = [(source, chunk(file(serial))) for serial in range(10)]
    assert list(registration.iter_registered(read)) == read
    assert [len(call) for call in known.calls] == [4, 4, 2]


def test_the_store_is_not_asked_if_no_file_is_new(
    registration: FileRegistration, known: Known, source: TailedSource
) -> None:
    assert list(registration.iter_registered([])) == []
    assert len(list(registration.iter_registered([(source, chunk(file(1, file_id=7)))]))) == 1
    assert known.calls == []
