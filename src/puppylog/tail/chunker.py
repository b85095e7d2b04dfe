"""Blocks, in the order of their file, become chunks with fingerprints. Pure: it sees bytes, and no file."""

from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.identity import Imprint
from puppylog.tail.lines import LineCutter, Piece


class Chunker:
    """Makes the chunks of one file."""

    def __init__(self, file: TailedFile, imprint: Imprint, max_line_bytes: int) -> None:
        """Start at the imprint's offset."""
        self.file = file
        self.taken = imprint
        """Of every block that was taken."""
        self.made = imprint
        """Of the file as far as it is in chunks."""
        self._max_line_bytes = max_line_bytes
        self._cutter = LineCutter(imprint.offset, max_line_bytes)

    @property
    def waiting_bytes(self) -> int:
        """How much was taken of a line that waits for its newline."""
        return self._cutter.waiting

    def feed(self, block: bytes) -> list[Chunk]:
        """Take the block that follows, and return chunks of the lines that are whole now."""
        before = self.taken
        chunks = [
            self._chunk(piece, before.after(block, piece.until - before.offset)) for piece in self._cutter.feed(block)
        ]
        self.taken = before.after(block, len(block))
        return chunks

    def drop_waiting(self) -> None:
        """Forget the line that waits: its bytes are not what they were."""
        self.taken = self.made
        self._cutter = LineCutter(self.made.offset, self._max_line_bytes)

    def bare_chunk(self, *, finished: bool = False) -> Chunk:
        """Return a chunk that accounts for nothing."""
        offset = self.made.offset
        return Chunk(self.file, offset, offset, b"", offset, self.made.fingerprint(), finished)

    def finish(self) -> Chunk:
        """Return the last chunk of the file: the line that waits, which will not get its newline any more."""
        piece = self._cutter.finish()
        return self.bare_chunk(finished=True) if piece is None else self._chunk(piece, self.taken, finished=True)

    def _chunk(self, piece: Piece, imprint: Imprint, *, finished: bool = False) -> Chunk:
        self.made = imprint
        return Chunk(
            self.file,
            piece.since,
            piece.until,
            piece.data,
            piece.offset,
            imprint.fingerprint(),
            finished,
            piece.is_cut,
            piece.is_unfinished,
        )
