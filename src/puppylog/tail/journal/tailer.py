"""Reads entries of systemd's journal as chunks of lines, each with the cursor after it.

journalctl starts at the cursor of the last entry that is stored, and gives that entry first: an entry after a cursor
(``--after-cursor``) would be lost in some cases, such as the first one of a new boot. If the journal does not have the
entry any longer, journalctl starts near it. Then all entries up to the cursor are dropped: they are
stored, and the user is told.

An entry has no offset in a file. The position in the stream counts the bytes of the lines that its entries became.
"""

import contextlib
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from puppylog.errors import SourceError
from puppylog.model.journal_cursor import JournalCursor
from puppylog.model.stream import EMPTY_FINGERPRINT, FilePosition
from puppylog.tail.chunk import Chunk, TailedFile
from puppylog.tail.journal.process import JournalProcess
from puppylog.tail.journal.source import JournalSource
from puppylog.tail.limits import CHUNK_BYTES

_WAIT_S: Final = 0.1  # how long a read waits for the first entry in a run that ends with the journal
_LAST_ENTRY_WAIT_S: Final = 30.0  # how long journalctl may search for the last entry
_STEADY_S: Final = 5.0  # after this time a journalctl can read the journal, even if no entry has come
_FIRST_RESTART_S: Final = 1.0
_LAST_RESTART_S: Final = 30.0  # pauses between two starts of a journalctl that fails grow up to this

_CONTEXT: Final = "journal\n"  # a context begins with the name of the format; the cursor follows

_HINT: Final = b"not seeing messages from other users"
_CURE: Final = "a member of the group systemd-journal may"

ON_PATH: Final = ("journalctl",)
"""The command, where the system finds it."""


class Entry(Protocol):
    """An entry of the journal."""

    @property
    def cursor(self) -> str:
        """Where it is in the journal."""

    @property
    def line(self) -> bytes:
        r"""The entry as one line, ended by ``\n``."""


class Decoder(Protocol):
    """Makes entries of the export format, in which journalctl writes."""

    def feed(self, block: bytes) -> Sequence[Entry]:
        """Add the next bytes; return the entries that are complete now. Raises ValueError if they are not entries."""


class JournalTailer:
    """Follows a journal. Has the interface of a `Tailer`."""

    def __init__(
        self,
        source: JournalSource,
        known: Sequence[FilePosition],
        make_decoder: Callable[[], Decoder],
        *,
        watch: bool = False,
        from_end: bool = False,
        on_gap: Callable[[JournalCursor], None] = lambda _: None,
        on_hidden: Callable[[str], None] = lambda _: None,
        command: Sequence[str] = ON_PATH,
        chunk_bytes: int = CHUNK_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Start journalctl.

        Args:
            source: which journal, and which of its entries.
            known: the positions of the stream: none, or one whose context has the cursor of the last stored entry.
            make_decoder: makes the decoder of a journalctl's output.
            watch: go on after the last entry.
            from_end: if the stream has no position, begin after the last entry.
            on_hidden: called with a sentence if this user may not read all entries.
            on_gap: called with the cursor of the last stored entry if the journal no longer has the entry.
            command: with which journalctl is started.
            chunk_bytes: how many bytes are read at once.
            clock: returns seconds that never go back.

        Raises:
            SourceError: journalctl cannot be started, or cannot find the last entry.
        """
        self.problem: str | None = None
        """Why the journal cannot be read now; None if it can."""
        self.has_more = not watch
        """Whether there may be more to read at once."""
        self.is_ended = False
        self.unfinished_bytes = 0
        self.path = source.text
        self._source = source
        self._make_decoder = make_decoder
        self._watch = watch
        self._on_gap = on_gap
        self._command = command
        self._chunk_bytes = chunk_bytes
        self._clock = clock
        self._restart_s = _FIRST_RESTART_S
        self._restart_at = 0.0
        self._must_announce = from_end and not known
        context = known[-1].context if known else _CONTEXT + self._find_last_cursor() if from_end else ""
        self._cursor = _parse_context(context)
        self._offset = known[-1].byte_offset if known else 0
        file_id = known[-1].file_id if known else None
        self._file = TailedFile(1, self.path, 0, 0, self._offset, file_id, context)
        self._stored: JournalCursor | None = None  # entries up to it are dropped, until an entry after it comes
        self._process: JournalProcess | None = None
        self._start()
        if not source.directory and self._is_partly_hidden():
            on_hidden(f"{source.text}: entries of the system and of other users, which this user may not read; {_CURE}")

    def read(self, limit_bytes: int | None = None) -> Iterator[Chunk]:
        """Yield what can be read without a pause; in a run that ends with the journal, with a short one.

        Args:
            limit_bytes: about how many bytes to read, as in `Tailer.read`.
        """
        if self._must_announce:
            self._must_announce = False
            yield self._make_chunk([])
        if self._process is None and not self._restart():
            return
        taken = 0
        while self._process is not None:
            block = self._process.read(self._chunk_bytes, 0.0 if self._watch else _WAIT_S)
            if block is None:
                self._note_end(self._process.finish())
                return
            if not block:
                if self._clock() - self._started_at >= _STEADY_S:
                    self.problem = None
                break
            taken += len(block)
            try:
                chunk = self._make_chunk(self._drop_stored(self._decoder.feed(block)))
            except ValueError as error:
                self._note_end(f"journalctl has written what is not an entry: {error}")
                return
            if chunk.data:
                self.problem = None
                self._restart_s = _FIRST_RESTART_S
                yield chunk
            if limit_bytes is not None and taken >= limit_bytes:
                self.has_more = True
                return
        self.has_more = not self._watch

    def backlog_bytes(self) -> int:
        """Return 0: how much the journal still has is not known."""
        return 0

    def close(self) -> None:
        """Stop reading, and end journalctl."""
        self.is_ended = True
        if self._process is not None:
            self._process.close()
            self._process = None

    def _start(self) -> None:
        """Start journalctl at the cursor.

        Raises:
            SourceError: it cannot be started.
        """
        start = [] if self._cursor is None else [f"--cursor={self._cursor.text}"]
        self._stored = self._cursor
        self._is_gap_told = False
        self._started_at = self._clock()
        self._decoder = self._make_decoder()
        self._process = self._open([*(["--follow"] if self._watch else []), "--no-tail", *start])

    def _open(self, arguments: Sequence[str]) -> JournalProcess:
        command = [*self._command, "--output=export", "--all", "--quiet", "--no-pager", *arguments]
        try:
            return JournalProcess([*command, *self._source.arguments])
        except OSError as error:
            cause = "journalctl is not installed" if isinstance(error, FileNotFoundError) else error.strerror
            raise self._cannot_read(str(cause)) from None

    def _restart(self) -> bool:
        """Start journalctl again after it has ended; return whether it runs."""
        if not self._watch or self.is_ended or self._clock() < self._restart_at:
            return False
        try:
            self._start()
        except SourceError as error:
            self._note_end(error.cause)
            return False
        return True

    def _note_end(self, cause: str) -> None:
        """Note that journalctl has ended: a run that watches starts it again after a pause."""
        if self._process is not None:
            self._process.close()
            self._process = None
        self.has_more = False
        self.is_ended = not self._watch
        if cause or self._watch:
            self.problem = self._cannot_read(cause or "journalctl has ended").message
        self._restart_at = self._clock() + self._restart_s
        self._restart_s = min(self._restart_s * 2, _LAST_RESTART_S)

    def _drop_stored(self, entries: Sequence[Entry]) -> Sequence[Entry]:
        """Return the entries without those up to the stored cursor, near which journalctl has started."""
        stored = self._stored
        if stored is None:
            return entries
        for at, entry in enumerate(entries):
            if entry.cursor == stored.text:
                self._stored = None
                return entries[at + 1 :]
            if not self._is_gap_told:  # the stored entry would be the first one
                self._is_gap_told = True
                self._on_gap(stored)
            if JournalCursor.parse(entry.cursor).is_after(stored):
                self._stored = None
                return entries[at:]
        return ()

    def _make_chunk(self, entries: Sequence[Entry]) -> Chunk:
        """Return the chunk of entries, whose position has the cursor of the last one."""
        data = b"".join([entry.line for entry in entries])
        start, self._offset = self._offset, self._offset + len(data)
        if entries:
            self._cursor = JournalCursor.parse(entries[-1].cursor)
        context = _CONTEXT + ("" if self._cursor is None else self._cursor.text)
        return Chunk(self._file, start, self._offset, data, start, EMPTY_FINGERPRINT, context=context)

    def _find_last_cursor(self) -> str:
        """Return the cursor of the last entry; empty if the journal has no entry.

        Raises:
            SourceError: journalctl cannot be started, or does not answer.
        """
        decoder, last = self._make_decoder(), ""
        deadline = self._clock() + _LAST_ENTRY_WAIT_S
        with self._open(["--lines=1"]) as process:
            while (block := process.read(self._chunk_bytes, _WAIT_S)) is not None:
                for entry in decoder.feed(block):
                    last = entry.cursor
                if self._clock() > deadline:
                    raise self._cannot_read("journalctl does not find the last entry")
            if cause := process.finish():
                raise self._cannot_read(cause)
        return last

    def _is_partly_hidden(self) -> bool:
        """Return whether journalctl says that it shows this user only some of the entries."""
        command = [*self._command, "--lines=0", "--no-pager"]
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            asked = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LAST_ENTRY_WAIT_S, check=False
            )
            return _HINT in asked.stderr
        return False

    def _cannot_read(self, cause: str) -> SourceError:
        return SourceError("read", self.path, cause)


def _parse_context(context: str) -> JournalCursor | None:
    """Return the cursor in the context of a position; None if no entry had been read."""
    try:
        return JournalCursor.parse(context.removeprefix(_CONTEXT))
    except ValueError:
        return None
