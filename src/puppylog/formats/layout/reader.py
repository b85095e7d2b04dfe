"""Reads lines with a program: in C, or in Python if the C module was not built. Both return the same rows."""

from collections.abc import Callable
from typing import Final

from puppylog.formats import native
from puppylog.formats.layout.delimited import read_delimited
from puppylog.formats.layout.program import REASONS, Ending, Program, Reason, Step
from puppylog.formats.layout.record import Mismatch, Record, start_record
from puppylog.formats.rows import Rows, RowsBuilder, rows_from_buffers

_PROTO: Final = b" HTTP/"


def read_lines(program: Program, text: bytes | memoryview) -> Rows:
    """Return the rows of a text; see `puppylog.formats.line_format.Reader`."""
    if native.lines is None:
        return _read(program, bytes(text))
    is_utc = program.is_delimited and not program.is_local
    flags = program.has_parts, program.is_delimited, is_utc
    given = native.lines.layout(text, program.prefix, program.steps, *flags, *program.day)
    return rows_from_buffers(given, REASONS)


def find_mismatch(program: Program, line: str) -> int:
    """Return the offset of the first character of a rejected line that does not match."""
    raw = line.encode("utf-8", "replace")
    try:
        _read_line(program, raw)
    except Mismatch as mismatch:
        return len(raw[: mismatch.at].decode("utf-8", "ignore"))
    return 0


def _read(program: Program, text: bytes) -> Rows:
    builder = RowsBuilder(text)
    for at, line in builder.iter_lines():
        if program.is_delimited and line.startswith(b"#"):
            builder.skip(at, 0)
            continue
        try:
            record, time = _read_line(program, line)
        except Mismatch as mismatch:
            builder.reject(at, mismatch.reason.text)
        else:
            builder.add(at, time[0], is_local=time[1], members=record.members, columns=record.columns)
    return builder.build()


def _read_line(program: Program, line: bytes) -> tuple[Record, tuple[int, bool]]:
    if program.is_delimited and not program.steps:
        raise Mismatch(Reason.NO_FIELDS)
    record = start_record(program)
    if program.is_delimited:
        read_delimited(program, line, record)
    else:
        _read_steps(program, line, record)
    return record, record.finish(program)


def _read_steps(program: Program, line: bytes, record: Record) -> None:
    if not line.startswith(program.prefix):
        raise Mismatch(Reason.TEXT, _differs_at(line, 0, program.prefix))
    at = len(program.prefix)
    for step in program.steps:
        end = _find_end(step, line, at)
        if end < 0 and step.ending is Ending.QUOTE:
            raise Mismatch(Reason.OPEN_QUOTE, at)
        if end < 0:
            raise Mismatch(Reason.TEXT, _breaks_off_at(line, at, step.literal))
        try:
            record.add_value(step, line[at:end])
        except Mismatch as mismatch:
            raise Mismatch(mismatch.reason, at) from None
        if not line.startswith(step.literal, end):
            raise Mismatch(Reason.TEXT, _differs_at(line, end, step.literal))
        at = end + len(step.literal)
    if at < len(line):
        raise Mismatch(Reason.MORE, at)


def _differs_at(line: bytes, at: int, literal: bytes) -> int:
    """Return the offset of the first byte of the line from ``at`` on that differs from the literal."""
    pairs = zip(line[at:], literal, strict=False)
    return at + next((place for place, (one, other) in enumerate(pairs) if one != other), len(line) - at)


def _breaks_off_at(line: bytes, at: int, literal: bytes) -> int:
    """Return the offset after the longest beginning of the literal that the line has at ``at`` or later."""
    for size in range(len(literal), 0, -1):
        found = line.find(literal[:size], at)
        if found >= 0:
            return found + size
    return at


def _find_end(step: Step, line: bytes, start: int) -> int:
    """Return the offset of the end of the field that begins at the offset ``start``; -1 if the line has no such end."""
    return _ENDINGS[step.ending](step, line, start)


def _find_size(step: Step, line: bytes, start: int) -> int:
    return start + step.size if start + step.size <= len(line) else -1


def _find_literal(step: Step, line: bytes, start: int) -> int:
    return line.find(step.literal, start)


def _find_quote(_: Step, line: bytes, start: int) -> int:
    """Return the offset of the first quote that is not escaped. An odd number of backslashes escapes a quote."""
    at = line.find(b'"', start)
    while at >= 0:
        head = line[start:at]
        if (len(head) - len(head.rstrip(b"\\"))) % 2 == 0:
            return at
        start, at = at + 1, line.find(b'"', at + 1)
    return -1


def _find_list_end(step: Step, line: bytes, start: int) -> int:
    at = line.find(step.literal, start)
    while at >= 0:
        if at > start and line[at - 1 : at] == b",":
            at = line.find(step.literal, at + 1)
        elif line.startswith(b" : ", at):
            at = line.find(step.literal, at + 3)
        else:
            break
    return at


def _find_last_colon(_: Step, line: bytes, start: int) -> int:
    blank = line.find(b" ", start)
    return line.rfind(b":", start, blank if blank >= 0 else len(line))


def _find_proto(step: Step, line: bytes, start: int) -> int:
    proto = line.find(_PROTO, start)
    return proto if proto >= 0 else line.find(step.literal, start)


def _find_after_proto(step: Step, line: bytes, start: int) -> int:
    proto = line.find(_PROTO, start)
    return line.find(step.literal, proto + len(_PROTO) if proto >= 0 else start)


def _find_slash(_: Step, line: bytes, start: int) -> int:
    return line.find(b"/", start)


def _find_line_end(step: Step, line: bytes, start: int) -> int:
    end = len(line) - len(step.literal)
    return end if end >= start and line.endswith(step.literal) else -1


_ENDINGS: Final[dict[Ending, Callable[[Step, bytes, int], int]]] = {
    Ending.SIZED: _find_size,
    Ending.LITERAL: _find_literal,
    Ending.QUOTE: _find_quote,
    Ending.LIST: _find_list_end,
    Ending.ADDRESS: _find_last_colon,
    Ending.BEFORE_PROTO: _find_proto,
    Ending.AFTER_PROTO: _find_after_proto,
    Ending.SLASH: _find_slash,
    Ending.REST: _find_line_end,
}
