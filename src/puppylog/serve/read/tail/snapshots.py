"""Reads the positions of all files again and again, at the cost of those that move."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from puppylog.monitor.arrivals import MAX_COMMIT_S, FilePosition, Reading, read_positions, read_store_id
from puppylog.serve.read.tail.position import Sums, write_position
from puppylog.stores.base import RecordReader

_COMPLETE_S: Final = 60.0  # how often all positions are read, even those that seem not to have moved
_MAX_FILES: Final = 300_000  # of all remembered snapshots together; each takes about 100 bytes


@dataclass(frozen=True)  # without slots: it has a cached property
class Snapshot:
    """The positions of all files at one moment."""

    store_id: str
    reading: Reading
    sums: Sums = field(repr=False)

    @cached_property
    def offsets(self) -> Mapping[int, int]:
        return {file_id: position.byte_offset for file_id, position in self.reading.positions.items()}

    @cached_property
    def text(self) -> str:
        """The position, for the client."""
        return write_position(self.store_id, self.reading, self.sums)


class SnapshotReader:
    """Reads snapshots. Used by one thread."""

    def __init__(self) -> None:
        self._read_at = 0.0
        self._last: Snapshot | None = None

    def forget(self) -> None:
        """Read everything the next time."""
        self._last = None

    def read(self, reader: RecordReader) -> Snapshot:
        """Return the present positions; the last snapshot if no file has moved."""
        now = time.monotonic()
        last = self._last
        if last is None or now - self._read_at > _COMPLETE_S:
            store_id = read_store_id(reader)
            reading = read_positions(reader)
            self._read_at = now
            if last is not None and (
                store_id != last.store_id or last.reading.positions.keys() - reading.positions.keys()
            ):
                last = None  # another store, or an earlier state of the store, as after a restore
        else:
            store_id = last.store_id
            reading = read_positions(reader, since_us=last.reading.read_us - round(MAX_COMMIT_S * 1e6))
        self._last = last = _advance(last, store_id, reading)
        return last


def _advance(last: Snapshot | None, store_id: str, reading: Reading) -> Snapshot:
    """Return the snapshot after ``last``, with the positions that have moved; ``last`` itself if none has."""
    known: Mapping[int, FilePosition] = {} if last is None else last.reading.positions
    moved = {file_id: position for file_id, position in reading.positions.items() if known.get(file_id) != position}
    if last is not None and not moved:
        return last
    sums = Sums() if last is None else last.sums.copy()
    for file_id, position in moved.items():
        before = known.get(file_id)
        sums.move(file_id, 0 if before is None else before.byte_offset, position.byte_offset)
    return Snapshot(store_id, Reading(reading.read_us, {**known, **moved}), sums)


class SentPositions:
    """The positions that clients were sent last, so that what they mean need not be determined again."""

    def __init__(self) -> None:
        self._sent: dict[str, Snapshot] = {}  # by text, the oldest first
        self._files = 0

    def write(self, snapshot: Snapshot) -> str:
        """Return the position of a snapshot for a client."""
        if snapshot.text not in self._sent:
            self._sent[snapshot.text] = snapshot
            self._files += len(snapshot.reading.positions)
            while self._files > _MAX_FILES and len(self._sent) > 1:
                oldest = self._sent.pop(next(iter(self._sent)))
                self._files -= len(oldest.reading.positions)
        return snapshot.text

    def find(self, text: str) -> Snapshot | None:
        """Return the snapshot of a position that was sent lately."""
        return self._sent.get(text)
