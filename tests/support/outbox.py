"""A store's outbox in memory: transitions write rows, a sender that obeys the rule settles them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from puppylog.model.alert import State
from puppylog.model.notification import Decision, NotificationKind, NotificationState, OutboxRow, Outcome, Told
from puppylog.model.notification_rule import decide, failed
from puppylog.model.silence import Silence

START: Final = datetime(2026, 1, 1, tzinfo=UTC)
FIRING, NO_DATA, RESOLVED = NotificationKind
WAITING, SENT, DEAD, DROPPED = NotificationState


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def silence_between(starts_at: datetime, ends_at: datetime, *, segment: str = "*", name: str = "night") -> Silence:
    return Silence(name, "*", segment, starts_at, ends_at, "ada", "")


KIND_OF_STATE: Final = {State.FIRING: FIRING, State.NO_DATA: NO_DATA}


@dataclass
class Outbox:
    """A store's outbox in memory: transitions write rows, outcomes change them, and ``sent`` has the messages."""

    group_wait_s: int = 0
    repeat_s: int = 0
    rows: dict[int, OutboxRow] = field(default_factory=dict)
    settled: dict[int, Outcome] = field(default_factory=dict)
    told: dict[tuple[str, str | None, str], Told] = field(default_factory=dict)
    states: dict[tuple[str, str | None], State] = field(default_factory=dict)
    silences: list[Silence] = field(default_factory=list)
    acknowledged: set[int] = field(default_factory=set)
    sent: list[tuple[float, str | None, NotificationKind, datetime, bool]] = field(default_factory=list)
    newest: dict[tuple[str, str | None], NotificationKind] = field(default_factory=dict)
    contacts: list[str] = field(default_factory=lambda: ["ops"])
    down: str | None = None  # the error of every attempt
    last_id: int = 0

    def change(self, second: float, state: State, segment: str | None = None) -> None:
        """Record a transition, as a store does."""
        subject = ("errors", segment)
        if self.states.get(subject, State.OK) is state:
            return
        self.states[subject] = state
        kind = KIND_OF_STATE.get(state)
        if state is State.OK and self.newest.get(subject, RESOLVED).is_problem:
            kind = RESOLVED
        if kind is None:
            return
        for contact in self.contacts:
            self.last_id += 1
            changed_at = at(second) + timedelta(microseconds=self.last_id)  # no two episodes begin at one instant
            due_at = at(second + self.group_wait_s)
            self.rows[self.last_id] = OutboxRow(
                self.last_id, self.last_id, *subject, contact, kind, due_at, at(second), changed_at
            )
        self.newest[subject] = kind

    def decide(self, second: float, contacts: Sequence[str] = ("ops",)) -> Decision:
        return decide(
            list(self.rows.values()),
            told=[
                replace(one, acknowledgement="ada" if one.history_id in self.acknowledged else None)
                for one in self.told.values()
            ],
            silences=self.silences,
            states=self.states,
            contacts=contacts,
            now=at(second),
        )

    def run(self, second: float) -> int:
        """Send what is due, until nothing is left to do at this instant; return the number of attempts."""
        attempts = 0
        while True:
            decision = self.decide(second)
            for outcome in decision.outcomes:
                self.settle(outcome)
            if not decision.groups and not decision.outcomes:
                return attempts
            for group in decision.groups:
                attempts += 1
                for row in group.rows:
                    self.settle(self._attempt(row, second))
                for one in group.repeated:
                    if self.down is None:
                        self.sent.append((second, one.segment, one.kind, one.episode_at, True))
                        self.told[one.subject] = replace(one, sent_at=at(second))
            if self.down is not None:
                return attempts

    def _attempt(self, row: OutboxRow, second: float) -> Outcome:
        if self.down is not None:
            return failed(row, at(second), self.down, share=1.0)
        return Outcome(row.id, SENT, at(second), row.attempts + 1)

    def settle(self, outcome: Outcome) -> None:
        if outcome.state is WAITING:
            assert outcome.due_at is not None
            row = self.rows[outcome.id]
            self.rows[row.id] = replace(row, due_at=outcome.due_at, attempts=outcome.attempts)
            return
        row = self.rows.pop(outcome.id)
        self.settled[row.id] = outcome
        if outcome.state is SENT:
            before = self.told.get(row.subject)
            episode_at = before.episode_at if before is not None and before.kind.is_problem else row.evaluated_at
            self.told[row.subject] = Told(
                row.id,
                row.history_id,
                row.alert,
                row.segment,
                row.contact,
                row.kind,
                sent_at=outcome.at,
                episode_at=episode_at,
                repeat_s=self.repeat_s,
            )
            second = (outcome.at - START).total_seconds()
            self.sent.append((second, row.segment, row.kind, episode_at, False))

    def kinds(self) -> list[tuple[float, str | None, NotificationKind]]:
        return [message[:3] for message in self.sent]
