"""The part of the interface of a store that keeps notifications, written as obligations like `puppylog.stores.base`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # a command that reads records needs none of these
    from collections.abc import Sequence
    from datetime import datetime

    from puppylog.model.notification import Outcome
    from puppylog.model.silence import Silence


class NotificationStore(Protocol):
    """Keeps the outbox of an alert's transitions, silences and acknowledgements. Used by senders.

    The transaction that records a transition must also insert its evidence and its rows of ``notifications``:

    - A transition to firing or no_data gives a row for each contact of the alert. A transition to ok gives a resolved
      row for each contact whose newest row of this alert and segment is firing or no_data. A transition to pending
      gives none. A row is due `Alert.group_wait_s` seconds after its transition was recorded.
    - A transition to firing gets up to ten sample records of its window that match the metric's filter and the segment,
      the newest first. If there are fewer because the search failed or was limited, ``evidence_omitted`` of the
      transition must say why. Evidence must not make an evaluation fail.
    - If an alert is deleted, or a segment is no longer judged, contacts whose newest row is firing or no_data must
      get a resolved row whose ``reason`` says so.

    Must delete rows and evidence that are 90 days old, except rows that a resolved row must follow.
    Reading is by the named queries in ``stores/sql/sending.sql`` and ``notifications.sql``.
    """

    def claim_sending(self) -> bool:
        """Return whether this client is now the one that sends. It is OK to call this again, before each round.

        Must return True to one client at a time. The claim ends with `release_sending`, with `close`, or with the
        process. If the connection was lost, must return True only if no other client has got the claim meanwhile.
        """

    def release_sending(self) -> None:
        """Release the claim. It is OK to release a claim that this client does not have."""

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        """Store what became of rows, in one transaction. It is OK to store an outcome again.

        Must not change a row that was dropped. Must change a row that is dead only if it is to wait again. Must change
        a row that was sent only if it was sent again.
        """

    def set_silence(self, silence: Silence) -> bool:
        """Create the silence, or replace the silence of its name; return whether anything has changed.

        Raises:
            UsageError: a part of it is not as it must be.
        """

    def end_silence(self, name: str, at: datetime) -> None:
        """Make the silence end at the instant ``at``, unless it ends before. A silence that has not begun is deleted.

        Raises:
            NotFound: there is no such silence.
        """

    def list_silences(self) -> Sequence[Silence]:
        """Return all silences, also those that have ended in the last 90 days, in the order of their names."""

    def acknowledge(self, alert: str, segment: str | None, author: str, comment: str) -> int:
        """Record that a person has seen that segments of the alert fire, or have no data; return how many there are.

        An acknowledgement must end with the segment's next transition. Must replace an earlier one.

        Args:
            alert: the alert's name.
            segment: only this segment; None is all segments of the alert.
            author: who has seen it.
            comment: for others; may be empty.

        Raises:
            NotFound: there is no such alert.
        """
