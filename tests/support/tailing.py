"""A store in memory for one tailed path: it keeps the positions and the lines of the chunks."""

import time
from dataclasses import replace

from puppylog.model.stream import EMPTY_FINGERPRINT, FilePosition
from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.tailer import Tailer


class Ledger:
    """Commits every chunk at once, and asserts what a store would check."""

    def __init__(self) -> None:
        self.chunks: list[Chunk] = []
        self._positions: dict[int, FilePosition] = {}
        self._new: dict[TailedFile, int] = {}
        self._opened_at: dict[int, float] = {}

    @property
    def known(self) -> list[FilePosition]:
        """The positions, in the order in which the next tailer gets them."""
        now = time.monotonic()
        return [
            replace(position, opened_ago_s=now - self._opened_at[file_id])
            for file_id, position in self._positions.items()
        ]

    @property
    def lines(self) -> list[bytes]:
        return [line for chunk in self.chunks for line in chunk.data.splitlines()]

    @property
    def finished(self) -> list[bool]:
        """Whether each file is finished, in the order of their opening."""
        return [position.finished for position in self.known]

    def poll(self, tailer: Tailer) -> list[bytes]:
        """Commit what one poll gives, and return its lines."""
        before = len(self.lines)
        for chunk in tailer.read():
            self.commit(chunk)
        return self.lines[before:]

    def commit(self, chunk: Chunk) -> None:
        """Move the position of the chunk's file."""
        position = self._positions[self._file_id(chunk)]
        assert (position.byte_offset, position.finished) == (chunk.start, False)
        self._positions[position.file_id] = replace(
            position, fingerprint=chunk.fingerprint, byte_offset=chunk.end, finished=chunk.finished
        )
        self.chunks.append(chunk)

    def _file_id(self, chunk: Chunk) -> int:
        file = chunk.file
        if file.file_id is not None:
            return file.file_id
        if file not in self._new:
            file_id = self._new[file] = len(self._positions) + 1
            self._opened_at[file_id] = time.monotonic()
            self._positions[file_id] = FilePosition(
                file_id, file.path, file.device, file.inode, EMPTY_FINGERPRINT, file.start, finished=False
            )
        return self._new[file]
