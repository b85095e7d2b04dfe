"""How large a store is, and how much space its disk has left."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from puppylog.stores.base import Store
from puppylog.stores.connect import parse_duckdb_url
from puppylog.stores.queries import load_queries

_DUCKDB: Final = "duckdb"
_QUERIES: Final = {
    True: load_queries("puppylog.stores.duckdb", "size.sql"),
    False: load_queries("puppylog.stores.postgres", "size.sql"),
}
_DEEPEST: Final = 3  # folders within folders of a store's directory


@dataclass(frozen=True, slots=True)
class StoreSize:
    """The size of a store in bytes."""

    used_bytes: int  # by records, definitions and everything else in the database
    file_bytes: int | None = None  # of the directory of an embedded store; None: it is not on this machine
    disk_free_bytes: int | None = None  # of the disk with this directory, for its user; None as above
    disk_bytes: int | None = None  # of the whole disk; None as above


def measure_store(store: Store, url: str) -> StoreSize:
    """Return the size of a store.

    Args:
        store: the store.
        url: of the store. The disk is measured if this is the URL of an embedded store.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    queries = _QUERIES[store.info.flavour == _DUCKDB]
    [row] = store.query(queries["used_bytes"]).to_pylist()
    used_bytes = int(row["used_bytes"])
    directory = parse_duckdb_url(url) if url.partition(":")[0].lower() == _DUCKDB else None
    try:
        if directory is not None:
            disk = shutil.disk_usage(directory)
            return StoreSize(used_bytes, sum(_iter_sizes(directory)), disk.free, disk.total)
    except OSError:  # its directory is being deleted, or may not be read
        pass
    return StoreSize(used_bytes)


def _iter_sizes(folder: Path, depth: int = 0) -> Iterator[int]:
    with os.scandir(folder) as entries:
        for entry in entries:
            try:
                if entry.is_dir(follow_symlinks=False) and depth < _DEEPEST:
                    yield from _iter_sizes(Path(entry), depth + 1)
                else:
                    yield entry.stat(follow_symlinks=False).st_size
            except OSError:  # a batch that was deleted meanwhile
                continue
