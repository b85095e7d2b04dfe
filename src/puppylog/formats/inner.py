"""Reads a record that a program wrote into the message of another record. ``native/inner.c`` does the same in C.

The runtime of a container, Docker and syslog write a line around what a program says, which may be JSON, logfmt, klog,
application text, or a line of HAProxy, of an access log, of an error log of Apache or nginx, or of an agent of Google.
Of CEF, LEEF and Dovecot only the level is read. Columns and attributes then come from the program's record. The line's
own attributes stay; an attribute of the record that has the name of one of them gets ``inner_`` before its name. If
both have a host, the line's host becomes the attribute ``hostname``. A message that is no such record stays as it is.

The time is the line's, because the runtime and the daemon know their zone. But a stamp of BSD's syslog has no zone and
no fraction, so the record's time replaces it if that has a zone. If the record's time differs by more than a second, it
becomes the attribute ``time``.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from puppylog.formats.access.line import Mismatch as AccessMismatch
from puppylog.formats.access.line import read_access_line
from puppylog.formats.apache_error import read_apache_error_line
from puppylog.formats.app import list_members, read_head, severity_of
from puppylog.formats.calendar import Calendar
from puppylog.formats.dating import Dating
from puppylog.formats.entry import Entry, Mismatch
from puppylog.formats.google_agent import read_google_agent
from puppylog.formats.haproxy import read_entry as read_haproxy_entry
from puppylog.formats.json_object import read_json_object
from puppylog.formats.json_text import InvalidJson
from puppylog.formats.klog import read_klog_line
from puppylog.formats.logfmt import InvalidLogfmt, begins_logfmt, read_logfmt_line
from puppylog.formats.names import ALL_NAMES, NameTable
from puppylog.formats.nginx_error import read_nginx_error_line
from puppylog.formats.quoting import quote
from puppylog.formats.rows import NO_TIME, Member
from puppylog.formats.severity import severity_columns

_LEVELS: Final = frozenset(
    {
        *("alert", "critical", "crit", "debug", "debug1", "debug2", "debug3", "emergency", "emerg", "error", "err"),
        *("fatal", "info", "notice", "panic", "severe", "trace", "warning", "warn"),
    }
)
"""What programs write before a colon at the start of a message, in lower case."""

_CEE = re.compile(r"@cee: *(?=\{)")
_KLOG = re.compile("[IWEF][0-9]")
_BEGINS = re.compile(
    r"[0-9{\[<\x1b@%_]|\([0-9]|[A-Z]+(?![A-Za-z])|[A-Za-z]{3}(?:,(?s:.)| [0-9A-Z ])|[A-Za-z][0-9A-Za-z]*:"
    r"|[A-Za-z][0-9A-Za-z_.@/-]*="
)
"""How a record can begin. Most messages are prose, which need not be read."""

_CEF = re.compile(r"CEF:[0-9]\|(?:(?:[^|\\]|\\.)*\|){5}([^|]*)\|", re.DOTALL)
_LEEF = re.compile(r"LEEF:[0-9](?s:.)*?[^0-9A-Za-z]sev=([0-9]{1,2})(?![0-9])")
_EVENT_LEVELS: Final = {"low": "info", "medium": "warning", "high": "error", "very-high": "critical"} | {
    str(number): "info" if number < 4 else "warning" if number < 7 else "error" if number < 9 else "critical"
    for number in range(11)
}
_LEVEL = re.compile(r"([0-9A-Za-z]{1,10}): ")

_LEVEL_OF_DOVECOT = re.compile(r"(?:[^:]|:(?! ))*+: (Debug|Info|Warning|Error|Fatal|Panic): ")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HAPROXY: Final = "haproxy"
_DOVECOT: Final = "dovecot"
_SECOND_US: Final = 1_000_000
_QUARTER_US: Final = 900 * _SECOND_US
_FARTHEST_US: Final = 54_000 * _SECOND_US  # zones are up to 14 hours from UTC
_MAX_KEYS: Final = 16
_MAX_KEY_LENGTH: Final = 32


def read_inner(outer: Entry, app: str = "", *, is_coarse: bool = False, names: NameTable = ALL_NAMES) -> Entry:
    """Return the record with the columns and attributes of the record in its message; ``outer`` if it has none.

    Args:
        outer: the record of the line.
        app: the program, if the line names it.
        is_coarse: the time of the line is of whole seconds, without a zone.
        names: the names of members that fill columns.
    """
    message = outer.columns.get("message")
    if not isinstance(message, str) or not message:
        return outer
    if not (_BEGINS.match(message) or app.startswith(_HAPROXY) or app == _DOVECOT):
        return outer
    found = _read_record(outer, app, message, names)
    if found is None:
        return outer
    columns = {**outer.columns, "message": None} | {name: value for name, value in found.columns.items() if value != ""}
    members = _list_inner(outer.members, found.members)
    if found.columns.get("host") and outer.columns.get("host"):
        members.append(_rename(outer.members, ("hostname", quote(str(outer.columns["host"])))))
    merged = replace(outer, columns=columns, members=[*outer.members, *members])
    _choose_time(merged, found, is_coarse=is_coarse, outer_members=outer.members)
    return merged


def _read_record(outer: Entry, app: str, text: str, names: NameTable) -> Entry | None:
    cee = _CEE.match(text)
    if cee is not None or text.startswith("{"):
        return _read_json(text[cee.end() if cee is not None else 0 :], names)
    event = _read_event(text) or (_read_dovecot(text) if app == _DOVECOT else None)
    if event is not None:
        return event
    if app.startswith(_HAPROXY):
        try:
            return read_haproxy_entry(text)
        except Mismatch:
            pass
    server = read_google_agent(text) or _read_server_log(text)
    if server is not None:
        return server
    if _KLOG.match(text):
        try:
            return read_klog_line(text, calendar=_find_calendar(outer))
        except Mismatch:
            pass
    return _read_logfmt(text) or _read_head(outer, text)


def _read_event(text: str) -> Entry | None:
    """Read the level of an event in CEF or LEEF. The whole text stays the message."""
    event = _CEF.match(text) or _LEEF.match(text)
    if event is None or event[1].lower() not in _EVENT_LEVELS or not event[1].isascii():
        return None
    return Entry(columns={"severity": _EVENT_LEVELS[event[1].lower()], "message": text})


def _read_dovecot(text: str) -> Entry | None:
    """Read the level of Dovecot, after the name of its process: ``imap(eve): Error: ``. The text stays whole."""
    level = _LEVEL_OF_DOVECOT.match(text)
    if level is None:
        return None
    severity, members = severity_columns(level[1])
    return Entry(columns={"severity": severity, "message": text}, members=members)


def _read_server_log(text: str) -> Entry | None:
    """Read a line of an error log of Apache or nginx, or of an access log."""
    readers: tuple[Callable[[str], Entry], ...] = ()
    if text[0] == "[":
        readers = (read_apache_error_line,)
    elif "0" <= text[0] <= "9":
        readers = (read_nginx_error_line, read_access_line)
    for read in readers:
        try:
            return read(text)
        except (Mismatch, AccessMismatch):
            pass
    return None


def _read_json(text: str, names: NameTable) -> Entry | None:
    try:
        fields, members = read_json_object(text, names)
    except InvalidJson:
        return None
    if not members:
        return None
    return Entry(fields.ts_us, fields.is_local, fields.columns, fields.attributes, fields.has_ambiguous_zone)


def _read_logfmt(text: str) -> Entry | None:
    """Read logfmt. Prose can be logfmt, too: it has no level, and no message with a time."""
    if not begins_logfmt(text):
        return None
    try:
        entry = read_logfmt_line(text)
    except InvalidLogfmt:
        return None
    has_both = entry.ts_us != NO_TIME and entry.columns.get("message")
    return entry if entry.columns.get("severity") or has_both else None


def _read_head(outer: Entry, text: str) -> Entry | None:
    head = read_head(text, Dating(_find_calendar(outer)))
    if head is not None and (head.level or head.ts_us != NO_TIME):
        columns = {"severity": severity_of(head), "message": head.message}
        columns = {name: value for name, value in columns.items() if value}
        return Entry(head.ts_us, head.is_local, {**columns}, list_members(head), bool(head.zone_name))
    level = _LEVEL.match(text)
    if level is None or level[1].lower() not in _LEVELS:
        return None
    severity, members = severity_columns(level[1])
    return Entry(columns={"severity": severity, "message": text[level.end() :]}, members=members)


def _find_calendar(outer: Entry) -> Calendar | None:
    """Return the calendar of stamps in the message: one without a year is not more than a day after the line's."""
    if outer.ts_us == NO_TIME:
        return None
    latest = _EPOCH + timedelta(microseconds=outer.ts_us) + timedelta(days=1)
    return Calendar(latest.year, latest.month, latest.day, is_fixed=True)


def _list_inner(outer: Sequence[Member], members: Sequence[Member]) -> list[Member]:
    return [_rename(outer, member) for member in members]


def _rename(outer: Sequence[Member], member: Member) -> Member:
    """Return the member, with ``inner_`` before its name if the line has an attribute of this name."""
    keys = [key for key, _ in outer if len(key.encode()) <= _MAX_KEY_LENGTH][:_MAX_KEYS]
    return (f"inner_{member[0]}" if member[0] in keys else member[0]), member[1]


def _choose_time(merged: Entry, found: Entry, *, is_coarse: bool, outer_members: Sequence[Member]) -> None:
    if found.ts_us == NO_TIME:
        return
    apart_us = 0 if merged.ts_us == NO_TIME else found.ts_us - merged.ts_us
    is_exact = is_coarse and merged.is_local and not found.is_local and abs(apart_us) <= _FARTHEST_US
    if merged.ts_us == NO_TIME:
        merged.has_ambiguous_zone |= found.has_ambiguous_zone
    if merged.ts_us == NO_TIME or is_exact:
        merged.ts_us, merged.is_local = found.ts_us, found.is_local
    elif not _is_same_time(merged, found):
        time = quote(_format_time(found))
        has_time = any(key == "time" for key, _ in found.members)
        merged.members.append(("inner_time", time) if has_time else _rename(outer_members, ("time", time)))


def _is_same_time(outer: Entry, found: Entry) -> bool:
    """Return whether both times can be the same within a second.

    If only one of them has a zone, they can be that differ by the offset of a zone.
    """
    apart_us = found.ts_us - outer.ts_us
    if outer.is_local != found.is_local:
        if abs(apart_us) > _FARTHEST_US:
            return False
        apart_us -= (apart_us + _QUARTER_US // 2) // _QUARTER_US * _QUARTER_US
    return abs(apart_us) <= _SECOND_US


def _format_time(entry: Entry) -> str:
    at = _EPOCH + timedelta(microseconds=entry.ts_us)
    return at.replace(tzinfo=None).isoformat() + ("" if entry.is_local else "Z")
