"""Opens sources: makes the URI of a source, and the tailer of a file, of a named pipe, or of standard input."""

import os
from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import quote

from puppylog.collect.known_files import KnownFiles
from puppylog.collect.options import CollectOptions, SourceOptions
from puppylog.collect.restamp import Restamped
from puppylog.formats.base import Format
from puppylog.formats.journal.export import ExportDecoder
from puppylog.formats.journal.journal import JOURNAL
from puppylog.model.journal_cursor import JournalCursor
from puppylog.model.stream import FilePosition, Stream
from puppylog.tail.boundary import OpenBoundary
from puppylog.tail.journal.source import SCHEME, JournalSource, is_journal
from puppylog.tail.journal.tailer import JournalTailer
from puppylog.tail.pipe import PipeTailer
from puppylog.tail.reader import LINE_WAIT_S
from puppylog.tail.source import STDIN, is_pipe, refuse_binary
from puppylog.tail.tailer import Tailer


def line_wait_s(options: CollectOptions) -> float | None:
    """Return after how many seconds without a change of its file a last line without newline is stored.

    None: such a line waits for its newline.
    """
    return None if options.watch else LINE_WAIT_S


def source_prefix(options: CollectOptions) -> str:
    """Return the beginning of the URIs of all files of this host."""
    return f"file://{options.host}/"


def uri_of(options: CollectOptions, path: str) -> str:
    """Return the source URI of a path; bytes that a URI cannot hold are percent-encoded."""
    if is_journal(path):
        return f"journal://{options.host}{path.removeprefix(SCHEME)}"
    return f"stdin://{options.host}" if path == STDIN else f"file://{options.host}{quote(os.fsencode(path))}"


class SourceOpener:
    """Opens files that are collected in one way."""

    def __init__(
        self,
        options: CollectOptions,
        source: SourceOptions,
        on_gap: Callable[[str, JournalCursor], None] = lambda _path, _stored: None,
        on_skipped: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Prepare to open files.

        Args:
            options: of the run.
            source: how the files are collected.
            on_gap: called with a journal that no longer has the last stored entry, and the entry's cursor.
            on_skipped: called with a sentence about entries of a journal that cannot be read.
        """
        self.source = source
        self._on_gap = on_gap
        self._on_skipped = on_skipped
        self.has_begun = False
        """Whether the files that existed at first have been opened. Files that appear later are read from their start,
        even if the source begins at the end of its files."""
        self._options = options
        self._record_wait_s = source.record_wait_s if options.watch else 0.0

    def format_of(self, path: str) -> Format:
        """Return the format of the lines of a path."""
        if not is_journal(path):
            return self.source.format
        return Restamped(JOURNAL) if isinstance(self.source.format, Restamped) else JOURNAL

    def open_tailer(
        self,
        known_files: KnownFiles,
        path: str,
        stream: Stream,
        known: Sequence[FilePosition],
        open_boundary: OpenBoundary,
        *,
        from_end: bool,
    ) -> Tailer | PipeTailer | JournalTailer:
        """Open a source.

        Args:
            known_files: knows the files that the store has and that other sources have open.
            path: of the source.
            stream: of the source.
            known: the present positions of the stream.
            open_boundary: returns where records of several lines begin in a file.
            from_end: start a file that the store does not know at its end. Ignored once the stream has read a line.

        Raises:
            SourceError: the pipe or the journal cannot be read, or the file is not a log.
            PuppylogError: the store cannot be asked which stream has read the file.
        """
        wait_s = self._record_wait_s
        if path == STDIN:
            return PipeTailer(open_boundary=open_boundary, record_wait_s=wait_s)
        if is_pipe(path):
            return PipeTailer(path, watch=self._options.watch, open_boundary=open_boundary, record_wait_s=wait_s)
        if is_journal(path):
            return JournalTailer(
                JournalSource.parse(path),
                known,
                ExportDecoder,
                watch=self._options.watch,
                from_end=from_end,
                on_gap=partial(self._on_gap, path),
                on_hidden=self._on_skipped,
            )
        refuse_binary(path)
        return Tailer(
            path,
            [file for file in known if not known_files.is_read(file)],
            from_end=from_end and known == list(stream.files),
            open_boundary=open_boundary,
            record_wait_s=wait_s,
            line_wait_s=line_wait_s(self._options),
            owners=known_files.owners_for(stream.stream_id),
            reads_history=self.source.runtime is not None,
        )
