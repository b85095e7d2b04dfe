"""Reads what Google's agents for virtual machines write into syslog. ``native/google_agent.c`` does the same in C.

``2026-11-24T10:00:00.1250Z OSConfigAgent Error till.go:17: cannot open the drawer``: the message is a line of the
agents' own format. Errors have the place in the source, and other lines have none.
"""

import re

from puppylog.formats import clock
from puppylog.formats.entry import Entry
from puppylog.formats.members import list_texts
from puppylog.formats.severity import severity_columns

_LINE = re.compile(
    r"([^ ]+) ([0-9A-Za-z_]+) (Debug|Info|Warning|Error|Critical)(?: ([0-9A-Za-z_./-]+\.go:[0-9]+))?: (.+)", re.DOTALL
)


def read_google_agent(text: str) -> Entry | None:
    """Return the record of a message; None if it has another form, or a time that does not exist."""
    line = _LINE.fullmatch(text)
    if line is None:
        return None
    try:
        stamp = clock.parse_iso(line[1])
    except clock.OutOfRange:
        return None
    if stamp is None or stamp.is_local:
        return None
    severity, kept = severity_columns(line[3])
    members = [*list_texts(("program", line[2])), *kept, *list_texts(("source", line[4] or ""))]
    return Entry(stamp.us, columns={"severity": severity, "message": line[5]}, members=members)
