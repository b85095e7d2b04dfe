"""Reads the files that are at a path one after another: each to its end, and none twice.

The caller polls: it calls `Tailer.read` again and again. Nothing here waits, or depends on a notification.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Unpack

from puppylog.model.stream import FilePosition
from puppylog.tail.checkpoint import START_OF_FILE
from puppylog.tail.chunk import Chunk
from puppylog.tail.decompressed import open_log
from puppylog.tail.file_end import start_at_end
from puppylog.tail.finished_files import FinishedFiles
from puppylog.tail.handle import OpenFile, cannot_read, identity_of
from puppylog.tail.known_positions import KnownPositions
from puppylog.tail.limits import ROTATE_WAIT_S
from puppylog.tail.opener import Opener, ReadOptions
from puppylog.tail.owners import Elsewhere, NoOwners, OpenedFile, Owners
from puppylog.tail.ownership import SkippedFile, apply_owners, apply_owners_to_rotated, continue_in, find_owner
from puppylog.tail.reader import Reader
from puppylog.tail.rotated_file import RotatedFile, RotatedFiles
from puppylog.tail.rotation.find import FilesToRead, FileToRead, find_copy, find_files
from puppylog.tail.rotation.position import LastFile, ReadPosition


class Tailer:
    """Reads what is written to a path. It waits for a file that is missing or unreadable; then `problem` says why."""

    def __init__(
        self,
        path: str,
        known: Sequence[FilePosition] = (),
        *,
        from_end: bool = False,
        rotate_wait_s: float = ROTATE_WAIT_S,
        owners: Owners | None = None,
        reads_history: bool = False,
        clock: Callable[[], float] = time.monotonic,
        **reading: Unpack[ReadOptions],
    ) -> None:
        """Find the files to read, and where reading goes on in each.

        Args:
            path: of the file; it need not exist yet.
            known: the positions that the store has of this stream, finished ones too, in the order of their opening.
            from_end: start after the last complete line, unless the file has a known position.
            rotate_wait_s: how many seconds a rotated file must not grow until it is finished.
            reads_history: if no position is known, also read the rotated files of the path, of any age.
            owners: knows what other tailers and streams have read; None if there are no others.
            clock: returns seconds that never go back.
            reading: how each file is read; see `ReadOptions`.
        """
        self.path = str(Path(path).absolute())
        self.problem: str | None = None  # why the file at the path cannot be read now, or not to its end
        self.has_more = False  # the last `read` stopped at its limit: there may be more to read at once
        self.is_ended = False  # only `close` ends a tailer: a new file may always come to the path
        self._known = KnownPositions(known)
        self._owners: Owners = NoOwners() if owners is None else owners
        self._skipped: SkippedFile | None = None
        self._opener = Opener(clock=clock, **reading)
        self._clock = clock
        self._current: Reader | None = None  # of the file at the path
        self._rotated = RotatedFiles(rotate_wait_s, clock, self._owners)
        self._finished = FinishedFiles(self._known, self._owners)
        self._budget: int | None = None  # how many bytes this `read` may still read; None: no limit
        self._last: LastFile | None = None  # the last file that left the path
        if reads_history and not known and not from_end:
            self._last = LastFile(None, 0)  # every rotated file is newer
        self._has_begun = False  # the search for the files of the known positions has succeeded
        self._search_files(from_end=from_end)

    def read(self, limit_bytes: int | None = None) -> Iterator[Chunk]:
        """Yield everything that can be read now, older files first.

        It is OK to stop the iteration: the next call goes on after the last chunk that was given.

        Args:
            limit_bytes: stop after about so many bytes; then `has_more` is set. A caller that reads many paths gives
                each path its turn by this limit.
        """
        if self.is_ended:
            return
        self.problem = None
        self._budget = limit_bytes
        is_untouched = self._check_path()
        yield from self._finished.iter_chunks()
        if self._rotated.read_on_late(self._opener, self._readers()):
            self._publish_open_files()
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
        """Return how many bytes of the files are not read yet. Bytes of compressed files count as they are on disk."""
        return sum(reader.backlog_bytes for reader in self._readers())

    @property
    def unfinished_bytes(self) -> int:
        """How many bytes were read of last lines that have no newline yet."""
        return sum(reader.waiting_bytes for reader in self._readers())

    @property
    def has_waiting_record(self) -> bool:
        """Whether whole lines wait because their record may go on."""
        return any(reader.has_waiting_record for reader in self._readers())

    @property
    def is_at_rest(self) -> bool:
        """Whether all whole lines were read and given, and no rotated file is being drained."""
        return not (self._rotated or self._finished.has_chunks) and all(reader.is_at_rest for reader in self._readers())

    @property
    def is_renamed(self) -> bool:
        """Whether the file was renamed, and no new file is at the path."""
        return self._rotated.is_path_empty and bool(self._rotated)

    def close(self) -> None:
        """Close every file. It is OK to close twice."""
        self.is_ended = True
        for reader in self._readers():
            reader.close()
        self._current = None
        self._rotated.clear()
        self._publish_open_files()

    def release(self, file_id: int) -> bool:
        """Let another tailer read a file of this stream; return False if this tailer has the file open."""
        if any(reader.file.file_id == file_id for reader in self._readers()):
            return False
        self._known.release(file_id)
        return True

    def _readers(self) -> list[Reader]:
        return [*self._rotated.readers, *([self._current] if self._current is not None else [])]

    def _publish_open_files(self) -> None:
        """Tell the other tailers which files are open here."""
        self._owners.set_open_files([OpenedFile(reader.file, reader.handle) for reader in self._readers()])

    def _check_path(self) -> bool:
        """Handle a new file at the path; return whether the path is unchanged, and there is nothing to read.

        The error that no file is at the path means that the file has left it. After any other error the open file stays
        the current one.
        """
        try:
            status = os.stat(self.path)  # noqa: PTH116 - a third of the time of pathlib, for every idle file
        except (FileNotFoundError, NotADirectoryError) as error:
            self._note_error(error)
            self._rotated.note_path(is_empty=True)
            self._rotate_current()
            if not self._has_begun:
                self._search_files()
        except OSError as error:
            self._note_error(error)
        else:
            self._rotated.note_path(is_empty=False)
            if self._current is not None and identity_of(status) == self._current.handle.identity:
                return self._current.is_untouched(status)
            skipped = self._skipped
            if skipped is not None and self._current is None and skipped.is_still_skipped(status, self._clock()):
                return True
            self._rotate_current()
            self._search_files()
        return False

    def _rotate_current(self) -> None:
        """Move the current file to the rotated files: it is no longer at the path."""
        if self._current is None:
            return
        if not self._current.may_have_copies():
            self._last = LastFile(self._current.handle.identity, self._current.handle.status().st_mtime_ns)
        elif self._last is None:
            self._last = LastFile(None, self._current.seen_mtime_ns)
        self._rotated.add(self._current)
        self._current = None

    def _search_files(self, *, from_end: bool = False) -> None:
        """Open the file at the path, and the files that were at the path since the last poll.

        If the search fails, nothing changes, and the next poll searches again.
        """
        handle = self._open()
        if (handle is None and self._has_begun) or (handle is not None and self._resume_rotated(handle)):
            return
        try:
            files = find_files(self.path, handle, list(self._known), open_files=self._list_open(), last=self._last)
            self._skipped = apply_owners(files, self._owners, self.path, self._clock())
            if from_end and files.at_path is not None and not files.rotated:
                files.at_path = start_at_end(files.at_path)
        except OSError as error:
            self._note_error(error)
            if handle is not None:
                handle.close()
        else:
            self._has_begun = True
            self._open_found(files)
            self._publish_open_files()

    def _open(self) -> OpenFile | None:
        """Open the file at the path. A link is resolved, because rotation renames its target."""
        try:
            return open_log(os.path.realpath(self.path) if Path(self.path).is_symlink() else self.path)
        except OSError as error:
            self._note_error(error)
            return None

    def _resume_rotated(self, handle: OpenFile) -> bool:
        """If the file at the path is a rotated file that is still open, make that the current file; return whether."""
        reader = self._rotated.take(handle.identity)
        if reader is None:
            return False
        handle.close()
        self._current = reader
        return True

    def _list_open(self) -> list[OpenFile]:
        """Return the open rotated files. First, finish the emptied files among them, so that their copies are found."""
        for rotated in self._rotated:
            if rotated.reader.is_emptied():
                self._split_emptied(rotated)
        return self._rotated.handles

    def _open_found(self, files: FilesToRead, truncated: Reader | None = None, at: ReadPosition | None = None) -> None:
        """Open readers of the files that were found, and finish the files that are missing.

        If the search was for the copy of a truncated file, which was read to ``at``, the file at ``at`` is that copy.
        """
        self._last = files.last
        for found in files:
            self._known.discard(found.position)
        for missing in files.missing:
            if truncated is not None and missing is at:
                self._finished.finish(truncated)
            else:
                self._known.discard(missing)
                self._finished.finish_missing(self._opener.finish_missing(missing), missing.stored)
        for found in files.rotated:
            if truncated is not None and found.position is at:
                truncated.continue_in(found.handle)
                self._rotated.add_copy(truncated)
            else:
                self._rotated.add_found(self._opener.open_reader(found))
        if files.at_path is not None:
            self._current = self._opener.open_reader(files.at_path)
            self._current.needs_owner_check |= truncated is not None

    def _drain(self) -> Iterator[Chunk]:
        for rotated in self._rotated:
            if not self._is_turn_over:
                yield from self._read_rotated(rotated)

    def _read_rotated(self, rotated: RotatedFile) -> Iterator[Chunk]:
        if self._may_read(rotated.reader):
            yield from self._read(rotated.reader)
        if rotated.reader.is_truncated:
            continued = self._split_emptied(rotated)
            yield from self._finished.iter_chunks()
            if continued is not None:
                yield from self._read_rotated(continued)
            yield from self._read(rotated.reader)
        if rotated in self._rotated and self._rotated.is_over(rotated):
            self._note_fault(rotated.reader)
            self._rotated.finish(rotated, self._finished)
            self._publish_open_files()
        yield from self._finished.iter_chunks()

    def _read_current(self) -> Iterator[Chunk]:
        yield from self._read_at_path()
        if self._current is not None and self._current.is_truncated:
            self._restart_truncated(self._current)
            yield from self._finished.iter_chunks()
            yield from self._drain()
            yield from self._read_at_path()

    def _read_at_path(self) -> Iterator[Chunk]:
        reader = self._current
        if reader is None:
            return
        is_checked = reader.needs_owner_check
        if self._may_read(reader):
            if is_checked:
                yield from self._drain()  # copies of the file's old content may just have been found
            if not self._is_turn_over:
                yield from self._read(reader)
        yield from self._finished.iter_chunks()

    def _read(self, reader: Reader) -> Iterator[Chunk]:
        began_at = reader.end
        try:
            yield from reader.read(self._budget)
        except OSError as error:
            self._note_error(error)
        if self._budget is not None:
            self._budget -= reader.end - began_at

    def _may_read(self, reader: Reader) -> bool:
        """Return whether to read the file. A file that was empty and has been written to is checked first."""
        if not reader.needs_owner_check:
            return True
        try:
            return not reader.was_written() or self._may_open_found(reader)
        except OSError as error:
            self._note_error(error)
            return False

    def _may_open_found(self, reader: Reader) -> bool:
        """Return whether to read a file that was empty so far, which another tailer may read.

        First find the files that were at the path since the file was seen empty, such as copies that copytruncate made
        of it between two polls.
        """
        owner = find_owner(self._owners, self.path, reader, self._current) if reader.has_data() else None
        if owner is None and reader is self._current and reader.was_empty:
            self._find_unseen(reader)
        if owner is None:
            return True
        other = None
        if not isinstance(owner, Elsewhere):
            other = self._opener.open_reader(continue_in(reader.handle, owner))
        elif reader is self._current:
            self._skipped = SkippedFile.of(reader.handle, owner, self._clock())
        self._finished.finish(reader)
        self._replace(reader, other)
        self._publish_open_files()
        return False

    def _replace(self, reader: Reader, other: Reader | None) -> None:
        if other is None:
            reader.close()
        if reader is self._current:
            self._current = other
        self._rotated.replace(reader, other)

    def _restart_truncated(self, truncated: Reader) -> None:
        """Read the current file again from its start; if there is a copy of its old content, read the rest of that.

        If the search for the copy fails, nothing changes, and the next poll searches again.
        """
        position = truncated.position(self.path)
        try:
            known, open_files = [*self._known, position], self._list_open()
            last = self._last or LastFile(None, truncated.seen_mtime_ns)
            files = find_files(self.path, truncated.handle, known, open_files=open_files, fallback_last=last)
            apply_owners_to_rotated(files, self._owners)
        except OSError as error:
            self._note_error(error)
        else:
            self._open_found(files, truncated, position)
            self._publish_open_files()

    def _find_unseen(self, reader: Reader) -> None:
        """Open the rotated files that are newer than the last known file, which are read before the current one."""
        known, open_files = [*self._known, reader.position(self.path)], self._list_open()
        files = find_files(self.path, reader.handle, known, open_files=open_files, last=self._last)
        files.at_path, files.missing = None, []  # the reader goes on with the file at the path
        apply_owners_to_rotated(files, self._owners)
        self._open_found(files)
        self._publish_open_files()

    def _split_emptied(self, rotated: RotatedFile) -> RotatedFile | None:
        """Finish a rotated file that was emptied, and read its new content as another file.

        Returns:
            The copy of the emptied file, from which the rest is read; None if there is no copy.
        """
        truncated = rotated.reader
        rotated.reader = self._opener.open_reader(FileToRead(truncated.handle, START_OF_FILE, None))
        rotated.reader.needs_owner_check = True
        truncated.is_truncated = True
        copy = None
        try:
            copy = find_copy(self.path, truncated.position(self.path), list(self._known), self._rotated.handles)
        except OSError as error:
            self._note_error(error)
        if copy is None:
            self._finished.finish(truncated)
            return None
        truncated.continue_in(copy)
        continued = self._rotated.add_copy(truncated, before=rotated)
        self._publish_open_files()
        return continued

    def _note_error(self, error: OSError) -> None:
        self.problem = self.problem or cannot_read(self.path, error).message

    def _note_fault(self, reader: Reader) -> None:
        if reader.handle.fault is not None:
            self.problem = self.problem or f"cannot read {reader.handle.path}: {reader.handle.fault}"
