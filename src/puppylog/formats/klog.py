r"""The format of glog and of Kubernetes' klog: ``I1124 10:00:00.123456    1 file.go:12] message``.

The letter is the level, and the number after the time is the thread. The date may have a year, as newer versions of
glog write it. A structured message is a quoted string, followed by pairs: ``"Updated" pod="shop/cart" ms=12``. Its
pairs become attributes. A line without such a head continues the record before. ``native/klog.c`` does the same in C.
"""

import re
from dataclasses import dataclass
from functools import partial
from typing import Final

from puppylog.formats import native
from puppylog.formats.base import Options, Parser
from puppylog.formats.calendar import Calendar
from puppylog.formats.dating import Dating
from puppylog.formats.entry import CONTINUES, Entry, Mismatch, add_entries
from puppylog.formats.entry import find_mismatch as find_entry_mismatch
from puppylog.formats.line_format import begins_record
from puppylog.formats.members import list_numbers, list_texts
from puppylog.formats.quoting import quote
from puppylog.formats.record_times import RecordTimes
from puppylog.formats.rows import Member, Rows, RowsBuilder, rows_from_buffers
from puppylog.formats.stamp import read_stamp
from puppylog.formats.stamped_parser import StampedParser

_NAME: Final = "klog"
_NO_HEAD: Final = "no level, time, thread and source at the start"

REASONS: Final = (_NO_HEAD,)
"""Why a line is rejected, in the order of the numbers in ``native/enums.h``."""

_SEVERITIES: Final = {"I": "info", "W": "warning", "E": "error", "F": "critical"}
_HEAD = re.compile(
    r"[IWEF]([0-9]{4}|[0-9]{8}) [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}( +([0-9]{1,10}) ([^ :\]]+):([0-9]{1,7})\] ?)"
)
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"(?= |\Z)', re.DOTALL)
_KEY = re.compile(r" ([A-Za-z_][0-9A-Za-z_./-]*)=")
_WORD = re.compile(r"[^ \"][^ ]*")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")
_READ = re.compile(r'(?:[^\\]|\\["\\nrt])*')
_ESCAPE = re.compile(r'\\(["\\nrt])')
_CONTROL = re.compile(r"[\x00-\x1f]")
_UNESCAPED: Final = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}

_LEAP_YEAR: Final = 2024
_MAX_PAIRS: Final = 24
_TAKEN: Final = ("tid", "file", "line")


@dataclass(frozen=True, slots=True)
class Klog:
    """Implements `puppylog.formats.base.Format`."""

    options: Options
    name: str = _NAME

    def open(self, context: str = "", modified_at_us: int | None = None) -> Parser:
        rest, times = RecordTimes.open(context)
        calendar = Calendar.open(rest, self.options.year, modified_at_us)
        return StampedParser(self.name, read_klog, self.options, calendar, times)

    def may_fit(self, sample: bytes) -> bool:
        calendar = Calendar.open("", _LEAP_YEAR, None)  # a stamp of the 29th of February is read, too
        return begins_record(partial(read_klog, calendar=calendar, joins=self.options.joins_lines), sample)

    def find_mismatch(self, line: str) -> int:
        calendar = Calendar.open("", self.options.year, None)
        return find_entry_mismatch(partial(read_klog_line, calendar=calendar, joins=False), line)


def read_klog(text: bytes | memoryview, calendar: Calendar, *, joins: bool = True) -> Rows:
    """Return the rows of a text; see `puppylog.formats.line_format.Reader`.

    Args:
        text: see `puppylog.formats.line_format.Reader`.
        calendar: gives the year of stamps without a year, and is updated.
        joins: whether a line without a head continues the record before; otherwise it is rejected.
    """
    if native.lines is not None:
        date = (calendar.year, calendar.month, calendar.day, calendar.is_fixed)
        rows, calendar.year, calendar.month, calendar.day = native.lines.klog(text, *date, joins)
        return rows_from_buffers(rows, REASONS)
    builder = RowsBuilder(bytes(text))
    add_entries(builder, partial(read_klog_line, calendar=calendar, joins=joins))
    return builder.build()


def read_klog_line(line: str, *, calendar: Calendar | None, joins: bool = False) -> Entry:
    """Return the record of a line.

    Args:
        line: without its newline.
        calendar: gives the year of a stamp without a year, and is updated; None: such a stamp is refused.
        joins: whether a line without a head continues the record before.

    Raises:
        puppylog.formats.entry.Mismatch: the line has no head.
    """
    head = _HEAD.match(line)
    found = read_stamp(line[: head.start(2)], 1, Dating(calendar)) if head is not None else None
    if head is None or found is None or found.end != head.start(2):
        raise Mismatch(CONTINUES if joins else _NO_HEAD, 0)
    message, pairs = _read_structured(line, head.end()) or (line[head.end() :], [])
    return Entry(
        found.us,
        found.is_local,
        {"severity": _SEVERITIES[line[0]], "message": message},
        [*list_numbers(("tid", head[3])), *list_texts(("file", head[4])), *list_numbers(("line", head[5])), *pairs],
    )


def _read_structured(line: str, at: int) -> tuple[str, list[Member]] | None:
    """Return the message and the pairs of a structured message; None if it is not structured."""
    text = _TEXT.match(line, at)
    if text is None or not _READ.fullmatch(text[1]):
        return None
    message, at = _ESCAPE.sub(lambda escape: _UNESCAPED[escape[1]], text[1]), text.end()
    pairs: dict[str, str] = {}
    while at < len(line):
        key = _KEY.match(line, at)
        value = _read_value(line, key.end()) if key is not None else None
        if key is None or value is None or key[1] in pairs or key[1] in _TAKEN or len(pairs) == _MAX_PAIRS:
            return None
        pairs[key[1]], at = value
    return message, list(pairs.items())


def _read_value(line: str, at: int) -> tuple[str, int] | None:
    """Return a value in JSON and the index after it; None if there is none."""
    text = _TEXT.match(line, at)
    if text is not None:
        is_json = _READ.fullmatch(text[1]) and not _CONTROL.search(text[1])
        return text[0] if is_json else quote(text[1]), text.end()
    word = _WORD.match(line, at)
    if word is None:
        return None
    is_word = _NUMBER.fullmatch(word[0]) or word[0] in {"true", "false"}
    return word[0] if is_word else quote(word[0]), word.end()
