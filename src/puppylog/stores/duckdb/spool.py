"""Batches on their way: a client writes Arrow IPC files into its folder of the spool, the engine maps them.

Handing over a file costs one write into the page cache and no copy on the other side; sending the same rows through the
socket costs several. The file is a message, not a journal: nothing depends on its being on the disk, because the
position moves with the commit alone. What a dead client has left is swept by the next engine.
"""

import itertools
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
from pyarrow import ipc

from puppylog.errors import BatchDropped, PuppylogError, StoreError, StoreFull
from puppylog.model.record import RECORDS, REJECTS
from puppylog.stores.duckdb.directory import refuse

_SOURCE = [pa.field("stream_id", pa.int32(), nullable=False), pa.field("file_id", pa.int32(), nullable=False)]
SPOOLED_RECORDS = pa.schema([*_SOURCE, *RECORDS])
SPOOLED_REJECTS = pa.schema([*_SOURCE, *REJECTS])


ROW_GROUP = 122_880
"""Rows of one batch in the file, as many as DuckDB keeps together. Its threads take a batch each: were batches of
another size, each thread would leave a row group that is not full, and the store would take half as much room again."""


class Spool:
    """One client's folder of the spool. Its name begins with the client's process number."""

    def __init__(self, spool: Path) -> None:
        """Make the folder.

        Raises:
            StoreFull: there is no room.
            StoreRefused: it cannot be made.
        """
        self._numbers = itertools.count()
        self.path = spool / f"{os.getpid()}-{os.urandom(4).hex()}"
        try:
            self.path.mkdir(mode=0o700)
        except OSError as error:
            raise refuse(spool, error) from None

    def open_file(self, schema: pa.Schema) -> "SpoolFile":
        return SpoolFile(self.path / f"{next(self._numbers)}.arrow", schema)

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class SpoolFile:
    """Rows on their way, of one schema. Made on disk with the first rows that fill a batch, or with the last."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self.path = path
        self._schema = schema
        self._waiting: list[pa.RecordBatch] = []  # less than a batch
        self._waiting_rows = 0
        self._sink: pa.OSFile | None = None
        self._writer: ipc.RecordBatchFileWriter | None = None

    def write(self, stream_id: int, file_id: int, rows: pa.RecordBatch) -> None:
        """Add ``rows`` of one file.

        Raises:
            BatchDropped: there is no room for them; the file is of no use any more.
        """
        if rows.num_rows == 0:
            return
        source = [pa.repeat(pa.scalar(number, pa.int32()), rows.num_rows) for number in (stream_id, file_id)]
        self._waiting.append(pa.RecordBatch.from_arrays([*source, *rows.columns], schema=self._schema))
        self._waiting_rows += rows.num_rows
        if self._waiting_rows >= ROW_GROUP:
            self._write_waiting(self._waiting_rows // ROW_GROUP * ROW_GROUP)

    def finish(self) -> str | None:
        """Complete the file; return its path, or None if it has no rows. May be asked again.

        Raises:
            BatchDropped: there is no room for it; the file is of no use any more.
        """
        self._write_waiting(self._waiting_rows)
        if self._sink is None:
            return None
        try:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
                self._sink.close()
        except OSError as error:
            raise _dropped(self.path, error) from None
        return str(self.path)

    def _write_waiting(self, rows: int) -> None:
        """Write so many of the rows that wait, in batches of ROW_GROUP and what is left."""
        if rows == 0:
            return
        (waiting,) = pa.Table.from_batches(self._waiting).combine_chunks().to_batches()
        try:
            if self._writer is None:
                self._sink = pa.OSFile(str(self.path), "wb")
                self._writer = ipc.new_file(self._sink, self._schema)
            for start in range(0, rows, ROW_GROUP):
                self._writer.write_batch(waiting.slice(start, min(ROW_GROUP, rows - start)))
        except OSError as error:
            raise _dropped(self.path, error) from None
        self._waiting = [waiting.slice(rows)] if rows < waiting.num_rows else []
        self._waiting_rows -= rows

    def discard(self) -> None:
        """Remove the file, complete or not."""
        self._waiting, self._waiting_rows = [], 0
        if self._sink is not None:
            self._sink.close()
            self._writer = None
            self.path.unlink(missing_ok=True)


def _dropped(path: Path, error: OSError) -> PuppylogError:
    refusal = refuse(path.parent.parent.parent, error)
    return BatchDropped(refusal.message) if isinstance(refusal, StoreFull) else refusal


def read_spooled(spool: Path, path: str | None, schema: pa.Schema) -> pa.Table:
    """Map a spooled file; no rows for None.

    Raises:
        StoreError: it is not a complete file of this schema in the spool.
    """
    if path is None:
        return schema.empty_table()
    if Path(path).parent.parent != spool:
        raise StoreError(f"cannot read batch {path}: it is not in the spool")
    try:
        table = ipc.open_file(pa.memory_map(path)).read_all()
    except (OSError, pa.ArrowInvalid) as error:
        raise StoreError(f"cannot read batch {path}: {error}") from None
    if table.schema != schema:
        raise StoreError(f"cannot read batch {path}: it has other columns; collector and engine differ in version")
    return table


def sweep(spool: Path) -> None:
    """Remove what dead clients have left. A process number that is in use again only puts it off."""
    for folder in spool.iterdir():
        if not _is_alive(int(folder.name.partition("-")[0])):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
