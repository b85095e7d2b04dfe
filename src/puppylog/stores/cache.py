"""Embedded stores in the user's cache directory: one store for each set of files of which ``puppylog open`` reports.

The store of the same files is used again, so that only what is new in them is read. When a new store is made, stores
that were not used for a month are deleted, and then the longest unused ones until all stores together are small enough.

A directory is deleted only if it is one of these stores and no process uses it: it has the marker of an embedded store
and the note that this module writes, it belongs to the user, and both of its locks are free. The lock of the cache is
held while stores are deleted and while a store is opened, so that no store is deleted that is being opened.
"""

import json
import os
import re
import shlex
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Final
from urllib.parse import quote

from puppylog.errors import StoreDamaged, StoreRefused, StoreUnavailable
from puppylog.stores.base import Store
from puppylog.stores.connect import connect
from puppylog.stores.duckdb.directory import StoreDirectory, translate_os_error, write_whole
from puppylog.stores.duckdb.locks import FileLock

UNUSED_S: Final = 30 * 86_400.0
"""How many seconds a store may be unused before it is deleted."""

MAX_BYTES: Final = 4 << 30
"""The size of all stores together above which the longest unused ones are deleted. A gigabyte of log takes 100 MB."""

_NOTE: Final = "files.json"
_FORMAT: Final = 1
_OPEN_S: Final = 90.0  # longer than a store takes to open after a crash
_UNPLAIN: Final = re.compile(r"[^A-Za-z0-9._-]+")
_TITLE_CHARACTERS: Final = 32
_DELETED: Final = ".deleted-"


@dataclass(frozen=True, slots=True)
class CachedStore:
    """The place of a cached store."""

    path: Path
    files: Sequence[str]  # the files whose lines it has, as absolute paths
    is_unique: bool = False  # no other run uses the store, because its sources cannot be read again

    @property
    def url(self) -> str:
        return f"duckdb://{quote(os.fsencode(self.path))}"

    @contextmanager
    def collecting(self, may_wait: Callable[[], bool]) -> Iterator[bool]:
        """Yield whether this process may collect into the store. At most one process may at a time.

        Args:
            may_wait: called every 100 ms while another process collects; False ends the wait.
        """
        with FileLock(self.path / "collecting.lock") as lock:
            while not (is_mine := lock.acquire()) and may_wait():
                time.sleep(0.1)
            yield is_mine


@dataclass(frozen=True, slots=True)
class Deleted:
    """A store that was deleted to make space for a new one."""

    files: Sequence[str]
    size_bytes: int


class StoreCache:
    """The stores in one directory."""

    def __init__(self, folder: Path, *, unused_s: float = UNUSED_S, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._unused_s = unused_s
        self._max_bytes = max_bytes

    def find(self, files: Sequence[str], reading: Sequence[str], *, unique: str = "") -> CachedStore:
        """Return the place of the store of these files, whether it exists or not.

        Args:
            files: absolute paths or patterns, in any order; ``-`` is standard input.
            reading: how the lines are parsed. The same files read in another way have another store.
            unique: text that makes the store a new one, for sources that cannot be read again.
        """
        names = sorted(set(files))
        key = json.dumps([names, list(reading), unique])
        digest = blake2b(os.fsencode(key), digest_size=4).hexdigest()
        first = _UNPLAIN.sub("_", Path(names[0]).name)[:_TITLE_CHARACTERS].strip("._-") or "stdin"
        more = f"-and-{len(names) - 1}" if len(names) > 1 else ""
        return CachedStore(self._folder / f"{first}{more}-{digest}", names, bool(unique))

    def connect(self, place: CachedStore, *, timeout_s: float | None = None) -> tuple[Store, Sequence[Deleted]]:
        """Connect to a cached store, which is created if it does not exist; return the stores that were deleted for it.

        Args:
            place: the store.
            timeout_s: how many seconds a query may take; None for no limit.

        Raises:
            StoreRefused: the directory of the cache, or of the store, cannot be used.
            StoreDamaged: the store is damaged.
            StoreUnavailable: the store does not open.
        """
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(self._folder / "cache.lock") as lock:
                if not lock.acquire_within(_OPEN_S):
                    raise StoreUnavailable("open", f"store {place.path}", "another process is opening a cached store")
                is_new = not place.path.exists()
                deleted = list(self._iter_deleted()) if is_new else []
                StoreDirectory(place.path).prepare()
                write_whole(
                    place.path / _NOTE, json.dumps({"puppylog_open": _FORMAT, "files": list(place.files)}) + "\n"
                )
                return _connect(place, timeout_s), deleted
        except OSError as error:
            cause = translate_os_error(self._folder, error)
            advice = "set XDG_CACHE_HOME to a directory that you may write to"
            raise type(cause)("use", f"the cache {self._folder}", cause.cause, advice) from None

    def _iter_deleted(self) -> Iterator[Deleted]:
        """Delete the stores that are too old, and then the longest unused ones while all together are too large."""
        found = sorted(self._iter_stores(), key=lambda store: store.used_at)
        total_bytes = sum(store.size_bytes for store in found)
        for store in found:
            is_old = time.time() - store.used_at > self._unused_s
            if (is_old or total_bytes > self._max_bytes) and _delete(store.path):
                total_bytes -= store.size_bytes
                yield Deleted(store.files, store.size_bytes)

    def _iter_stores(self) -> Iterator["_Found"]:
        for entry in os.scandir(self._folder):
            path = Path(entry.path)
            if not entry.is_dir(follow_symlinks=False):
                continue
            if entry.name.startswith(_DELETED):
                shutil.rmtree(path, ignore_errors=True)  # its deletion was interrupted
                continue
            files = _read_note(path)
            if files is not None and entry.stat(follow_symlinks=False).st_uid == os.geteuid():
                yield _Found(path, files, *_measure(path))


def _connect(place: CachedStore, timeout_s: float | None) -> Store:
    try:
        return connect(place.url, timeout_s=timeout_s)
    except (StoreRefused, StoreDamaged) as error:
        advice = f"its files can be read again: rm -r {shlex.quote(str(place.path))}"
        raise type(error)(error.verb, error.thing, error.cause, advice) from None


@dataclass(frozen=True, slots=True)
class _Found:
    path: Path
    files: Sequence[str]
    used_at: float  # seconds since the epoch
    size_bytes: int  # on disk


def _read_note(path: Path) -> Sequence[str] | None:
    """Return the files whose lines the store has; None if the directory is not a cached store."""
    if not StoreDirectory(path).marker.is_file():
        return None
    try:
        note = json.loads((path / _NOTE).read_text(encoding="utf-8"))
        return [str(file) for file in note["files"]] if note["puppylog_open"] == _FORMAT else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _measure(path: Path) -> tuple[float, int]:
    """Return when a file of the store was last changed, in seconds since the epoch, and its size on disk in bytes."""
    changed_at, size_bytes = 0.0, 0
    for folder, _, names in os.walk(path):
        for name in names:
            with suppress(OSError):  # an engine that runs removes files
                status = os.lstat(os.path.join(folder, name))  # noqa: PTH118 - os.walk gives texts
                changed_at = max(changed_at, status.st_mtime)
                size_bytes += status.st_blocks * 512
    return changed_at, size_bytes


def _delete(path: Path) -> bool:
    """Delete the store unless a process uses it; return whether it is deleted."""
    directory = StoreDirectory(path)
    with suppress(OSError), FileLock(directory.clients_lock) as clients, FileLock(directory.engine_lock) as engine:
        if clients.acquire() and engine.acquire():
            renamed = path.with_name(f"{_DELETED}{path.name}")
            path.rename(renamed)
            shutil.rmtree(renamed, ignore_errors=True)
            return True
    return False
