"""``/api/v1/alerts/{name}/notifications``: who was told of an alert, what waits, and what could not be sent."""

from datetime import datetime
from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from puppylog.monitor.alerts import get_alert
from puppylog.monitor.notifications import NotificationFilter, explain_waits, read_notifications
from puppylog.serve.read.answers import format_instant
from puppylog.serve.read.resource import Answer, Asked, Instant, Parameters, Reader, Resource


class NotificationsParameters(Parameters, frozen=True, kw_only=True):
    """The parameters of ``/api/v1/alerts/{name}/notifications``."""

    name: Annotated[str, Meta(description="The name of the alert.")]
    limit: Annotated[int, Meta(ge=1, le=1000, description="The greatest number of notifications.")] = 100


class NotificationRow(Struct, kw_only=True):
    """A message about a transition for one contact."""

    id: int
    at: Annotated[Instant, Meta(description="When the transition was recorded.")]
    segment: str | None
    contact: str
    kind: Annotated[str, Meta(description="What it says: firing, no_data or resolved.")]
    state: Annotated[str, Meta(description="waiting, sent, dead (it was given up) or dropped (nothing to say).")]
    due_at: Instant
    attempts: int
    tried_at: Instant | None
    sent_at: Instant | None
    reason: Annotated[str | None, Meta(description="Why it waits, or why it was not sent.")]


class Notifications(Answer, kw_only=True):
    """The notifications of an alert, the newest first."""

    notifications: list[NotificationRow]
    has_more: Annotated[bool, Meta(description="Whether there are older ones.")]


def get_notifications(asked: Asked[NotificationsParameters], reader: Reader) -> Notifications:
    """List the notifications of an alert."""
    name, limit = asked.parameters.name, asked.parameters.limit
    get_alert(reader, name)
    found = explain_waits(reader, read_notifications(reader, NotificationFilter(alert=name), notifications=limit + 1))
    rows = found.to_pylist()[::-1]
    return Notifications(notifications=[_describe(row) for row in rows[:limit]], has_more=len(rows) > limit)


def _describe(row: dict[str, Any]) -> NotificationRow:
    def format_(name: str) -> str | None:
        instant: datetime | None = row[name]
        return None if instant is None else format_instant(instant)

    return NotificationRow(
        id=row["id"],
        at=format_instant(row["created_at"]),
        segment=row["segment"],
        contact=row["contact"],
        kind=row["kind"],
        state=row["state"],
        due_at=format_instant(row["due_at"]),
        attempts=row["attempts"],
        tried_at=format_("tried_at"),
        sent_at=format_("sent_at"),
        reason=row["error"],
    )


RESOURCES: Final = (
    Resource(
        path="/api/v1/alerts/{name}/notifications",
        summary="Who was told of an alert",
        parameters=NotificationsParameters,
        answer=Notifications,
        work=get_notifications,
        rows="notifications",
    ),
)
