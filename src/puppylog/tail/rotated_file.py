"""Rotated files that are being drained: programs write to such a file until they open the new one."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from puppylog.tail.finished_files import FinishedFiles
from puppylog.tail.handle import OpenFile
from puppylog.tail.late_file import LateFile
from puppylog.tail.limits import LATE_WAIT_S
from puppylog.tail.opener import Opener
from puppylog.tail.owners import Owners
from puppylog.tail.reader import Reader
from puppylog.tail.rotation.position import Identity


@dataclass(slots=True)
class RotatedFile:
    """One rotated file that is still being read."""

    reader: Reader
    size: int  # on disk, in bytes, when it had last grown
    due_at: float  # the time at which it is finished if it does not grow; on the tailer's clock, in seconds
    wait_s: float  # how many seconds it must not grow until it is finished

    @classmethod
    def found(cls, reader: Reader, now: float, wait_s: float) -> "RotatedFile":
        """Return a file that was rotated before it was opened. The time since its last change counts as waiting time.

        Raises:
            OSError: the status of the file cannot be read.
        """
        status = reader.handle.status()
        quiet_s = max(0.0, time.time() - max(status.st_mtime, status.st_ctime))
        return cls(reader, status.st_size, now + max(0.0, wait_s - quiet_s), wait_s)

    def is_quiet(self, now: float) -> bool:
        """Return whether the file was read to its end and has not grown for `wait_s` seconds.

        Raises:
            OSError: the status of the file cannot be read.
        """
        size = self.reader.handle.status().st_size
        if size > self.size:
            self.size = size
            self.due_at = now + self.wait_s
        return now >= self.due_at and self.reader.is_at_end


class RotatedFiles:
    """The rotated files of one path that are still being read, in the order in which they were at the path."""

    def __init__(self, wait_s: float, clock: Callable[[], float], owners: Owners) -> None:
        """Start without files.

        Args:
            wait_s: how many seconds a file must not grow until it is finished.
            clock: returns seconds that never go back.
            owners: knows what other tailers and streams have read.
        """
        self._files: list[RotatedFile] = []
        self._wait_s = wait_s
        self._clock = clock
        self._late = LateFile(owners)
        self.is_path_empty = False  # no file is at the path

    def __iter__(self) -> Iterator[RotatedFile]:
        """Yield the files that are in it now, even if files are added or removed meanwhile."""
        return iter(list(self._files))

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, rotated: RotatedFile) -> bool:
        return any(other is rotated for other in self._files)

    @property
    def readers(self) -> list[Reader]:
        return [rotated.reader for rotated in self._files]

    @property
    def handles(self) -> list[OpenFile]:
        return [rotated.reader.handle for rotated in self._files]

    def add(self, reader: Reader) -> None:
        """Add a file that has just left the path.

        Raises:
            OSError: the status of the file cannot be read.
        """
        size = reader.handle.status().st_size
        self._files.append(RotatedFile(reader, size, self._clock() + self._wait_s, self._wait_s))

    def read_on_late(self, opener: Opener, readers: Iterable[Reader]) -> bool:
        """Add the file that was finished last, if it has grown since; return whether it was added.

        Args:
            opener: makes its reader.
            readers: of all files that the tailer reads now.
        """
        for reader in readers:
            self._late.forget(reader.handle.identity)
        try:
            found = self._late.take_grown(self._clock())
        except OSError:
            return False  # the next poll tries again
        if found is None:
            return False
        reader = opener.open_reader(found)
        self._files.append(RotatedFile(reader, reader.end, self._clock() + LATE_WAIT_S, LATE_WAIT_S))
        return True

    def add_found(self, reader: Reader) -> None:
        """Add a file that was rotated before it was opened.

        Raises:
            OSError: the status of the file cannot be read.
        """
        self._files.append(RotatedFile.found(reader, self._clock(), self._wait_s))

    def add_copy(self, reader: Reader, before: RotatedFile | None = None) -> RotatedFile:
        """Add the copy of a file that was emptied: no process writes to it.

        Args:
            reader: of the copy.
            before: the file that was at the path after the copy; None if the copy is the newest.

        Raises:
            OSError: the status of the copy cannot be read.
        """
        copy = RotatedFile(reader, reader.handle.status().st_size, self._clock(), self._wait_s)
        self._files.insert(len(self._files) if before is None else self._files.index(before), copy)
        return copy

    def note_path(self, *, is_empty: bool) -> None:
        """Note whether no file is at the path now. When a new one has come, programs still have to open it."""
        if self.is_path_empty and not is_empty:
            for rotated in self._files:
                rotated.due_at = self._clock() + rotated.wait_s
        self.is_path_empty = is_empty

    def is_over(self, rotated: RotatedFile) -> bool:
        """Return whether the file was read to its end and no process writes to it any more.

        While no new file is at the path, a program may write to the renamed one for hours, unless it was deleted.

        Raises:
            OSError: the status of the file cannot be read.
        """
        if rotated.wait_s != self._wait_s and rotated.reader.handle.status().st_nlink == 0:
            rotated.wait_s, rotated.due_at = self._wait_s, self._clock() + self._wait_s
        if not rotated.is_quiet(self._clock()):
            return False
        is_only = self.is_path_empty and rotated is self._files[-1]
        return not is_only or rotated.reader.handle.status().st_nlink == 0

    def remove(self, rotated: RotatedFile) -> None:
        self._files = [other for other in self._files if other is not rotated]

    def finish(self, rotated: RotatedFile, finished: FinishedFiles) -> None:
        """Finish a file that is over, and keep it in case it grows nevertheless."""
        self.remove(rotated)
        self._late.keep(rotated.reader.handle, finished.finish(rotated.reader))

    def take(self, identity: Identity) -> Reader | None:
        """Remove the file with the identity, which is back at the path; None if there is none."""
        for rotated in self._files:
            if rotated.reader.handle.identity == identity:
                self.remove(rotated)
                return rotated.reader
        return None

    def replace(self, reader: Reader, other: Reader | None) -> None:
        """Replace the reader of a file; without another reader, stop reading the file."""
        for rotated in self:
            if rotated.reader is reader and other is not None:
                rotated.reader = other
            elif rotated.reader is reader:
                self.remove(rotated)

    def clear(self) -> None:
        self._files.clear()
        self._late.close()
