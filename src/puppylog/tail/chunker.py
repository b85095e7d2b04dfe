"""Makes chunks with fingerprints from the blocks of a file, which come in their order. Pure: it opens no file."""

from dataclasses import replace

from puppylog.tail.boundary import Boundary
from puppylog.tail.checkpoint import Checkpoint
from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.lines import LineCutter, Piece
from puppylog.tail.record_gatherer import RecordGatherer


class Chunker:
    r"""Makes the chunks of one file.

    Example:
        >>> from puppylog.tail.checkpoint import START_OF_FILE
        >>> file = TailedFile(1, "/var/log/app.log", device=1, inode=2, start=0, file_id=None)
        >>> chunker = Chunker(file, START_OF_FILE, max_line_bytes=1000)
        >>> [(chunk.start, chunk.end, chunk.data) for chunk in chunker.feed(b"one\ntwo\nthr")]
        [(0, 8, b'one\ntwo\n')]
        >>> chunker.waiting_bytes
        3
    """

    def __init__(
        self, file: TailedFile, checkpoint: Checkpoint, max_line_bytes: int, boundary: Boundary | None = None
    ) -> None:
        """Start at the offset of the checkpoint. With a boundary, every chunk ends where a record ends."""
        self.file = file
        self.fed_to = checkpoint
        """The checkpoint after the last block that was fed."""
        self.chunked_to = checkpoint
        """The checkpoint after the last chunk that was returned."""
        self._max_line_bytes = max_line_bytes
        self._cutter = LineCutter(checkpoint.offset, max_line_bytes, is_in_line=_is_in_line(checkpoint))
        self._gatherer = None if boundary is None else RecordGatherer(boundary)
        self._cuts_at_cr = False

    @property
    def waiting_bytes(self) -> int:
        """How many bytes were fed of the last line, which waits for its newline."""
        return self._cutter.waiting

    @property
    def has_unfinished_line(self) -> bool:
        """Whether the last line has text but no newline yet. `flush_all` returns such a line."""
        return self._cutter.has_unfinished_line

    @property
    def complete_to(self) -> Checkpoint:
        """The checkpoint after the last whole line, which may be part of a record that still waits."""
        waiting = None if self._gatherer is None else self._gatherer.end
        return self.chunked_to if waiting is None else waiting

    @property
    def has_record(self) -> bool:
        """Whether whole lines wait because their record may go on."""
        return self._gatherer is not None and self._gatherer.end is not None

    def feed(self, block: bytes) -> list[Chunk]:
        """Add the next block of the file; return the chunks that are complete now."""
        before = self.fed_to

        def checkpoint_at(offset: int) -> Checkpoint:
            return before.after(block, offset - before.offset)

        pieces = self._cutter.feed(block.replace(b"\r", b"\n") if self._cuts_at_cr else block)
        if self._gatherer is None:
            chunks = [self._chunk(piece, checkpoint_at(piece.end)) for piece in pieces]
        else:
            records = [record for piece in pieces for record in self._gatherer.feed(piece, checkpoint_at)]
            chunks = [self._chunk(*record) for record in records]
        self.fed_to = before.after(block, len(block))
        return chunks

    def flush_record(self) -> list[Chunk]:
        """Return the record that waits, which has ended."""
        return [] if self._gatherer is None else [self._chunk(*record) for record in self._gatherer.flush()]

    def flush_all(self) -> list[Chunk]:
        """Return all bytes that wait, as chunks. The last line counts as finished although it has no newline."""
        lines = [] if self._gatherer is None else self._gatherer.flush()
        last = self._cutter.finish()
        if last is not None and lines and not last.is_cut and last.data and last.offset == lines[0][0].end:
            before = lines.pop()[0]
            last = replace(before, end=last.end, data=before.data + last.data, is_unfinished=True)
        if last is not None:
            lines.append((last, self.fed_to))
        return [self._chunk(*line) for line in lines]

    def drop_line(self) -> None:
        """Forget the last line, which waits for its newline, because its bytes in the file have changed."""
        self.fed_to = at = self.complete_to
        is_in_line = _is_in_line(at) and not (self._cuts_at_cr and at.marker.endswith(b"\r"))
        self._cutter = LineCutter(at.offset, self._max_line_bytes, is_in_line=is_in_line)

    def cut_at_cr(self) -> None:
        """From now on, a CR ends a line, too. The last line, which waits for its newline, must be fed again."""
        self._cuts_at_cr = True
        self.drop_line()

    def empty_chunk(self) -> Chunk:
        """Return a chunk without data and with an empty range."""
        offset = self.chunked_to.offset
        return Chunk(self.file, offset, offset, b"", offset, self.chunked_to.fingerprint())

    def finish(self) -> list[Chunk]:
        """Return the rest of the file. Its last chunk has `Chunk.finished` set."""
        chunks = self.flush_all() or [self.empty_chunk()]
        return [*chunks[:-1], replace(chunks[-1], finished=True)]

    def _chunk(self, piece: Piece, checkpoint: Checkpoint) -> Chunk:
        self.chunked_to = checkpoint
        return Chunk(
            self.file,
            piece.start,
            piece.end,
            piece.data,
            piece.offset,
            checkpoint.fingerprint(),
            is_cut=piece.is_cut,
            is_unfinished=piece.is_unfinished,
            continues_line=piece.continues_line,
        )


def _is_in_line(checkpoint: Checkpoint) -> bool:
    """Return whether the offset lies within a line. NULs before it are a hole, and a new line begins after a hole."""
    return bool(checkpoint.marker) and not checkpoint.marker.endswith((b"\n", b"\0"))
