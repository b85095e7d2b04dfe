"""Turns fields with names into columns and attributes. ``native/fields.c`` does the same in C.

If two fields name the same column, the field with the better name fills it (see ``names``). The other field becomes an
attribute, and so does a value that does not fit its column: nothing is lost. A field with a known name is left out if
its value is empty, a dash or null: then the value is unknown.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from puppylog.formats import clock
from puppylog.formats.names import Name
from puppylog.formats.rows import NO_TIME, write_object
from puppylog.formats.rows import Member as Attribute

Columns: TypeAlias = dict[str, str | int | None]

_EARLIEST_US = 100_000_000 * 1_000_000
"""The earliest time that a number may mean, in March 1973. A smaller number is a duration or a count, and no time."""

_SYSLOG: Final = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_SEVERITY_NUMBERS: Final = {str(number): word for number, word in enumerate(_SYSLOG)} | {
    "10": "trace",  # from here on as in Bunyan and pino
    "20": "debug",
    "30": "info",
    "40": "warn",
    "50": "error",
    "60": "fatal",
}
_LOWER: Final = str.maketrans({letter: letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})

_INTEGER = re.compile("-?[1-9][0-9]{0,18}|0")
_METHOD = re.compile("[A-Z][A-Z0-9_-]*")
_REQUEST = re.compile("([A-Z][A-Z0-9_-]*) (?:(.+) (HTTP/[^ ]+)|(/.*))", re.DOTALL)
_REQUEST_COLUMNS: Final = ("request_method", "request_route", "request_proto")


@dataclass(slots=True)
class Member:
    """A field of a line. Its members are fields, too, if its value is an object that `names.holds_names` accepts."""

    key: str
    json: str  # the value in JSON
    text: str | None = None  # the value if it is a text or a number, else None
    is_number: bool = False
    name: Name | None = None
    inner: Sequence["Member"] = ()
    is_used: bool = False  # the value fills a column, or is unknown: it becomes no attribute


@dataclass(frozen=True, slots=True)
class Fields:
    """The values of a line, as arguments of `puppylog.formats.rows.RowsBuilder.add`."""

    ts_us: int
    is_local: bool
    columns: Columns
    attributes: list[Attribute]


def read_fields(members: Sequence[Member]) -> Fields:
    """Return the columns and the attributes that the members of a line fill.

    Args:
        members: the members in their order; no two members of one object have the same key.
    """
    winners: dict[str, tuple[Member, Name]] = {}
    values: dict[str, clock.Stamp | Columns] = {}
    for member, name in _iter_named(members):
        if member.json == "null" or member.text in {"", "-"}:
            member.is_used = True
        elif name.field not in winners or name.rank < winners[name.field][1].rank:
            value = _read_value(name.field, member)
            if value is not None:
                winners[name.field] = member, name
                values[name.field] = value
    if "request" in winners:  # the whole request fills the columns of its parts
        for part in _REQUEST_COLUMNS:
            winners.pop(part, None)
    stamp = clock.Stamp(NO_TIME)
    columns: Columns = {}
    for field_name, (member, _) in winners.items():
        member.is_used = True
        match values[field_name]:
            case clock.Stamp() as found:
                stamp = found
            case found:
                columns.update(found)
    return Fields(stamp.us, stamp.is_local, columns, list(_iter_remaining(members)))


def _iter_named(members: Iterable[Member]) -> Iterator[tuple[Member, Name]]:
    for member in members:
        if member.name is not None:
            yield member, member.name
        yield from _iter_named(member.inner)


def _iter_remaining(members: Iterable[Member]) -> Iterator[Attribute]:
    for member in members:
        if member.is_used:
            continue
        if not any(inner.is_used for inner, _ in _iter_named(member.inner)):
            yield member.key, member.json
        elif left := list(_iter_remaining(member.inner)):
            yield member.key, write_object(left)


def _read_value(field_name: str, member: Member) -> clock.Stamp | Columns | None:
    """Return the time or the columns that the value of a field fills; None if the value does not fit."""
    text = member.text
    if text is None:
        return None
    if field_name in _READERS:  # these read a number in a string as they read a number
        return _READERS[field_name](text)
    if field_name == "severity" and text in _SEVERITY_NUMBERS:
        return {field_name: _SEVERITY_NUMBERS[text]}
    return None if member.is_number else _read_text(field_name, text)


def _read_text(field_name: str, text: str) -> Columns | None:
    match field_name:
        case "request":
            return read_request(text)
        case "severity":
            return {field_name: text.translate(_LOWER)}
        case "message":
            return {field_name: text.removesuffix("\n").removesuffix("\r")}
    return {field_name: text} if _fits_column(field_name, text) else None


def _fits_column(field_name: str, text: str) -> bool:
    match field_name:
        case "request_method":
            return _METHOD.fullmatch(text) is not None
        case "request_route":
            return text.startswith(("/", "http://", "https://")) or text == "*"
        case "request_proto":
            return text.startswith("HTTP/")
    return True


def _read_time(text: str) -> clock.Stamp | None:
    try:
        if text.startswith("[") and text.endswith("]"):
            text = text[1:-1]
        stamp = clock.parse_iso(text) or clock.parse_access(text)
    except clock.OutOfRange:
        return None
    if stamp is not None:
        return stamp
    stamp = clock.parse_epoch(text)
    return stamp if stamp is not None and stamp.us >= _EARLIEST_US else None


def _read_integer(field_name: str, start: int, end: int, text: str) -> Columns | None:
    if _INTEGER.fullmatch(text) is None or not start <= int(text) < end:
        return None
    return {field_name: int(text)}


def read_request(text: str) -> Columns | None:
    """Return the columns of ``METHOD route HTTP/x``, or of ``METHOD /route`` (HTTP/0.9); None for other texts."""
    match = _REQUEST.fullmatch(text)
    return (
        None if match is None else dict(zip(_REQUEST_COLUMNS, (match[1], match[2] or match[4], match[3]), strict=True))
    )


_READERS: Final[Mapping[str, Callable[[str], clock.Stamp | Columns | None]]] = {
    "ts": _read_time,
    "status_code": partial(_read_integer, "status_code", -(1 << 15), 1 << 15),
    "response_bytes": partial(_read_integer, "response_bytes", 0, 1 << 63),
}
