"""One message of syslog, with the fields of both RFCs."""

import re
from dataclasses import dataclass, field

from puppylog.formats.entry import Columns
from puppylog.formats.entry import Entry as Record
from puppylog.formats.entry import add_entry as add_record
from puppylog.formats.inner import read_inner
from puppylog.formats.quoting import quote
from puppylog.formats.rows import NO_TIME, Member, RowsBuilder
from puppylog.formats.syslog.device_time import read_device_time

FACILITIES = (
    *("kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"),
    *("ntp", "audit", "alert", "clock"),
    *(f"local{number}" for number in range(8)),
)
KEYWORDS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
"""What syslog calls its severities, in the order of their numbers."""

SEVERITIES = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")
"""The same severities as words of the scale."""

_NUMBER = re.compile(r"0|[1-9][0-9]{0,17}")


@dataclass(slots=True)
class Entry:
    """The fields of a message; a field that the message does not have is empty."""

    facility: str = ""
    severity: str = ""
    ts_us: int = NO_TIME
    is_local: bool = False
    is_coarse: bool = False  # the time is of whole seconds, without a zone
    host: str = ""
    app: str = ""
    pid: str = ""
    msgid: str = ""
    # The identifier and the parameters of each element of structured data.
    structured: list[tuple[str, list[Member]]] = field(default_factory=list)
    message: str = ""


def add_entry(builder: RowsBuilder, at: int, entry: Entry) -> None:
    """Add the record of a message, which starts at the offset ``at`` in bytes."""
    pid = entry.pid if _NUMBER.fullmatch(entry.pid) else quote(entry.pid)
    elements = ", ".join(f"{quote(name)}: {_write(members)}" for name, members in entry.structured)
    named = [
        ("facility", entry.facility and quote(entry.facility)),
        ("app", entry.app and quote(entry.app)),
        ("pid", entry.pid and pid),
        ("msgid", entry.msgid and quote(entry.msgid)),
        ("structured_data", elements and "{" + elements + "}"),
    ]
    columns: Columns = {
        "host": entry.host if entry.host != "-" else None,
        "severity": entry.severity,
        "message": entry.message,
    }
    members = [(key, value) for key, value in named if value]
    record = Record(entry.ts_us, entry.is_local, columns, members)
    whole = read_inner(record, entry.app, is_coarse=entry.is_coarse)
    stamp = read_device_time(entry.message) if whole.ts_us == NO_TIME else None
    if stamp is not None:
        whole.ts_us, whole.is_local = stamp.us, stamp.is_local
    add_record(builder, at, whole)


def _write(members: list[Member]) -> str:
    return "{" + ", ".join(f"{quote(name)}: {value}" for name, value in members) + "}"
