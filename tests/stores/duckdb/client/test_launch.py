import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from puppylog.errors import PuppylogError, StoreForbidden, StoreFull, StoreRefused
from puppylog.stores.duckdb.client.launch import stop_engine
from puppylog.stores.duckdb.directory import StoreDirectory


@pytest.fixture
def directory(tmp_path: Path) -> StoreDirectory:
    directory = StoreDirectory(tmp_path / "store")
    directory.prepare()
    return directory


def fail_with(number: int) -> Callable[..., int]:
    def fail(path: Path, *_: object) -> int:
        raise OSError(number, os.strerror(number), str(path))

    return fail


@pytest.mark.parametrize(
    ("number", "kind", "text"),
    [
        (errno.EROFS, StoreRefused, "cannot open store {}: read-only file system"),
        (errno.EACCES, StoreForbidden, "cannot open store {}: permission denied"),
        (errno.ENOSPC, StoreFull, "cannot write to store {}: no space left on device"),
    ],
)
def test_a_directory_whose_locks_cannot_be_opened_gives_an_error(
    directory: StoreDirectory, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[PuppylogError], text: str
) -> None:
    monkeypatch.setattr("puppylog.stores.duckdb.locks.os.open", fail_with(number))
    with pytest.raises(kind) as refusal:
        stop_engine(directory)
    assert refusal.value.message == text.format(directory.path)


def test_a_directory_without_a_store_has_no_engine_to_stop(tmp_path: Path) -> None:
    assert not stop_engine(StoreDirectory(tmp_path / "nothing"))
