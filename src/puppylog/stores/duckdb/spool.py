"""Batches on their way from a client to the engine: the client writes Arrow IPC files, and the engine maps them.

A file costs one write into the page cache, and the engine copies nothing. Sending the same rows through the socket
costs several copies. The file is a message, not a journal: it need not reach the disk, because a position moves only
with the commit. When an engine starts, it removes the files of dead clients.

A later batch overwrites a file whose rows are committed: writing to existing pages costs a third of writing to new
pages. A file whose commit is uncertain is removed instead, because an engine may still read it.

Few rows have no file. They are sent in place of its path: each commit of DuckDB's log makes the file system write the
file of the rows, too.
"""

import base64
import contextlib
import itertools
import mmap
import os
import re
import shutil
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import pyarrow as pa
from pyarrow import ipc

from puppylog.errors import BatchDropped, PuppylogError, StoreError, StoreFull
from puppylog.model.record import RECORDS, REJECTS
from puppylog.stores.duckdb.directory import is_alive, translate_os_error

_SOURCE = [pa.field("stream_id", pa.int32(), nullable=False), pa.field("file_id", pa.int32(), nullable=False)]
SPOOLED_RECORDS = pa.schema([*_SOURCE, *RECORDS])
SPOOLED_REJECTS = pa.schema([*_SOURCE, *REJECTS])
SPOOLED_REREAD = pa.schema([*SPOOLED_RECORDS, pa.field("rejected_offset", pa.int64(), nullable=False)])
"""Records of rejected lines that were parsed again, each with the offset of its line."""


ROW_GROUP = 122_880
"""The number of rows in an Arrow batch of the file: the size of DuckDB's row groups. Each thread of DuckDB reads whole
batches. With another size each thread would leave an incomplete row group, and the store would grow by half."""


# The C library keeps freed memory for the next batch. Arrow's own pool returns it to the system, which then clears new
# pages for each batch.
_POOL = pa.system_memory_pool()


# Rows of less memory than this are sent in place of the path of their file.
_INLINE_BYTES = 64 << 10

# What the text of such rows begins with. No path does, because paths are absolute.
_INLINE = "rows:"

# The names of clients' folders and files. A request with any other name, such as ``..``, is refused.
_FOLDER = re.compile(r"(?P<pid>[1-9][0-9]{0,9})-[0-9a-f]+")
_FILE = re.compile(r"[0-9]+\.arrow")


class Spool:
    """One client's folder of the spool. Its name begins with the client's process number.

    The reading thread takes files to write, and the committing thread gives them back or clears them.
    """

    def __init__(self, spool: Path) -> None:
        """Create the folder.

        Raises:
            StoreFull: there is no disk space.
            StoreRefused: the folder cannot be created.
        """
        # Both threads use both fields without a lock: a step of the counter, and of the deque, is atomic.
        self._numbers = itertools.count()
        self._used: deque[Path] = deque()  # files whose rows are committed, the longest unused first
        self.path = spool / f"{os.getpid()}-{os.urandom(4).hex()}"
        try:
            self.path.mkdir(mode=0o700)
        except OSError as error:
            raise translate_os_error(spool, error) from None

    def open_file(self, schema: pa.Schema) -> "SpoolFile":
        return SpoolFile(self, schema)

    def take(self) -> Path:
        """Return the path of a file to write: a file that may be overwritten, or else a new file."""
        try:
            return self._used.popleft()
        except IndexError:
            return self.path / f"{next(self._numbers)}.arrow"

    def give_back(self, path: Path) -> None:
        """Offer a file for overwriting. Its rows must be committed, so that no engine will read it again."""
        self._used.append(path)

    def clear(self) -> None:
        """Remove the files that are offered for overwriting."""
        with contextlib.suppress(IndexError):
            while True:
                self._used.popleft().unlink(missing_ok=True)

    def close(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class SpoolFile:
    """Rows of one schema for the engine. The file is created when the first Arrow batch is full, or by `finish`.

    Only one thread at a time uses a file: the reading thread, and after `finish` the committing thread.
    """

    def __init__(self, spool: Spool, schema: pa.Schema) -> None:
        self._spool = spool
        self._schema = schema
        self._waiting: list[pa.RecordBatch] = []  # fewer rows than an Arrow batch has
        self._waiting_rows = 0
        self._path: Path | None = None
        self._sink: BinaryIO | None = None
        self._writer: ipc.RecordBatchFileWriter | None = None
        self._inline: str | None = None  # the rows, if they have no file

    def write(self, stream_id: int, file_id: int, rows: pa.RecordBatch) -> None:
        """Add ``rows`` of one log file.

        Raises:
            BatchDropped: there is no disk space for the rows; this spool file can no longer be used.
        """
        if rows.num_rows == 0:
            return
        source = [pa.repeat(pa.scalar(number, pa.int32()), rows.num_rows) for number in (stream_id, file_id)]
        rows = pa.RecordBatch.from_arrays([*source, *rows.columns], schema=self._schema)
        while self._waiting_rows + rows.num_rows >= ROW_GROUP:
            missing = ROW_GROUP - self._waiting_rows
            self._waiting.append(rows.slice(0, missing))
            self._write_waiting()
            rows = rows.slice(missing)
        if rows.num_rows:
            self._waiting.append(rows)
            self._waiting_rows += rows.num_rows

    def finish(self) -> str | None:
        """Complete the file; return its path, the text of a few rows, or None if there are no rows.

        It is OK to call this again, but not to write after it.

        Raises:
            BatchDropped: there is no disk space for the rows; this spool file can no longer be used.
        """
        if self._path is None and self._waiting and sum(rows.nbytes for rows in self._waiting) <= _INLINE_BYTES:
            self._inline = _pack_inline(self._waiting, self._schema)
            self._waiting, self._waiting_rows = [], 0
        self._write_waiting()
        if self._path is None:
            return self._inline
        try:
            if self._writer is not None and self._sink is not None:
                self._writer.close()
                self._writer = None
                self._sink.truncate(self._sink.tell())  # an earlier, longer batch may have been in this file
                self._sink.close()
        except OSError as error:
            raise _dropped(self._path, error) from None
        return str(self._path)

    def _write_waiting(self) -> None:
        """Write the waiting rows as one Arrow batch."""
        if not self._waiting:
            return
        batch = pa.concat_batches(self._waiting, memory_pool=_POOL)
        self._waiting, self._waiting_rows = [], 0
        path = self._path = self._path or self._spool.take()
        try:
            if self._writer is None:
                self._sink = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "wb")
                self._writer = ipc.new_file(self._sink, self._schema)
            self._writer.write_batch(batch)
        except OSError as error:
            raise _dropped(path, error) from None

    def give_back(self) -> None:
        """Offer the file for overwriting: its rows are committed, and no process will read it again."""
        if self._path is not None:
            self._spool.give_back(self._path)
            self._path = None

    def discard(self) -> None:
        """Remove the file, complete or not, and the files that are offered for overwriting, to free disk space."""
        self._waiting, self._waiting_rows = [], 0
        if self._sink is not None:
            with contextlib.suppress(OSError):  # the buffer may not fit on the disk, and its rows are not needed
                self._sink.close()
            self._writer = None
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None
        self._spool.clear()


def _pack_inline(rows: list[pa.RecordBatch], schema: pa.Schema) -> str:
    sink = pa.BufferOutputStream()
    with ipc.new_file(sink, schema) as writer:
        writer.write_batch(pa.concat_batches(rows))
    return _INLINE + base64.b64encode(sink.getvalue()).decode()


def _dropped(path: Path, error: OSError) -> PuppylogError:
    refusal = translate_os_error(path.parent.parent.parent, error)
    return BatchDropped(*refusal.parts) if isinstance(refusal, StoreFull) else refusal


def read_spooled(spool: Path, path: str | None, schema: pa.Schema) -> pa.Table:
    """Return the rows of a spooled file, which is mapped, or those that ``path`` has itself. None gives no rows.

    Of the path, the names of the file and its folder count. The client may have written another path to the same
    directory, through a link.

    Raises:
        StoreError: ``path`` is not a complete file of this schema in the spool, and has no rows of this schema.
    """
    if path is None:
        return schema.empty_table()
    if path.startswith(_INLINE):
        return _read_table(lambda: base64.b64decode(path.removeprefix(_INLINE), validate=True), "in a message", schema)
    folder, name = path.split("/")[-2:] if "/" in path else ("", path)
    if not (_FOLDER.fullmatch(folder) and _FILE.fullmatch(name)):
        raise StoreError("read", f"batch {path}", "it is not in the spool")
    return _read_table(lambda: _map(spool / folder / name), path, schema)


def _map(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        # Arrow's own memory map accepts only paths in UTF-8.
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _read_table(read: Callable[[], bytes | mmap.mmap], name: str, schema: pa.Schema) -> pa.Table:
    try:
        table = ipc.open_file(pa.py_buffer(read())).read_all()
    except (OSError, ValueError, pa.ArrowInvalid) as error:  # ValueError: the file is empty, or not base64
        raise StoreError("read", f"batch {name}", str(error)) from None
    if table.schema != schema:
        raise StoreError("read", f"batch {name}", "it has other columns; collector and engine differ in version")
    return table


def sweep(spool: Path) -> None:
    """Remove the folders of dead clients. If a number belongs to a new process, a later sweep removes the folder.

    Files that Puppylog has not made, such as a file manager's ``.DS_Store``, stay.
    """
    for folder in spool.iterdir():
        client_folder = _FOLDER.fullmatch(folder.name)
        if client_folder and not is_alive(int(client_folder["pid"])):
            shutil.rmtree(folder, ignore_errors=True)
