"""The format ``json``: one JSON object on each line.

The name of a member decides which column it fills (see ``names``). All other members become attributes, in their order
and unchanged: numbers keep their digits, objects and arrays keep their blanks. If some members of a nested object fill
columns, the other members of that object become one attribute. If ``json_text`` had to replace an escape, the record
has the attribute ``invalid_escape``.

The journal of systemd writes a message that is not plain text as a list of bytes: ``"MESSAGE": [104, 105]``. A list of
bytes under this name in capitals is decoded as UTF-8.

A line that is a bundle of records makes a record of each of them (see ``bundle``). The readers of lines reject it with
the reason `BUNDLE`; then it is divided, and its parts are read as lines.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats import native
from puppylog.formats.bundle import KEYS as BUNDLE_KEYS
from puppylog.formats.bundle import split_bundle
from puppylog.formats.fields import Member, read_fields
from puppylog.formats.json_text import (
    MALFORMED,
    NO_OBJECT,
    NUMBER_RANGE,
    TOO_DEEP,
    InvalidJson,
    Item,
    Number,
    list_items,
    read_object,
)
from puppylog.formats.names import ALL_NAMES, NameTable, normalize
from puppylog.formats.rows import Rows, RowsBuilder, rows_from_buffers

_JOURNAL_MESSAGE: Final = "MESSAGE"
_LARGEST_BYTE: Final = 255

BUNDLE: Final = "a bundle of records"
REASONS: Final = (NO_OBJECT, MALFORMED, TOO_DEEP, NUMBER_RANGE, BUNDLE)


def read_json(text: bytes | memoryview, names: NameTable = ALL_NAMES) -> Rows:
    """Return the rows of JSON lines; see `puppylog.formats.line_format.Reader`.

    Args:
        text: the lines.
        names: the names of members that fill columns.
    """
    rows = _read_lines(text, names)
    if len(rows.reasons) and pc.any(pc.equal(rows.reasons, BUNDLE)).as_py():
        return _divide_bundles(bytes(text), rows, names)
    return rows


def _read_lines(text: bytes | memoryview, names: NameTable) -> Rows:
    if native.lines is not None:
        return rows_from_buffers(native.lines.json(text, names.encoded), REASONS)
    builder = RowsBuilder(bytes(text))
    for at, line in builder.iter_lines():
        try:
            _read_line(builder, at, line.decode(), names)
        except InvalidJson as error:
            builder.reject(at, error.reason)
    return builder.build()


def find_json_mismatch(line: str) -> int:
    """Return the offset of the first character of a rejected line that does not match."""
    try:
        read_object(line)
    except InvalidJson as error:
        return error.at
    return 0


def _read_line(builder: RowsBuilder, at: int, line: str, names: NameTable) -> None:
    items, has_invalid_escapes = read_object(line)
    if items and items[0].key in BUNDLE_KEYS and isinstance(items[0].value, list):
        raise InvalidJson(BUNDLE)
    members = _list_members(items, names)
    for member, item in zip(members, items, strict=True):
        if item.key == _JOURNAL_MESSAGE and isinstance(item.value, list) and _are_bytes(item.value):
            member.text = bytes(map(int, item.value)).decode("utf-8", "replace").replace("\0", "\ufffd")
            has_invalid_escapes |= "\ufffd" in member.text
    fields = read_fields(members)
    if has_invalid_escapes:
        fields.attributes.append(("invalid_escape", "true"))
    builder.ambiguous_zones += fields.has_ambiguous_zone
    builder.add(at, fields.ts_us, is_local=fields.is_local, members=fields.attributes, columns=fields.columns)


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
        ambiguous_zones=rows.ambiguous_zones + inner.ambiguous_zones,
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


def _are_bytes(values: list[object]) -> bool:
    return all(isinstance(value, Number) and value.isdigit() and int(value) <= _LARGEST_BYTE for value in values)


def _list_members(items: Iterable[Item], names: NameTable, prefix: str = "") -> list[Member]:
    members = []
    for item in items:
        path = prefix + normalize(item.key)
        member = Member(item.key, item.json, name=names.find_name(path))
        match item.value:
            case Number() as number:
                member.text, member.is_number = number, True
            case str(text) | [str(text)] if not isinstance(text, Number):  # a header is a list, mostly with one text
                member.text = text
            case dict() if names.holds_names(path):
                member.inner = _list_members(list_items(item.json), names, f"{path}.")
        members.append(member)
    return members
