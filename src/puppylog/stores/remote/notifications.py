"""Notifications of a remote store, without the claim to send."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # only a sender, and commands about silences, need these
    from datetime import datetime

    from puppylog.model.notification import Outcome
    from puppylog.model.silence import Silence


class RemoteNotifications:
    """Implements a part of `puppylog.stores.notification_store.NotificationStore`, given `_ask`."""

    def _ask(self, call: str, /, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        """Return the answer to a call that is safe to repeat."""
        raise NotImplementedError

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        if outcomes:
            self._ask("settle", outcomes=list(outcomes))

    def set_silence(self, silence: Silence) -> bool:
        from puppylog.model.silence import check_silence  # noqa: PLC0415 - see above

        check_silence(silence)
        return bool(self._ask("set_silence", silence=silence))

    def end_silence(self, name: str, at: datetime) -> None:
        self._ask("end_silence", name=name, at=at)

    def list_silences(self) -> Sequence[Silence]:
        from puppylog.stores.rows import silence_of  # noqa: PLC0415 - see above

        return [silence_of(row) for row in self._ask("list_silences")]

    def acknowledge(self, alert: str, segment: str | None, author: str, comment: str) -> int:
        return int(self._ask("acknowledge", alert=alert, segment=segment, author=author, comment=comment))
