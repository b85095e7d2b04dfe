"""The part of the client that is about notifications: the claim to send, outcomes, silences and acknowledgements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from puppylog.errors import NotFound
from puppylog.stores.duckdb.directory import StoreDirectory, translate_os_error
from puppylog.stores.duckdb.locks import FileLock

if TYPE_CHECKING:  # only a sender, and commands about silences, need these
    from collections.abc import Sequence
    from datetime import datetime

    from puppylog.model.notification import Outcome
    from puppylog.model.silence import Silence


class NotificationClient:
    """Implements `puppylog.stores.notification_store.NotificationStore`, given `_ask`. Used by one thread."""

    def __init__(self, directory: StoreDirectory) -> None:
        self._directory = directory
        self._sending = FileLock(directory.sending_lock)

    def _ask(self, action: str, /, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        """Call an action of the engine that is safe to repeat."""
        raise NotImplementedError

    def claim_sending(self) -> bool:
        try:
            return self._sending.acquire()
        except OSError as error:
            raise translate_os_error(self._directory.path, error) from None

    def release_sending(self) -> None:
        self._sending.release()

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        plain = [
            {
                "id": outcome.id,
                "state": outcome.state.value,
                "at": outcome.at.isoformat(),
                "attempts": outcome.attempts,
                "error": outcome.error,
                "due_at": None if outcome.due_at is None else outcome.due_at.isoformat(),
            }
            for outcome in outcomes
        ]
        if plain:
            self._ask("settle", outcomes=plain)

    def set_silence(self, silence: Silence) -> bool:
        from puppylog.model.silence import check_silence  # noqa: PLC0415 - see above
        from puppylog.stores.rows import values_of_silence  # noqa: PLC0415 - see above

        check_silence(silence)
        return bool(self._ask("set_silence", silence=values_of_silence(silence)))

    def end_silence(self, name: str, at: datetime) -> None:
        if not self._ask("end_silence", name=name, at=at.isoformat()):
            raise NotFound("find", f"silence {name!r}", "there is none of that name")

    def list_silences(self) -> Sequence[Silence]:
        from puppylog.stores.rows import silence_of  # noqa: PLC0415 - see above

        return [silence_of(row) for row in self._ask("list_silences")]

    def acknowledge(self, alert: str, segment: str | None, author: str, comment: str) -> int:
        return int(self._ask("acknowledge", alert=alert, segment=segment, author=author, comment=comment))
