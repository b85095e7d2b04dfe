"""The rows of a text, in columns: what a reader returns.

A native reader returns buffers, and `rows_from_buffers` makes `Rows` of the buffers. A reader in Python adds rows one
by one to a `RowsBuilder`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import pyarrow as pa

from puppylog.formats.lines import check_utf8
from puppylog.formats.quoting import quote
from puppylog.model.record import RECORDS

NO_TIME: Final = -(1 << 63)
"""The value of ``ts_us`` for a line without a time."""

FILLED: Final = tuple(name for name in RECORDS.names if name not in {"line_offset", "ts"})
"""The columns that a reader fills, in the order of `RECORDS`."""

MAX_RECORD_LINES: Final = 1000
MAX_RECORD_BYTES: Final = 256 * 1024
"""The most lines and bytes of a record; it gets no further continuation line."""

_MIN_RUN: Final = 5
_MAX_RUNS: Final = 16

Member: TypeAlias = tuple[str, str]  # a key, and its value in JSON

Run: TypeAlias = tuple[int, int]
"""Consecutive continuation lines: the offset in bytes of the first one, and their number without blank lines."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The records and the rejected lines of one text, both in the order of the text.

    Offsets are in bytes from the start of the text.
    """

    starts: pa.Array  # int64: the offset of each record
    ts_us: pa.Array  # int64: microseconds since the epoch, or NO_TIME
    is_local: pa.Array  # bool or uint8: whether the stamp names no zone; ts_us is then local time, counted as if in UTC
    columns: Mapping[str, pa.Array]  # the columns of FILLED, with the types of RECORDS
    rejected_starts: pa.Array  # int64: the offset of each rejected line
    rejected_ends: pa.Array  # int64: the offset of each rejected line's newline
    reasons: pa.Array  # strings: why each line is rejected
    rowless: int = 0  # the number of directives and blank lines
    continued: int = 0  # the number of continuation lines, which belong to the record before
    orphans: int = 0  # the number of records that begin with a continuation line
    joined_runs: Sequence[Run] = ()  # the first long runs of continuation lines
    ambiguous_zones: int = 0  # the number of records whose stamp names a zone that can mean several
    parts: int = 0  # the number of lines that are a part of a longer line of a container, and not the last part


@dataclass(slots=True)
class RowsBuilder:
    """Builds the `Rows` of a text from rows that are added one by one."""

    text: bytes
    rowless: int = 0
    continued: int = 0
    orphans: int = 0
    ambiguous_zones: int = 0
    parts: int = 0
    _blanks: int = 0  # the number of consecutive blank lines that end at the offset _blanks_end
    _blanks_end: int = -1
    _record_lines: int = 0  # the number of lines of the record that was continued last
    _joined_to: int = 0  # the number of rows when a line was joined last
    _run: Run | None = None
    _runs: list[Run] = field(default_factory=list)
    _starts: list[int] = field(default_factory=list)
    _ts_us: list[int] = field(default_factory=list)
    _is_local: list[bool] = field(default_factory=list)
    _columns: dict[str, list[str | int | None]] = field(default_factory=lambda: {name: [] for name in FILLED})
    _rejected_at: list[int] = field(default_factory=list)
    _rejected_ends: list[int] = field(default_factory=list)
    _reasons: list[str] = field(default_factory=list)

    def iter_lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the offset in bytes of each line, and the line without its newline and one carriage return before it.

        Lines with only blanks, tabs and carriage returns are counted as ``rowless``, and not returned.

        Raises:
            ValueError: the last line has no newline.
            UnicodeError: the text is not UTF-8.
        """
        check_utf8(self.text)
        if self.text and not self.text.endswith(b"\n"):
            raise ValueError("the last line of the text has no newline")
        at = 0
        for line in self.text.split(b"\n")[:-1]:
            text = line.removesuffix(b"\r")
            if text.strip(b" \t\r"):
                yield at, text
            else:
                self.skip(at, len(line) + 1)
            at += len(line) + 1

    def add(
        self,
        at: int,
        ts_us: int = NO_TIME,
        *,
        is_local: bool = False,
        members: Sequence[Member] = (),
        columns: Mapping[str, str | int | None],
    ) -> None:
        """Add a record.

        Args:
            at: the offset of the record, in bytes from the start of the text.
            ts_us: see `Rows`.
            is_local: see `Rows`.
            members: the members of the JSON object in the column ``attributes``, in this order; values are JSON.
            columns: the values of the other columns by name. An empty text becomes null.
        """
        self._starts.append(at)
        self._ts_us.append(ts_us)
        self._is_local.append(is_local)
        for name, values in self._columns.items():
            value = columns.get(name)
            values.append(None if value == "" else value)
        if members:
            self._columns["attributes"][-1] = write_object(members)

    def reject(self, at: int, reason: str) -> None:
        """Add a rejected line, which starts at the offset ``at`` in bytes."""
        self._rejected_at.append(at)
        self._rejected_ends.append(self.text.index(b"\n", at))
        self._reasons.append(reason)

    def skip(self, at: int, size: int) -> None:
        """Count a line that makes no row, which starts at the offset ``at`` and has ``size`` bytes with its newline."""
        self.rowless += 1
        self._blanks = self._blanks + 1 if self._blanks_end == at else 1
        self._blanks_end = at + size

    def continue_(self, at: int, line: bytes) -> None:
        """Append a line, which starts at the offset ``at`` in bytes, to the message of the last record.

        If the last row is a rejected line, the line is appended to that. Blank lines directly before the line are
        appended, too. If there is no row before the line, or the row has the most lines or bytes already, the line
        becomes a record without a time, whose message is the line.
        """
        self._begin_join()
        self._run = (self._run[0], self._run[1] + 1) if self._run is not None else (at, 1)
        if not self._has_space(at):
            self.add(at, columns={"message": line.decode()})
            self.orphans += 1
            self._record_lines = 1
        else:
            blanks = self._blanks if self._blanks_end == at else 0
            if self._is_rejected:
                self._rejected_ends[-1] = self.text.index(b"\n", at)
            else:
                before = self._columns["message"][-1]
                newlines = "" if before is None else "\n" * (blanks + 1)
                self._columns["message"][-1] = f"{before or ''}{newlines}{line.decode()}"
            self._count_joined(blanks)
        self._joined_to = self._rows

    def append(self, at: int, text: str, *, is_line: bool) -> bool:
        """Append a text to the message of the last record, of which the line at the offset ``at`` is a part.

        Return False, and change nothing, if the last row is not a record, or if it has the most lines or bytes already.

        Args:
            at: the offset of the line in bytes.
            text: what is appended.
            is_line: whether the text is a line of its own.
        """
        self._begin_join()
        if self._is_rejected or not self._has_space(at):
            return False
        if text:
            before = self._columns["message"][-1]
            newline = "\n" if is_line and before is not None else ""
            self._columns["message"][-1] = f"{before or ''}{newline}{text}"
        self._count_joined(0)
        self._joined_to = self._rows
        return True

    def join_member(self, at: int, key: str, value: str) -> bool:
        """Add a member to the attributes of the last record, of which the line at the offset ``at`` is a part.

        Without a key, the value is appended to the last member, which is a text, and blank lines directly before the
        line are appended, too. Return False, and change nothing, if the last row is not a record, or if it has the most
        lines or bytes already.
        """
        self._begin_join()
        if self._is_rejected or not self._has_space(at):
            return False
        attributes = str(self._columns["attributes"][-1] or "{}")
        blanks = self._blanks if not key and self._blanks_end == at else 0
        if key:
            comma = "" if attributes == "{}" else ", "
            attributes = f"{attributes[:-1]}{comma}{quote(key)}: {quote(value)}}}"
        else:
            newlines = "\n" * (blanks + 1)
            attributes = f"{attributes[:-2]}{quote(newlines + value)[1:]}}}"
        self._columns["attributes"][-1] = attributes
        self._count_joined(blanks)
        self._joined_to = self._rows
        return True

    @property
    def has_only_orphans(self) -> bool:
        """Whether all rows so far are records that begin with a continuation line."""
        return self._rows == self.orphans

    def _begin_join(self) -> None:
        """Begin to join a line: if a row was added after the last joined line, it has one line so far."""
        if self._rows != self._joined_to:
            self._end_run()
            self._record_lines = 1

    @property
    def _is_rejected(self) -> bool:
        """Whether the last row is a rejected line."""
        return self._rejected_at[-1:] > self._starts[-1:]

    def _has_space(self, at: int) -> bool:
        """Return whether there is a row before the offset ``at`` that can get a line."""
        last = max((*self._rejected_at[-1:], *self._starts[-1:]), default=at - MAX_RECORD_BYTES)
        return self._record_lines < MAX_RECORD_LINES and at - last < MAX_RECORD_BYTES

    def _count_joined(self, blanks: int) -> None:
        self.rowless -= blanks
        self.continued += blanks + 1
        self._record_lines += blanks + 1

    @property
    def _rows(self) -> int:
        return len(self._starts) + len(self._rejected_at)

    def _end_run(self) -> None:
        if self._run is not None and self._run[1] >= _MIN_RUN and len(self._runs) < _MAX_RUNS:
            self._runs.append(self._run)
        self._run = None

    def build(self) -> Rows:
        """Return the rows that were added."""
        self._end_run()
        return Rows(
            pa.array(self._starts, pa.int64()),
            pa.array(self._ts_us, pa.int64()),
            pa.array(self._is_local, pa.bool_()),
            {name: pa.array(values, RECORDS.field(name).type) for name, values in self._columns.items()},
            pa.array(self._rejected_at, pa.int64()),
            pa.array(self._rejected_ends, pa.int64()),
            pa.array(self._reasons, pa.string()),
            self.rowless,
            self.continued,
            self.orphans,
            self._runs,
            self.ambiguous_zones,
            self.parts,
        )


def write_object(members: Iterable[Member]) -> str:
    """Return the JSON object with these members, in their order."""
    return "{" + ", ".join(f"{quote(key)}: {value}" for key, value in members) + "}"


_SINGLE: Final = ("starts", "ts_us", "is_local", "rejected_starts", "rejected_ends", "reasons", "scratch")
_LAST: Final = ("status_code", "response_bytes", "attributes")
_NO_REASONS: Final = pa.array([], pa.string())
_COLUMNS: Final = tuple(
    (name, RECORDS.field(name).type, pa.types.is_string(RECORDS.field(name).type))
    for name in (*(name for name in FILLED if name not in _LAST), *_LAST)
)


def rows_from_buffers(given: Sequence[Any], reasons: Sequence[str]) -> Rows:
    """Return the rows in the buffers that a native reader returns.

    Args:
        given: the number of records; the number of nulls of each column; all blocks in the order of
            ``builder_each_block`` in ``native/builder.c``, with three blocks for each column; the last six values of
            `Rows`.
        reasons: the texts of the reader's reasons; a reason's number is its index.
    """
    count, nulls, blocks, *numbers_of_lines = given
    single = dict(zip(_SINGLE, blocks, strict=False))
    columns = {
        name: _column_of(kind, count, nulls[place], blocks[len(_SINGLE) + 3 * place :][:3], is_text=is_text)
        for place, (name, kind, is_text) in enumerate(_COLUMNS)
    }
    numbers = _array_of(pa.uint8(), single["reasons"])
    return Rows(
        _array_of(pa.int64(), single["starts"]),
        _array_of(pa.int64(), single["ts_us"]),
        _array_of(pa.uint8(), single["is_local"]),
        columns,
        _array_of(pa.int64(), single["rejected_starts"]),
        _array_of(pa.int64(), single["rejected_ends"]),
        pa.array(reasons, pa.string()).take(numbers) if len(numbers) else _NO_REASONS,
        *numbers_of_lines,
    )


def _array_of(kind: pa.DataType, block: Any) -> pa.Array:  # noqa: ANN401 - anything that holds bytes
    """Return an array over the numbers in a block, without a copy."""
    values = pa.py_buffer(block)
    return pa.Array.from_buffers(kind, values.size * 8 // kind.bit_width, [None, values])


def _column_of(kind: pa.DataType, count: int, nulls: int, blocks: Sequence[Any], *, is_text: bool) -> pa.Array:
    if nulls == count:
        return pa.nulls(count, kind)
    values, data, validity = map(pa.py_buffer, blocks)
    valid = validity if nulls else None
    return pa.Array.from_buffers(kind, count, [valid, values, data] if is_text else [valid, values], nulls)
