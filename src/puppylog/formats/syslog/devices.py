r"""What devices of Cisco and hosts of VMware add to their messages.

Cisco writes the level into the tag, ``%SYS-5-CONFIG_I:``, and sequence numbers and a time of its own before it. ESXi
and vCenter write a level, ``info hostd[2099] [Originator@6876 …]``, a priority, ``In(166) Hostd[2099]:``, or the
processor, ``cpu3:2097)WARNING:``, and no host in their own files. ``native/syslog_devices.c`` does the same in C.
"""

import re
from dataclasses import replace
from typing import Final

from puppylog.formats import clock
from puppylog.formats.calendar import Calendar
from puppylog.formats.syslog.entry import FACILITIES, SEVERITIES, Entry
from puppylog.formats.syslog.stamp import find_stamp

BEFORE_TIME: Final = re.compile(r" ?((?:[0-9]{1,10}: |: ?)?[*.]?)")

_AFTER_TIME = re.compile(r"(?: [A-Z]{3,5})?: (?=%)")
_MAX_HEAD_LENGTH: Final = 64  # before the percent sign
_CISCO_TAG = re.compile(r"%[0-9A-Z_]+(?:-[0-9A-Z_]+)*-([0-7])-[0-9A-Z_]+")
_PRIORITY = re.compile(r" ([A-Z][a-z])\(([0-9]{1,3})\) ")
_OF_SEVERITY: Final = ("Em", "Al", "Cr", "Er", "Wa", "No", "In", "Db")
_HIGHEST_PRIORITY: Final = 191
_CPU = re.compile(r"cpu[0-9]+:[0-9]+\)(WARNING|ALERT)?")
_PROGRAM = re.compile(r"(?:([a-z]+) )?([^ \[\]]+)\[([^ \[\]]*)\]:? (?=\[Originator@)")
_LEVELS: Final = {
    "error": "error",
    "warning": "warning",
    "info": "info",
    "verbose": "trace",
    "trivia": "trace",
    "panic": "critical",
}


def find_cisco_end(text: str, at: int, calendar: Calendar) -> int | None:
    """Return the index of the tag after a sequence number, a mark and a time at ``at``; None if they are not there."""
    if text.find("%", at, at + _MAX_HEAD_LENGTH) < 0:
        return None
    before = BEFORE_TIME.match(text, at)
    try:
        stamp = find_stamp(text, before.end() if before else at, replace(calendar))
    except clock.OutOfRange:
        return None
    after = _AFTER_TIME.match(text, stamp.end) if stamp is not None else None
    return after.end() if after is not None else None


def read_vmware(text: str, at: int, entry: Entry) -> int | None:
    """Read what ESXi and vCenter write after the time of their own files into ``entry``.

    Returns:
        The index of the rest; None if the text is not theirs.
    """
    priority = _PRIORITY.match(text, at)
    number = int(priority[2]) if priority is not None else 0
    if priority is not None and number <= _HIGHEST_PRIORITY and priority[1] == _OF_SEVERITY[number % 8]:
        facility, severity = divmod(number, 8)
        entry.facility, entry.severity = FACILITIES[facility], SEVERITIES[severity]
        return priority.end()
    if not text.startswith(" ", at):
        return None
    program = _PROGRAM.match(text, at + 1)
    is_program = program is not None and (program[1] is None or program[1] in _LEVELS)
    return at + 1 if is_program or _CPU.match(text, at + 1) else None


def begins_with_cpu(text: str) -> bool:
    """Return whether a text begins with the processor, as messages of ESXi do."""
    return _CPU.match(text) is not None


def read_level(entry: Entry) -> None:
    """Read the level that the tag or the message has."""
    tag = _CISCO_TAG.fullmatch(entry.app)
    if tag is not None:
        entry.severity = SEVERITIES[int(tag[1])]
        return
    cpu = _CPU.match(entry.message)
    if cpu is not None and cpu[1]:
        entry.severity = cpu[1].lower()
        return
    program = _PROGRAM.match(entry.message)
    if program is None or program[1] not in _LEVELS:
        return
    entry.severity = _LEVELS[program[1]]
    entry.app = entry.app or program[2]
    entry.pid = entry.pid or program[3]
    entry.message = entry.message[program.end() :]
