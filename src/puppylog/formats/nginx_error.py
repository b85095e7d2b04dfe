"""nginx's error log: ``yyyy/mm/dd HH:MM:SS [level] pid#tid: *connection message, client: …, server: …``.

A line that does not begin with the time continues the record before, such as a stack of Lua. ``native/nginx_error.c``
does the same in C.
"""

import re
from functools import lru_cache
from typing import Final

from puppylog.formats import clock, native
from puppylog.formats.address import split_sure_address
from puppylog.formats.entry import CONTINUES, Columns, Entry, Mismatch, add_entries_at
from puppylog.formats.entry import find_mismatch as find_entry_mismatch
from puppylog.formats.fields import read_request
from puppylog.formats.members import list_numbers, list_texts
from puppylog.formats.rows import NO_TIME, Member, Rows, RowsBuilder, rows_from_buffers
from puppylog.formats.severity import severity_columns

_NO_TIME: Final = "no time yyyy/mm/dd HH:MM:SS at the start"
_TIME_RANGE: Final = "time out of range"
_NO_LEVEL: Final = "no level in brackets after the time"
_NO_PROCESS: Final = "no pid#tid after the level"

REASONS: Final = (_NO_TIME, _TIME_RANGE, _NO_LEVEL, _NO_PROCESS)
"""Why a line is rejected, in the order of the numbers in ``native/enums.h``."""

_PARTS: Final = {
    ", server: ": "server",
    ', request: "': "request",
    ', subrequest: "': "subrequest",
    ', login: "': "login",
    ', upstream: "': "upstream",
    ", bytes from/to client:": "client_bytes",
    ", bytes from/to upstream:": "upstream_bytes",
    ', host: "': "http_host",
    ', referrer: "': "referer",
}
"""What may follow the client: the beginning of each part, and its name. A quote at the end begins a value in quotes."""

_STARTING: Final = "nginx: "
_TIME = re.compile(r"([0-9]{4}/[0-9]{2}/[0-9]{2}[ Tt][0-9]{2}:[0-9]{2}:[0-9]{2}) ")
_LEVEL = re.compile(r"\[([^\]]*)\] ")
_PROCESS = re.compile(r"([0-9]{1,18})#([0-9]{1,18}): (?:\*([0-9]{1,18}) )?")
_CLIENT = re.compile(r", client: ")
_CLIENT_ADDRESS = re.compile(r"([^, ]+)(?=,|\Z)")
_BEGINNING = re.compile("|".join(map(re.escape, _PARTS)))
_PART = re.compile(
    rf'(?P<beginning>{_BEGINNING.pattern})(?:(?<=")(?P<quoted>.*?)(?:"(?=\Z|{_BEGINNING.pattern})|\Z)|(?P<bare>[^,]*))',
    re.DOTALL,
)
_BEGINS = re.compile(rb".{4}/.{2}/.{5}:.{6}", re.DOTALL)
_MAX_CANDIDATES: Final = 4
_MAX_STDERR_LINES: Final = 64
_MAX_STDERR_BYTES: Final = 64 * 1024

_parse_stamp = lru_cache(maxsize=16)(clock.parse_iso)  # neighbouring lines mostly have the same stamp


def read_nginx_error(text: bytes | memoryview, *, joins: bool = True) -> Rows:
    """Return the rows of lines of the log; see `puppylog.formats.line_format.Reader`.

    Args:
        text: as in `puppylog.formats.line_format.Reader`.
        joins: whether a line without a time at its start belongs to the record before; otherwise it is rejected.
    """
    if native.lines is not None:
        return rows_from_buffers(native.lines.nginx_error(text, joins), REASONS)
    builder = RowsBuilder(bytes(text))
    until = 0  # lines before this offset belong to the record that was read last

    def read(at: int, line: str) -> Entry | None:
        nonlocal until
        if at < until:
            builder.continued += 1
            return None
        entry = _read_line(line, joins=joins)
        if joins and "host" not in entry.columns and entry.ts_us != NO_TIME:
            until = _take_stderr(builder.text, at, line, entry)
        return entry

    add_entries_at(builder, read)
    return builder.build()


def find_nginx_error_mismatch(line: str) -> int:
    """Return the offset of the first character of a rejected line that does not match."""
    return find_entry_mismatch(_read_line, line)


def read_nginx_error_line(line: str) -> Entry:
    """Return the record of a line that begins with its time.

    Raises:
        puppylog.formats.entry.Mismatch: the line is none of nginx's error log.
    """
    if line.startswith(_STARTING):
        raise Mismatch(_NO_TIME, 0)
    return _read_line(line)


def _read_line(line: str, *, joins: bool = False) -> Entry:
    if line.startswith(_STARTING):  # what nginx writes to its standard error before it opens its log
        severity, members, at = _read_level(line, len(_STARTING), joins=joins)
        entry = Entry(columns=severity, members=members)
    else:
        entry, at = _read_time(line, joins=joins)
        severity, members, at = _read_level(line, at, joins=False)
        process = _PROCESS.match(line, at)
        if process is None:
            raise Mismatch(_NO_PROCESS, at)
        entry.columns = severity
        entry.members = members + list_numbers(("pid", process[1]), ("tid", process[2]), ("connection", process[3]))
        at = process.end()
    message, context = _divide(line, at)
    entry.columns["message"] = message
    if context:
        columns, more = _read_context(context)
        entry.columns |= columns
        entry.members += more
    return entry


def _read_time(line: str, *, joins: bool) -> tuple[Entry, int]:
    match = _TIME.match(line)
    try:
        stamp = _parse_stamp(match[1]) if match else None
    except clock.OutOfRange:
        raise Mismatch(_TIME_RANGE, 0) from None
    if match is None or stamp is None:
        raise Mismatch(CONTINUES if joins else _NO_TIME, 0)
    return Entry(stamp.us, stamp.is_local), match.end()


def _read_level(line: str, at: int, *, joins: bool) -> tuple[Columns, list[Member], int]:
    """Return the severity in ``[level] ``, its attributes, and the index after it."""
    level = _LEVEL.match(line, at)
    severity, members = severity_columns(level[1]) if level else (None, [])
    if level is None or severity is None:
        raise Mismatch(CONTINUES if joins else _NO_LEVEL, at)
    return {"severity": severity}, members, level.end()


def _take_stderr(text: bytes, at: int, line: str, entry: Entry) -> int:
    """Read what nginx says about the client after the standard error of a FastCGI program, which has newlines.

    Return the offset of the end of the record, or 0 if it does not go on after its first line, ``line``, which starts
    at the offset ``at``.
    """
    message = str(entry.columns["message"])
    if not message.startswith('FastCGI sent in stderr: "'):
        return 0
    limit = at + _MAX_STDERR_BYTES
    newline = text.find(b"\n", at + len(line.encode()), limit)
    for _ in range(_MAX_STDERR_LINES):
        start = newline + 1
        newline = text.find(b"\n", start, limit) if newline >= 0 else -1
        if newline < 0:
            break
        further = text[start:newline].removesuffix(b"\r")
        if _BEGINS.match(further):
            break
        rest, context = _divide(further.decode(), 0)
        if context:
            begin = at + len(line.encode()) - len(message.encode())
            entry.columns["message"] = text[begin : start + len(rest.encode())].decode()
            columns, members = _read_context(context)
            entry.columns |= columns
            entry.members += members
            return newline
    return 0


def _divide(line: str, start: int) -> tuple[str, dict[str, str]]:
    """Return the message, which begins at the index ``start``, and what nginx says about the client after it."""
    at = start
    for _ in range(_MAX_CANDIDATES):
        client = _CLIENT.search(line, at)
        if client is None:
            break
        context = _split_context(line, client.end())
        if context:
            return line[start : client.start()], context
        at = client.start() + 1
    return line[start:], {}


def _split_context(line: str, at: int) -> dict[str, str]:
    """Return the client and the parts after it by name; nothing if they do not extend to the end of the line."""
    client = _CLIENT_ADDRESS.match(line, at)
    if client is None:
        return {}
    found = {"client": client[1]}
    at = client.end()
    while at < len(line):
        part = _PART.match(line, at)
        if part is None or _PARTS[part["beginning"]] in found:
            return {}
        found[_PARTS[part["beginning"]]] = part["bare"] if part["quoted"] is None else part["quoted"]
        at = part.end()
    return found


def _read_context(context: dict[str, str]) -> tuple[Columns, list[Member]]:
    host, port = split_sure_address(context["client"])
    columns: Columns = {"host": host}
    if context.get("referer", "-") != "-":
        columns["referer"] = context["referer"]
    request = read_request(context.get("request", ""))
    members = [*list_numbers(("client_port", port)), *list_texts(("server", context.get("server")))]
    if request is None:
        members += list_texts(("request", context.get("request")))
    names = ("subrequest", "login", "upstream", "client_bytes", "upstream_bytes", "http_host")
    members += list_texts(*((name, context.get(name)) for name in names))
    return columns | (request or {}), members
