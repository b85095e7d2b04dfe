"""A path over time: the files that stand at it one after another, each read to its end, none twice.

Whoever polls calls `Tailer.read` again and again. Nothing here waits, and nothing depends on being told of a change.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from puppylog.model.stream import FilePosition
from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.chunker import Chunker
from puppylog.tail.handle import Handle, cannot_read, identity_of
from puppylog.tail.identity import BLANK, read_imprint
from puppylog.tail.newcomers import Last
from puppylog.tail.reader import Reader
from puppylog.tail.succession import Found, Succession, find_succession

CHUNK_BYTES = 4 << 20
"""How much is read at once. Smaller chunks cost more per line, larger ones only memory."""

MAX_LINE_BYTES = 1 << 20
"""What is kept of one line."""

# Programs go on writing into a rotated file until they are told to open the new one.
ROTATE_WAIT_S = 5.0

_SEARCH_BYTES = 64 << 10


@dataclass(slots=True)
class _Leaving:
    """A file that was rotated away. Its writers may not have noticed yet."""

    reader: Reader
    size: int  # when it was last seen to grow
    due_at: float  # when it is finished if it does not grow any more


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
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Find out where reading goes on.

        Args:
            path: of the file; it need not exist yet.
            known: the store's positions of this stream, finished ones too, in the order in which they were opened.
            from_end: start after the last complete line, unless there is a known position to go on from.
            chunk_bytes: how much is read at once.
            max_line_bytes: longer lines are cut.
            rotate_wait_s: how long a rotated file must not have grown before it is finished. With 0, `read` finishes it
                at once.
            clock: seconds that never go back.
        """
        self.path = str(Path(path).absolute())
        self.problem: str | None = None
        """Why the path cannot be read now; None if it can."""
        self._at = Path(self.path)
        self._known = list(known)
        self._chunk_bytes = chunk_bytes
        self._max_line_bytes = max_line_bytes
        self._rotate_wait_s = rotate_wait_s
        self._clock = clock
        self._serials = count(1)
        self._current: Reader | None = None  # of the file that stands at the path
        self._leaving: list[_Leaving] = []  # in the order in which they stood there
        self._lost: list[Chunk] = []
        self._last: Last | None = None  # the file that left last
        self._has_begun = False  # the known positions have been searched for
        self._is_closed = False
        self._arrive(from_end=from_end)

    def read(self) -> Iterator[Chunk]:
        """Give everything that can be read now, older files first. Call it again to read on.

        It is OK to stop in the middle: the next call goes on behind the last chunk that was taken.
        """
        if self._is_closed:
            return
        self.problem = None
        is_untouched = self._look()
        while self._lost:
            yield self._lost.pop(0)
        for leaving in list(self._leaving):
            yield from self._read_leaving(leaving)
        if not is_untouched:
            yield from self._read_current()

    def backlog_bytes(self) -> int:
        """How many bytes the files hold that were not read yet."""
        return sum(max(0, reader.handle.status().st_size - reader.end) for reader in self._readers())

    @property
    def unfinished_bytes(self) -> int:
        """How many bytes of unfinished last lines were read and wait for their newline."""
        return sum(reader.waiting_bytes for reader in self._readers())

    @property
    def is_ended(self) -> bool:
        """Whether nothing will ever come again: a path always has a future."""
        return self._is_closed

    def close(self) -> None:
        """Let go of every file. It is OK to close twice."""
        self._is_closed = True
        for reader in self._readers():
            reader.close()
        self._current = None
        self._leaving.clear()

    def _readers(self) -> list[Reader]:
        readers = [leaving.reader for leaving in self._leaving]
        return [*readers, self._current] if self._current is not None else readers

    def _look(self) -> bool:
        """See what stands at the path; return whether nothing has happened, which makes a poll cost no more than this.

        An error other than that there is no file says nothing about the file: what is open stays so.
        """
        try:
            status = self._at.stat()
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
            self._leave()
            self._arrive()
        return False

    def _leave(self) -> None:
        """The path does not lead to the current file any more."""
        if self._current is None:
            return
        status = self._current.handle.status()
        self._last = Last(self._current.handle.identity, status.st_mtime_ns)
        self._leaving.append(_Leaving(self._current, status.st_size, self._clock() + self._rotate_wait_s))
        self._current = None

    def _arrive(self, *, from_end: bool = False) -> None:
        """Open the file at the path, and those that stood there since we last looked.

        When that fails, everything is as before, and the next poll tries again.
        """
        handle = self._open()
        if (handle is None and self._has_begun) or (handle is not None and self._take_back(handle)):
            return
        held = [leaving.reader.handle.identity for leaving in self._leaving]
        try:
            succession = find_succession(self.path, handle, self._known, held=held, last=self._last)
            if from_end and succession.standing is not None and not succession.before:
                succession.standing = _start_at_end(succession.standing)
        except OSError as error:
            self._note(error)
            if handle is not None:
                handle.close()
        else:
            self._has_begun = True
            self._begin(succession)

    def _open(self) -> Handle | None:
        try:
            return Handle(self.path)
        except OSError as error:
            self._note(error)
            return None

    def _take_back(self, handle: Handle) -> bool:
        """Whether the file had left only for a while."""
        for leaving in self._leaving:
            if leaving.reader.handle.identity == handle.identity:
                handle.close()
                self._leaving.remove(leaving)
                self._current = leaving.reader
                return True
        return False

    def _begin(self, succession: Succession) -> None:
        self._last = succession.last
        standing = succession.standing
        going_on = [found.position for found in [*succession.before, standing] if found and found.position]
        for position in [*going_on, *succession.lost]:
            self._known.remove(position)
        self._lost += [self._give_up(position) for position in succession.lost]
        for found in succession.before:
            status = found.handle.status()
            quiet_s = max(0.0, time.time() - max(status.st_mtime, status.st_ctime))
            due_at = self._clock() + max(0.0, self._rotate_wait_s - quiet_s)
            self._leaving.append(_Leaving(self._reader(found), status.st_size, due_at))
        if standing is not None:
            self._current = self._reader(standing)

    def _reader(self, found: Found) -> Reader:
        handle, position = found.handle, found.position
        file_id = None if position is None else position.file_id
        file = TailedFile(next(self._serials), handle.path, *handle.identity, found.imprint.offset, file_id)
        return Reader(handle, Chunker(file, found.imprint, self._max_line_bytes), self._chunk_bytes)

    def _give_up(self, position: FilePosition) -> Chunk:
        """Finish a position whose file is nowhere to be found."""
        offset = position.byte_offset
        file = TailedFile(next(self._serials), position.path, position.device, position.inode, offset, position.file_id)
        return self._remember(Chunk(file, offset, offset, b"", offset, position.fingerprint, finished=True))

    def _read_leaving(self, leaving: _Leaving) -> Iterator[Chunk]:
        yield from self._read(leaving.reader)
        if leaving.reader.is_truncated:
            truncated, leaving.reader = leaving.reader, self._read_again(leaving.reader)
            yield self._remember(truncated.finish())
            yield from self._read(leaving.reader)
        reader = leaving.reader
        if reader.end > leaving.size:
            leaving.size = reader.end
            leaving.due_at = self._clock() + self._rotate_wait_s
        if self._clock() >= leaving.due_at:
            self._leaving.remove(leaving)
            reader.close()
            yield self._remember(reader.finish())

    def _read_current(self) -> Iterator[Chunk]:
        if self._current is None:
            return
        yield from self._read(self._current)
        if self._current.is_truncated:
            truncated, self._current = self._current, self._read_again(self._current)
            yield self._remember(truncated.finish())
            yield from self._read(self._current)

    def _read_again(self, truncated: Reader) -> Reader:
        """Return a reader of the same inode from its start: what it holds now is another file."""
        return self._reader(Found(truncated.handle, BLANK, None))

    def _read(self, reader: Reader) -> Iterator[Chunk]:
        try:
            yield from reader.read()
        except OSError as error:
            self._note(error)

    def _remember(self, last: Chunk) -> Chunk:
        """Know the finished file again, should it come back to the path, or turn up beside it."""
        file = last.file
        identity = file.device, file.inode
        self._known = [known for known in self._known if (known.device, known.inode) != identity or not known.finished]
        file_id = -file.serial if file.file_id is None else file.file_id
        self._known.append(FilePosition(file_id, file.path, *identity, last.fingerprint, last.until, finished=True))
        return last

    def _note(self, error: OSError) -> None:
        if self.problem is None:
            self.problem = cannot_read(self.path, error).message


def _start_at_end(standing: Found) -> Found:
    """Return the file from behind its last complete line, unless it is one to go on with."""
    if standing.position is not None or standing.imprint.offset > 0:
        return standing
    end = standing.handle.status().st_size
    while end > 0:
        start = max(0, end - _SEARCH_BYTES)
        newline = standing.handle.read(end - start, start).rfind(b"\n")
        if newline >= 0:
            return Found(standing.handle, read_imprint(standing.handle, start + newline + 1) or BLANK, None)
        end = start
    return standing
