"""Notifications in a PostgreSQL store: the claim to send, outcomes, silences and acknowledgements."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime

from puppylog.errors import NotFound, StoreUnavailable
from puppylog.model.notification import Outcome
from puppylog.model.silence import Silence, check_silence
from puppylog.stores.postgres.sessions.link import Link
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import silence_of, values_of_silence

_QUERIES = load_queries("puppylog.stores.postgres", "notifications.sql")


class Notifications:
    """Implements `puppylog.stores.notification_store.NotificationStore`.

    The claim is an advisory lock of a session of its own. If that session is lost, the server releases the lock, and
    the next call claims again in a new session.
    """

    def __init__(self, control: Link, sending: Link) -> None:
        """Use two links; ``sending`` is for the claim alone."""
        self._control = control
        self._sending = sending

    def claim_sending(self) -> bool:
        is_claimed = self._sending.call(lambda session: bool(session.value(_QUERIES["claim_sending"])))
        if not is_claimed:
            self._sending.release()  # clients that only wait need no connection
        return is_claimed

    def release_sending(self) -> None:
        def unlock(session: Session) -> None:
            session.run(_QUERIES["release_sending"])

        if not self._sending.is_lost:
            with suppress(StoreUnavailable):  # the session is lost, and the claim with it
                self._sending.call(unlock, is_repeatable=False)
        self._sending.release()

    def settle(self, outcomes: Sequence[Outcome]) -> None:
        if not outcomes:
            return
        columns = {
            "ids": [outcome.id for outcome in outcomes],
            "states": [outcome.state.value for outcome in outcomes],
            "ats": [outcome.at.isoformat() for outcome in outcomes],
            "attempts": [outcome.attempts for outcome in outcomes],
            "errors": [outcome.error for outcome in outcomes],
            "due_ats": [None if outcome.due_at is None else outcome.due_at.isoformat() for outcome in outcomes],
        }
        self._control.call(lambda session: session.run(_QUERIES["settle"], columns))

    def set_silence(self, silence: Silence) -> bool:
        check_silence(silence)
        values = values_of_silence(silence)
        return self._control.call(lambda session: bool(session.value(_QUERIES["set_silence"], values)))

    def end_silence(self, name: str, at: datetime) -> None:
        values = {"name": name, "at": at.isoformat()}
        if not self._control.call(lambda session: session.value(_QUERIES["end_silence"], values)):
            raise NotFound("find", f"silence {name!r}", "there is none of that name")

    def list_silences(self) -> Sequence[Silence]:
        return [silence_of(row) for row in self._control.call(lambda session: session.rows(_QUERIES["list_silences"]))]

    def acknowledge(self, alert: str, segment: str | None, author: str, comment: str) -> int:
        values = {"alert": alert, "segment": segment, "author": author, "comment": comment}
        rows = self._control.call(lambda session: session.rows(_QUERIES["acknowledge"], values))
        if not rows:
            raise NotFound("find", f"alert {alert!r}", "there is none of that name")
        return int(rows[0]["problems"])
