"""The files that a tailer has read to their end: their last chunks, and the positions at which they ended."""

from collections.abc import Iterator

from puppylog.model.stream import FilePosition
from puppylog.tail.chunk import Chunk
from puppylog.tail.known_positions import KnownPositions
from puppylog.tail.owners import Owners
from puppylog.tail.reader import Reader
from puppylog.tail.rotation.position import ReadPosition


class FinishedFiles:
    """Holds each finished file's last chunks until they are given, and tells the other tailers where the file ended."""

    def __init__(self, known: KnownPositions, owners: Owners) -> None:
        """Prepare; the positions of finished files are remembered in ``known``."""
        self._known = known
        self._owners = owners
        self._chunks: list[Chunk] = []

    @property
    def has_chunks(self) -> bool:
        """Whether a chunk was not given yet."""
        return bool(self._chunks)

    def finish(self, reader: Reader) -> ReadPosition:
        """Finish a file, and return where it ended; what was read of an unfinished last line becomes a line."""
        chunks = reader.finish()
        self._chunks += chunks
        return self._remember(chunks[-1], None)

    def finish_missing(self, last: Chunk, stored: FilePosition | None) -> None:
        """Finish a file that was not found.

        Args:
            last: the chunk that finishes the file.
            stored: the file's position in the store.
        """
        self._chunks.append(last)
        self._remember(last, stored)

    def _remember(self, last: Chunk, stored: FilePosition | None) -> ReadPosition:
        position = self._known.remember(last, stored)
        self._owners.note_finished(last.file, position)
        return position

    def iter_chunks(self) -> Iterator[Chunk]:
        """Yield the chunks that were not yielded yet, in the order in which their files were finished."""
        while self._chunks:
            yield self._chunks.pop(0)
