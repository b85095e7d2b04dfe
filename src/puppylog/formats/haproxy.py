"""The formats of HAProxy: option httplog, option tcplog, errors of connections, and its own messages.

``client:port [time] frontend backend/server timers … "request"``. A line may begin with the head of syslog, which
rsyslog writes into HAProxy's log file; its time counts only in the format syslog, so a line that has no other does not
fit. ``native/haproxy.c`` does the same in C.
"""

import re
from functools import lru_cache
from typing import Final

from puppylog.formats import clock, native
from puppylog.formats.address import split_address
from puppylog.formats.entry import Columns, Entry, Mismatch, add_entries
from puppylog.formats.entry import find_mismatch as find_entry_mismatch
from puppylog.formats.fields import read_request
from puppylog.formats.members import list_numbers, list_texts
from puppylog.formats.rows import NO_TIME, Member, Rows, RowsBuilder, rows_from_buffers

_NO_CLIENT: Final = "no client:port at the start"
_NO_TIME: Final = "no time dd/Mon/yyyy:HH:MM:SS in brackets after the client"
_TIME_RANGE: Final = "time out of range"
_NO_SERVER: Final = "no frontend and backend/server after the time"
_TIMERS: Final = "no three or five timers after the server"
_STATUS: Final = "status is not a number of up to three digits"
_BYTES: Final = "bytes is not a whole number"
_CONNECTIONS: Final = "no five connections and two queues after the termination state"

REASONS: Final = (
    *(_NO_CLIENT, _NO_TIME, _TIME_RANGE, _NO_SERVER, _TIMERS, _STATUS, _BYTES),
    _CONNECTIONS,
)
"""Why a line is rejected, in the order of the numbers in ``native/enums.h``."""

_HTTP_TIMERS: Final = ("request_ms", "queue_ms", "connect_ms", "response_ms", "duration_ms")
_TCP_TIMERS: Final = ("queue_ms", "connect_ms", "duration_ms")
_COUNTS: Final = (
    *("active_connections", "frontend_connections", "backend_connections", "server_connections", "retries"),
    *("server_queue", "backend_queue"),
)
_LEVELS: Final = {
    "DIAG": "debug",
    "NOTICE": "notice",
    "WARNING": "warning",
    "ALERT": "alert",
    "EMERG": "emergency",
}

_CLIENT = re.compile(r"[^ ]+:[0-9]{1,5} \[")
_HEAD = re.compile(r"(?:(?<=[ >])|\A)haproxy(?:\[([0-9]{1,18})\])?: ")
_HEAD_BYTES = 160  # the name must begin in the first bytes of the line
_NOTICE = re.compile(r"\[([A-Z]+)\] +(?:[0-9]{1,18}/[0-9]{1,18} )?\(([0-9]{1,18})\) : (.*)", re.DOTALL)
_CONNECT = re.compile(r"Connect from ([^ ]*) to ([^ ]*) \(([^/]*)/([^)]*)\)")
_WORD = re.compile(r"([^ ]*)(?: |\Z)")
_TIME = re.compile(r"\[([^\]]{20})(?:\.([0-9]{1,18}))?([^\].][^\]]{5})?\] ")
_NUMBER = r"[-+]?[0-9]{1,18}"
_FIVE = re.compile(rf"({_NUMBER})/({_NUMBER})/({_NUMBER})/({_NUMBER})/({_NUMBER})(?: |\Z)")
_THREE = re.compile(rf"({_NUMBER})/({_NUMBER})/({_NUMBER})(?: |\Z)")
_TWO = re.compile(rf"({_NUMBER})/({_NUMBER})(?: |\Z)")
_ONE = re.compile(rf"({_NUMBER})(?: |\Z)")
_BRACES = re.compile(r'\{(.*?)\}(?:\Z| (?=[{"]))', re.DOTALL)
_REQUEST = re.compile(r'"(.*?)(?:"(?: |\Z)|\Z)', re.DOTALL)

_parse_stamp = lru_cache(maxsize=16)(clock.parse_access)  # neighbouring lines mostly have the same second


def read_haproxy(text: bytes | memoryview) -> Rows:
    """Return the rows of lines of HAProxy; see `puppylog.formats.line_format.Reader`."""
    if native.lines is not None:
        return rows_from_buffers(native.lines.haproxy(text), REASONS)
    builder = RowsBuilder(bytes(text))
    add_entries(builder, _read_line)
    return builder.build()


def find_haproxy_mismatch(line: str) -> int:
    """Return the offset of the first character of a rejected line that does not match."""
    return find_entry_mismatch(_read_line, line)


def _read_line(line: str) -> Entry:
    start, pid = _skip_head(line)
    entry = read_entry(line[start:])
    if start and not line.startswith("h") and entry.ts_us == NO_TIME:  # the format syslog reads the time of the head
        raise Mismatch(_NO_TIME, start)
    if pid and not line.startswith("[", start):
        entry.members += list_numbers(("pid", pid))
    return entry


def _skip_head(line: str) -> tuple[int, str | None]:
    """Return the index after the head of syslog, which ends with ``haproxy[pid]: ``, and the pid; 0 without a head."""
    if _CLIENT.match(line):
        return 0, None
    head = _HEAD.search(line)
    if head is None or len(line[: head.start()].encode()) >= _HEAD_BYTES:
        return 0, None
    return head.end(), head[1]


def read_entry(line: str) -> Entry:
    """Return the record of a line without the head of syslog.

    Raises:
        Mismatch: the line does not fit.
    """
    return _read_notice(line) or _read_connect(line) or _read_session(line)


def _read_notice(line: str) -> Entry | None:
    """Read ``[LEVEL] [ddd/HHMMSS ](pid) : message``, which HAProxy writes to its standard error."""
    match = _NOTICE.fullmatch(line)
    if match is None or match[1] not in _LEVELS:
        return None
    columns: Columns = {"severity": _LEVELS[match[1]], "message": match[3]}
    return Entry(columns=columns, members=list_numbers(("pid", match[2])))


def _read_connect(line: str) -> Entry | None:
    """Read ``Connect from host:port to host:port (frontend/MODE)``."""
    match = _CONNECT.fullmatch(line)
    host, port = split_address(match[1]) if match else ("", "")
    if match is None or not host or not port:
        return None
    members = [*list_numbers(("client_port", port)), *list_texts(("frontend", match[3]), ("mode", match[4]))]
    return Entry(columns={"host": host, "message": line}, members=[*members, *list_texts(("target", match[2]))])


def _read_session(line: str) -> Entry:
    client = _take(_WORD, line, 0, _NO_CLIENT)
    host, port = split_address(client[1])
    if not host or not port:
        raise Mismatch(_NO_CLIENT, 0)
    time = _take(_TIME, line, client.end(), _NO_TIME)
    entry = _read_time(time)
    frontend = _take(_WORD, line, time.end(), _NO_SERVER)
    name = frontend[1]
    bind, rest = "", frontend.end()
    if len(name) > 1 and name.endswith(":"):
        name, slash, bind = name[:-1].rpartition("/")
        if not slash:
            raise Mismatch(_NO_SERVER, frontend.start())
        more: list[Member] = []
        entry.columns |= {"host": host, "message": line[rest:]}
        is_error = True
    else:
        columns, more = _read_rest(line, rest)
        entry.columns |= {"host": host, **columns}
        is_error = False
    has_tls = len(name) > 1 and name.endswith("~")
    entry.members = [*list_numbers(("client_port", port)), *list_texts(("frontend", name[:-1] if has_tls else name))]
    entry.members += [("tls", "true")] * has_tls
    entry.members += list_texts(("bind", bind)) if is_error else more
    return entry


def _read_time(time: re.Match[str]) -> Entry:
    try:
        stamp = _parse_stamp(time[1] + (time[3] or " +0000"))
    except clock.OutOfRange:
        raise Mismatch(_TIME_RANGE, time.start()) from None
    if stamp is None:
        raise Mismatch(_NO_TIME, time.start())
    fraction_us = int((time[2] or "")[:6].ljust(6, "0"))
    return Entry(stamp.us + fraction_us, is_local=not time[3])


def _read_rest(line: str, start: int) -> tuple[Columns, list[Member]]:
    """Return the columns and attributes of ``backend/server timers …``."""
    target = _take(_WORD, line, start, _NO_SERVER)
    backend, slash, server = target[1].partition("/")
    if not slash:
        raise Mismatch(_NO_SERVER, start)
    at = target.end()
    timers = _FIVE.match(line, at) or _take(_THREE, line, at, _TIMERS)
    is_http = len(timers.groups()) == len(_HTTP_TIMERS)
    columns: Columns = {}
    at = timers.end()
    if is_http:
        status = _take(_ONE, line, at, _STATUS)
        if len(status[1]) > 3:
            raise Mismatch(_STATUS, at)
        columns["status_code"] = int(status[1]) if status[1].isdigit() else None
        at = status.end()
    size = _take(_ONE, line, at, _BYTES)
    columns["response_bytes"] = None if size[1].startswith("-") else int(size[1])
    at = size.end()
    cookies = [("request_cookie", ""), ("response_cookie", "")]
    for place in range(2 if is_http else 0):
        word = _take(_WORD, line, at, _CONNECTIONS)
        cookies[place] = (cookies[place][0], word[1])
        at = word.end()
    state = _take(_WORD, line, at, _CONNECTIONS)
    connections = _take(_FIVE, line, state.end(), _CONNECTIONS)
    queues = _take(_TWO, line, connections.end(), _CONNECTIONS)
    at = queues.end()
    headers: list[Member] = []
    if is_http:
        requested, headers, at = _read_request(line, at)
        columns |= requested
    members = [
        *list_texts(("backend", backend), ("server", server)),
        *_list_signed(_HTTP_TIMERS if is_http else _TCP_TIMERS, timers.groups()),
        *list_texts(*cookies, ("termination_state", state[1])),
        *_list_signed(_COUNTS, (*connections.groups(), *queues.groups())),
        *headers,
        *list_texts(("extra", line[at:])),
    ]
    return columns, members


def _read_request(line: str, at: int) -> tuple[Columns, list[Member], int]:
    """Return the columns and attributes of ``[{headers} [{headers} ]]"request"``, and the index after them.

    HAProxy cuts long lines: a request without a closing quote extends to the end of the line.
    """
    headers = []
    for key in ("request_headers", "response_headers"):
        braces = _BRACES.match(line, at)
        if braces is None:
            break
        headers.append((key, braces[1]))
        at = braces.end()
    request = _REQUEST.match(line, at)
    if request is None:
        return {}, list_texts(*headers), at
    written = request[1]
    columns = read_request(written) or {"message": None if written == "-" else written}
    return columns, list_texts(*headers), request.end()


def _list_signed(keys: tuple[str, ...], numbers: tuple[str, ...]) -> list[Member]:
    """Return attributes of numbers. HAProxy does not know a number that is negative."""
    known = [(key, number.removeprefix("+")) for key, number in zip(keys, numbers, strict=True) if number[0] != "-"]
    return list_numbers(*known)


def _take(pattern: re.Pattern[str], line: str, at: int, reason: str) -> re.Match[str]:
    match = pattern.match(line, at)
    if match is None:
        raise Mismatch(reason, at)
    return match
