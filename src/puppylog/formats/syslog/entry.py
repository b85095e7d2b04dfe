"""One message of syslog, with the fields of both RFCs."""

import re
from dataclasses import dataclass, field

from puppylog.formats.quoting import quote
from puppylog.formats.rows import NO_TIME, Member, RowsBuilder

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
    builder.add(
        at,
        entry.ts_us,
        is_local=entry.is_local,
        members=[(key, value) for key, value in named if value],
        columns={
            "host": entry.host if entry.host != "-" else None,
            "severity": entry.severity,
            "message": entry.message,
        },
    )


def _write(members: list[Member]) -> str:
    return "{" + ", ".join(f"{quote(name)}: {value}" for name, value in members) + "}"
