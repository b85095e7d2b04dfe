"""The positions in files that a tailer does not read now: how far its stream, or the tailer itself, has read each."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from puppylog.model.stream import FilePosition
from puppylog.tail.chunk import Chunk
from puppylog.tail.rotation.position import ReadPosition

# A file that is emptied again and again leaves a finished position each time. Older positions are forgotten.
_REMEMBERED = 1000


class KnownPositions:
    """Positions in the order in which their files were opened."""

    def __init__(self, positions: Iterable[FilePosition]) -> None:
        """Start with the positions that the store has."""
        self._positions = [ReadPosition.of(position) for position in positions]

    def __iter__(self) -> Iterator[ReadPosition]:
        return iter(self._positions)

    def discard(self, position: ReadPosition | None) -> None:
        """Forget a position, because its file is read now or is missing. It is OK if the position is not known."""
        if position in self._positions:
            self._positions.remove(position)

    def release(self, file_id: int) -> None:
        """Note that another tailer reads the file. Its position stays known: a copy of the file is not read as new."""
        self._positions = [
            replace(position, finished=True)
            if position.stored is not None and position.stored.file_id == file_id
            else position
            for position in self._positions
        ]

    def remember(self, last: Chunk, stored: FilePosition | None = None) -> ReadPosition:
        """Keep the position of a finished file, in case the file comes back to the path or a copy of it appears.

        Args:
            last: the last chunk of the file.
            stored: the file's position in the store, if this tailer has read nothing of it.
        """
        file = last.file
        identity = file.device, file.inode
        position = ReadPosition(file.path, identity, last.fingerprint, last.end, finished=True, stored=stored)
        if file.stream_id is None:
            self._positions.append(position)
            del self._positions[: max(0, len(self._positions) - _REMEMBERED)]
        return position
