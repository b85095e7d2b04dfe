"""Which rows the transitions of an alert add to the outbox. A pure function.

- A transition to firing or no_data is a problem: each contact of the alert gets a row.
- A transition to ok ends the episode: each contact whose newest row is a problem gets a resolved row, also one that is
  no longer a contact of the alert.
- A segment that is no longer judged ends its episode in the same way.

PostgreSQL does the same in ``add_notifications``, and a property test compares the two.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from puppylog.model.alert import State
from puppylog.model.notification import NotificationKind

FORGOTTEN: Final = "it was not observed for 24 hours and is not judged any more"
"""The reason of the resolved rows of a segment that is no longer judged."""

DELETED: Final = "the alert was deleted"
"""The reason of the resolved rows of an alert that was deleted."""

Segment: TypeAlias = str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """A transition, as far as contacts are told of it."""

    history_id: int
    segment: Segment
    evaluated_at: datetime
    to_state: State
    value: float | None


@dataclass(frozen=True, slots=True)
class NewRow:
    """A new row of ``notifications``, without the columns that are the same for all rows of an alert."""

    history_id: int | None
    segment: Segment
    contact: str
    kind: NotificationKind
    evaluated_at: datetime
    episode_at: datetime
    value: float | None
    reason: str | None = None


def list_new_rows(
    turns: Iterable[Turn],
    contacts: Sequence[str],
    unresolved: Mapping[Segment, Mapping[str, datetime]],
    *,
    forgotten: Collection[Segment] = (),
    at: datetime,
) -> list[NewRow]:
    """Return the rows that the transitions of one alert add to the outbox, in the order in which they are sent.

    Args:
        turns: the transitions of some evaluations, in their order.
        contacts: of the alert.
        unresolved: by segment, the contacts whose newest row is a problem, each with the ``episode_at`` of that row.
        forgotten: the segments that are no longer judged since the last evaluation. That evaluation may have changed
            their state to no_data, which no contact is told of.
        at: the last evaluation.
    """
    rows: list[NewRow] = []
    episodes = {segment: dict(told) for segment, told in unresolved.items()}
    began: dict[Segment, datetime] = {}  # when the first problem of these evaluations began that is not resolved

    def resolve(segment: Segment, history_id: int | None, evaluated_at: datetime, value: float | None) -> None:
        reason = FORGOTTEN if history_id is None else None
        began.pop(segment, None)
        told = episodes.pop(segment, {})
        order = {contact: no for no, contact in enumerate(contacts)}
        for contact in sorted(told, key=lambda contact: (order.get(contact, -1), contact)):
            kind = NotificationKind.RESOLVED
            rows.append(NewRow(history_id, segment, contact, kind, evaluated_at, told[contact], value, reason))

    for turn in turns:
        if turn.to_state is State.OK:
            resolve(turn.segment, turn.history_id, turn.evaluated_at, turn.value)
        elif turn.to_state is not State.PENDING and not _ends_unseen(turn, forgotten, at):
            began_at = began.setdefault(turn.segment, turn.evaluated_at)
            told = episodes.setdefault(turn.segment, {})
            kind = NotificationKind(turn.to_state.value)
            for contact in contacts:
                episode_at = told.setdefault(contact, began_at)
                rows.append(
                    NewRow(turn.history_id, turn.segment, contact, kind, turn.evaluated_at, episode_at, turn.value)
                )
    for segment in sorted(forgotten, key=lambda segment: (segment is None, segment or "")):
        resolve(segment, None, at, None)
    return rows


def _ends_unseen(turn: Turn, forgotten: Collection[Segment], at: datetime) -> bool:
    return turn.to_state is State.NO_DATA and turn.evaluated_at == at and turn.segment in forgotten
