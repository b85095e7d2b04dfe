"""The format ``w3c``: W3C extended logs, as IIS, CloudFront and Exchange write them.

The log itself names the fields of its lines in the directive ``#Fields``, which may stand at any line again. ``#Date``
gives the day of lines that have only a time. Directives are counted as ``rowless``. Times are in UTC, unless the fields
are ``date-local`` and ``time-local``, or ``#Time Format`` is local. A field that fills no column becomes an attribute
with the name of the field. Exchange separates the names and the values by commas.
"""

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from puppylog.errors import UsageError
from puppylog.formats.base import UTC
from puppylog.formats.byte_order_mark import skip_mark
from puppylog.formats.layout.assembly import assign_columns
from puppylog.formats.layout.fields import Field
from puppylog.formats.layout.program import NO_DAY, Day, Ending, Kind, Program, Step
from puppylog.formats.layout.reader import find_mismatch, read_lines
from puppylog.formats.line_format import parse_lines
from puppylog.formats.record_times import RecordTimes
from puppylog.formats.rows import Rows
from puppylog.model.record import Parsed, join_parsed

NAME: Final = "w3c"

_FIELDS: Final = re.compile(r"(?:w3c:|#Fields\s*:)\s*(\S.*)", re.IGNORECASE | re.DOTALL)
_DIRECTIVE: Final = re.compile(rb"#(Fields|Date|Start-Date|Time[ -]?Format)[ \t]*:[ \t]*([^\n]*)", re.IGNORECASE)
_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9])|([0-9]{2})-([A-Za-z]{3})-([0-9]{4})(?![0-9])")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_LOCAL: Final = "L"  # before the day in a context: times are local
_LOCAL_NAMES: Final = frozenset({"date-local", "time-local"})
_MAX_FIELDS = 512
_MAX_CHARACTERS = 16_384

_NUMBER: Final = re.compile(
    r"[a-z0-9-]*(?:status|bytes|port|time-taken|to-first-byte|content-len|range-start|range-end|duration|cached|count)"
)
_COLUMNS: Final = {
    "date": Field("", Kind.DATE),
    "time": Field("", Kind.TIME),
    "date-local": Field("", Kind.DATE),
    "time-local": Field("", Kind.TIME),
    "date-time": Field("", Kind.ISO),
    "client-ip": Field("", column="host", rank=2),
    "c-ip": Field("", column="host", rank=1),
    "c-dns": Field("", column="host"),
    "cs-username": Field("", column="ruser"),
    "cs-method": Field("", column="request_method"),
    "cs-uri-stem": Field("", Kind.STEM, "request_route", rank=1),
    "cs-uri": Field("", column="request_route"),
    "cs-version": Field("", column="request_proto", rank=1),
    "cs-protocol-version": Field("", column="request_proto"),
    "sc-status": Field("", Kind.STATUS, "status_code", attribute_kind=Kind.NUMBER),
    "sc-bytes": Field("", Kind.BYTES, "response_bytes", attribute_kind=Kind.NUMBER),
    "cs(user-agent)": Field("", Kind.AGENT, "user_agent", attribute_kind=Kind.AGENT),
    "cs(referer)": Field("", column="referer"),
}


@dataclass(frozen=True, slots=True)
class W3c:
    """Implements `puppylog.formats.base.Format`. ``fields`` are the fields of lines before the first ``#Fields``."""

    fields: str = ""
    zone: ZoneInfo = UTC  # of local times

    @property
    def name(self) -> str:
        return f"{NAME}: {self.fields}" if self.fields else NAME

    def open(self, context: str = "", modified_at_us: int | None = None) -> "W3cParser":  # noqa: ARG002 - the protocol's
        rest, times = RecordTimes.open(context)
        return W3cParser(_read_context(rest) or _State(fields=self.fields), times, self.zone)

    def may_fit(self, sample: bytes) -> bool:
        return bool(self.fields) or b"#" in sample

    def find_mismatch(self, line: str) -> int:
        return find_mismatch(compile_fields(self.fields), line) if self.fields else 0


def is_w3c(written: str) -> bool:
    """Return whether the text names fields of a W3C log: ``w3c: date time …`` or ``#Fields: date time …``."""
    return _FIELDS.match(written) is not None


def read_fields(written: str) -> W3c:
    """Return the format with the fields that the text names.

    Raises:
        UsageError: the text names no fields or too many.
    """
    match = _FIELDS.match(written)
    fields = " ".join(match[1].split()) if match else ""
    if not fields or not _are_few(fields):
        raise UsageError("use", f"format {written[:80]!r}", f"it must be w3c: and 1 to {_MAX_FIELDS} fields")
    return W3c(fields)


@dataclass(frozen=True, slots=True)
class _State:
    """What the directives so far say about the lines that follow."""

    day: Day = NO_DAY
    fields: str = ""
    is_local: bool = False  # by a directive

    def read(self, text: bytes | memoryview) -> Rows:
        """Return the rows of lines without directives."""
        program = compile_fields(self.fields, has_day=any(self.day))
        return read_lines(replace(program, day=self.day, is_local=program.is_local or self.is_local), text)

    def write(self) -> str:
        """Return the context from which `_read_context` makes this state."""
        day = "{:04}-{:02}-{:02}".format(*self.day) if any(self.day) else "-"
        return f"{_LOCAL if self.is_local else ''}{day} {self.fields}" if self != _State() else ""


def _read_context(context: str) -> _State | None:
    day, blank, fields = context.partition(" ")
    if not blank or not _are_few(fields):
        return None
    return _State(_parse_day(day.removeprefix(_LOCAL)) or Day(), fields, day.startswith(_LOCAL))


class W3cParser:
    """Implements `puppylog.formats.base.Parser`. Its context is the day, the fields and that of `RecordTimes`."""

    name = NAME

    def __init__(self, state: _State, times: RecordTimes, zone: ZoneInfo) -> None:
        self._state = state
        self._zone = zone
        self._times = times

    @property
    def context(self) -> str:
        return self._times.extend(self._state.write())

    def parse(self, data: bytes | memoryview, offset: int, read_at_us: int) -> Parsed:
        data, offset = skip_mark(data, offset)
        parts = []
        start = 0
        for end, state in _iter_changes(bytes(data), self._state):
            if end > start or end == len(data):
                part = memoryview(data)[start:end]
                parts.append(
                    parse_lines(self._state.read, part, offset + start, read_at_us, self._zone, times=self._times)
                )
            self._state, start = state, end
        return join_parsed(parts)

    def find_last_start(self, lines: bytes) -> int:
        return len(lines)


def _iter_changes(data: bytes, state: _State) -> Iterator[tuple[int, _State]]:
    """Yield the offset of each directive that changes the state, with the new state; at last the end of the data."""
    for at in _iter_directives(data):
        match = _DIRECTIVE.match(data, at)
        changed = _change(state, match[1].lower(), match[2].decode("utf-8", "replace")) if match else state
        if changed != state:
            state = changed
            yield at, state
    yield len(data), state


def _iter_directives(data: bytes) -> Iterator[int]:
    """Yield the offset of each line that begins with ``#``."""
    if data.startswith(b"#"):
        yield 0
    at = data.find(b"\n#")
    while at >= 0:
        yield at + 1
        at = data.find(b"\n#", at + 1)


def _change(state: _State, directive: bytes, value: str) -> _State:
    if directive == b"fields":
        fields = " ".join(value.split())
        return replace(state, fields=fields if _are_few(fields) else "")
    if directive.startswith(b"time"):
        return replace(state, is_local=value.strip().lower() == "local")
    day = _parse_day(value)
    return state if day is None else replace(state, day=day)


def _are_few(fields: str) -> bool:
    return len(fields) <= _MAX_CHARACTERS and fields.count(" ") < _MAX_FIELDS and fields.count(",") < _MAX_FIELDS


def _parse_day(text: str) -> Day | None:
    match = _DAY.match(text)
    if match is None:
        return None
    if match[1]:
        return Day(int(match[1]), int(match[2]), int(match[3]))
    name = match[5].lower()
    return Day(int(match[6]), _MONTHS.index(name) + 1, int(match[4])) if name in _MONTHS else None


@lru_cache(maxsize=64)
def compile_fields(written: str, *, has_day: bool = False) -> Program:
    """Return the program that reads lines with these fields. It has no steps if there are no fields.

    Args:
        written: the names of the fields, separated by blanks.
        has_day: whether a directive gave the day of lines that have only a time.
    """
    has_commas = "," in written
    names = [name.strip() for name in written.split(",") if name.strip()] if has_commas else written.split()
    known = {name.lower() for name in names}
    fields = [_make_field(name, known, has_day=has_day) for name in names]
    steps = [Step(kind, Ending.LITERAL, 0, column, name, b"") for kind, column, name in assign_columns(fields)]
    delimiter = b"," if has_commas else b""
    is_local = not known.isdisjoint(_LOCAL_NAMES)
    return Program(delimiter, tuple(steps), has_parts=True, is_delimited=True, is_local=is_local)


def _make_field(name: str, known: AbstractSet[str], *, has_day: bool) -> Field:
    lower = name.lower()
    if lower in {"time", "time-local"} and known.isdisjoint({"date", "date-local"}) and not has_day:
        return Field(name)
    if lower == "cs-uri-query" and "cs-uri-stem" in known:
        return Field(name, Kind.QUERY)
    if lower in _COLUMNS:
        return replace(_COLUMNS[lower], name=name)
    return Field(name, Kind.NUMBER if _NUMBER.fullmatch(lower) else Kind.TEXT)
