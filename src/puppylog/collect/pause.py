"""The pause of a collector between two rounds over its sources."""

import threading
import time
from typing import Final

from puppylog.collect.tailed_source import SOON_S
from puppylog.tail.notification import Notification

MAX_S: Final = 0.5
"""How long a pause lasts at most: only at its end the collector notices that it is stopped, or gets other sources."""

_GATHER_S: Final = 0.03
"""How long a pause goes on after a change, so that lines that are written together are read together."""


def pause_until(due_at: float, notification: Notification, stop: threading.Event) -> None:
    """Wait until a time, or until the kernel notifies of a change.

    A pause that a change ends is at least `SOON_S` long, because files may be written all the time.

    Args:
        due_at: the time of the next poll of a source, in seconds of `time.monotonic`.
        notification: of the changes.
        stop: when set, a short pause ends.
    """
    started = time.monotonic()
    if due_at - started <= SOON_S:
        stop.wait(SOON_S)
    elif notification.wait(min(due_at - started, MAX_S)):
        stop.wait(max(started + SOON_S - time.monotonic(), _GATHER_S))
