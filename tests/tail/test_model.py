"""Tailing against a model: every line is stored once, whatever writers, rotation, deletion and crashes do.

The model keeps every byte that was ever at the path. It knows which lines may be missing in the end: lines of a file
that was truncated or deleted before they were committed, if no open tailer had read them or could still read them.
"""

import os
import tempfile
import time
from dataclasses import replace
from itertools import islice
from math import ceil
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from puppylog.model.stream import EMPTY_FINGERPRINT, FilePosition
from puppylog.tail.chunk import Chunk
from puppylog.tail.handle import identity_of
from puppylog.tail.tailer import Tailer
from support.compressing import COMPRESS
from support.tail_content import MAX_LINE, NAME, Content

ROTATE_WAIT_S = 1000.0  # on a clock that only the machine moves
GENERATIONS = 5  # rotated files that are kept


class TailingMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.path = Path(self.directory.name, NAME)
        self.now = 0.0
        self.mtime_ns = time.time_ns()
        self.contents: list[Content] = []
        self.current: Content | None = None
        self.chain: list[Content] = []  # rotated, the newest first
        self.tailer: Tailer | None = None
        self.positions: dict[int, FilePosition] = {}
        self.opened_at_ns: dict[int, int] = {}  # by file id
        self.content_of: dict[int, Content] = {}  # by file id
        self.file_ids: dict[int, int] = {}  # by the serial in the running tailer
        self.pending: list[Chunk] = []
        self.stored: dict[tuple[int, int], int] = {}  # file id by content and start of line

    @initialize(exists=st.booleans())
    def begin(self, exists: bool) -> None:
        if exists:
            self.create()
        self.start()

    # What writers do

    @rule(lengths=st.lists(st.integers(12, MAX_LINE + 60), max_size=30))
    def write_lines(self, lengths: list[int]) -> None:
        self._write(b"".join(self._line(length) for length in lengths))

    @rule(length=st.integers(12, MAX_LINE * 3))
    def write_half_a_line(self, length: int) -> None:
        self._write(self._line(length)[:-1])

    @rule()
    @precondition(lambda self: self.current is not None and self.current.data[-1:] not in (b"", b"\0", b"\n"))
    def finish_the_line(self) -> None:
        self._write(b"!\n")

    @rule(length=st.integers(12, 50))
    @precondition(lambda self: self.chain)
    def write_to_the_rotated_file(self, length: int) -> None:
        late = self.chain[0]
        if late.is_finished or late.is_moved or not (late.data or late.is_known):
            return  # the file is finished, or cannot be distinguished from a known empty one
        late.is_late = True
        data = f"{late.number}:late:".encode().ljust(length, b"x") + b"\n"
        self._append(self.path.with_name(str(late.name)), late, data)

    # What rotation does

    @rule(creates=st.booleans())
    @precondition(lambda self: self.current is not None)
    def rotate(self, creates: bool) -> None:
        assert self.current is not None
        self._shift()
        self.path.rename(self.path.with_name(f"{NAME}.1"))
        self.current.name = f"{NAME}.1"
        self.chain.insert(0, self.current)
        self.current = None
        if creates:
            self.create()

    @rule(index=st.integers(0, GENERATIONS - 1), suffix=st.sampled_from(sorted(COMPRESS)), keeps_time=st.booleans())
    @precondition(lambda self: any(not content.is_packed for content in self.chain))
    def compress(self, index: int, suffix: str, keeps_time: bool) -> None:
        """Compress a rotated file as gzip does: both files exist until the compressed one is complete."""
        plain = [content for content in self.chain if not content.is_packed]
        content = plain[index % len(plain)]
        path = self.path.with_name(str(content.name))
        packed, data = path.with_name(path.name + suffix), COMPRESS[suffix](bytes(content.data))
        packed.write_bytes(data[: len(data) // 2])
        if self.tailer is not None:
            self._poll(None)
        packed.write_bytes(data)
        if keeps_time:
            os.utime(packed, ns=(path.stat().st_mtime_ns,) * 2)
        else:
            self._touch(packed)
        path.unlink()
        content.name = packed.name
        content.is_packed = True
        self._move(content, packed)

    @rule()
    @precondition(lambda self: self.current is not None and bool(self.current.data))
    def copy_and_truncate(self) -> None:
        old = self.current
        assert old is not None
        self._shift()
        copy = self.path.with_name(f"{NAME}.1")
        copy.write_bytes(self.path.read_bytes())
        self._touch(copy)
        os.truncate(self.path, 0)
        self._touch(self.path)
        self.current = self._new_content(old.identity)
        self.chain.insert(0, old)
        old.name = copy.name
        self._move(old, copy)
        old.former, old.identities = old.identities[:-1], old.identities[-1:]

    @rule(length=st.integers(0, 3000), leaves_hole=st.booleans())
    @precondition(lambda self: self.current is not None)
    def truncate(self, length: int, leaves_hole: bool) -> None:
        old = self.current
        assert old is not None
        self._lose_unread(old)
        for content in self.chain if leaves_hole and self._is_hole_unread() else ():
            self._lose_unread(content)
        old.name = None
        self.current = self._new_content(old.identity)
        os.truncate(self.path, 0)
        hole = b"\0" * len(old.data) if leaves_hole else b""
        lines = [self._line(60) for _ in range(length // 60)]
        self._write(hole + b"".join(lines))

    @rule()
    @precondition(lambda self: self.chain)
    def delete_a_rotated_file(self) -> None:
        self._remove(self.chain.pop())

    @rule()
    @precondition(lambda self: self.current is not None)
    def delete(self) -> None:
        assert self.current is not None
        self._remove(self.current)
        self.current = None

    @rule()
    @precondition(lambda self: self.current is None)
    def create(self) -> None:
        self.path.touch(exist_ok=False)
        self.current = self._new_content(identity_of(self.path.stat()))
        self._touch(self.path)

    # What the collector does

    @rule()
    @precondition(lambda self: self.tailer is not None)
    def poll(self) -> None:
        self._poll(None)

    @rule(chunks=st.integers(0, 3))
    @precondition(lambda self: self.tailer is not None)
    def poll_and_stop_in_the_middle(self, chunks: int) -> None:
        self._poll(chunks)

    @rule(share=st.sampled_from([0.3, 0.7, 1.0, 1.0]))
    @precondition(lambda self: self.tailer is not None)
    def commit(self, share: float) -> None:
        for _ in range(ceil(share * len(self.pending))):
            self._store(self.pending.pop(0))

    @rule()
    def let_time_pass(self) -> None:
        self.now += ROTATE_WAIT_S + 1

    @rule()
    @precondition(lambda self: self.tailer is not None)
    def crash(self) -> None:
        assert self.tailer is not None
        self.tailer.close()
        self.tailer = None
        for chunk in self.pending:
            self._content(chunk).is_finished = False
        self.pending.clear()
        for content in self.contents:
            content.is_read = False
            if content.name is None or (content.is_moved and not self._is_stored(content)):
                self._lose_unread(content)

    @rule(chunk_bytes=st.sampled_from([100, 700, 4096]))
    @precondition(lambda self: self.tailer is None)
    def start(self, chunk_bytes: int = 4096) -> None:
        known = [
            replace(position, opened_ago_s=(time.time_ns() - self.opened_at_ns[file_id]) / 1e9)
            for file_id, position in self.positions.items()
        ]
        self._lose_what_has_no_predecessor()
        self.file_ids = {}
        self.tailer = Tailer(
            str(self.path),
            known,
            chunk_bytes=chunk_bytes,
            max_line_bytes=MAX_LINE,
            rotate_wait_s=ROTATE_WAIT_S,
            clock=lambda: self.now,
        )

    def teardown(self) -> None:
        try:
            if self.current is None:
                self.create()  # unseen files are searched for when a file is at the path again
            if self.tailer is None:
                self.start()
            for _ in range(3):
                self._poll(None)
                self.let_time_pass()
            for chunk in self.pending:
                self._store(chunk)
            self._check()
            assert self.tailer is not None
            self.tailer.close()
        finally:
            self.directory.cleanup()

    # The model

    def _check(self) -> None:
        for content in self.contents:
            stored = {start for number, start in self.stored if number == content.number}
            missing = set(content.line_starts()) - stored - content.lost
            is_not_due = content.is_unseen and not content.is_known
            assert is_not_due or not missing, (
                f"lines of content {content.number} ({content.name}) are missing: {sorted(missing)}"
            )
        open_positions = [position for position in self.positions.values() if not position.finished]
        assert len(open_positions) == (self.current is not None)

    def _line(self, length: int) -> bytes:
        content = self.current
        if content is None:
            self.create()
            return self._line(length)
        content.lines += 1
        return f"{content.number}:{content.lines}:".encode().ljust(length, b"x") + b"\n"

    def _write(self, data: bytes) -> None:
        if self.current is None:
            self.create()
        assert self.current is not None
        self._append(self.path, self.current, data)

    def _append(self, path: Path, content: Content, data: bytes) -> None:
        with path.open("ab") as file:
            file.write(data)
        content.data += data
        self._touch(path)

    def _touch(self, path: Path) -> None:
        """Give each write its own time: the machine is faster than the clock of the file system."""
        self.mtime_ns += 10_000_000_000  # more than the time in which a store answers
        os.utime(path, ns=(self.mtime_ns, self.mtime_ns))

    def _new_content(self, identity: tuple[int, int]) -> Content:
        content = Content(len(self.contents), [identity])
        self.contents.append(content)
        return content

    def _shift(self) -> None:
        """Give each rotated file the next number; delete the oldest."""
        if len(self.chain) == GENERATIONS:
            self._remove(self.chain.pop())
        for index, content in reversed(list(enumerate(self.chain, start=2))):
            old = self.path.with_name(str(content.name))
            content.name = f"{NAME}.{index}{old.suffix if content.is_packed else ''}"
            old.rename(old.with_name(content.name))

    def _move(self, content: Content, path: Path) -> None:
        content.is_moved = True
        content.identities.append(identity_of(path.stat()))

    def _is_stored(self, content: Content) -> bool:
        return any(number == content.number for number, _ in self.stored)

    def _remove(self, content: Content) -> None:
        if not self._is_held(content):
            self._lose_unread(content)
        self.path.with_name(str(content.name)).unlink()
        content.name = None
        if content.is_late:  # it looked newer than the files behind it, which are not recognized as unseen any more
            for other in self.chain:
                other.is_unseen = True

    def _is_held(self, content: Content) -> bool:
        if self.tailer is None:
            return False
        return any(reader.handle.identity in content.identities for reader in self.tailer._readers())

    def _is_hole_unread(self) -> bool:
        """Return whether the tailer knows only NULs of the file at the path. Another hole looks like the same file."""
        reader = None if self.tailer is None else self.tailer._current
        return reader is not None and reader.position("").byte_offset == 0 and reader._first_bytes[:1] == b"\0"

    def _lose_unread(self, content: Content) -> None:
        """Note that the bytes are gone: lines that are neither stored nor read by an open tailer may be missing."""
        name, content.name = content.name, None
        stored = {start for number, start in self.stored if number == content.number}
        pending = {
            start for chunk in self.pending if self._content(chunk) is content for start in content.lines_in(chunk)
        }
        content.lost |= set(content.line_starts()) - stored - pending
        content.name = name

    def _lose_what_has_no_predecessor(self) -> None:
        """Note that unseen files are not recognized if the store knows no file: they may be older than the stream."""
        if self.positions:
            return
        for content in self.contents:
            if content.name is None:
                continue
            content.is_known = content.is_known and not content.is_moved
            content.is_unseen = content.is_unseen or content is not self.current

    def _poll(self, chunks: int | None) -> None:
        assert self.tailer is not None
        if self.tailer._last is None and self.tailer._current is None:
            self._lose_what_has_no_predecessor()
        for chunk in islice(self.tailer.read(), chunks):
            self._take(chunk)

    def _take(self, chunk: Chunk) -> None:
        file = chunk.file
        if file.serial not in self.file_ids:
            self.file_ids[file.serial] = file.file_id or self._open_file(chunk)
            if file.start == 0:
                self.content_of.pop(self.file_ids[file.serial], None)  # only the inode of the file was known
        self._content(chunk).is_finished |= chunk.finished
        self._content(chunk).is_read |= bool(chunk.data)
        self.pending.append(chunk)

    def _open_file(self, chunk: Chunk) -> int:
        """Register the file as a store does: it has an id at once, and its position moves with the rows."""
        file = chunk.file
        file_id = len(self.positions) + 1
        self.positions[file_id] = FilePosition(
            file_id, file.path, file.device, file.inode, EMPTY_FINGERPRINT, file.start, finished=False
        )
        self.opened_at_ns[file_id] = self.mtime_ns
        return file_id

    def _content(self, chunk: Chunk) -> Content:
        """Return the content that the chunk was read from, by its lines or by its inode."""
        file_id = self.file_ids[chunk.file.serial]
        if chunk.data:
            number = int(chunk.data.split(b":", 1)[0].lstrip(b"\0"))
            self.content_of[file_id] = self.contents[number]
        elif file_id not in self.content_of or not self.content_of[file_id].holds_no_line_in(chunk):
            identity = (chunk.file.device, chunk.file.inode)
            found = [
                content
                for content in self.contents
                if identity in content.identities + content.former and content.holds_no_line_in(chunk)
            ]
            self.content_of[file_id] = found[-1]
        is_missing = chunk.finished and chunk.end == chunk.file.start == 0
        self.content_of[file_id].is_known |= not is_missing
        return self.content_of[file_id]

    def _store(self, chunk: Chunk) -> None:
        file_id = self.file_ids[chunk.file.serial]
        position = self.positions[file_id]
        assert position.byte_offset == chunk.start
        assert not position.finished
        content = self._content(chunk)
        for start in content.lines_in(chunk):
            assert (content.number, start) not in self.stored, f"stored twice: {content.number} at {start}"
            self.stored[content.number, start] = file_id
        self.positions[file_id] = replace(
            position, fingerprint=chunk.fingerprint, byte_offset=chunk.end, finished=chunk.finished
        )


TailingMachine.TestCase.settings = settings(
    max_examples=int(os.environ.get("TAILING_EXAMPLES", "50")),
    stateful_step_count=int(os.environ.get("TAILING_STEPS", "50")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

TestTailing = TailingMachine.TestCase
