"""A path over time: the files that stand at it one after another, each read to its end, none twice.

The caller polls: it calls `Tailer.read` again and again. Nothing here waits, and nothing depends on a notification.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from puppylog.model.stream import FilePosition
from puppylog.tail.boundary import Boundary
from puppylog.tail.checkpoint import START_OF_FILE
from puppylog.tail.chunk import Chunk
from puppylog.tail.copies import is_copy_of_live
from puppylog.tail.decompressed import open_log
from puppylog.tail.ending import start_at_end
from puppylog.tail.foreign import SkippedFile, apply_owners, apply_owners_to_rotated, continue_in
from puppylog.tail.handle import OpenFile, cannot_read, identity_of
from puppylog.tail.known_places import KnownPlaces
from puppylog.tail.limits import CHUNK_BYTES, MAX_LINE_BYTES, RECORD_WAIT_S, ROTATE_WAIT_S
from puppylog.tail.opener import Opener
from puppylog.tail.owners import Continuation, Elsewhere, NoOwners, Owners
from puppylog.tail.reader import Reader
from puppylog.tail.rotated_file import RotatedFile
from puppylog.tail.rotation.find import FilesToRead, FileToRead, find_copy, find_files
from puppylog.tail.rotation.place import LastFile, Place


class Tailer:
    """Reads what is written to a path. A missing or unreadable file is waited for; `problem` says so."""

    def __init__(
        self,
        path: str,
        known: Sequence[FilePosition] = (),
        *,
        from_end: bool = False,
        chunk_bytes: int = CHUNK_BYTES,
        max_line_bytes: int = MAX_LINE_BYTES,
        rotate_wait_s: float = ROTATE_WAIT_S,
        boundary: Boundary | None = None,
        record_wait_s: float = RECORD_WAIT_S,
        line_wait_s: float | None = None,
        owners: Owners | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Find out where reading goes on.

        Args:
            path: of the file; it need not exist yet.
            known: the store's positions of this stream, finished ones too, in the order in which they were opened.
            from_end: start after the last complete line, unless there is a known position to go on from.
            chunk_bytes: how much is read at once.
            max_line_bytes: longer lines are cut.
            rotate_wait_s: how long a rotated file must not have grown before `read` finishes it.
            boundary: where records of several lines begin; without one, every line is a record.
            record_wait_s: how long a file must not have grown before its last record is whole. With 0, `read` takes it
                as whole at the end of the file.
            line_wait_s: see `Reader`.
            owners: knows what other tailers and streams have read; None if there are no others.
            clock: seconds that never go back.
        """
        self.path = str(Path(path).absolute())
        self.problem: str | None = None
        """Why the path cannot be read now, or not to its end; None if it can."""
        self.has_more = False
        """Whether the last `read` stopped at its limit: there may be more to read at once."""
        self.is_ended = False  # until it is closed: a path always has a future
        self._known = KnownPlaces(known)
        self._owners: Owners = NoOwners() if owners is None else owners
        self._skipped: SkippedFile | None = None
        self._opener = Opener(
            chunk_bytes=chunk_bytes,
            max_line_bytes=max_line_bytes,
            boundary=boundary,
            record_wait_s=record_wait_s,
            line_wait_s=line_wait_s,
            clock=clock,
        )
        self._rotate_wait_s = rotate_wait_s
        self._clock = clock
        self._current: Reader | None = None  # of the file that stands at the path
        self._rotated: list[RotatedFile] = []  # in the order in which they stood at the path
        self._ready: list[Chunk] = []  # the last chunks of files that are closed
        self._budget: int | None = None  # how many bytes may be read yet
        self._last: LastFile | None = None  # the file that left the path last
        self._has_begun = False  # the files of the known positions have been searched for
        self._search_files(from_end=from_end)

    def read(self, limit_bytes: int | None = None) -> Iterator[Chunk]:
        """Give everything that can be read now, older files first. Call it again to read on.

        It is OK to stop in the middle: the next call goes on behind the last chunk that was taken.

        Args:
            limit_bytes: come back after about so many bytes were read; `has_more` says whether that was the reason.
                A caller that reads many paths gives each of them a turn by this.
        """
        if self.is_ended:
            return
        self.problem = None
        self._budget = limit_bytes
        is_untouched = self._check_path()
        yield from self._iter_ready()
        yield from self._drain()
        if not is_untouched and not self._is_turn_over:
            yield from self._read_current()
        self.has_more = self._is_turn_over
        for reader in self._readers():
            self._note_fault(reader)

    @property
    def _is_turn_over(self) -> bool:
        return self._budget is not None and self._budget <= 0

    def backlog_bytes(self) -> int:
        """Return how many bytes the files hold that were not read yet; of compressed ones, as they lie on disk."""
        return sum(reader.backlog_bytes for reader in self._readers())

    @property
    def unfinished_bytes(self) -> int:
        """How many bytes of unfinished last lines were read and wait for their newline."""
        return sum(reader.waiting_bytes for reader in self._readers())

    @property
    def is_at_rest(self) -> bool:
        """Whether everything was read and given, but for an unfinished last line, and no rotated file is drained."""
        return not (self._rotated or self._ready) and all(reader.is_at_rest for reader in self._readers())

    def close(self) -> None:
        """Close every file. It is OK to close twice."""
        self.is_ended = True
        for reader in self._readers():
            reader.close()
        self._current = None
        self._rotated.clear()
        self._publish_open_files()

    def release(self, file_id: int) -> bool:
        """Leave a file of this stream to another tailer; return False if it is being read here."""
        if any(reader.file.file_id == file_id for reader in self._readers()):
            return False
        self._known.release(file_id)
        return True

    def _readers(self) -> list[Reader]:
        readers = [rotated.reader for rotated in self._rotated]
        return [*readers, self._current] if self._current is not None else readers

    def _publish_open_files(self) -> None:
        """Tell other tailers which files are open here."""
        self._owners.hold({reader.handle.identity: reader.file for reader in self._readers()})

    def _check_path(self) -> bool:
        """See what stands at the path; return whether nothing has happened, which makes a poll cost no more than this.

        Only the error that there is no file says something about the file; after any other, what is open stays open.
        """
        try:
            status = os.stat(self.path)  # noqa: PTH116 - a third of the cost, and this is what idle files cost
        except (FileNotFoundError, NotADirectoryError) as error:
            self._note_error(error)
            self._rotate_current()
            if not self._has_begun:
                self._search_files()
        except OSError as error:
            self._note_error(error)
        else:
            if self._current is not None and identity_of(status) == self._current.handle.identity:
                return self._current.is_untouched(status)
            skipped = self._skipped
            if skipped is not None and self._current is None and skipped.is_still_skipped(status, self._clock()):
                return True
            self._rotate_current()
            self._search_files()
        return False

    def _rotate_current(self) -> None:
        """Drain the current file: the path does not lead to it any more."""
        if self._current is None:
            return
        status = self._current.handle.status()
        self._last = LastFile(self._current.handle.identity, status.st_mtime_ns)
        self._rotated.append(RotatedFile(self._current, status.st_size, self._clock() + self._rotate_wait_s))
        self._current = None

    def _search_files(self, *, from_end: bool = False) -> None:
        """Open the file at the path, and those that stood there since the last look.

        When that fails, everything is as before, and the next poll tries again.
        """
        handle = self._open()
        if (handle is None and self._has_begun) or (handle is not None and self._resume_rotated(handle)):
            return
        try:
            files = find_files(self.path, handle, list(self._known), held=self._list_held(), last=self._last)
            self._skipped = apply_owners(files, self._owners, self.path, self._clock())
            if from_end and files.at_path is not None and not files.rotated:
                files.at_path = start_at_end(files.at_path)
        except OSError as error:
            self._note_error(error)
            if handle is not None:
                handle.close()
        else:
            self._has_begun = True
            self._start_reading(files)
            self._publish_open_files()

    def _open(self) -> OpenFile | None:
        """Open the file at the path under its own name, which tells more than that of a link to it."""
        try:
            return open_log(os.path.realpath(self.path) if Path(self.path).is_symlink() else self.path)
        except OSError as error:
            self._note_error(error)
            return None

    def _resume_rotated(self, handle: OpenFile) -> bool:
        """Return whether the file at the path is a rotated one that is still drained; then it is the current one."""
        for rotated in self._rotated:
            if rotated.reader.handle.identity == handle.identity:
                handle.close()
                self._rotated.remove(rotated)
                self._current = rotated.reader
                return True
        return False

    def _list_held(self) -> list[OpenFile]:
        """Return the rotated files that are drained. First, those that were emptied are told from their copies."""
        for rotated in list(self._rotated):
            if rotated.reader.is_emptied():
                self._split_emptied(rotated)
        return [rotated.reader.handle for rotated in self._rotated]

    def _start_reading(self, files: FilesToRead, truncated: Reader | None = None, place: Place | None = None) -> None:
        """Read the files from now on.

        They may have been looked for because a file was truncated: what continues its place is a copy of it.
        """
        self._last = files.last
        for found in files:
            self._known.discard(found.place)
        for missing in files.missing:
            if truncated is not None and missing is place:
                self._ready += self._finish(truncated)
            else:
                self._known.discard(missing)
                self._ready.append(self._remember(self._opener.finish_missing(missing), missing.position))
        for found in files.rotated:
            if truncated is not None and found.place is place:
                self._rotated.append(self._continue_in_copy(truncated, found.handle))
            else:
                reader = self._opener.open_reader(found)
                self._rotated.append(RotatedFile.found(reader, self._clock(), self._rotate_wait_s))
        if files.at_path is not None:
            self._current = self._opener.open_reader(files.at_path)
            self._current.needs_owner_check |= truncated is not None

    def _iter_ready(self) -> Iterator[Chunk]:
        while self._ready:
            yield self._ready.pop(0)

    def _drain(self) -> Iterator[Chunk]:
        for rotated in list(self._rotated):
            if not self._is_turn_over:
                yield from self._read_rotated(rotated)

    def _read_rotated(self, rotated: RotatedFile) -> Iterator[Chunk]:
        yield from self._read(rotated.reader)
        if rotated.reader.is_truncated:
            continued = self._split_emptied(rotated)
            yield from self._iter_ready()
            if continued is not None:
                yield from self._read_rotated(continued)
            yield from self._read(rotated.reader)
        if rotated in self._rotated and rotated.is_quiet(self._clock(), self._rotate_wait_s):
            self._note_fault(rotated.reader)
            self._rotated.remove(rotated)
            rotated.reader.close()
            self._ready += self._finish(rotated.reader)
            self._publish_open_files()
        yield from self._iter_ready()

    def _read_current(self) -> Iterator[Chunk]:
        reader = self._current
        if reader is None:
            return
        yield from self._read(reader)
        yield from self._iter_ready()
        if reader is self._current and reader.is_truncated:
            self._restart_truncated(reader)
            yield from self._iter_ready()
            yield from self._drain()
            if not self._is_turn_over:
                yield from self._read(self._current)

    def _read(self, reader: Reader) -> Iterator[Chunk]:
        began_at = reader.end
        try:
            if reader.needs_owner_check and reader.has_data() and not self._may_start_reading(reader):
                return
            yield from reader.read(self._budget)
        except OSError as error:
            self._note_error(error)
        if self._budget is not None:
            self._budget -= reader.end - began_at

    def _may_start_reading(self, reader: Reader) -> bool:
        """Return whether to read a file that was empty when it was opened, and has its first bytes now."""
        reader.needs_owner_check = False
        owner = self._find_owner(reader)
        if owner is None:
            return True
        other = None
        if not isinstance(owner, Elsewhere):
            other = self._opener.open_reader(continue_in(reader.handle, owner))
        elif reader is self._current:
            self._skipped = SkippedFile.of(reader.handle, owner, self._clock())
        self._ready += self._finish(reader)
        self._replace(reader, other)
        self._publish_open_files()
        return False

    def _find_owner(self, reader: Reader) -> Elsewhere | Continuation | None:
        current = self._current
        if reader is current or current is None:
            return self._owners.find_owner(self.path, reader.handle, others_only=True)
        if current.is_emptied() or is_copy_of_live(reader.handle, current.handle):
            return Elsewhere()  # a copy that was just begun is found again by its content, once it is whole
        return self._owners.find_owner(reader.handle.path, reader.handle, others_only=True)

    def _replace(self, reader: Reader, other: Reader | None) -> None:
        if other is None:
            reader.close()
        if reader is self._current:
            self._current = other
        for rotated in [rotated for rotated in self._rotated if rotated.reader is reader]:
            if other is None:
                self._rotated.remove(rotated)
            else:
                rotated.reader = other

    def _restart_truncated(self, truncated: Reader) -> None:
        """Begin the current file again from its start, and read the rest of what it held in its copy, if there is one.

        When the search for the copy fails, everything is as before, and the next poll tries again.
        """
        place = truncated.place(self.path)
        try:
            known = [*self._known, place]
            files = find_files(self.path, truncated.handle, known, held=self._list_held(), fallback_last=self._last)
            apply_owners_to_rotated(files, self._owners)
        except OSError as error:
            self._note_error(error)
        else:
            self._start_reading(files, truncated, place)
            self._publish_open_files()

    def _split_emptied(self, rotated: RotatedFile) -> RotatedFile | None:
        """Tell a rotated file that was emptied from what its inode holds now: another file.

        Returns:
            The copy in which the emptied file goes on, if there is one.
        """
        truncated = rotated.reader
        rotated.reader = self._opener.open_reader(FileToRead(truncated.handle, START_OF_FILE, None))
        rotated.reader.needs_owner_check = True
        truncated.is_truncated = True
        copy, held = None, [rotated.reader.handle for rotated in self._rotated]
        try:
            copy = find_copy(self.path, truncated.place(self.path), list(self._known), held)
        except OSError as error:
            self._note_error(error)
        if copy is None:
            self._ready += self._finish(truncated)
            return None
        continued = self._continue_in_copy(truncated, copy)
        self._rotated.insert(self._rotated.index(rotated), continued)
        self._publish_open_files()
        return continued

    def _continue_in_copy(self, truncated: Reader, copy: OpenFile) -> RotatedFile:
        truncated.continue_in(copy)
        return RotatedFile(truncated, copy.status().st_size, self._clock())

    def _finish(self, reader: Reader) -> list[Chunk]:
        chunks = reader.finish()
        self._remember(chunks[-1])
        return chunks

    def _remember(self, last: Chunk, position: FilePosition | None = None) -> Chunk:
        self._owners.finish(last.file, self._known.remember(last, position))
        return last

    def _note_error(self, error: OSError) -> None:
        self.problem = self.problem or cannot_read(self.path, error).message

    def _note_fault(self, reader: Reader) -> None:
        if reader.handle.fault is not None:
            self.problem = self.problem or f"cannot read {reader.handle.path}: {reader.handle.fault}"
