"""A transaction of lines that is being built for a remote store: frames in memory, compressed as they are written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from puppylog.errors import RequestRepeated, StreamBusy
from puppylog.model.record import Parsed
from puppylog.model.request import ReceivedRequest
from puppylog.model.stream import FilePosition, Move, have_moved
from puppylog.stores.base import Appended
from puppylog.stores.commit_once import CommitOnce
from puppylog.stores.messages import encode
from puppylog.stores.remote.frames import END, Kind, pack_batch, pack_frame
from puppylog.stores.remote.protocol import LinesNeeded


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of one file, as frames."""

    stream_id: int
    file_id: int
    frames: tuple[bytes, ...]
    kinds: str  # the letters of the frames' kinds, in their order
    data: bytes  # the lines that the rows were parsed from; empty if the store never needs them
    data_offset: int

    def list_plain(self, *, has_lines: bool) -> list[Any]:
        """Return what the server has to know about the frames that follow."""
        kinds = self.kinds + (_LINES if has_lines else "")
        return [self.stream_id, self.file_id, kinds, self.data_offset]


_LINES: Final = Kind.LINES.value.decode()


def make_part(stream_id: int, file_id: int, parsed: Parsed, *, keeps_lines: bool) -> Part:
    """Return rows of one file as frames.

    Args:
        stream_id: of the file's stream.
        file_id: of the file.
        parsed: the rows.
        keeps_lines: whether the store may refuse rows, and then needs their lines.
    """
    frames, kinds = [], ""
    for kind, batch in ((Kind.RECORDS, parsed.records), (Kind.REJECTS, parsed.rejects)):
        if batch.num_rows:
            frames.append(pack_batch(kind, batch))
            kinds += kind.value.decode()
    data = parsed.data if keeps_lines and parsed.records.num_rows else b""
    return Part(stream_id, file_id, tuple(frames), kinds, data, parsed.data_offset)


class RemoteAppender:
    """Implements `puppylog.stores.base.Appender`."""

    def __init__(
        self,
        append: Callable[[list[bytes]], Appended],
        find_files: Callable[[Sequence[int]], Mapping[int, FilePosition]],
        ends: dict[int, int],
        *,
        keeps_lines: bool,
    ) -> None:
        """Start without rows.

        Args:
            append: sends the body of a call, and returns the server's answer; it does not retry. Raises LinesNeeded if
                the body must have the lines, too.
            find_files: returns the committed positions of the files with these ids.
            ends: by file id, where the last transaction of this client ended that the store has committed. Each commit
                changes it.
            keeps_lines: whether the store may refuse rows, and then needs their lines.
        """
        self._append = append
        self._once = CommitOnce(find_files)
        self._find_files = find_files
        self._ends = ends
        self._keeps_lines = keeps_lines
        self._parts: list[Part] = []
        self._counted = Appended(0, 0)

    def write(self, stream_id: int, file_id: int, parsed: Parsed) -> None:
        if not parsed.lines:
            return
        self._parts.append(make_part(stream_id, file_id, parsed, keeps_lines=self._keeps_lines))
        self._counted = Appended(
            self._counted.records + parsed.records.num_rows, self._counted.rejects + parsed.rejects.num_rows
        )

    def complete(self) -> None:
        """Do nothing: `write` has made the frames."""

    def commit(self, moves: Sequence[Move], requests: Sequence[ReceivedRequest] = ()) -> Appended:
        try:
            appended = self._once.commit(moves, lambda: self._send(moves, requests))
        except (StreamBusy, RequestRepeated):
            if not self._was_repeated(moves):
                raise
            appended = None
        self._ends.update({move.file_id: move.end for move in moves})
        if appended is None:
            # The answer is lost, and with it the number of rows that the store refused. All rows count as stored.
            appended = self._counted
        self.discard()
        return appended

    def _was_repeated(self, moves: Sequence[Move]) -> bool:
        """Return whether this transaction has been committed, although the store refuses it.

        So it is if a proxy has sent the call twice, and this is the answer to the second one. The files then are where
        the transaction ends, and no earlier transaction of this client has brought them there.
        """
        is_new = all(self._ends.get(move.file_id, -1) < move.end for move in moves if move.end > move.start)
        return bool(moves) and is_new and have_moved(moves, self._find_files([move.file_id for move in moves]))

    def _send(self, moves: Sequence[Move], requests: Sequence[ReceivedRequest]) -> Appended:
        try:
            return self._append(list(self._iter_body(moves, requests, has_lines=False)))
        except LinesNeeded:
            return self._append(list(self._iter_body(moves, requests, has_lines=True)))

    def _iter_body(
        self, moves: Sequence[Move], requests: Sequence[ReceivedRequest], *, has_lines: bool
    ) -> Iterator[bytes]:
        parts = [part.list_plain(has_lines=has_lines and bool(part.data)) for part in self._parts]
        yield pack_frame(Kind.JSON, encode({"moves": moves, "requests": requests, "parts": parts}))
        for part in self._parts:
            yield from part.frames
            if has_lines and part.data:
                yield pack_frame(Kind.LINES, pa.py_buffer(part.data))
        yield END

    def discard(self) -> None:
        self._parts = []
