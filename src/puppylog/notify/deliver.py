"""Sends the messages of one contact, one after another, and says what became of their rows. Runs in a thread."""

import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from puppylog.errors import DeliveryFailed, PuppylogError
from puppylog.model.notification import Group, NotificationState, Outcome
from puppylog.model.notification_rule import failed, retry_delay_s
from puppylog.notify.compose import Composer, split_group
from puppylog.notify.contact import Contact, Delivery
from puppylog.notify.events import DeliveryDelayed, DeliveryGivenUp, MessageSent, OnSendingEvent, SendingInterrupted

_SEND_WITHIN_S: Final = 20.0
_MAX_ERROR: Final = 300  # characters of an error that are stored


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of one message, or of a message that failed and those after it."""

    outcomes: Sequence[Outcome] = ()
    failed_repeats: Sequence[tuple[str, str | None, str]] = ()
    paused_until: datetime | None = None  # the receiver asked to wait


@dataclass(frozen=True, slots=True)
class Job:
    """The messages for one contact that are due in one round of a sender."""

    contact: Contact
    groups: Sequence[Group]  # rows that are sent, and repeats that are recorded
    resent: Sequence[Group]  # sent again only because the receiver needs it; not recorded
    composer: Composer
    read_now: Callable[[], datetime]  # the present by the store's clock
    is_stopped: Callable[[], bool]
    on_event: OnSendingEvent
    proxies: Mapping[str, str]
    environ: Mapping[str, str]


def deliver(job: Job, add: Callable[[Delivered], None]) -> bool:
    """Send the messages of a job; return whether all were accepted.

    If the receiver fails in a way that may pass, the messages after the failed one are not tried: they wait as long
    as the failed one. A message that the receiver refuses for good holds up no other.

    Args:
        job: the messages.
        add: called with what became of each message, as soon as that is known.
    """
    groups = [part for group in job.groups for part in split_group(group, job.contact.max_segments)]
    resent = [part for group in job.resent for part in split_group(group, job.contact.max_segments)]
    for index, group in enumerate([*groups, *resent]):
        if job.is_stopped():
            return False
        is_recorded = index < len(groups)
        error = _send(job, group)
        if error is None:
            if is_recorded:
                add(Delivered(_sent(job, group)))
                segments = len(group.rows or group.repeated)
                job.on_event(MessageSent(group.contact, group.alert, group.kind, segments))
        elif error.is_final:
            add(_fail(job, [group] if is_recorded else [], error))
            job.on_event(DeliveryGivenUp(group.contact, group.alert, _cause_of(error)))
        else:
            delivered = _fail(job, groups[index:], error)
            add(delivered)
            job.on_event(DeliveryDelayed(group.contact, group.alert, _cause_of(error), _retry_at(job, delivered)))
            return False
    return True


def _send(job: Job, group: Group) -> DeliveryFailed | None:
    """Send one message; return the error if it was not accepted.

    Raises:
        StoreError: the store does not answer.
    """
    message = job.composer.compose(group)
    deadline = time.monotonic() + _SEND_WITHIN_S
    delivery = Delivery(deadline, now=job.read_now(), proxies=job.proxies, environ=job.environ)
    try:
        job.contact.send(message, delivery)
    except DeliveryFailed as error:
        return error
    except Exception as error:  # noqa: BLE001 - a defect in one contact must not stop the others; its text may hold a secret
        return DeliveryFailed("send", f"to contact {group.contact!r}", f"{type(error).__name__} in Puppylog")
    return None


def _sent(job: Job, group: Group) -> list[Outcome]:
    now = job.read_now()
    rows = [Outcome(row.id, NotificationState.SENT, now, row.attempts + 1) for row in group.rows]
    return rows + [Outcome(told.id, NotificationState.SENT, now, told.attempts + 1) for told in group.repeated]


def _fail(job: Job, groups: Sequence[Group], error: DeliveryFailed) -> Delivered:
    """Return what became of groups that were not accepted. All rows that are tried again are due at the same time."""
    now, share = job.read_now(), random.random()  # noqa: S311 - not used as a secret
    outcomes = [
        failed(row, now, _cause_of(error), share=share, retry_after_s=error.retry_after_s, is_final=error.is_final)
        for group in groups
        for row in group.rows
    ]
    repeats = [told.subject for group in groups for told in group.repeated]
    until = None if error.retry_after_s is None else now + timedelta(seconds=min(error.retry_after_s, 3600.0))
    return Delivered(outcomes, repeats, until)


def _retry_at(job: Job, delivered: Delivered) -> datetime:
    times = [outcome.due_at for outcome in delivered.outcomes if outcome.due_at is not None]
    return min(times, default=job.read_now() + timedelta(seconds=retry_delay_s(1, share=1.0)))


def _cause_of(error: PuppylogError) -> str:
    return error.message[:_MAX_ERROR]


def deliver_safely(job: Job, add: Callable[[Delivered], None]) -> bool:
    """Do as `deliver` does, but report an error of the store or a defect instead of raising it."""
    try:
        return deliver(job, add)
    except PuppylogError as error:
        job.on_event(SendingInterrupted(error.message))
    except Exception as error:  # noqa: BLE001 - as in _send
        job.on_event(SendingInterrupted(f"cannot send to contact {job.contact.name!r}: {type(error).__name__}"))
    return False
