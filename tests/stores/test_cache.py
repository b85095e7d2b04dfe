import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from puppylog.errors import StoreDamaged, StoreRefused
from puppylog.stores.cache import MAX_BYTES, CachedStore, StoreCache
from puppylog.stores.duckdb.directory import StoreDirectory
from puppylog.stores.duckdb.locks import FileLock

DAY_S = 86_400


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def make_store(folder: Path, file: str, *, unused_s: float = 0, size_bytes: int = 0) -> Path:
    """Make a cached store of a file as `StoreCache.connect` does, but without an engine."""
    path = StoreCache(folder).find([file], []).path
    StoreDirectory(path).prepare()
    (path / "files.json").write_text(f'{{"puppylog_open": 1, "files": ["{file}"]}}')
    (path / "records.duckdb").write_bytes(b"x" * size_bytes)
    at = time.time() - unused_s
    for entry in path.rglob("*"):
        os.utime(entry, (at, at))
    return path


@pytest.fixture(autouse=True)
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The URLs of the stores that were connected. No engine is started: no test here asks a store."""
    urls: list[str] = []
    monkeypatch.setattr("puppylog.stores.cache.connect", lambda url, *, timeout_s: urls.append(f"{url} {timeout_s}"))
    return urls


def open_new(folder: Path, *, max_bytes: int = MAX_BYTES) -> list[str]:
    """Make a new store, and return the files of the stores that are deleted for it."""
    cache = StoreCache(folder, max_bytes=max_bytes)
    _, deleted = cache.connect(cache.find(["/var/log/new.log"], []))
    return [file for old in deleted for file in old.files]


def test_the_same_files_have_the_same_store_in_any_order(folder: Path) -> None:
    cache = StoreCache(folder)
    one = cache.find(["/var/log/a.log", "/var/log/b.log"], ["auto"])
    assert one == cache.find(["/var/log/b.log", "/var/log/a.log"], ["auto"])
    assert one.path.name.startswith("a.log-and-1-")


def test_other_files_another_format_and_each_pipe_have_another_store(folder: Path) -> None:
    cache = StoreCache(folder)
    places = [
        cache.find(["/var/log/a.log"], ["auto"]),
        cache.find(["/srv/a.log"], ["auto"]),
        cache.find(["/var/log/a.log"], ["json"]),
        cache.find(["-"], ["auto"], unique="1"),
        cache.find(["-"], ["auto"], unique="2"),
    ]
    assert len({place.path for place in places}) == len(places)


@pytest.mark.parametrize("name", ["a b.log", "wei?rd\\.log", "\udcff.log", "*.log", ".." * 60, "-"])
def test_a_store_of_any_file_has_a_plain_name(folder: Path, name: str) -> None:
    place = StoreCache(folder).find([f"/var/log/{name}" if name != "-" else name], [])
    assert place.path.parent == folder
    assert place.path.name.replace(".", "").replace("-", "").replace("_", "").isalnum()
    assert place.url == f"duckdb://{place.path}"


def test_a_new_store_deletes_the_stores_that_were_not_used_for_a_month(folder: Path) -> None:
    old = make_store(folder, "/var/log/old.log", unused_s=31 * DAY_S)
    recent = make_store(folder, "/var/log/recent.log", unused_s=29 * DAY_S)
    assert open_new(folder) == ["/var/log/old.log"]
    assert not old.exists()
    assert recent.exists()


def test_a_new_store_deletes_the_longest_unused_stores_while_all_are_too_large(folder: Path) -> None:
    for number in range(4):
        make_store(folder, f"/var/log/{number}.log", unused_s=100 - number, size_bytes=100_000)
    assert open_new(folder, max_bytes=250_000) == ["/var/log/0.log", "/var/log/1.log"]


def test_an_existing_store_deletes_nothing(folder: Path) -> None:
    assert open_new(folder) == []
    old = make_store(folder, "/var/log/old.log", unused_s=31 * DAY_S)
    assert open_new(folder) == []
    assert old.exists()


@pytest.mark.parametrize("lock", ["clients.lock", "engine.lock"])
def test_a_store_that_a_process_uses_is_not_deleted(folder: Path, lock: str) -> None:
    old = make_store(folder, "/var/log/old.log", unused_s=31 * DAY_S)
    with FileLock(old / lock) as held:
        assert held.acquire(shared=True)
        os.utime(old / lock, (0, 0))
        assert open_new(folder) == []
    assert (old / "records.duckdb").exists()


def test_nothing_else_in_the_directory_is_deleted(folder: Path, tmp_path: Path) -> None:
    own = make_store(folder, "/var/log/own.log", unused_s=31 * DAY_S)
    (own / "files.json").unlink()  # a store that a user has put there
    (folder / "notes").mkdir()
    (folder / "notes" / "files.json").write_text('{"puppylog_open": 1, "files": []}')
    elsewhere = make_store(tmp_path / "elsewhere", "/var/log/b.log", unused_s=31 * DAY_S)
    (folder / "link").symlink_to(elsewhere)
    assert open_new(folder) == []
    assert own.exists()
    assert (folder / "notes").exists()
    assert elsewhere.exists()


def test_an_interrupted_deletion_is_finished(folder: Path) -> None:
    old = make_store(folder, "/var/log/old.log")
    renamed = old.with_name(f".deleted-{old.name}")
    shutil.move(old, renamed)
    assert open_new(folder) == []
    assert not renamed.exists()


def test_a_cache_that_cannot_be_written_names_the_variable_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = StoreCache(tmp_path / "file" / "cache")
    with pytest.raises(
        StoreRefused, match=f"cannot use the cache {tmp_path}/file/cache: {tmp_path}/file is not a directory; set XDG_"
    ):
        cache.connect(cache.find(["/a.log"], []))


def test_a_cached_store_that_cannot_be_opened_says_that_it_may_be_deleted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = StoreCache(folder)
    path = make_store(folder, "/var/log/a.log")

    def refuse(url: str, *, timeout_s: float | None) -> None:
        del timeout_s
        raise StoreDamaged("read", f"the store {url}", "it has lost commits")

    monkeypatch.setattr("puppylog.stores.cache.connect", refuse)
    with pytest.raises(StoreDamaged, match=f"its files can be read again: rm -r {path}$"):
        cache.connect(cache.find(["/var/log/a.log"], []))


def test_only_one_process_at_a_time_collects_into_a_store(folder: Path) -> None:
    place = CachedStore(make_store(folder, "/var/log/a.log"), ["/var/log/a.log"])
    asked = threading.Event()

    def may_wait() -> bool:
        asked.set()
        return False

    with place.collecting(may_wait) as is_mine:
        assert is_mine
        with place.collecting(may_wait) as is_other:
            assert not is_other
    assert asked.is_set()
