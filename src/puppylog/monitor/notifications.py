"""What was sent to whom, what waits, and what could not be sent."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa

from puppylog.errors import NotFound, UsageError
from puppylog.model.finding import Finding, Health, format_age
from puppylog.model.notification_rule import find_silence
from puppylog.model.silence import Silence
from puppylog.stores.base import RecordReader, Store, Value
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "notifications.sql")

LATE_S: Final = 600.0
"""A notification that is overdue by this long is a finding."""

DEAD_S: Final = 3 * 86_400.0
"""How long a notification that was given up stays a finding."""

_MAX_ROWS: Final = 10_000
_SEE: Final = "see 'puppylog monitor alerts notifications --state {state} --contact {contact}'"
_TRY: Final = "try 'puppylog contacts test {contact}', then 'puppylog monitor alerts retry ID'"


@dataclass(frozen=True, slots=True)
class NotificationFilter:
    """Which notifications are listed. None is any."""

    state: str | None = None
    alert: str | None = None
    contact: str | None = None

    @property
    def parameters(self) -> dict[str, Value]:
        return {"state": self.state, "alert": self.alert, "contact": self.contact}


def read_notifications(reader: RecordReader, wanted: NotificationFilter, *, notifications: int) -> pa.Table:
    """Return the newest ``notifications`` of those that are wanted, oldest first."""
    return reader.query(_QUERIES["notifications"], {**wanted.parameters, "most": notifications})


def read_silences(reader: RecordReader) -> list[Silence]:
    """Return all silences that the store knows, in the order of their names; see `NotificationStore.list_silences`."""
    return [Silence(**row) for row in reader.query(_QUERIES["silences"]).to_pylist()]


def explain_waits(reader: RecordReader, rows: pa.Table) -> pa.Table:
    """Return the notifications, with a reason for those that wait: the silence that holds them, or the next attempt."""
    if "waiting" not in rows["state"].to_pylist():
        return rows
    silences = read_silences(reader)
    [clock] = reader.query(_QUERIES["store_clock"]).to_pylist()
    reasons = [_explain(row, silences, clock["now"]) for row in rows.to_pylist()]
    return rows.set_column(rows.schema.get_field_index("error"), "error", pa.array(reasons, pa.string()))


def _explain(row: Mapping[str, Any], silences: Sequence[Silence], now: datetime) -> str | None:
    if row["state"] != "waiting":
        return None if row["error"] is None else str(row["error"])
    silence = find_silence(silences, row["alert"], row["segment"], now)
    if silence is not None:
        return f"silence {silence.name!r} until {silence.ends_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if row["error"] is not None:
        return f"attempt {row['attempts']}: {row['error']}"
    return "not due yet" if row["due_at"] > now else "no process that knows the contact has sent it yet"


def count_notifications(reader: RecordReader, wanted: NotificationFilter, most: int) -> int:
    """Return the number of the notifications that are wanted, counting no further than ``most``."""
    [row] = reader.query(_QUERIES["notifications_count"], {**wanted.parameters, "most": most}).to_pylist()
    return int(row["n"])


def check_retry(reader: RecordReader, number: int) -> None:
    """Raise an error if the notification of this number cannot be sent again.

    Raises:
        NotFound: no notification that is dead has this number.
        UsageError: a later notification follows it, so that it is no longer true.
    """
    rows = reader.query(_QUERIES["dead_notification"], {"id": number}).to_pylist()
    if not rows:
        advice = "see 'puppylog monitor alerts notifications --state dead'"
        raise NotFound("retry", f"notification {number}", "none that is dead has this number", advice)
    if not rows[0]["is_newest"]:
        raise UsageError("retry", f"notification {number}", f"a later one about alert {rows[0]['alert']!r} follows it")


def iter_notification_findings(store: Store) -> Iterator[Finding]:
    """Yield a finding per contact with notifications that were given up, or that wait for long without a silence."""
    limits: dict[str, Value] = {"late_s": LATE_S, "dead_s": DEAD_S, "most": _MAX_ROWS}
    rows = store.query(_QUERIES["unsent_notifications"], limits).to_pylist()
    [clock] = store.query(_QUERIES["store_clock"]).to_pylist()
    silences = store.list_silences() if rows else ()
    unsent: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["state"] == "dead" or find_silence(silences, row["alert"], row["segment"], clock["now"]) is None:
            unsent[row["contact"], row["state"]].append(row)
    for (contact, state), members in sorted(unsent.items()):
        yield _describe_dead(contact, members) if state == "dead" else _describe_late(contact, members)


def _describe_dead(contact: str, rows: list[dict[str, Any]]) -> Finding:
    found = f"{_count(rows)} given up, the last one {format_age(rows[0]['age_s'])} ago: {rows[0]['error']}"
    advice = f"{_SEE.format(state='dead', contact=contact)}; {_TRY.format(contact=contact)}"
    return Finding(f"contact {contact}", Health.WARNING, found, advice)


def _describe_late(contact: str, rows: list[dict[str, Any]]) -> Finding:
    oldest = rows[-1]
    found = f"{_count(rows)} not sent yet, the oldest one for {format_age(oldest['age_s'])}"
    if oldest["attempts"]:
        advice = f"it is tried again for 3 days; {_TRY.format(contact=contact)}"
        return Finding(f"contact {contact}", Health.WARNING, f"{found}: {oldest['error']}", advice)
    found += ": no process that knows the contact sends it"
    advice = "run 'puppylog up' with a configuration file that has the contact"
    return Finding(
        f"contact {contact}", Health.WARNING, found, f"{advice}; {_SEE.format(state='waiting', contact=contact)}"
    )


def _count(rows: list[dict[str, Any]]) -> str:
    return "1 notification was" if len(rows) == 1 else f"{len(rows):,} notifications were"
