"""The format ``syslog`` and its parser, which uses the reader in C, or the reader in Python."""

import re
from dataclasses import dataclass

from puppylog.formats import native
from puppylog.formats.base import Options, Parser
from puppylog.formats.calendar import Calendar
from puppylog.formats.names import TABLE
from puppylog.formats.record_times import RecordTimes
from puppylog.formats.rows import Rows, RowsBuilder, rows_from_buffers
from puppylog.formats.stamped_parser import StampedParser
from puppylog.formats.syslog.entry import FACILITIES, SEVERITIES, Entry, add_entry
from puppylog.formats.syslog.frames import iter_frames
from puppylog.formats.syslog.reasons import NOT_SYSLOG, PRIORITY, REASONS, Mismatch
from puppylog.formats.syslog.rfc3164 import read_3164
from puppylog.formats.syslog.rfc5424 import read_5424

_NAME = "syslog"
_PRIORITY = re.compile(r"<([0-9]{1,3})>")
_HIGHEST_PRIORITY = 191
_VERSION = "1 "
_NOTE = re.compile(rb"-- (?:Logs begin at|Journal begins at|Reboot|Boot [0-9a-f]|No entries)")
"""What a line begins with that journalctl writes between the entries."""


@dataclass(frozen=True, slots=True)
class Syslog:
    """Implements `puppylog.formats.base.Format`."""

    options: Options
    name: str = _NAME

    def open(self, context: str = "", modified_at_us: int | None = None) -> Parser:
        rest, times = RecordTimes.open(context)
        calendar = Calendar.open(rest, self.options.year, modified_at_us)
        return StampedParser(self.name, read_syslog, self.options, calendar, times)

    def find_mismatch(self, line: str) -> int:
        calendar = Calendar.open("", self.options.year, None)
        raw = line.encode()
        for at, message in iter_frames(raw):
            try:
                _read_message(message.decode(), calendar)
            except Mismatch as mismatch:
                return len(raw[: raw.index(message, at)].decode()) + mismatch.at
        return 0


def read_syslog(text: bytes | memoryview, calendar: Calendar, *, joins: bool = False) -> Rows:
    """Return the rows of a text; see `puppylog.formats.line_format.Reader`.

    Args:
        text: see `puppylog.formats.line_format.Reader`.
        calendar: gives the year of stamps without a year, and is updated.
        joins: whether lines without a priority and a time are joined to the record before. The lines that journalctl
            writes between the entries, such as ``-- Reboot --``, make no record.
    """
    if native.lines is None:
        return _read_text(bytes(text), calendar, joins=joins)
    known = (calendar.year, calendar.month, calendar.day, calendar.is_fixed)
    rows, *date = native.lines.syslog(text, TABLE, *known, joins)
    calendar.year, calendar.month, calendar.day = date
    return rows_from_buffers(rows, REASONS)


def _read_text(text: bytes, calendar: Calendar, *, joins: bool) -> Rows:
    builder = RowsBuilder(text)
    for at, line in builder.iter_lines():
        try:
            frames = iter_frames(line)
            entries = [(start, _read_message(message.decode(), calendar)) for start, message in frames]
        except Mismatch as mismatch:
            if _NOTE.match(line):
                builder.skip(at, len(line) + 1)
            elif joins and mismatch.reason == NOT_SYSLOG:
                builder.continue_(at, line)
            else:
                builder.reject(at, mismatch.reason)
        else:
            for start, entry in entries:
                add_entry(builder, at + start, entry)
    return builder.build()


def _read_message(text: str, calendar: Calendar) -> Entry:
    """Return the fields of one message.

    Raises:
        Mismatch: the text is not a message of syslog.
    """
    entry = Entry()
    if not text.startswith("<"):
        read_3164(text, 0, calendar, entry)
        return entry
    priority = _PRIORITY.match(text)
    if priority is None or int(priority[1]) > _HIGHEST_PRIORITY:
        raise Mismatch(PRIORITY, 0)
    facility, severity = divmod(int(priority[1]), 8)
    entry.facility, entry.severity = FACILITIES[facility], SEVERITIES[severity]
    if text.startswith(_VERSION, priority.end()):
        read_5424(text, priority.end() + len(_VERSION), entry)
    else:
        read_3164(text, priority.end(), calendar, entry)
    return entry
