"""RFC 3164: ``[time] [host] [tag[pid]:] message``, with or without a priority before.

This RFC describes what programs wrote and sets no rules, so these forms are read, too: every stamp of ``stamp``; lines
without a host, as programs write to the daemon of their own machine; ``facility.severity`` before the tag (BusyBox);
sequence numbers, names and marks before the time, and a zone or a colon after the time (Cisco). The time is optional
after a priority, and required without a priority.

Many other logs have lines that begin with an ISO stamp. Such a line without a priority must have a host, and a tag or a
message that daemons write without a tag.
"""

import re
from typing import Final

from puppylog.formats import clock
from puppylog.formats.calendar import Calendar
from puppylog.formats.syslog.devices import BEFORE_TIME, begins_with_cpu, find_cisco_end, read_level, read_vmware
from puppylog.formats.syslog.entry import FACILITIES, KEYWORDS, SEVERITIES, Entry
from puppylog.formats.syslog.reasons import NO_MESSAGE, NO_TAG, NOT_SYSLOG, TIME_RANGE, Mismatch
from puppylog.formats.syslog.stamp import FoundStamp, find_stamp

_ORIGIN = re.compile(r"([^ ]+): [*.]?")
_LEVEL = re.compile(r"<(([0-9]{1,2})\.([0-7])|[^ <>]+)> +")
_ZONE = re.compile(r" ([A-Z]{3,5}):(?= |\Z)")
_UNIVERSAL: Final = {"UTC", "GMT"}
_TAG = re.compile(r"([^ \[\]]+):(?=[ \[]|\Z)")
_TAG_WITH_PID = re.compile(r"([^ \[\]]+)\[([^ \[\]]*)\](?::|(?= |\Z))")
_HOST = re.compile(r"[0-9A-Za-z._:%@/-]+")
_NO_HOST: Final = {
    *("TRACE", "DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERR", "ERROR", "CRIT", "CRITICAL", "ALERT", "EMERG"),
    *("FATAL", "PANIC", "SEVERE"),
}
_NO_NAME = re.compile(r"(?:GMT|UTC)[+-][0-9]{2}:?[0-9]{2}|\[.*\]\[.*")
_CONTEXT = re.compile(r"%\$ ([^%]+) %\$ ")  # of NX-OS: the virtual device
_MAX_CONTEXT_LENGTH: Final = 40  # bytes in UTF-8
_REPEATED: Final = ("last message repeated ", "--- last message repeated ")
_WITHOUT_TAG: Final = (" ", "message repeated ", "last message repeated ", "-- MARK --")
_PRIORITIES: Final = {
    f"{facility}.{word}": (facility, severity)
    for facility in FACILITIES
    for word, severity in (*zip(KEYWORDS, SEVERITIES, strict=True), ("warn", "warning"))
}


def read_3164(text: str, at: int, calendar: Calendar, entry: Entry) -> None:
    """Read the message into ``entry``.

    Args:
        text: the message with its priority.
        at: the index after the priority, or 0 if there is no priority.
        calendar: gives the year of a stamp without a year, and is updated.
        entry: is filled.

    Raises:
        Mismatch: the message does not have this form.
    """
    has_head = at > 0 or (text[:1] in set("0123456789:*. ") and find_cisco_end(text, 0, calendar) is not None)
    before = BEFORE_TIME.match(text, at) if has_head else None
    is_cisco = bool(before and before[1])
    time_at = before.end() if before else at
    stamp = _find_stamp(text, time_at, calendar)
    origin = _ORIGIN.match(text, time_at) if stamp is None and is_cisco else None
    if origin is not None:
        stamp = _find_stamp(text, origin.end(), calendar)
    if stamp is None:
        if not at:
            raise Mismatch(NOT_SYSLOG, 0)
        has_sequence = bool(before and before[1][:1].isdigit())  # as the tag it would be another program each time
        rest = text[time_at if has_sequence else at :].lstrip(" ")
    else:
        entry.ts_us, entry.is_local = stamp.us, stamp.is_local
        entry.is_coarse = not stamp.is_iso and stamp.us % 1_000_000 == 0
        rest = _read_host(text, stamp, entry, has_priority=at > 0, is_cisco=is_cisco)
        entry.host = entry.host or (origin[1] if origin else "")
    if not rest and not entry.host:
        raise Mismatch(NO_MESSAGE, len(text))
    _read_content(rest, entry, calendar)


def _find_stamp(text: str, at: int, calendar: Calendar) -> FoundStamp | None:
    try:
        return find_stamp(text, at, calendar)
    except clock.OutOfRange:
        raise Mismatch(TIME_RANGE, at) from None


def _read_host(text: str, stamp: FoundStamp, entry: Entry, *, has_priority: bool, is_cisco: bool) -> str:
    """Read the zone or the host after the time into ``entry``; return the rest of the text without leading blanks."""
    zone = _ZONE.match(text, stamp.end)
    if zone is not None and (is_cisco or zone[1] in _UNIVERSAL or text.startswith(" %", zone.end())):
        entry.is_local &= zone[1] not in _UNIVERSAL
        return text[zone.end() :].lstrip(" ")
    if text.startswith(":", stamp.end):
        rest = text[stamp.end + 1 :].lstrip(" ")
        if not has_priority and rest.partition(" ")[0].removesuffix(":") in _NO_HOST:
            raise Mismatch(NO_TAG, stamp.end)
        return rest
    if stamp.is_iso and not has_priority:
        vmware_at = read_vmware(text, stamp.end, entry)
        if vmware_at is not None:
            return text[vmware_at:]
        level = _LEVEL.match(text, stamp.end + 1)
        is_level = level is not None and _name_priority(level) in _PRIORITIES
        _check_host_and_tag(text, level.end() if level is not None and is_level else stamp.end + 1)
    rest = _skip_level(text[stamp.end :].lstrip(" "), entry)
    host, _, behind = rest.partition(" ")
    if not has_priority and (host.removesuffix(":") in _NO_HOST or _NO_NAME.fullmatch(host)):
        raise Mismatch(NO_TAG, stamp.end)
    if host.endswith(":") or host in _PRIORITIES or rest.startswith(_REPEATED):
        return rest
    entry.host = host
    return behind.lstrip(" ").removeprefix(": ").lstrip(" ")


def _skip_level(text: str, entry: Entry) -> str:
    """Read ``<facility.severity>``, which BSD's ``syslogd -v`` writes after the time; return the rest of the text."""
    match = _LEVEL.match(text)
    if match is None:
        return text
    written = _name_priority(match)
    if written not in _PRIORITIES:
        return text
    if not entry.severity:
        entry.facility, entry.severity = _PRIORITIES[written]
    return text[match.end() :]


def _name_priority(match: re.Match[str]) -> str:
    """Return ``facility.severity``, which is perhaps written in numbers."""
    if match[2] and int(match[2]) < len(FACILITIES):
        return f"{FACILITIES[int(match[2])]}.{KEYWORDS[int(match[3])]}"
    return match[1]


def _check_host_and_tag(text: str, at: int) -> None:
    host, _, rest = text[at:].partition(" ")
    if not _HOST.fullmatch(host) or host.endswith(":") or host == "-" or host in _NO_HOST:
        raise Mismatch(NO_TAG, at)
    if not (rest.startswith(_WITHOUT_TAG) or _TAG.match(rest) or _TAG_WITH_PID.match(rest)):
        raise Mismatch(NO_TAG, at + len(host))


def _read_content(text: str, entry: Entry, calendar: Calendar) -> None:
    context = _CONTEXT.match(text)
    if context is not None and len(context[1].encode()) <= _MAX_CONTEXT_LENGTH:
        text = text[context.end() :]
    text = text[find_cisco_end(text, 0, calendar) or 0 :]
    word, _, rest = text.partition(" ")
    if not entry.severity and word in _PRIORITIES:
        entry.facility, entry.severity = _PRIORITIES[word]
        text = rest.lstrip(" ")
    tag = _TAG.match(text) if not begins_with_cpu(text) else None
    if tag is None and not begins_with_cpu(text):
        tag = _TAG_WITH_PID.match(text)
        entry.pid = tag[2] if tag else ""
    if tag is not None:
        entry.app = tag[1]
        text = text[tag.end() :].removeprefix(" ")
    entry.message = text
    read_level(entry)
