"""The archive: Parquet files of rows that are dropped afterwards. One folder per store and day, one file per drop.

Files in ``<root>/<store id>/day=2026-11-27`` have records, and files in ``<root>/<store id>/rejected/day=2026-11-27``
have rejected lines. A file is written under a temporary name, made durable and renamed. The transaction that deletes
the rows then records the file as complete. Files that are not recorded as complete are not part of the archive.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa

from puppylog.errors import StoreError
from puppylog.stores.archive_columns import ARCHIVED, INSTANTS, KEYS
from puppylog.stores.duckdb.directory import sync
from puppylog.stores.duckdb.engine.connection import Connection, iter_batches
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.duckdb", "archive.sql")

_TO_ARCHIVE: Final = {
    "log_records": _QUERIES["log_records_to_archive"],
    "rejected_lines": _QUERIES["rejected_lines_to_archive"],
}
_FOLDERS: Final = {"log_records": "", "rejected_lines": "rejected/"}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TEMPORARY: Final = ".tmp"


class ArchiveError(StoreError):
    """The archive's directory does not exist, cannot be written, or has no disk space."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A file that is being written."""

    id: int
    root: str  # the archive's directory
    path: str  # below the root


@dataclass(frozen=True, slots=True)
class Part:
    """A file of the archive that is written and durable."""

    id: int
    rows: int
    size_bytes: int
    first_us: int  # the instants of the oldest and of the newest row, in microseconds since the epoch
    last_us: int
    keys: pa.Table  # file_id and line_offset of each row


def create_root(root: str) -> None:
    """Create the archive's directory if it does not exist. Only the setting does this, never a drop.

    Raises:
        ArchiveError: it cannot be created.
    """
    try:
        Path(root).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArchiveError("create", f"archive {root}", _cause(error)) from None


def begin_file(connection: Connection, table: str, root: str, at_us: int) -> Begun:
    """Record in the caller's transaction that a file is being written, for rows of a table and of a day."""
    day = (_EPOCH + timedelta(microseconds=at_us)).date().isoformat()
    # A copy of the store gives the same ids, and may have the same archive.
    path = f"{{}}/{_FOLDERS[table]}day={day}/part-{{}}-{os.urandom(4).hex()}.parquet"
    (row,) = connection.rows(_QUERIES["begin_file"], {"kind": table, "root": root, "path": path})
    return Begun(row["id"], root, row["path"])


def write_file(connection: Connection, table: str, condition: str, begun: Begun) -> Part:
    """Write the rows that a condition selects into a new file, and make the file durable.

    Args:
        connection: a connection that reads.
        table: ``log_records`` or ``rejected_lines``.
        condition: SQL about the columns of the table.
        begun: the file. The archive's directory must exist: if it is on a disk that is not mounted, nothing is written.

    Raises:
        ArchiveError: the file cannot be written.
    """
    root, file_path = Path(begun.root), Path(begun.root, begun.path)
    if not root.is_dir():
        raise ArchiveError("write to", f"archive {root}", "there is no such directory")
    try:
        _make_folders(root, file_path.parent)
        part = _write(connection, table, condition, file_path, begun.id)
        file_path.with_name(file_path.name + _TEMPORARY).rename(file_path)
        sync(file_path.parent)
    except OSError as error:
        raise ArchiveError("write to", f"archive {root}", _cause(error)) from None
    return part


def _cause(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else str(error)


def _write(connection: Connection, table: str, condition: str, file_path: Path, part_id: int) -> Part:
    from pyarrow import compute as pc  # noqa: PLC0415 - an engine without an archive starts without both
    from pyarrow import parquet  # noqa: PLC0415 - as above

    schema, instant = ARCHIVED[table], ARCHIVED[table].get_field_index(INSTANTS[table])
    keys: list[pa.RecordBatch] = []
    first_us, last_us = 2**62, -(2**62)
    with open(file_path.with_name(file_path.name + _TEMPORARY), "wb") as sink:  # noqa: PTH123 - a descriptor for fsync
        writer = parquet.ParquetWriter(sink, schema, compression="zstd")
        for batch in iter_batches(connection.batches(_TO_ARCHIVE[table].format(condition=condition))):
            rows = pa.Table.from_batches([batch]).select(schema.names).cast(schema)
            if rows.num_rows == 0:
                continue
            writer.write_table(rows)
            keys += rows.select(["file_id", "line_offset"]).to_batches()
            instants = pc.min_max(rows.column(instant).cast(pa.int64())).as_py()
            first_us, last_us = min(first_us, instants["min"]), max(last_us, instants["max"])
        writer.close()
        sink.flush()
        os.fsync(sink.fileno())
        size_bytes = sink.tell()
    found = pa.Table.from_batches(keys, KEYS)
    return Part(part_id, found.num_rows, size_bytes, first_us, last_us, found)


def _make_folders(root: Path, folder: Path) -> None:
    """Create the folders below the root, each of them durable."""
    missing = []
    while folder != root and not folder.is_dir():
        missing.append(folder)
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        sync(path.parent)


def finish_file(connection: Connection, part: Part, now_us: int) -> None:
    """Record that a file is complete, in the transaction that deletes its rows."""
    values = {"first_us": part.first_us, "last_us": part.last_us, "rows": part.rows, "size_bytes": part.size_bytes}
    connection.run(_QUERIES["finish_file"], {**values, "id": part.id, "now_us": now_us})


def remove_unfinished(connection: Connection) -> None:
    """Remove the files that an interrupted drop has left, in the caller's transaction.

    A file stays, and is removed later, if the archive's directory does not exist now or the file cannot be removed.
    """
    for row in connection.rows(_QUERIES["unfinished_files"]):
        if _remove(row["root"], row["path"]):
            connection.run(_QUERIES["forget_file"], {"id": row["id"]})


def _remove(root: str, path: str) -> bool:
    """Remove a file and its temporary form; return whether neither exists now."""
    if not Path(root).is_dir():
        return False
    file_path = Path(root, path)
    with suppress(OSError):
        file_path.with_name(file_path.name + _TEMPORARY).unlink(missing_ok=True)
        file_path.unlink(missing_ok=True)
        return True
    return False
