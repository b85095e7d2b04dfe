"""Blocks, in the order of their file, become chunks with fingerprints. Pure: it sees bytes, and no file."""

from dataclasses import replace

from puppylog.tail.boundary import Boundary
from puppylog.tail.checkpoint import Checkpoint
from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.lines import LineCutter, Piece
from puppylog.tail.records import RecordGatherer


class Chunker:
    """Makes the chunks of one file."""

    def __init__(
        self, file: TailedFile, checkpoint: Checkpoint, max_line_bytes: int, boundary: Boundary | None = None
    ) -> None:
        """Start at the checkpoint's offset. With a boundary, chunks end where records do."""
        self.file = file
        self.fed_to = checkpoint
        """Of every block that was taken."""
        self.chunked_to = checkpoint
        """Of the file as far as it is in chunks."""
        self._max_line_bytes = max_line_bytes
        self._cutter = LineCutter(checkpoint.offset, max_line_bytes, is_in_line=_is_in_line(checkpoint))
        self._gatherer = None if boundary is None else RecordGatherer(boundary, max_line_bytes)

    @property
    def waiting_bytes(self) -> int:
        """How much was taken of a line that waits for its newline."""
        return self._cutter.waiting

    @property
    def has_unfinished_line(self) -> bool:
        """Whether text was taken that waits for its newline, and that `flush_all` would give."""
        return self._cutter.has_unfinished_line

    @property
    def complete_to(self) -> Checkpoint:
        """Of the file as far as it is in whole lines, be they in chunks or in a record that waits."""
        waiting = None if self._gatherer is None else self._gatherer.end
        return self.chunked_to if waiting is None else waiting

    @property
    def has_record(self) -> bool:
        """Whether whole lines wait for the end of their record."""
        return self._gatherer is not None and self._gatherer.end is not None

    def feed(self, block: bytes) -> list[Chunk]:
        """Take the block that follows, and return chunks of the lines that are whole now."""
        before = self.fed_to

        def checkpoint_at(offset: int) -> Checkpoint:
            return before.after(block, offset - before.offset)

        pieces = self._cutter.feed(block)
        if self._gatherer is None:
            chunks = [self._chunk(piece, checkpoint_at(piece.end)) for piece in pieces]
        else:
            records = [record for piece in pieces for record in self._gatherer.feed(piece, checkpoint_at)]
            chunks = [self._chunk(*record) for record in records]
        self.fed_to = before.after(block, len(block))
        return chunks

    def flush_record(self) -> list[Chunk]:
        """Return the lines that wait for the end of their record: it has come."""
        return [] if self._gatherer is None else [self._chunk(*record) for record in self._gatherer.flush()]

    def flush_all(self) -> list[Chunk]:
        """Return everything that waits: the line at the end will not get its newline any more."""
        lines = [] if self._gatherer is None else self._gatherer.flush()
        last = self._cutter.finish()
        if last is not None and lines and not last.is_cut and last.data and last.offset == lines[0][0].end:
            before = lines[0][0]
            if not before.is_cut or self._continues(last.data):
                lines = []
                data = before.data if before.is_cut else before.data + last.data
                last = replace(before, end=last.end, data=data, is_unfinished=True)
        if last is not None:
            lines.append((last, self.fed_to))
        return [self._chunk(*line) for line in lines]

    def _continues(self, line: bytes) -> bool:
        return self._gatherer is not None and self._gatherer.continues(line)

    def drop_line(self) -> None:
        """Forget the line that waits for its newline: its bytes are not what they were."""
        self.fed_to = self.complete_to
        self._cutter = LineCutter(self.fed_to.offset, self._max_line_bytes, is_in_line=_is_in_line(self.fed_to))

    def empty_chunk(self) -> Chunk:
        """Return a chunk that accounts for nothing."""
        offset = self.chunked_to.offset
        return Chunk(self.file, offset, offset, b"", offset, self.chunked_to.fingerprint())

    def finish(self) -> list[Chunk]:
        """Return what is left of the file; the last chunk says that it is finished."""
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
    """Whether the bytes before the offset are the beginning of a line. NULs are a hole, behind which a line begins."""
    return bool(checkpoint.marker) and not checkpoint.marker.endswith((b"\n", b"\0"))
