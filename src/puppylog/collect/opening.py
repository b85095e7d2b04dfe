"""How a source is opened: its URI, and the tailer of a path, of a pipe, or of standard input."""

import os
from collections.abc import Sequence
from urllib.parse import quote

from puppylog.collect.known_files import KnownFiles
from puppylog.model.stream import FilePosition, Stream
from puppylog.tail.boundary import Boundary
from puppylog.tail.pipe import PipeTailer
from puppylog.tail.reader import LINE_WAIT_S
from puppylog.tail.source import STDIN, is_pipe, refuse_binary
from puppylog.tail.tailer import Tailer


class SourceOpener:
    """What all sources of a collector have in common."""

    def __init__(self, host: str, *, watch: bool, boundary: Boundary | None, record_wait_s: float) -> None:
        """Take the options of the collector that bear on its sources."""
        self._host = host
        self._watch = watch
        self._boundary = boundary
        self._record_wait_s = record_wait_s if watch else 0.0
        self.line_wait_s = None if watch else LINE_WAIT_S
        """How long a file must not have been changed before its unfinished last line is taken; None: it waits."""
        self.source_prefix = f"file://{host}/"
        """What the URIs of all files of this host begin with."""

    def uri_of(self, path: str) -> str:
        return f"stdin://{self._host}" if path == STDIN else f"file://{self._host}{quote(os.fsencode(path))}"

    def open_tailer(
        self, known_files: KnownFiles, path: str, stream: Stream, known: Sequence[FilePosition], *, from_end: bool
    ) -> Tailer | PipeTailer:
        """Open a source: from the end only if nothing of it was read.

        Args:
            known_files: what the store and the other sources know of files.
            path: of the source.
            stream: of the source.
            known: the stream's positions, as they are now.
            from_end: start a file that the store does not know yet at its end.

        Raises:
            SourceError: a pipe cannot be read, or the file is no log.
            PuppylogError: the store cannot be asked who has read the file.
        """
        boundary, record_wait_s = self._boundary, self._record_wait_s
        if path == STDIN:
            return PipeTailer(boundary=boundary, record_wait_s=record_wait_s)
        if is_pipe(path):
            return PipeTailer(path, watch=self._watch, boundary=boundary, record_wait_s=record_wait_s)
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
