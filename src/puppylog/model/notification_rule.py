"""Which notifications are sent now, which are dropped, and which wait. Pure functions; no function reads a clock.

- The rows of a *subject* (alert, segment, contact) are sent in the order of their ids, one at a time: a resolved
  message never overtakes the problem that it resolves.
- A resolved message is sent if and only if the last message that the contact got about the segment is a problem.
- A silence holds the newest row of a subject and drops the rows before it. When the silence ends, the newest row that
  was created before its end says what is true then. It is dropped, too, if it is a problem that has ended.
- Rows of one alert, contact and kind that wait are one message as soon as one of them is due.
- A problem is repeated every `Told.repeat_s` seconds while it lasts, unless it was acknowledged.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Final, TypeAlias

from puppylog.model.alert import State
from puppylog.model.notification import (
    Decision,
    Group,
    Held,
    NotificationKind,
    NotificationState,
    OutboxRow,
    Outcome,
    Told,
)
from puppylog.model.silence import Silence

_Subject: TypeAlias = tuple[str, str | None, str]

_FIRST_RETRY_S: Final = 5.0
_MAX_RETRY_S: Final = 3_600.0

GIVE_UP_AFTER: Final = timedelta(days=3)
"""A row is dead once its attempts have lasted this long, or once it has waited this long for a known contact."""

_SUPERSEDED: Final = "it was silenced, and a later transition followed before the silence ended"

_STATE_OF_KIND: Final = {NotificationKind.FIRING: State.FIRING, NotificationKind.NO_DATA: State.NO_DATA}


def retry_delay_s(attempts: int, share: float) -> float:
    """Return the seconds until the next attempt after ``attempts`` failed ones: 5 s, doubled each time, at most 1 h.

    Args:
        attempts: failed attempts so far, at least 1.
        share: a random number from 0 to 1, so that senders do not all retry at once: the delay is 75 to 100 % of the
            whole.

    >>> [retry_delay_s(attempts, share=1.0) for attempts in (1, 2, 3, 20)]
    [5.0, 10.0, 20.0, 3600.0]
    """
    whole = min(_FIRST_RETRY_S * 2.0 ** min(attempts - 1, 20), _MAX_RETRY_S)
    return whole * (0.75 + 0.25 * share)


def _longest_attempts() -> int:
    total, attempts = 0.0, 0
    while total < GIVE_UP_AFTER.total_seconds():
        attempts += 1
        total += retry_delay_s(attempts, share=1.0)
    return attempts


MAX_ATTEMPTS: Final = _longest_attempts()
"""So many attempts, with the delays between them, last for `GIVE_UP_AFTER`."""


def failed(
    row: OutboxRow,
    at: datetime,
    error: str,
    *,
    share: float,
    retry_after_s: float | None = None,
    is_final: bool = False,
) -> Outcome:
    """Return the outcome of a failed attempt to send ``row``: it waits for the next attempt, or is dead.

    Args:
        row: the row.
        at: when the attempt ended.
        error: why it failed; must not contain a secret.
        share: see `retry_delay_s`.
        retry_after_s: how long the receiver asks to wait, in seconds; at most an hour of it is waited.
        is_final: whether no later attempt can succeed.
    """
    attempts = row.attempts + 1
    if is_final:
        return Outcome(row.id, NotificationState.DEAD, at, attempts, error)
    if attempts >= MAX_ATTEMPTS:
        return Outcome(row.id, NotificationState.DEAD, at, attempts, f"given up after 3 days: {error}")
    delay_s = max(retry_delay_s(attempts, share), min(retry_after_s or 0.0, _MAX_RETRY_S))
    return Outcome(row.id, NotificationState.WAITING, at, attempts, error, at + timedelta(seconds=delay_s))


@dataclass(frozen=True, slots=True)
class _Present:
    """The arguments of `decide` that are the same for all rows."""

    silences: Sequence[Silence]
    states: Mapping[tuple[str, str | None], State]
    contacts: Collection[str]
    paused: Mapping[str, datetime]
    now: datetime


def decide(
    rows: Sequence[OutboxRow],
    *,
    told: Iterable[Told],
    silences: Sequence[Silence],
    states: Mapping[tuple[str, str | None], State],
    contacts: Collection[str],
    now: datetime,
    paused: Mapping[str, datetime] | None = None,
) -> Decision:
    """Return what is sent now, what is dropped, and what is held until when.

    Args:
        rows: all rows that wait, due or not.
        told: for each subject, what its contact was told last.
        silences: also those that have ended.
        states: the present state by alert and segment; an alert that was deleted has none. Read after ``rows``: a
            transition between the two is then only decided a moment later.
        contacts: the names of the contacts that this process can reach.
        now: the present.
        paused: until when a contact asked not to be called, by its name.
    """
    last = {one.subject: one for one in told}
    paused = paused or {}
    heads: list[OutboxRow] = []
    outcomes: list[Outcome] = []
    held: dict[int, Held] = {}
    queues = _by_subject(rows)
    for subject, queue in queues.items():
        alert, segment, contact = subject
        silence = find_silence(silences, alert, segment, now)
        if silence is not None:
            held[queue[-1].id] = Held(silence.ends_at, f"silence {silence.name!r}")
            outcomes += _drop([(row, _SUPERSEDED) for row in queue[:-1]], now)
            continue
        ended_at = _last_end(silences, alert, segment, now)
        kept, dropped = _collapse(queue, ended_at, states.get((alert, segment), State.OK))
        if contact not in contacts:
            dead, waiting = _wait_for_contact(kept, ended_at, now)
            outcomes += [*_drop(dropped, now), *dead]
            held |= waiting
            continue
        needless, kept = _drop_needless(kept, last.get(subject))
        outcomes += _drop([*dropped, *needless], now)
        if kept:
            heads.append(kept[0])
            held |= {row.id: Held(now, "an earlier message about it is not sent yet") for row in kept[1:]}
    groups, waiting = _group(heads, paused, now)
    present = _Present(silences, states, contacts, paused, now)
    repeats = _repeat(last.values(), queues, present)
    ordered = sorted([*groups, *repeats], key=lambda group: (group.attempts, group.alert, group.contact, group.kind))
    return Decision(tuple(ordered), tuple(outcomes), held | waiting)


def fires(told: Told, states: Mapping[tuple[str, str | None], State]) -> bool:
    """Return whether what the contact was told last is a problem that lasts."""
    return told.kind.is_problem and states.get((told.alert, told.segment)) is _STATE_OF_KIND[told.kind]


def group_told(told: Iterable[Told]) -> list[Group]:
    """Return the messages that say again what was told: one for each alert, contact and kind."""
    key = attrgetter("alert", "contact", "kind")
    return [Group(*names, (), tuple(members)) for names, members in groupby(sorted(told, key=key), key=key)]


def _by_subject(rows: Iterable[OutboxRow]) -> dict[_Subject, list[OutboxRow]]:
    queues: defaultdict[_Subject, list[OutboxRow]] = defaultdict(list)
    for row in sorted(rows, key=attrgetter("id")):
        queues[row.subject].append(row)
    return dict(queues)


def find_silence(silences: Iterable[Silence], alert: str, segment: str | None, at: datetime) -> Silence | None:
    """Return the silence that holds the alert's segment at this instant; of several, the one that ends last."""
    active = [silence for silence in silences if silence.matches(alert, segment, at)]
    return max(active, key=attrgetter("ends_at"), default=None)


def _last_end(silences: Iterable[Silence], alert: str, segment: str | None, now: datetime) -> datetime | None:
    """Return when the last silence of the alert's segment ended; None if none has ended."""
    ended = [
        silence.ends_at
        for silence in silences
        if silence.starts_at < silence.ends_at <= now and silence.matches(alert, segment, silence.starts_at)
    ]
    return max(ended, default=None)


def _collapse(
    queue: list[OutboxRow], ended_at: datetime | None, state: State
) -> tuple[list[OutboxRow], list[tuple[OutboxRow, str]]]:
    """Return the rows that are left after the last silence, and those that are dropped, with the reasons.

    Args:
        queue: the rows of one subject that wait.
        ended_at: when the last silence of the subject ended.
        state: the present state.
    """
    silenced = [row for row in queue if ended_at is not None and row.created_at < ended_at]
    if not silenced:
        return queue, []
    newest, after = silenced[-1], queue[len(silenced) :]
    dropped = [(row, _SUPERSEDED) for row in silenced[:-1]]
    if newest.kind.is_problem and not after and state is not _STATE_OF_KIND[newest.kind]:
        return [], [*dropped, (newest, "it was silenced, and no longer true when the silence ended")]
    return [newest, *after], dropped


def _drop_needless(queue: list[OutboxRow], told: Told | None) -> tuple[list[tuple[OutboxRow, str]], list[OutboxRow]]:
    """Return the first rows of a subject if they resolve nothing, with the reason, and the rows after them."""
    has_problem = told is not None and told.kind.is_problem
    needless: list[tuple[OutboxRow, str]] = []
    for index, row in enumerate(queue):
        if row.kind.is_problem or has_problem:
            return needless, queue[index:]
        needless.append((row, "no message said that there was a problem"))
    return needless, []


def _drop(rows: Iterable[tuple[OutboxRow, str]], now: datetime) -> list[Outcome]:
    return [Outcome(row.id, NotificationState.DROPPED, now, row.attempts, reason) for row, reason in rows]


def _wait_for_contact(
    queue: list[OutboxRow], ended_at: datetime | None, now: datetime
) -> tuple[list[Outcome], dict[int, Held]]:
    """Return outcomes and waits of rows whose contact this process does not know: another process may know it."""
    dead: list[Outcome] = []
    waiting: dict[int, Held] = {}
    for row in queue:
        waits_since = row.created_at if ended_at is None else max(row.created_at, ended_at)
        end = waits_since + GIVE_UP_AFTER
        if now >= end:
            reason = f"in 3 days, no process with contact {row.contact!r} in its configuration has sent it"
            dead.append(Outcome(row.id, NotificationState.DEAD, now, row.attempts, reason))
        else:
            waiting[row.id] = Held(end, f"this process has no contact {row.contact!r} in its configuration")
    return dead, waiting


def _group(
    heads: Iterable[OutboxRow], paused: Mapping[str, datetime], now: datetime
) -> tuple[list[Group], dict[int, Held]]:
    """Return the messages that are due, and the rows that wait.

    A row that was never tried joins a message before it is due. A row whose attempts failed waits until it is due.
    """
    groups: list[Group] = []
    held: dict[int, Held] = {}
    key = attrgetter("alert", "contact", "kind")
    for (alert, contact, kind), members in groupby(sorted(heads, key=key), key=key):
        rows = tuple(members)
        pause = paused.get(contact, now)
        if pause > now:
            held |= {row.id: Held(pause, "the receiver asked to wait") for row in rows}
            continue
        is_due = any(row.due_at <= now for row in rows)
        joining = tuple(row for row in rows if row.due_at <= now or (is_due and not row.attempts))
        if joining:
            groups.append(Group(alert, contact, kind, joining))
        held |= {row.id: Held(row.due_at, _explain_wait(row)) for row in rows if row not in joining}
    return groups, held


def _explain_wait(row: OutboxRow) -> str:
    return "the next attempt is not due yet" if row.attempts else "the alert's group_wait has not passed yet"


def _repeat(told: Iterable[Told], queues: Collection[_Subject], present: _Present) -> list[Group]:
    """Return the repeats that are due. Those that will be due within the alert's group_wait join them."""
    groups: list[Group] = []
    for group in group_told([one for one in told if one.subject not in queues and _may_repeat(one, present)]):
        waits_s = {one: one.repeat_s - (present.now - one.sent_at).total_seconds() for one in group.repeated}
        if min(waits_s.values()) <= 0:
            repeated = tuple(one for one, wait_s in waits_s.items() if wait_s <= one.group_wait_s)
            groups.append(replace(group, repeated=repeated))
    return groups


def _may_repeat(told: Told, present: _Present) -> bool:
    return (
        told.repeat_s > 0
        and not told.is_acknowledged
        and told.contact in present.contacts
        and present.paused.get(told.contact, present.now) <= present.now
        and fires(told, present.states)
        and find_silence(present.silences, told.alert, told.segment, present.now) is None
    )
