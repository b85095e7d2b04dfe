"""The format of the journal's entries as JSON lines, as `puppylog.formats.journal.export` writes them.

Only the fields whose meaning is fixed by systemd fill columns: the time, the priority and the message. Every other
field, of the program or of journald, becomes an attribute under its own name.

The time is `_SOURCE_REALTIME_TIMESTAMP`, the time at which the program sent the message, as journalctl shows it. An
entry without it has the time at which journald received the message.
"""

from functools import partial
from typing import Final

from puppylog.formats.base import UTC
from puppylog.formats.json_lines import find_json_mismatch, read_json
from puppylog.formats.line_format import LineFormat
from puppylog.formats.names import make_table

_NAMES: Final = make_table(
    {"ts": "sourcerealtimetimestamp realtimetimestamp", "severity": "priority:syslog", "message": "message"}
)

JOURNAL: Final = LineFormat("journal", partial(read_json, names=_NAMES), UTC, find_json_mismatch)
"""Reads entries of the journal that are written as JSON lines."""
