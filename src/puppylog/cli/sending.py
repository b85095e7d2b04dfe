"""Sending notifications: for every command that runs for long and knows contacts."""

import os
import urllib.request
from collections.abc import Callable, Iterable

from puppylog.cli.messages import tell, warn
from puppylog.cli.service_socket import VARIABLES
from puppylog.model.notification import NotificationKind
from puppylog.model.number import format_number
from puppylog.notify.contact import Contact
from puppylog.notify.events import (
    DeliveryDelayed,
    DeliveryGivenUp,
    MessageSent,
    SendingEvent,
    SendingInterrupted,
    SendingResumed,
)
from puppylog.notify.sender import Sender
from puppylog.settings import Settings
from puppylog.stores.base import Store
from puppylog.stores.connect import name_store

_WORDS = {
    NotificationKind.FIRING: "fires",
    NotificationKind.NO_DATA: "has no data",
    NotificationKind.RESOLVED: "is resolved",
}


def make_sender(
    settings: Settings, store: Store, contacts: Iterable[Contact], write: Callable[[Callable[[], None]], None]
) -> Sender:
    """Return a sender for the contacts, which reports on stderr. It starts with ``with``.

    Args:
        settings: the settings of the command.
        store: the connected store, which outlives the sender.
        contacts: those of the configuration.
        write: calls a function that writes to stderr, so that it writes between other output.
    """
    return Sender(
        store,
        contacts,
        on_event=lambda event: write(lambda: report(settings, event)),
        proxies=urllib.request.getproxies(),
        environ={name: value for name, value in os.environ.items() if name not in VARIABLES},
        store_name=name_store(settings.store.url),
    )


def report(settings: Settings, event: SendingEvent) -> None:
    """Write an event of a sender to stderr."""
    match event:
        case MessageSent(contact, alert, kind, segments):
            some = f" ({format_number(segments)} segments)" if segments > 1 else ""
            tell(settings, f"told {contact} that alert {alert} {_WORDS[kind]}{some}")
        case DeliveryDelayed(_, alert, cause, retry_at):
            warn(f"{cause}; the message about alert {alert} is tried again at {retry_at:%H:%M:%S} UTC")
        case DeliveryGivenUp(_, alert, cause):
            warn(
                f"{cause}; the message about alert {alert} is given up: 'puppylog monitor alerts retry' sends it again"
            )
        case SendingInterrupted(cause):
            warn(f"{cause}; notifications wait")
        case SendingResumed():
            tell(settings, "notifications are sent again")
