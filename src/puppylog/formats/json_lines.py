"""The format ``json``: one JSON object on each line.

The name of a member decides which column it fills (see ``names``). All other members become attributes, in their order
and unchanged: numbers keep their digits, objects and arrays keep their blanks. If some members of a nested object fill
columns, the other members of that object become one attribute. If ``json_text`` had to replace an escape, the record
has the attribute ``invalid_escape``.

The journal of systemd writes a message that is not plain text as a list of bytes: ``"MESSAGE": [104, 105]``. A list of
bytes under this name in capitals is decoded as UTF-8. A line with a cursor is an entry of the journal, and is read with
the journal's own table (see ``journal.fields``): in a journal, ``STATUS`` is whatever a program means by it.

A line that is a bundle of records makes a record of each of them (see ``bundle``). The readers of lines reject it with
the reason `BUNDLE`; then it is divided, and its parts are read as lines.

Docker keeps each line of a container in the member ``log``. `container_lines` joins the lines of a message. If the
message is a record itself, ``inner`` reads it.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats import native
from puppylog.formats.bundle import split_bundle
from puppylog.formats.container_lines import ContainerJoiner, ContainerLine
from puppylog.formats.entry import Entry, add_entry
from puppylog.formats.fields import Member
from puppylog.formats.inner import read_inner
from puppylog.formats.journal.fields import NAMES, is_entry, leave_out, may_have_entries
from puppylog.formats.json_object import BUNDLE, read_json_object
from puppylog.formats.json_text import MALFORMED, NO_OBJECT, NUMBER_RANGE, TOO_DEEP, InvalidJson, read_object
from puppylog.formats.names import ALL_NAMES, NameTable
from puppylog.formats.rows import NO_TIME, Rows, RowsBuilder, rows_from_buffers

PARTS: Final = re.compile(rb'^(?!.*(?<!\\)(?:\\\\)*\\n")[^\n]*"log"', re.MULTILINE)
"""Matches at the start of a line in which no text ends with a newline, as the text of a part does not."""

REASONS: Final = (NO_OBJECT, MALFORMED, TOO_DEEP, NUMBER_RANGE, BUNDLE)


def read_json(text: bytes | memoryview, names: NameTable = ALL_NAMES, *, joins: bool = False) -> Rows:
    """Return the rows of JSON lines; see `puppylog.formats.line_format.Reader`.

    Args:
        text: the lines.
        names: the names of members that fill columns.
        joins: whether lines of one message of a container are joined; see `puppylog.formats.cri.read_cri`.
    """
    if names is ALL_NAMES and may_have_entries(text):
        return _read_with_entries(bytes(text), joins=joins)
    return _read_all(text, names, joins=joins)


def _read_all(text: bytes | memoryview, names: NameTable, *, joins: bool) -> Rows:
    rows = _read_lines(text, names, joins=joins)
    if len(rows.reasons) and pc.any(pc.equal(rows.reasons, BUNDLE)).as_py():
        return _divide_bundles(bytes(text), rows, names)
    return rows


def _read_with_entries(text: bytes, *, joins: bool) -> Rows:
    """Return the rows of lines of which some are entries of systemd's journal, which have names of their own."""
    lines = [line + b"\n" for line in text.split(b"\n")[:-1]]
    entries = [is_entry(line) for line in lines]

    def keep(*, kept: bool) -> bytes:
        """Return the text with blank lines in place of the others: all offsets stay the same."""
        pairs = zip(lines, entries, strict=True)
        return b"".join(line if entry is kept else b" " * (len(line) - 1) + b"\n" for line, entry in pairs)

    found = _read_lines(keep(kept=True), NAMES)
    found = replace(found, columns={**found.columns, "attributes": leave_out(found.columns["attributes"])})
    return found if all(entries) else _merge(found, _read_all(keep(kept=False), ALL_NAMES, joins=joins), sum(entries))


def _merge(entries: Rows, others: Rows, count: int) -> Rows:
    """Return the rows of two texts as rows of one. In the text of the others, ``count`` lines are blank."""
    order = pc.sort_indices(pa.concat_arrays([entries.starts, others.starts]))
    order_of_rejects = pc.sort_indices(pa.concat_arrays([entries.rejected_starts, others.rejected_starts]))

    def join(one: pa.Array, other: pa.Array, by: pa.Array = order) -> pa.Array:
        return pa.concat_arrays([one, other.cast(one.type)]).take(by)

    return Rows(
        join(entries.starts, others.starts),
        join(entries.ts_us, others.ts_us),
        join(entries.is_local.cast(pa.bool_()), others.is_local),
        {name: join(column, others.columns[name]) for name, column in entries.columns.items()},
        join(entries.rejected_starts, others.rejected_starts, order_of_rejects),
        join(entries.rejected_ends, others.rejected_ends, order_of_rejects),
        join(entries.reasons, others.reasons, order_of_rejects),
        rowless=others.rowless - count,
        continued=others.continued,
        ambiguous_zones=entries.ambiguous_zones + others.ambiguous_zones,
        parts=others.parts,
    )


def _read_lines(text: bytes | memoryview, names: NameTable, *, joins: bool = False) -> Rows:
    if native.lines is not None:
        return rows_from_buffers(native.lines.json(text, names.encoded, joins), REASONS)
    builder = RowsBuilder(bytes(text))
    joiner = ContainerJoiner(joins=joins)
    for at, line in builder.iter_lines():
        try:
            entry, written = _read_line(line.decode(), names)
        except InvalidJson as error:
            builder.reject(at, error.reason)
        else:
            if written is None:
                add_entry(builder, at, entry)
            elif written.ts_us == NO_TIME or not joiner.join(builder, at, written):
                add_entry(builder, at, read_inner(entry, names=names))
    return builder.build()


def find_json_mismatch(line: str) -> int:
    """Return the offset of the first character of a rejected line that does not match."""
    try:
        read_object(line)
    except InvalidJson as error:
        return error.at
    return 0


def read_container_line(line: str) -> ContainerLine | None:
    """Return a line of a container as Docker keeps it; None if the line is none, or has no time."""
    try:
        written = _read_line(line, ALL_NAMES)[1]
    except InvalidJson:
        return None
    return None if written is None or written.ts_us == NO_TIME else written


def join_docker_parts(lines: Sequence[bytes]) -> bytes | None:
    """Return the lines of a message of several parts as one line, with the other members of the first line."""
    try:
        objects = [json.loads(line.decode("utf-8", "replace"), strict=False) for line in lines]
    except ValueError:
        return None
    return json.dumps(objects[0] | {"log": "".join(part["log"] for part in objects)}).encode()


def _read_line(line: str, names: NameTable) -> tuple[Entry, ContainerLine | None]:
    """Return the record of a line, and the line of the container if it has one."""
    fields, members = read_json_object(line, names)
    entry = Entry(fields.ts_us, fields.is_local, fields.columns, fields.attributes, fields.has_ambiguous_zone)
    return entry, _find_container_line(entry, members)


def _find_container_line(entry: Entry, members: Sequence[Member]) -> ContainerLine | None:
    """Return the line that a container wrote, which Docker keeps in ``log`` with ``stream``; None if there is none."""
    by_key = {member.key: member for member in members}
    log, stream, message = by_key.get("log"), by_key.get("stream"), entry.columns.get("message") or ""
    if log is None or stream is None or log.is_number or not log.is_used or not isinstance(message, str):
        return None
    if log.text is None or log.text in {"", "-"} or not stream.json.startswith('"'):
        return None
    return ContainerLine(stream.json[1:-1], entry.ts_us, message, is_part=not log.text.endswith("\n"))


def _divide_bundles(text: bytes, rows: Rows, names: NameTable) -> Rows:
    """Return the rows with the records of bundles in place of the bundles."""
    is_bundle = pc.equal(rows.reasons, BUNDLE)
    parts, empty = _list_parts(text, rows.rejected_starts.filter(is_bundle).to_pylist())
    inner = _read_lines(b"".join(part.line + b"\n" for part in parts), names)
    lines = pa.array(list(accumulate((len(part.line) + 1 for part in parts), initial=0)), pa.int64())
    starts = pa.array([part.start for part in parts], pa.int64())
    ends = pa.array([part.end for part in parts], pa.int64())
    inner_starts = starts.take(pc.index_in(inner.starts, value_set=lines))
    rejected = pc.index_in(inner.rejected_starts, value_set=lines)
    rejected_starts = pa.concat_arrays([_leave_out(rows.rejected_starts, is_bundle), starts.take(rejected)])
    order = pc.sort_indices(pa.concat_arrays([rows.starts, inner_starts]))
    order_of_rejects = pc.sort_indices(rejected_starts)

    def join(outer: pa.Array, part: pa.Array) -> pa.Array:
        return pa.concat_arrays([outer, part.cast(outer.type)]).take(order)

    return Rows(
        join(rows.starts, inner_starts),
        join(rows.ts_us, inner.ts_us),
        join(rows.is_local.cast(pa.bool_()), inner.is_local),
        {name: join(column, inner.columns[name]) for name, column in rows.columns.items()},
        rejected_starts.take(order_of_rejects),
        pa.concat_arrays([_leave_out(rows.rejected_ends, is_bundle), ends.take(rejected)]).take(order_of_rejects),
        pa.concat_arrays([_leave_out(rows.reasons, is_bundle), inner.reasons]).take(order_of_rejects),
        rowless=rows.rowless + empty,
        continued=rows.continued,
        ambiguous_zones=rows.ambiguous_zones + inner.ambiguous_zones,
        parts=rows.parts,
    )


def _leave_out(values: pa.Array, is_bundle: pa.Array) -> pa.Array:
    return values.filter(pc.invert(is_bundle))


@dataclass(frozen=True, slots=True)
class _Placed:
    """A record of a bundle with its place in the text, in bytes. The first record starts where its line does."""

    start: int
    end: int
    line: bytes


def _list_parts(text: bytes, starts: Sequence[int]) -> tuple[list[_Placed], int]:
    """Return the records of the bundles at these offsets, and the number of bundles without a record."""
    placed: list[_Placed] = []
    empty = 0
    for start in starts:
        line = text[start : text.index(b"\n", start)].decode()
        parts = split_bundle(line)
        empty += not parts
        at, before = start, 0
        for number, part in enumerate(parts):
            at += len(line[before : part.start].encode())
            before = part.start
            end = at + len(line[part.start : part.end].encode())
            placed.append(_Placed(at if number else start, end, part.line.encode("utf-8", "replace")))
    return placed, empty
