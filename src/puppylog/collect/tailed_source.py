"""A source that is collected: its stream, its open files and their parsers, and the time of its next poll."""

import errno
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeAlias
from weakref import WeakKeyDictionary

from puppylog.collect.slots import Slots
from puppylog.errors import SourceError
from puppylog.formats.base import Format, Parser, find_kept, own_context
from puppylog.formats.listed_formats import AUTO
from puppylog.model.stream import FilePosition, Stream
from puppylog.tail.boundary import OpenBoundary
from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.closed_tailer import ClosedTailer, PathState, read_path_state
from puppylog.tail.handle import cannot_read, signed64
from puppylog.tail.journal.tailer import JournalTailer
from puppylog.tail.pipe import PipeTailer
from puppylog.tail.tailer import Tailer

SOON_S: Final = 0.1
"""The pause between two polls of a file that grows. A new line should be visible within a second."""

JOURNAL_IDLE_S: Final = 0.5
"""The pause between two polls of an idle journal, of which no notification comes. A poll is two system calls."""

IDLE_S: Final = 3.0
"""The pause between two polls of a file that has long been idle, if no notification of its changes comes."""

NOTIFIED_IDLE_S: Final = 10.0
"""The same, if notification of its changes is expected. If a poll finds new lines that were not notified, the pause
becomes IDLE_S: file systems of a network tell nothing of other machines' writes."""

_SLOWER: Final = 1.5  # the factor by which the pause grows at each poll without new lines
_MAX_POSITIONS: Final = 2000  # limits memory: a file that is emptied again and again adds positions
_TURN_BYTES: Final = 16 << 20  # how many bytes are read from one source before the next source is read

OpenTailer: TypeAlias = Callable[[Sequence[FilePosition], OpenBoundary], Tailer | PipeTailer | JournalTailer]
"""Opens a source at its known positions. Raises `SourceError` if the source cannot be read."""


@dataclass(slots=True)
class OpenFile:
    """A file that is being read: its id in the store, and the parser of its lines."""

    file_id: int
    parser: Parser
    format_name: str  # the format that was last reported to the user, or that the user has asked for


def is_missing(path: str) -> bool:
    """Return whether no file is at the path; not if that cannot be known."""
    try:
        os.stat(path)  # noqa: PTH116 - `Path.exists` does not distinguish a missing file from a forbidden one
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def context_behind(file: OpenFile, chunk: Chunk) -> str:
    """Return the context of the position after a chunk: the tailer's if the chunk has one, else the parser's."""
    return file.parser.context if chunk.context is None else chunk.context


@dataclass(slots=True, eq=False)
class TailedSource:
    """A source and its files.

    A poll opens the source. With `slots`, an idle source is closed when another source needs its descriptor. A later
    poll opens it again if something has changed at its path.
    """

    stream: Stream
    format: Format  # makes the parser of each file
    tailer: Tailer | PipeTailer | JournalTailer | ClosedTailer
    open_tailer: OpenTailer | None = None
    slots: Slots | None = None  # None: the source is never closed while it is idle
    is_pipe: bool = False  # a pipe cannot be read again
    is_container: bool = False  # it is the log of a container
    idle_s: float = IDLE_S  # the longest pause between two polls
    reads_once: bool = False  # the source is done when it was read to its end
    is_done: bool = False
    files: dict[int, OpenFile] = field(default_factory=dict)  # by the serial of the tailed file
    has_finished: bool = False  # a file of the source has left its path and was read to its end
    problem: str | None = None
    due_at: float = 0.0
    """The time of the next poll, in seconds of the clock that is passed to `poll`."""
    _parsers: WeakKeyDictionary[TailedFile, Parser] = field(default_factory=WeakKeyDictionary)
    _pause_s: float = SOON_S
    _is_woken: bool = False  # a change was notified since the last poll
    _waits_for_slot: bool = False  # the limit on open sources is reached
    _untaken: int = 0  # how many chunks were read and are not in a batch yet
    _positions: dict[int, FilePosition] | None = None  # by file id; None: the positions of the stream still hold
    _loaded_at: float = field(default_factory=time.monotonic)  # when the ages of the positions were right

    @property
    def is_over(self) -> bool:
        """Whether the source needs no further poll."""
        return self.is_done or self.tailer.is_ended

    @property
    def is_gone(self) -> bool:
        """Whether all files of the source were read to their end, and no file is at its path.

        The log of a container never comes back to its path, so it is gone even if it was deleted before it was read.
        """
        has_finished = self.has_finished or self.is_container or any(file.finished for file in self.stream.files)
        if self.is_renamed and not self.is_container:
            return not self.tailer.backlog_bytes()
        if self.files or not has_finished or isinstance(self.tailer, PipeTailer | JournalTailer):
            return False
        return is_missing(self.tailer.path)

    @property
    def is_directory(self) -> bool:
        """Whether no file of the source is open, and a directory is at its path: most often one that was missing."""
        if self.problem is None or self.files or isinstance(self.tailer, PipeTailer | JournalTailer):
            return False
        return Path(self.tailer.path).is_dir()

    @property
    def is_renamed(self) -> bool:
        """Whether the file was renamed and no new file is there yet. Its rest is read."""
        return isinstance(self.tailer, Tailer) and self.tailer.is_renamed

    @property
    def is_deleted_container(self) -> bool:
        """Whether this is the log of a container that was deleted after it was found and read. This is no problem."""
        if not self.is_container or isinstance(self.tailer, PipeTailer | JournalTailer):
            return False
        was_read = bool(self.files) or self.has_finished or bool(self._known())
        return was_read and is_missing(self.tailer.path)

    def poll(self, now: float) -> Iterator[Chunk]:
        """Read what can be read now, at most `_TURN_BYTES`, and set the time of the next poll.

        Args:
            now: the time in seconds, of a clock that never goes back.
        """
        came = False
        if self._open():
            for chunk in self.tailer.read(_TURN_BYTES):
                came = True
                self._untaken += 1
                yield chunk
            self.is_done = self.reads_once and not self.is_pipe and not self.tailer.has_more
        if came and self.slots is not None:
            self.slots.touch(self)
        if came and not self._is_woken and self._pause_s > IDLE_S:
            self.idle_s = min(self.idle_s, IDLE_S)
        self._is_woken = False
        is_soon = came or self._waits_for_slot or self._has_waiting_record
        self._pause_s = SOON_S if is_soon else min(self.idle_s, self._pause_s * _SLOWER)
        self.due_at = now if self.tailer.has_more else now + self._pause_s

    def open_parser(self, file: TailedFile) -> Parser:
        """Return the parser of a file, which is opened once. It also says where the records of the file begin."""
        if file not in self._parsers:
            context = file.context
            if not context and self.format.name == AUTO:
                context = find_kept(position.context for position in self._known().values())
            self._parsers[file] = self.format.open(own_context(self.format, context), file.modified_at_us)
        return self._parsers[file]

    def note_batched(self, file: OpenFile, chunk: Chunk) -> None:
        """Note that a chunk of `poll` was put into a batch."""
        self._untaken -= 1
        if chunk.finished:
            del self.files[chunk.file.serial]
            self.has_finished = True
        if chunk.file.stream_id is not None:
            return  # the position belongs to another stream
        met, context = chunk.file, context_behind(file, chunk)
        positions = self._known()
        known = positions.get(file.file_id)
        positions[file.file_id] = FilePosition(
            file.file_id,
            met.path,
            met.device,
            met.inode,
            chunk.fingerprint,
            chunk.end,
            chunk.finished,
            context,
            -self._since_loaded_s if known is None else known.opened_ago_s,
        )
        if len(positions) > _MAX_POSITIONS:
            self._positions = {
                file_id: position
                for at, (file_id, position) in enumerate(positions.items())
                if at > _MAX_POSITIONS // 2 or not position.finished
            }

    @property
    def _has_waiting_record(self) -> bool:
        return isinstance(self.tailer, Tailer | PipeTailer) and self.tailer.has_waiting_record

    def release(self, position: FilePosition) -> bool:
        """Let another source read a file of the stream.

        Returns:
            False if this source has the file open, or may still find it.
        """
        tailer = self.tailer
        if isinstance(tailer, Tailer):
            if not tailer.release(position.file_id):
                return False
        elif isinstance(tailer, ClosedTailer):
            will_look = tailer.problem is None and tailer.has_changed() and not position.finished
            if will_look:
                return False
        known = self._known()
        if position.file_id in known:  # stays known, so that a copy of the file is not read as new
            known[position.file_id] = replace(known[position.file_id], finished=True)
        return True

    def close_at_rest(self) -> bool:
        """See `puppylog.collect.slots.Closable`."""
        if isinstance(self.tailer, PipeTailer | JournalTailer | ClosedTailer):
            return True
        path, state = self.tailer.path, None
        if not self.is_done:
            state = read_path_state(path)  # read first: it differs later if lines come after the checks below
            if self._untaken or not self.tailer.is_at_rest or not self._is_read_at(state):
                return False
            self.files.clear()
        self.tailer.close()
        self.tailer = ClosedTailer(
            path,
            state=state,
            problem=self.tailer.problem,
            unfinished_bytes=self.tailer.unfinished_bytes,
            is_ended=self.is_done,
        )
        return True

    def _is_read_at(self, state: PathState) -> bool:
        """Return whether the file at the path is the only open file, or no file is at the path and no file is open."""
        identities = [(file.device, file.inode) for file in self._known().values() if not file.finished]
        if len(state) == 1:
            return not self.files
        return len(self.files) == 1 and (signed64(state[0]), signed64(state[1])) in identities

    def _known(self) -> dict[int, FilePosition]:
        if self._positions is None:
            self._positions = {position.file_id: position for position in self.stream.files}
        return self._positions

    @property
    def _since_loaded_s(self) -> float:
        return time.monotonic() - self._loaded_at

    def _list_aged(self) -> list[FilePosition]:
        """Return the known positions with the ages that they have now."""
        passed_s = self._since_loaded_s
        return [
            position
            if position.opened_ago_s is None
            else replace(position, opened_ago_s=position.opened_ago_s + passed_s)
            for position in self._known().values()
        ]

    def _open(self) -> bool:
        """Open the source if it may have something to read; return whether it is open now."""
        closed = self.tailer
        if not isinstance(closed, ClosedTailer):
            return True
        if self.open_tailer is None or not closed.has_changed():
            return False
        self._waits_for_slot = self.slots is not None and not self.is_pipe and not self.slots.take(self)
        if self._waits_for_slot:
            if not self.reads_once:
                closed.problem = cannot_read(closed.path, OSError(errno.EMFILE, "")).message
            return False
        try:
            self.tailer = self.open_tailer(self._list_aged(), self.open_parser)
        except SourceError as error:
            closed.problem, self.is_done = error.message, self.reads_once
            if self.slots is not None:
                self.slots.release(self)
            return False
        return True

    def wake(self) -> None:
        """Make the source due at once, because something at its path has changed."""
        self.due_at = 0.0
        self._is_woken = True
        self._pause_s = SOON_S
