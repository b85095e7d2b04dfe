"""Reads the files of a stream again, in another format, and replaces their rows: one file in one transaction.

Only bytes before the committed position are read, and the position does not move: later lines are the collector's. The
client has claimed the stream, so that no collector moves the position meanwhile.
"""

import codecs
import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.collect.batch import flag_cut
from puppylog.collect.options import SourceOptions
from puppylog.errors import SourceError
from puppylog.formats.base import Parser, keep_format, name_context
from puppylog.model.record import Parsed
from puppylog.model.stream import FilePosition
from puppylog.stores.rewriting import ReadFile, Rewriting, Rewritten
from puppylog.tail.checkpoint import START_OF_FILE
from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.decompressed import open_log
from puppylog.tail.handle import OpenFile, cannot_read
from puppylog.tail.limited_file import LimitedFile
from puppylog.tail.limits import CHUNK_BYTES, MAX_LINE_BYTES
from puppylog.tail.opener import Opener
from puppylog.tail.rotation.find import FileToRead

_MAX_DIRECTIVE_BYTES: Final = 64 << 10
"""At most this many bytes before the first row are examined: the directives of a log are not longer."""


@dataclass(slots=True)
class Counts:
    """What was read again, and what became of it. In a dry run, the store has removed nothing."""

    removed_records: int = 0
    removed_rejects: int = 0
    records: int = 0
    rejects: int = 0
    rowless: int = 0
    expired: int = 0  # records that retention would drop at once, and that are not stored
    formats: dict[str, None] = field(default_factory=dict)  # the names of the formats that were used
    reasons: Counter[str] = field(default_factory=Counter)  # why lines were rejected

    def add(self, other: "Counts") -> None:
        """Add the numbers of another file."""
        for name in ("removed_records", "removed_rejects", "records", "rejects", "rowless", "expired"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.formats |= other.formats
        self.reasons += other.reasons


class Rereader:
    """Reads files of one stream again, in one way."""

    def __init__(
        self,
        source: SourceOptions,
        rewriting: Callable[[ReadFile], Rewriting],
        *,
        keeps_format: bool = False,
        expired_before_us: int | None = None,
        stop: threading.Event,
        on_read: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Prepare.

        Args:
            source: how lines are parsed, and where records begin.
            rewriting: returns a replacement of the rows of a file; see `puppylog.stores.rewriting.StreamRewriter`.
            keeps_format: whether a collector with the format ``auto`` keeps this format in the stream's next files.
            expired_before_us: records before this instant are not stored, because retention would drop them at once;
                in microseconds since the epoch. None: all are stored.
            stop: when set, the file that is being read stays as it is stored.
            on_read: called with the number of bytes of each piece that was read.
        """
        self._source = source
        self._rewriting = rewriting
        self._keeps_format = keeps_format
        self._expired_before_us = expired_before_us
        self._stop = stop
        self._on_read = on_read

    def reread(self, stream_id: int, position: FilePosition, path: str, first_offset: int) -> Counts:
        """Read a file again and replace its rows.

        Args:
            stream_id: of the stream.
            position: of the file in the store.
            path: where the file is now.
            first_offset: of the first row that the store has of the file, in bytes. Rows before it are not stored.

        Raises:
            SourceError: the file cannot be read, is another file, or reading was stopped. Its rows stay as they are.
            PuppylogError: as `puppylog.stores.rewriting.Rewriting.commit`.
        """
        counts = Counts()
        file = ReadFile(stream_id, position.file_id, position.byte_offset, first_offset)
        rewriting = self._rewriting(file)
        try:
            with _opened(path, position) as handle:
                parser = self._read(handle, position, first_offset, rewriting, counts)
            context = name_context(parser.name, parser.context)
            done = rewriting.commit(keep_format(context) if self._keeps_format else context)
        finally:
            rewriting.discard()
        counts.removed_records, counts.removed_rejects = done.removed_records, done.removed_rejects
        counts.records, counts.rejects = done.records, done.rejects
        return counts

    def _read(
        self, handle: OpenFile, position: FilePosition, first_offset: int, rewriting: Rewriting, counts: Counts
    ) -> Parser:
        """Parse the file up to the position, and write the rows; return the parser."""
        start = 0 if _has_only_directives(handle, first_offset) else first_offset
        parsers: list[Parser] = []

        def open_parser(file: TailedFile) -> Parser:
            parsers.append(self._source.format.open("", file.modified_at_us))
            return parsers[-1]

        opener = Opener(
            chunk_bytes=CHUNK_BYTES,
            max_line_bytes=MAX_LINE_BYTES,
            open_boundary=open_parser,
            record_wait_s=0.0,
            line_wait_s=None,
        )
        reader = opener.open_reader(FileToRead(handle, START_OF_FILE, None))
        modified_at_us = reader.file.modified_at_us
        (parser,) = parsers
        # The time of the first reading is not known. A line was written before the last change of its file.
        read_at_us = min(time.time_ns() // 1000, modified_at_us or time.time_ns() // 1000)
        last: Chunk | None = None
        for last in _iter_chunks(reader.read, reader.finish):
            if self._stop.is_set():
                raise SourceError("read", handle.path, "it was interrupted; its records stay as they were")
            parsed = parser.parse(last.data, last.offset, read_at_us)
            if last.is_cut:
                parsed = flag_cut(parsed)
            kept = self._filter(replace(parsed, data=last.data, data_offset=last.offset), start, counts)
            _count(kept, counts)
            rewriting.write(kept)
            self._on_read(last.end - last.start)
        if last is None or last.end != position.byte_offset or last.fingerprint != position.fingerprint:
            raise SourceError("read", handle.path, "it has changed since it was stored; its records stay as they were")
        counts.formats[parser.name] = None
        return parser

    def _filter(self, parsed: Parsed, start: int, counts: Counts) -> Parsed:
        """Return the rows from an offset on, without records that retention would drop."""
        records, rejects = parsed.records, parsed.rejects
        if start > 0:
            records, rejects = (rows.filter(_from(rows["line_offset"], start)) for rows in (records, rejects))
        if self._expired_before_us is not None and records.num_rows:
            fresh = records.filter(_from(records["ts"].cast(pa.int64()), self._expired_before_us))
            counts.expired += records.num_rows - fresh.num_rows
            records = fresh
        return replace(parsed, records=records, rejects=rejects)


class DryRewriting:
    """Counts rows, and stores none. Implements `puppylog.stores.rewriting.Rewriting`."""

    def __init__(self, _file: ReadFile) -> None:
        self._records = self._rejects = 0

    def write(self, parsed: Parsed) -> None:
        self._records += parsed.records.num_rows
        self._rejects += parsed.rejects.num_rows

    def commit(self, context: str) -> Rewritten:  # noqa: ARG002 - the signature of the protocol
        return Rewritten(0, 0, self._records, self._rejects)

    def discard(self) -> None:
        """Do nothing: no row waits."""


@contextlib.contextmanager
def _opened(path: str, position: FilePosition) -> Iterator[OpenFile]:
    """Open a file as if it ended at a position.

    Raises:
        SourceError: the file cannot be read.
    """
    try:
        with contextlib.closing(LimitedFile(open_log(path), position.byte_offset)) as handle:
            yield handle
    except OSError as error:
        raise cannot_read(path, error) from None


def _iter_chunks(read: Callable[[], Iterator[Chunk]], finish: Callable[[], list[Chunk]]) -> Iterator[Chunk]:
    yield from read()
    yield from finish()


def _has_only_directives(handle: OpenFile, end: int) -> bool:
    """Return whether the lines before an offset are blank or begin with #: such lines have no rows in some formats."""
    if end > _MAX_DIRECTIVE_BYTES:
        return False
    lines = (line.strip(b" \t\r\0") for line in handle.read(end, 0).removeprefix(codecs.BOM_UTF8).split(b"\n"))
    return all(not line or line.startswith(b"#") for line in lines)


def _from(values: pa.Array, least: int) -> pa.Array:
    """Return for each number whether it is ``least`` or more."""
    return pc.invert(pc.less_equal(values, pa.scalar(least - 1, pa.int64())))


def _count(parsed: Parsed, counts: Counts) -> None:
    counts.rowless += parsed.rowless
    if parsed.rejects.num_rows:
        for count in pc.value_counts(parsed.rejects.column("reason")).to_pylist():
            counts.reasons[count["values"]] += count["counts"]
