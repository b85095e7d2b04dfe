"""The format ``json``: one JSON object on each line.

The name of a member decides which column it fills (see ``names``). All other members become attributes, in their order
and unchanged: numbers keep their digits, objects and arrays keep their blanks. If some members of a nested object fill
columns, the other members of that object become one attribute. If ``json_text`` had to replace an escape, the record
has the attribute ``invalid_escape``.

The journal of systemd writes a message that is not plain text as a list of bytes: ``"MESSAGE": [104, 105]``. A list of
bytes under this name in capitals is decoded as UTF-8.
"""

from collections.abc import Iterable
from typing import Final

from puppylog.formats import native
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

REASONS: Final = (NO_OBJECT, MALFORMED, TOO_DEEP, NUMBER_RANGE)


def read_json(text: bytes | memoryview, names: NameTable = ALL_NAMES) -> Rows:
    """Return the rows of JSON lines; see `puppylog.formats.line_format.Reader`.

    Args:
        text: the lines.
        names: the names of members that fill columns.
    """
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
    members = _list_members(items, names)
    for member, item in zip(members, items, strict=True):
        if item.key == _JOURNAL_MESSAGE and isinstance(item.value, list) and _are_bytes(item.value):
            member.text = bytes(map(int, item.value)).decode("utf-8", "replace").replace("\0", "\ufffd")
            has_invalid_escapes |= "\ufffd" in member.text
    fields = read_fields(members)
    if has_invalid_escapes:
        fields.attributes.append(("invalid_escape", "true"))
    builder.add(at, fields.ts_us, is_local=fields.is_local, members=fields.attributes, columns=fields.columns)


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
