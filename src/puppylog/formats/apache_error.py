"""Apache's error log, as versions 2.2 and 2.4 write it.

``[time] [module:level] [pid n:tid n] file.c(line): (number)error: [client address:port] message, referer: URL``. All
groups in brackets but the time and the level may be missing, and may be in any order, because ``ErrorLogFormat`` sets
them. A line that does not begin with a time continues the record before. ``native/apache_error.c`` does the same in C.
"""

import re
from functools import lru_cache, partial
from typing import Final

from puppylog.formats import clock, native
from puppylog.formats.address import split_address, split_sure_address
from puppylog.formats.entry import CONTINUES, Entry, Mismatch, add_entries
from puppylog.formats.entry import find_mismatch as find_entry_mismatch
from puppylog.formats.members import list_numbers, list_texts
from puppylog.formats.quoting import quote
from puppylog.formats.rows import Member, Rows, RowsBuilder, rows_from_buffers
from puppylog.formats.severity import KEY, severity_columns

_NO_TIME: Final = "no time in brackets at the start"
_TIME_RANGE: Final = "time out of range"
_NO_LEVEL: Final = "no level in brackets after the time"

REASONS: Final = (_NO_TIME, _TIME_RANGE, _NO_LEVEL)
"""Why a line is rejected, in the order of the numbers in ``native/enums.h``."""

_MAX_GROUPS: Final = 16
_MAX_SOURCE_LENGTH: Final = 80  # bytes before the bracket
_MAX_ERROR_LENGTH: Final = 200  # bytes after the number

_TIME = re.compile(r"\[([^\]]*)\] ")
_CTIME = re.compile(
    r"[A-Za-z]{3} ([A-Z][a-z]{2}) ([ 0-9][0-9]) ([0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,18}))? ([0-9]{4})"
)
_GROUP = re.compile(r"\[([^\]]*)\] ?")
_TRACE = re.compile(r"trace[1-8]")
_PROCESS = re.compile(r"pid ([0-9]{1,18})(?::tid ([0-9]{1,18}))?")
_CLIENT = re.compile(r"(?:client|remote) ([^ ]+)")
_SOURCE = re.compile(r"([^ (]+\.c)\([0-9]{1,18}\): ")
_OS_ERROR = re.compile(r"\(-?[0-9]{1,18}\)(.*?): ", re.DOTALL)
_CODE = re.compile(r"([A-Z]{2,6}[0-9]{3,}):")
_REFERER: Final = ", referer: "


class _Parts:
    """What was found in a line so far."""

    def __init__(self) -> None:
        self.level = self.module = self.host = self.port = self.source = self.os_error = ""
        self.process: tuple[str, str | None] | None = None
        self.has_module = False

    @property
    def is_new(self) -> bool:
        """Return whether the line has a process or a module, as of Apache 2.4."""
        return self.has_module or self.process is not None

    def take_group(self, text: str) -> bool:
        """Take the text of a group in brackets; return False if it is not a known group."""
        return self._take_level(text) or self._take_process(text) or self._take_client(text)

    def _take_level(self, text: str) -> bool:
        module, colon, level = text.partition(":")
        level = level if colon else text
        if self.level or not (_TRACE.fullmatch(level) or severity_columns(level)[0]):
            return False
        self.level = level
        if colon:
            self.module, self.has_module = module, True
        return True

    def _take_process(self, text: str) -> bool:
        match = _PROCESS.fullmatch(text)
        if match is None or self.process is not None:
            return False
        self.process = match[1], match[2]
        return True

    def _take_client(self, text: str) -> bool:
        match = _CLIENT.fullmatch(text)
        if match is not None and not self.host:  # modules may write the client a second time
            self.host, self.port = split_address(match[1]) if self.is_new else split_sure_address(match[1])
        return match is not None


def read_apache_error(text: bytes | memoryview, *, joins: bool = True) -> Rows:
    """Return the rows of lines of the log; see `puppylog.formats.line_format.Reader`.

    Args:
        text: as in `puppylog.formats.line_format.Reader`.
        joins: whether a line without a time at its start belongs to the record before; otherwise it is rejected.
    """
    if native.lines is not None:
        return rows_from_buffers(native.lines.apache_error(text, joins), REASONS)
    builder = RowsBuilder(bytes(text))
    add_entries(builder, partial(_read_line, joins=joins))
    return builder.build()


def find_apache_error_mismatch(line: str) -> int:
    """Return the offset of the first character of a rejected line that does not match."""
    return find_entry_mismatch(_read_line, line)


def _read_line(line: str, *, joins: bool = False) -> Entry:
    entry, at, is_other = _read_time(line, joins=joins)
    _read_rest(entry, line, at, is_other=is_other)
    return entry


def read_apache_error_line(line: str) -> Entry:
    """Return the record of a line with or without a time: messages of syslog have none.

    Raises:
        puppylog.formats.entry.Mismatch: the line is none of Apache's error log.
    """
    try:
        return _read_line(line)
    except Mismatch as mismatch:
        if mismatch.reason != _NO_TIME:
            raise
    entry = Entry()
    _read_rest(entry, line, 0, is_other=True)
    return entry


def _read_rest(entry: Entry, line: str, at: int, *, is_other: bool) -> None:
    """Read what follows the time at the index ``at`` into ``entry``.

    ``is_other`` says that other programs write such a time, too.
    """
    parts = _Parts()
    at, groups = _take_groups(parts, line, at, _MAX_GROUPS)
    # Other programs write a time and a level in brackets, too, but no process, module or client.
    if not parts.level or (is_other and not parts.is_new and not parts.host):
        raise Mismatch(_NO_LEVEL, at)
    start = at
    source = _SOURCE.match(line, at)
    if source is not None and len(source[1].encode()) < _MAX_SOURCE_LENGTH:
        parts.source, at = source[0][:-2], source.end()
    os_error = _OS_ERROR.match(line, at)
    if os_error is not None and len(os_error[1].encode()) < _MAX_ERROR_LENGTH:
        parts.os_error, at = os_error[0][:-2], os_error.end()
    at, _ = _take_groups(parts, line, at, _MAX_GROUPS - (groups if at == start else 0))
    message, mark, referer = line[at:].rpartition(_REFERER)
    message, referer = (message, referer) if mark else (line[at:], "")
    code = _CODE.match(message)
    entry.columns = {
        "host": parts.host,
        "severity": "trace" if _TRACE.fullmatch(parts.level) else severity_columns(parts.level)[0],
        "message": message,
        "referer": None if referer == "-" else referer,
    }
    entry.members = [
        *_list_severity(parts.level),
        *list_texts(("module", parts.module)),
        *list_numbers(*zip(("pid", "tid"), parts.process or (), strict=False), ("client_port", parts.port)),
        *list_texts(("source", parts.source), ("os_error", parts.os_error), ("code", code and code[1])),
    ]


def _list_severity(level: str) -> list[Member]:
    return [(KEY, quote(level))] if _TRACE.fullmatch(level) else severity_columns(level)[1]


def _take_groups(parts: _Parts, line: str, at: int, most: int) -> tuple[int, int]:
    """Take up to ``most`` groups in brackets; return the index after them, and how many there are."""
    for count in range(most):
        group = _GROUP.match(line, at)
        if group is None or not parts.take_group(group[1]):
            return at, count
        at = group.end()
    return at, most


def _read_time(line: str, *, joins: bool) -> tuple[Entry, int, bool]:
    """Return a record with the time, the index after it, and whether its form is not Apache's own."""
    match = _TIME.match(line)
    try:
        stamp = _parse_ctime(match[1]) if match else None
        is_other = stamp is None
        if match and is_other:
            stamp = clock.parse_iso(match[1]) or clock.parse_access(match[1])
    except clock.OutOfRange:
        raise Mismatch(_TIME_RANGE, 1) from None
    if match is None or stamp is None:
        raise Mismatch(CONTINUES if joins else _NO_TIME, 0)
    return Entry(stamp.us, stamp.is_local), match.end(), is_other


@lru_cache(maxsize=16)  # neighbouring lines mostly have the same stamp
def _parse_ctime(text: str) -> clock.Stamp | None:
    """Return the time of ``Day Mon dd HH:MM:SS[.fraction] yyyy``."""
    match = _CTIME.fullmatch(text)
    if match is None:
        return None
    month, day, time, fraction, year = match.groups()
    stamp = clock.parse_access(f"{day.replace(' ', '0')}/{month}/{year}:{time} +0000")
    if stamp is None:
        return None
    return clock.Stamp(stamp.us + int((fraction or "")[:6].ljust(6, "0")), is_local=True)
