"""Reads from a store what a sender needs to decide: waiting rows, what contacts were told, states and silences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from puppylog.model.alert import Alert, State
from puppylog.model.metric import Metric
from puppylog.model.notification import NotificationKind, OutboxRow, Outcome, Told
from puppylog.model.silence import Silence
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "sending.sql")

# More rows than this wait only if a contact has failed for long. The oldest rows come first, so all come in the end.
_MAX_ROWS: Final = 50_000


class SendingStore(RecordReader, Protocol):
    """What a sender needs of a store."""

    def claim_sending(self) -> bool: ...

    def release_sending(self) -> None: ...

    def settle(self, outcomes: Sequence[Outcome]) -> None: ...

    def list_silences(self) -> Sequence[Silence]: ...

    def list_alerts(self) -> Sequence[Alert]: ...

    def list_metrics(self) -> Sequence[Metric]: ...


@dataclass(frozen=True, slots=True)
class Judged:
    """The present state of an alert, or of one segment of it, and its last value."""

    state: State
    value: float | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a sender decides from."""

    now: datetime  # by the store's clock
    store_id: str
    rows: Sequence[OutboxRow]  # those that wait
    told: Sequence[Told]  # the problems that contacts were told, and that are not resolved yet
    judged: Mapping[tuple[str, str | None], Judged]  # by alert and segment; those that are OK are left out
    silences: Sequence[Silence]

    @property
    def states(self) -> dict[tuple[str, str | None], State]:
        return {subject: judged.state for subject, judged in self.judged.items()}


def read_snapshot(store: SendingStore, *, is_idle: bool = False) -> Snapshot | None:
    """Return the rows that wait and what is needed to decide about them.

    The states are read after the rows and what was told, as `notification_rule.decide` needs it.

    Args:
        store: the store.
        is_idle: return None if no row waits, after one cheap query.
    """
    [clock] = store.query(_QUERIES["sending_clock"]).to_pylist()
    if is_idle and not clock["waiting"]:
        return None
    rows: list[OutboxRow] = []
    if clock["waiting"]:
        rows = [_row(row) for row in store.query(_QUERIES["waiting_notifications"], {"most": _MAX_ROWS}).to_pylist()]
    told = [_told(row) for row in store.query(_QUERIES["told_problems"]).to_pylist()]
    judged: dict[tuple[str, str | None], Judged] = {}
    silences: Sequence[Silence] = ()
    if rows or told:
        judged = {
            (row["alert"], row["segment"]): Judged(State(row["state"]), row["value"])
            for row in store.query(_QUERIES["states_of_alerts"]).to_pylist()
        }
        silences = store.list_silences()
    return Snapshot(clock["now"], clock["store_id"], rows, told, judged, silences)


def _row(row: dict[str, Any]) -> OutboxRow:
    return OutboxRow(**{**row, "kind": NotificationKind(row["kind"])})


def _told(row: dict[str, Any]) -> Told:
    return Told(**{**row, "kind": NotificationKind(row["kind"])})
