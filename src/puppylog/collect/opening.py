"""How a source is opened: its URI, and the tailer of a file, of a named pipe, or of standard input."""

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
        """How long a file must not have been changed before its unfinished last line is taken, in seconds.

        None: an unfinished last line is not taken before its newline has come.
        """
        self.source_prefix = f"file://{options.host}/"
        """What the URIs of all files of this host begin with."""

    def uri_of(self, path: str) -> str:
        """Return the source URI of a path; bytes that a URI cannot hold are percent-encoded."""
        host = self._options.host
        return f"stdin://{host}" if path == STDIN else f"file://{host}{quote(os.fsencode(path))}"

    def open_tailer(
        self, known_files: KnownFiles, path: str, stream: Stream, known: Sequence[FilePosition], *, from_end: bool
    ) -> Tailer | PipeTailer:
        """Open a source.

        Args:
            known_files: what the store and the other sources know of files.
            path: of the source.
            stream: of the source.
            known: the stream's positions, as they are now.
            from_end: start a file that the store does not know yet at its end. Has no effect once a line of the stream
                was read.

        Raises:
            SourceError: the pipe cannot be read, or the file is not a log.
            PuppylogError: the store cannot say which stream has read the file.
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
