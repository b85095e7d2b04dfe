"""What the fields of an entry of systemd's journal mean: one table for the journal itself and for files of its entries.

Only the fields whose meaning is fixed by systemd fill columns: the time, the priority, the host and the message. Every
other field, of the program or of journald, becomes an attribute under its own name, and its value stays a text.

The time is `_SOURCE_REALTIME_TIMESTAMP`, the time at which the program sent the message, as journalctl shows it. An
entry without it has the time at which journald received the message. The fields that only say where an entry is in
its journal are left out.
"""

import re
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats import native
from puppylog.formats.names import make_table

NAMES: Final = make_table(
    {
        "ts": "sourcerealtimetimestamp realtimetimestamp",
        "severity": "priority:syslog",
        "host": "hostname",
        "message": "message",
    }
)

CURSOR: Final = "__CURSOR"
"""Where an entry is in its journal. Journald writes it into every entry, so it tells an entry from other JSON."""

LEFT_OUT: Final = (CURSOR, "__SEQNUM", "__SEQNUM_ID")
"""Fields that become no attribute: the cursor has both numbers, and is unique, so it would cost the most space."""

_IS_ENTRY: Final = re.compile(rf'\s*\{{.*(?<!\\)"{CURSOR}"\s*:'.encode())
_MEMBER: Final = rf'"(?:{"|".join(LEFT_OUT)})": (?:"[^"]*"|[0-9]+)'


def may_have_entries(text: bytes | memoryview) -> bool:
    """Return False only if no line of the text is an entry: a cheap check."""
    word = CURSOR.encode()
    if native.lines is not None:
        return native.lines.contains(text, word)
    return word in bytes(text)


def is_entry(line: bytes) -> bool:
    """Return whether a line of JSON is an entry of the journal."""
    return _IS_ENTRY.match(line) is not None


def leave_out(attributes: pa.Array) -> pa.Array:
    """Return the attributes, which are JSON objects or nulls, without those that are left out."""
    rest = pc.replace_substring_regex(attributes, f", {_MEMBER}", "")
    rest = pc.replace_substring_regex(rest, rf"^\{{{_MEMBER}(?:, )?", "{")
    return pc.if_else(pc.equal(rest, "{}"), pa.scalar(None, rest.type), rest)
