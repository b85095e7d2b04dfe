"""The events of a sender, as values. Nothing here prints: the command line decides what to print. None has a secret."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from puppylog.model.notification import NotificationKind


@dataclass(frozen=True, slots=True)
class MessageSent:
    """A contact accepted a message."""

    contact: str
    alert: str
    kind: NotificationKind
    segments: int


@dataclass(frozen=True, slots=True)
class DeliveryDelayed:
    """A contact did not accept a message, which is tried again."""

    contact: str
    alert: str
    cause: str
    retry_at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryGivenUp:
    """A message is never sent."""

    contact: str
    alert: str
    cause: str


@dataclass(frozen=True, slots=True)
class SendingInterrupted:
    """The sender cannot use the store now. The notifications stay in the store, and the call is retried."""

    cause: str


@dataclass(frozen=True, slots=True)
class SendingResumed:
    """The sender can use the store again."""


SendingEvent: TypeAlias = MessageSent | DeliveryDelayed | DeliveryGivenUp | SendingInterrupted | SendingResumed
OnSendingEvent: TypeAlias = Callable[[SendingEvent], None]
"""Called with each event, from the sender's thread and from the threads that call contacts."""
