"""The bytes of a file that was at a tailed path, and which of its lines must be stored in the end."""

from dataclasses import dataclass, field

from puppylog.tail.chunk import Chunk

MAX_LINE = 120
NAME = "access.log"


@dataclass(eq=False)
class Content:
    """The bytes of one file since its creation or its last truncation."""

    number: int
    identities: list[tuple[int, int]]  # the last one is present; a compressed or copied file gets another one
    former: list[tuple[int, int]] = field(default_factory=list)  # identities that another content has now
    data: bytearray = field(default_factory=bytearray)
    name: str | None = NAME  # None if the file was deleted
    lines: int = 0
    lost: set[int] = field(default_factory=set)  # offsets of lines that may be missing
    is_known: bool = False  # the store has a position of it
    is_unseen: bool = False  # rotated before the stream began: it need not be stored unless a tailer reads it
    is_finished: bool = False
    is_late: bool = False  # it was written to after its rotation
    is_read: bool = False  # the running collector has given lines of it
    is_moved: bool = False  # it has another inode than the store knows
    is_packed: bool = False

    @property
    def identity(self) -> tuple[int, int]:
        return self.identities[-1]

    def line_starts(self) -> list[int]:
        """Return the offsets of lines that must be stored; with an unfinished one once the file has left the path."""
        starts, at = [], 0
        while at < len(self.data):
            start = at + len(self.data[at:]) - len(self.data[at:].lstrip(b"\0"))
            end = self.data.find(b"\n", start) + 1
            if end or (start < len(self.data) and self.name != NAME):
                starts.append(start)
            at = end or len(self.data)
        return starts

    def holds_no_line_in(self, chunk: Chunk) -> bool:
        """Return whether a chunk without data may be of this content: its range is a hole of NULs."""
        return len(self.data) >= chunk.end and not self.data[chunk.start : chunk.end].strip(b"\0")

    def lines_in(self, chunk: Chunk) -> list[int]:
        """Compare the chunk with the bytes of the file; return the offsets of its lines."""
        if not chunk.data:
            assert not self.data[chunk.start : chunk.end].strip(b"\0"), (self.number, chunk)
            return []
        assert not self.data[chunk.start : chunk.offset].strip(b"\0")
        held = bytes(self.data[chunk.offset : chunk.end])
        assert held.endswith(b"\n") != chunk.is_unfinished
        assert chunk.is_cut == (len(held.rstrip(b"\n")) > MAX_LINE and held.count(b"\n", 0, -1) == 0)
        assert chunk.data == (held.rstrip(b"\n")[:MAX_LINE] + b"\n" if chunk.is_cut or chunk.is_unfinished else held)
        lengths = [len(line) for line in chunk.data.splitlines(keepends=True)]
        return [chunk.offset + sum(lengths[:index]) for index in range(len(lengths))]
