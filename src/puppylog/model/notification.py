"""Notifications: the outbox that a store keeps of what its alerts have to tell. Frozen values.

A transition of an alert writes one row per contact, in the transaction that records the transition. A *sender* reads
the rows that wait, sends them as messages, and settles each row with an `Outcome`. `notification_rule` decides which
rows are sent, dropped and held.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class NotificationKind(StrEnum):
    FIRING = "firing"
    NO_DATA = "no_data"
    RESOLVED = "resolved"

    @property
    def is_problem(self) -> bool:
        """Whether a later message has to say that this one is resolved."""
        return self is not NotificationKind.RESOLVED


class NotificationState(StrEnum):
    WAITING = "waiting"  # not sent yet: not due, held by a silence, or tried without success
    SENT = "sent"
    DEAD = "dead"  # given up after errors
    DROPPED = "dropped"  # there was nothing left to say


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A row of ``notifications`` that waits."""

    id: int
    history_id: int | None  # the transition that wrote the row; None for a resolved row without a transition to ok
    alert: str
    segment: str | None  # None: the alert judges all segments together
    contact: str  # the name of the contact; only the sender's configuration knows more about it
    kind: NotificationKind
    due_at: datetime  # the end of the alert's group_wait, or the time of the next attempt
    created_at: datetime
    evaluated_at: datetime  # the evaluation that changed the state
    value: float | None = None  # the value that was observed by the evaluation
    reason: str | None = None  # why a resolved row has no transition to ok
    attempts: int = 0  # failed attempts so far

    @property
    def subject(self) -> tuple[str, str | None, str]:
        """Alert, segment and contact. The rows of one subject are sent in the order of their ids."""
        return self.alert, self.segment, self.contact


@dataclass(frozen=True, slots=True)
class Told:
    """What a contact was told last about one segment of an alert: the newest row of the subject that was sent.

    An *episode* is what a contact sees as one incident: it begins with the first problem that was sent after the last
    resolved message, and ends with the next resolved message. All its messages have the same key.
    """

    id: int  # of the row
    history_id: int | None
    alert: str
    segment: str | None
    contact: str
    kind: NotificationKind
    sent_at: datetime  # of the last message; a repeat moves it
    episode_at: datetime  # the evaluation that the first message of the episode told
    repeat_s: int = 0  # of the alert; 0: never
    group_wait_s: int = 30  # of the alert
    acknowledgement: str | None = None  # who knows of it, and a comment; None if no person has acknowledged it
    attempts: int = 1  # attempts to send the row so far, with its repeats

    @property
    def subject(self) -> tuple[str, str | None, str]:
        return self.alert, self.segment, self.contact

    @property
    def is_acknowledged(self) -> bool:
        """Whether a person acknowledged the transition of this row, or a later one."""
        return self.acknowledgement is not None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a row. `NotificationStore.settle` stores it.

    - SENT: ``at`` becomes ``sent_at``. Also given for a row that was sent before: the message was repeated.
    - WAITING: an attempt failed; ``due_at`` is the time of the next one. Also given for a row that is dead, with no
      attempts: a person wants it to be sent.
    - DEAD and DROPPED: the row is never sent; ``error`` is the reason.
    """

    id: int  # of the row
    state: NotificationState
    at: datetime  # when the attempt ended, or the decision was made
    attempts: int  # attempts so far, with this one
    error: str | None = None  # never contains a secret
    due_at: datetime | None = None  # only for WAITING


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that are sent as one message: one alert, one contact, one kind, each segment at most once."""

    alert: str
    contact: str
    kind: NotificationKind
    rows: tuple[OutboxRow, ...]  # empty for a repeat
    repeated: tuple[Told, ...] = ()  # empty unless this is a repeat
    is_acknowledgement: bool = False  # what was told is not repeated: a person knows of it

    @property
    def is_repeat(self) -> bool:
        return bool(self.repeated)

    @property
    def attempts(self) -> int:
        """The largest number of failed attempts of its rows."""
        return max((row.attempts for row in self.rows), default=0)


@dataclass(frozen=True, slots=True)
class Held:
    """Why a row is not sent now, and until when."""

    until: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What a sender does now."""

    groups: tuple[Group, ...]  # to send now; those with the fewest failed attempts first
    outcomes: tuple[Outcome, ...]  # rows to settle without sending
    held: dict[int, Held]  # rows that keep waiting, by their id
