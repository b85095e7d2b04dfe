"""What a file at a tailed path held, and which of its lines have to be stored in the end."""

from dataclasses import dataclass, field

from puppylog.tail.chunk import Chunk

MAX_LINE = 120
NAME = "access.log"


@dataclass(eq=False)
class Content:
    """What one file held from its creation, or from a truncation, on."""

    number: int
    identities: list[tuple[int, int]]  # it gets another one when it is compressed or copied
    former: list[tuple[int, int]] = field(default_factory=list)  # those of them that another content has taken over
    data: bytearray = field(default_factory=bytearray)
    name: str | None = NAME  # None when it is no more to be found under any name
    lines: int = 0
    lost: set[int] = field(default_factory=set)  # where lines start that may be missing
    is_known: bool = False  # the store has a position in it
    is_unseen: bool = False  # rotated away before the stream began: it is nobody's business until somebody reads it
    is_finished: bool = False
    is_late: bool = False  # it was written to after its rotation
    is_read: bool = False  # lines of it were given by the collector at work
    is_moved: bool = False  # its inode does not speak for it any more
    is_packed: bool = False

    @property
    def identity(self) -> tuple[int, int]:
        return self.identities[-1]

    def line_starts(self) -> list[int]:
        """Return where lines start that have to be stored; an unfinished one too, once the file has left the path."""
        starts, at = [], 0
        while at < len(self.data):
            start = at + len(self.data[at:]) - len(self.data[at:].lstrip(b"\0"))
            end = self.data.find(b"\n", start) + 1
            if end or (start < len(self.data) and self.name != NAME):
                starts.append(start)
            at = end or len(self.data)
        return starts

    def holds_no_line_in(self, chunk: Chunk) -> bool:
        """Whether the chunk, which has no data, may be of this content: the range that it accounts for is a hole."""
        return len(self.data) >= chunk.end and not self.data[chunk.start : chunk.end].strip(b"\0")

    def lines_in(self, chunk: Chunk) -> list[int]:
        """Return where the chunk's lines start, having compared it with what the file held."""
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
