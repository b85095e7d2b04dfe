"""The rows with which clients replace the rows of a file: they come in parts, and wait until the client has sent all.

They belong to the client's session and are deleted with it. A client that has lost an answer sends the part again.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from puppylog.errors import StoreFull, StoreUnavailable
from puppylog.model.record import Parsed
from puppylog.stores.base import Store
from puppylog.stores.rewriting import ReadFile, Rewritten
from puppylog.stores.staging import StagedRows

MOST: Final = 8
"""So many files of all clients may be staged at once. A client needs one."""


@dataclass(slots=True)
class Staging:
    """The rows of one file that have come so far."""

    session_id: str
    rows: StagedRows = field(default_factory=StagedRows)
    parts: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)  # held while the rows are written or read

    def replace_rows(self, store: Store, file: ReadFile, context: str) -> Rewritten:
        """Replace the rows of a file by these, as `puppylog.stores.rewriting.Rewriting.commit` does."""
        rewriting = store.rewriting(file)
        try:
            with self.lock:
                for parsed in self.rows:
                    rewriting.write(parsed)
            return rewriting.commit(context)
        finally:
            rewriting.discard()


class Stagings:
    """The stagings of all sessions. For several threads."""

    def __init__(self) -> None:
        """Start without stagings."""
        self._lock = threading.Lock()
        self._stagings: dict[str, Staging] = {}  # under the lock, by the id that the client has drawn

    def add(self, session_id: str, staging_id: str, number: int, part: Sequence[Parsed]) -> None:
        """Add a part. A part that was added already is ignored.

        Args:
            session_id: of the client.
            staging_id: of the rows of one file.
            number: of the part, from 0.
            part: rows, with their lines if the store may need them.

        Raises:
            StoreFull: MOST files are staged, or the disk is full.
            StoreUnavailable: an earlier part is missing, because the server was restarted; the client begins again.
        """
        with self._lock:
            staging = self._stagings.get(staging_id)
            if staging is None and number == 0:
                if len(self._stagings) >= MOST:
                    raise StoreFull("replace", "records", f"{MOST} files are being replaced already")
                staging = self._stagings[staging_id] = Staging(session_id)
        own = _check(staging, session_id)
        with own.lock:
            if number > own.parts:
                raise _lost()
            if number == own.parts:
                for parsed in part:
                    own.rows.write(parsed)
                own.parts += 1

    def find(self, session_id: str, staging_id: str, parts: int) -> Staging:
        """Return a staging that has all parts. A file without rows has no part and no staging.

        Raises:
            StoreUnavailable: a part is missing.
        """
        if not parts:
            return Staging(session_id)
        with self._lock:
            own = _check(self._stagings.get(staging_id), session_id)
        if own.parts != parts:
            raise _lost()
        return own

    def discard(self, session_id: str, staging_id: str | None = None) -> None:
        """Delete the rows of a staging, or those of all stagings of a session. It is OK if there are none."""
        with self._lock:
            found = [
                key
                for key, staging in self._stagings.items()
                if staging.session_id == session_id and staging_id in {None, key}
            ]
            discarded = [self._stagings.pop(key) for key in found]
        for staging in discarded:
            with staging.lock:
                staging.rows.discard()

    def close(self) -> None:
        """Delete all rows."""
        with self._lock:
            session_ids = {staging.session_id for staging in self._stagings.values()}
        for session_id in session_ids:
            self.discard(session_id)


def _check(staging: Staging | None, session_id: str) -> Staging:
    if staging is None or staging.session_id != session_id:
        raise _lost()
    return staging


def _lost() -> StoreUnavailable:
    return StoreUnavailable("replace", "records", "the server does not have all parts of them; it was restarted")
