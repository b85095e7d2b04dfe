"""The places of files that a tailer does not read now: how far its stream, or the tailer itself, has read each file."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from puppylog.model.stream import FilePosition
from puppylog.tail.chunk import Chunk
from puppylog.tail.rotation.place import Place

# A file that is emptied again and again leaves a finished place each time. Older places are forgotten.
_REMEMBERED = 1000


class KnownPlaces:
    """Places in the order in which their files were opened."""

    def __init__(self, positions: Iterable[FilePosition]) -> None:
        """Start with the positions that the store has."""
        self._places = [Place.of(position) for position in positions]

    def __iter__(self) -> Iterator[Place]:
        return iter(self._places)

    def discard(self, place: Place | None) -> None:
        """Forget a place, because its file is read now or is missing. It is OK if the place is not known."""
        if place in self._places:
            self._places.remove(place)

    def release(self, file_id: int) -> None:
        """Note that another tailer reads the file. Its place stays known, so that a copy of it is not read as new."""
        self._places = [
            replace(place, finished=True) if place.position is not None and place.position.file_id == file_id else place
            for place in self._places
        ]

    def remember(self, last: Chunk, position: FilePosition | None = None) -> Place:
        """Keep the place of a finished file, in case the file comes back to the path or a copy of it appears.

        Args:
            last: the last chunk of the file.
            position: of the file in the store, if this tailer has read nothing of it.
        """
        file = last.file
        identity = file.device, file.inode
        place = Place(file.path, identity, last.fingerprint, last.end, finished=True, position=position)
        if file.stream_id is None:
            self._places.append(place)
            del self._places[: max(0, len(self._places) - _REMEMBERED)]
        return place
