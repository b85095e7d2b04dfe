"""A path over time: the files that stand at it one after another, each read to its end, none twice.

Whoever polls calls `Tailer.read` again and again. Nothing here waits, and nothing depends on being told of a change.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from puppylog.model.stream import FilePosition
from puppylog.tail.boundary import Boundary
from puppylog.tail.chunk import Chunk
from puppylog.tail.decompressed import open_log
from puppylog.tail.draining import Draining
from puppylog.tail.ending import start_at_end
from puppylog.tail.foreign import LeftAlone, settle, settle_rotated
from puppylog.tail.handle import OpenFile, cannot_read, identity_of
from puppylog.tail.identity import BLANK
from puppylog.tail.newcomers import Last
from puppylog.tail.opener import Opener
from puppylog.tail.owners import NoOwners, Owners
from puppylog.tail.reader import PLACE_ID, Reader
from puppylog.tail.succession import Found, Succession, find_succession

CHUNK_BYTES = 4 << 20
"""How much is read at once. Smaller chunks cost more per line, larger ones only memory."""

MAX_LINE_BYTES = 1 << 20
"""What is kept of one line."""

# Programs go on writing into a rotated file until they are told to open the new one.
ROTATE_WAIT_S = 5.0

# A stack trace is written in one go, or nearly so.
RECORD_WAIT_S = 2.0

# A file that is emptied again and again leaves a finished one each time. So many may come back.
_REMEMBERED = 1000


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
        self._at = Path(self.path)
        self._known = list(known)
        self._owners: Owners = NoOwners() if owners is None else owners
        self._left_alone: LeftAlone | None = None
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
        self._leaving: list[Draining] = []  # in the order in which they stood there
        self._ready: list[Chunk] = []  # the last chunks of files that were let go
        self._budget: int | None = None  # how many bytes may be read yet
        self._last: Last | None = None  # the file that left last
        self._has_begun = False  # the known positions have been searched for
        self._arrive(from_end=from_end)

    def read(self, limit_bytes: int | None = None) -> Iterator[Chunk]:
        """Give everything that can be read now, older files first. Call it again to read on.

        It is OK to stop in the middle: the next call goes on behind the last chunk that was taken.

        Args:
            limit_bytes: come back after about so many bytes were read; `has_more` says whether that was the reason.
                Whoever reads many paths gives each of them a turn by this.
        """
        if self.is_ended:
            return
        self.problem = None
        self._budget = limit_bytes
        is_untouched = self._look()
        yield from self._give()
        yield from self._read_all_leaving()
        if not is_untouched and not self._is_spent:
            yield from self._read_current()
        self.has_more = self._is_spent
        for reader in self._readers():
            self._note_fault(reader)

    @property
    def _is_spent(self) -> bool:
        return self._budget is not None and self._budget <= 0

    def backlog_bytes(self) -> int:
        """How many bytes the files hold that were not read yet; of compressed ones, as they lie on disk."""
        return sum(reader.backlog_bytes for reader in self._readers())

    @property
    def unfinished_bytes(self) -> int:
        """How many bytes of unfinished last lines were read and wait for their newline."""
        return sum(reader.waiting_bytes for reader in self._readers())

    @property
    def is_at_rest(self) -> bool:
        """Whether everything was read and given, but for an unfinished last line, and no rotated file is waited for."""
        return not (self._leaving or self._ready) and all(reader.is_at_rest for reader in self._readers())

    def close(self) -> None:
        """Let go of every file. It is OK to close twice."""
        self.is_ended = True
        for reader in self._readers():
            reader.close()
        self._current = None
        self._leaving.clear()
        self._hold()

    def _readers(self) -> list[Reader]:
        readers = [leaving.reader for leaving in self._leaving]
        return [*readers, self._current] if self._current is not None else readers

    def _look(self) -> bool:
        """See what stands at the path; return whether nothing has happened, which makes a poll cost no more than this.

        An error other than that there is no file says nothing about the file: what is open stays so.
        """
        try:
            status = os.stat(self.path)  # noqa: PTH116 - a third of the cost, and this is what idle files cost
        except (FileNotFoundError, NotADirectoryError) as error:
            self._note(error)
            self._leave()
            if not self._has_begun:
                self._arrive()
        except OSError as error:
            self._note(error)
        else:
            if self._current is not None and identity_of(status) == self._current.handle.identity:
                return self._current.is_untouched(status)
            left_alone = self._left_alone
            if left_alone is not None and self._current is None and left_alone.is_so(status, self._clock()):
                return True
            self._leave()
            self._arrive()
        return False

    def _leave(self) -> None:
        """The path does not lead to the current file any more."""
        if self._current is None:
            return
        status = self._current.handle.status()
        self._last = Last(self._current.handle.identity, status.st_mtime_ns)
        self._leaving.append(Draining(self._current, status.st_size, self._clock() + self._rotate_wait_s))
        self._current = None

    def _arrive(self, *, from_end: bool = False) -> None:
        """Open the file at the path, and those that stood there since we last looked.

        When that fails, everything is as before, and the next poll tries again.
        """
        handle = self._open()
        if (handle is None and self._has_begun) or (handle is not None and self._take_back(handle)):
            return
        try:
            held = self._hold_leaving()
            succession = find_succession(self.path, handle, self._known, held=held, last=self._last)
            self._left_alone = settle(succession, self._owners, self.path, self._clock())
            if from_end and succession.standing is not None and not succession.before:
                succession.standing = start_at_end(succession.standing)
        except OSError as error:
            self._note(error)
            if handle is not None:
                handle.close()
        else:
            self._has_begun = True
            self._begin(succession)
            self._hold()

    def _hold(self) -> None:
        """Let other tailers know what is open here."""
        self._owners.hold({reader.handle.identity: reader.file for reader in self._readers()})

    def release(self, file_id: int) -> bool:
        """Leave a file of this stream to another tailer; return False if it is being read here."""
        if any(reader.file.file_id == file_id for reader in self._readers()):
            return False
        self._known = [replace(known, finished=known.finished or known.file_id == file_id) for known in self._known]
        self._ready = [chunk for chunk in self._ready if chunk.file.file_id != file_id]
        return True

    def _hold_leaving(self) -> list[OpenFile]:
        """Return the files that are spoken for, with the copies of those that were emptied: they are not new files."""
        for leaving in list(self._leaving):
            if leaving.reader.is_emptied():
                self._part(leaving)
        return [leaving.reader.handle for leaving in self._leaving]

    def _open(self) -> OpenFile | None:
        """Open the file at the path under its own name, which tells more than that of a link to it."""
        try:
            return open_log(os.path.realpath(self.path) if self._at.is_symlink() else self.path)
        except OSError as error:
            self._note(error)
            return None

    def _take_back(self, handle: OpenFile) -> bool:
        """Whether the file had left only for a while."""
        for leaving in self._leaving:
            if leaving.reader.handle.identity == handle.identity:
                handle.close()
                self._leaving.remove(leaving)
                self._current = leaving.reader
                return True
        return False

    def _begin(self, succession: Succession, truncated: Reader | None = None) -> None:
        self._last = succession.last
        standing = succession.standing
        for found in [*succession.before, standing]:
            if found is not None and found.position in self._known:
                self._known.remove(found.position)
        for position in succession.lost:
            if truncated is not None and position.file_id == PLACE_ID:
                self._ready += self._last_chunks(truncated)
            else:
                self._known.remove(position)
                self._ready.append(self._remember(self._opener.give_up(position)))
        for found in succession.before:
            status = found.handle.status()
            quiet_s = max(0.0, time.time() - max(status.st_mtime, status.st_ctime))
            due_at = self._clock() + max(0.0, self._rotate_wait_s - quiet_s)
            if truncated is not None and found.position is not None and found.position.file_id == PLACE_ID:
                self._leaving.append(self._going_on(truncated, found.handle))
            else:
                self._leaving.append(Draining(self._opener.open_reader(found), status.st_size, due_at))
        if standing is not None:
            self._current = self._opener.open_reader(standing)

    def _give(self) -> Iterator[Chunk]:
        while self._ready:
            yield self._ready.pop(0)

    def _read_all_leaving(self) -> Iterator[Chunk]:
        for leaving in list(self._leaving):
            if not self._is_spent:
                yield from self._read_leaving(leaving)

    def _read_leaving(self, leaving: Draining) -> Iterator[Chunk]:
        yield from self._read(leaving.reader)
        if leaving.reader.is_truncated:
            going_on = self._part(leaving)
            yield from self._give()
            if going_on is not None:
                yield from self._read_leaving(going_on)
            yield from self._read(leaving.reader)
        reader = leaving.reader
        size = reader.handle.status().st_size
        if size > leaving.size:
            leaving.size = size
            leaving.due_at = self._clock() + self._rotate_wait_s
        if self._clock() >= leaving.due_at and reader.is_at_end:
            self._note_fault(reader)
            self._leaving.remove(leaving)
            reader.close()
            self._ready += self._last_chunks(reader)
            self._hold()
            yield from self._give()

    def _read_current(self) -> Iterator[Chunk]:
        if self._current is None:
            return
        yield from self._read(self._current)
        if not self._current.is_truncated:
            return
        self._leave_truncated(self._current)
        yield from self._give()
        yield from self._read_all_leaving()
        if not self._is_spent:
            yield from self._read(self._current)

    def _leave_truncated(self, truncated: Reader) -> None:
        """Begin the file again from its start. Whoever emptied it may have copied it first, with what was not read yet.

        When the search for the copy fails, everything is as before, and the next poll tries again.
        """
        place = truncated.place(self.path)
        try:
            held = self._hold_leaving()
            known = [*self._known, place]
            succession = find_succession(self.path, truncated.handle, known, held=held, before=self._last)
            settle_rotated(succession, self._owners)
        except OSError as error:
            self._note(error)
        else:
            self._begin(succession, truncated)
            self._hold()

    def _part(self, leaving: Draining) -> Draining | None:
        """Tell a file that has left the path, and was emptied before, from what its inode holds now: another file."""
        truncated = leaving.reader
        leaving.reader = self._opener.open_reader(Found(truncated.handle, BLANK, None))
        truncated.is_truncated = True
        copy = self._find_copy(truncated)
        if copy is None:
            self._ready += self._last_chunks(truncated)
            return None
        going_on = self._going_on(truncated, copy)
        self._leaving.insert(self._leaving.index(leaving), going_on)
        self._hold()
        return going_on

    def _find_copy(self, truncated: Reader) -> OpenFile | None:
        """Look for the copy of a file that has left the path already."""
        held = [leaving.reader.handle for leaving in self._leaving]
        try:
            before = find_succession(self.path, None, [*self._known, truncated.place(self.path)], held=held).before
        except OSError as error:
            self._note(error)
            return None
        copy = None
        for found in before:
            if found.position is not None and found.position.file_id == PLACE_ID:
                copy = found.handle
            else:
                found.handle.close()
        return copy

    def _going_on(self, truncated: Reader, copy: OpenFile) -> Draining:
        truncated.go_on_in(copy)
        return Draining(truncated, copy.status().st_size, self._clock())

    def _read(self, reader: Reader) -> Iterator[Chunk]:
        began_at = reader.end
        try:
            yield from reader.read(self._budget)
        except OSError as error:
            self._note(error)
        if self._budget is not None:
            self._budget -= reader.end - began_at

    def _last_chunks(self, reader: Reader) -> list[Chunk]:
        chunks = reader.finish()
        self._remember(chunks[-1])
        return chunks

    def _remember(self, last: Chunk) -> Chunk:
        """Know the finished file again, should it come back to the path, or a copy of it turn up beside it."""
        file = last.file
        file_id = -file.serial if file.file_id is None else file.file_id
        position = FilePosition(
            file_id, file.path, file.device, file.inode, last.fingerprint, last.until, finished=True
        )
        self._owners.finish(file, position)
        if file.stream_id is None:
            self._known.append(position)
            del self._known[: max(0, len(self._known) - _REMEMBERED)]
        return last

    def _note(self, error: OSError) -> None:
        self.problem = self.problem or cannot_read(self.path, error).message

    def _note_fault(self, reader: Reader) -> None:
        fault = reader.handle.fault
        if fault is not None and self.problem is None:
            self.problem = f"cannot read {reader.handle.path}: {fault}"
