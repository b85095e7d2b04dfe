"""Opens sources: makes the URI of a source, and the tailer of a file, of a named pipe, or of standard input."""

import os
from collections.abc import Sequence
from urllib.parse import quote

from puppylog.collect.known_files import KnownFiles
from puppylog.collect.options import CollectOptions
from puppylog.model.stream import FilePosition, Stream
from puppylog.tail.pipe import PipeTailer
from puppylog.tail.reader import LINE_WAIT_S
from puppylog.tail.source import STDIN, is_pipe, refuse_binary
from puppylog.tail.tailer import Tailer


class SourceOpener:
    """Opens the sources of one collector, all with the same options."""

    def __init__(self, options: CollectOptions) -> None:
        self._options = options
        self._record_wait_s = options.record_wait_s if options.watch else 0.0
        self.line_wait_s = None if options.watch else LINE_WAIT_S
        """A last line without newline is stored when its file has not been changed for so many seconds.

        None: such a line waits for its newline.
        """
        self.source_prefix = f"file://{options.host}/"
        """The beginning of the URIs of all files of this host."""

    def uri_of(self, path: str) -> str:
        """Return the source URI of a path; bytes that a URI cannot hold are percent-encoded."""
        host = self._options.host
        return f"stdin://{host}" if path == STDIN else f"file://{host}{quote(os.fsencode(path))}"

    def open_tailer(
        self, known_files: KnownFiles, path: str, stream: Stream, known: Sequence[FilePosition], *, from_end: bool
    ) -> Tailer | PipeTailer:
        """Open a source.

        Args:
            known_files: knows the files that the store has and that other sources have open.
            path: of the source.
            stream: of the source.
            known: the present positions of the stream.
            from_end: start a file that the store does not know at its end. Ignored once the stream has read a line.

        Raises:
            SourceError: the pipe cannot be read, or the file is not a log.
            PuppylogError: the store cannot be asked which stream has read the file.
        """
        boundary, record_wait_s = self._options.boundary, self._record_wait_s
        if path == STDIN:
            return PipeTailer(boundary=boundary, record_wait_s=record_wait_s)
        if is_pipe(path):
            return PipeTailer(path, watch=self._options.watch, boundary=boundary, record_wait_s=record_wait_s)
        refuse_binary(path)
        return Tailer(
            path,
            [file for file in known if not known_files.is_read(file)],
            from_end=from_end and known == list(stream.files),
            boundary=boundary,
            record_wait_s=record_wait_s,
            line_wait_s=self.line_wait_s,
            owners=known_files.owners_for(stream.stream_id),
        )
