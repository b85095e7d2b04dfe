"""Replaces the rows of a file, and deletes streams, in one transaction each.

A replay of rejected lines waits for this transaction, and this one for a replay: they change the same rows.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from puppylog.model.record import Parsed
from puppylog.stores.base import StoreInfo
from puppylog.stores.postgres.ingest.append import Days, Rows, copy_records, copy_rejects, make_days, note_times
from puppylog.stores.postgres.ingest.touched import days_of
from puppylog.stores.postgres.sessions.link import Link
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries
from puppylog.stores.rewriting import DeletedStream, ReadFile, Rewritten
from puppylog.stores.staging import StagedRows
from puppylog.stores.streams import check_read_file

_QUERIES = load_queries("puppylog.stores.postgres", "rewriting.sql")
_CITUS: Final = "citus"
_REPLAY_QUERIES = load_queries("puppylog.stores.postgres", "replay.sql")


class LinkedRewriter:
    """Implements `puppylog.stores.rewriting.StreamRewriter`. `PostgresStore`, which has the fields, inherits it."""

    _ingest: Link
    _days: Days
    info: StoreInfo

    def _run_jobs(self) -> None:
        raise NotImplementedError

    def rewriting(self, file: ReadFile) -> "CopyRewriting":
        return CopyRewriting(self, file)

    def rewrite(self, file: ReadFile, context: str, staged: StagedRows, days: set[int]) -> Rewritten:
        """Replace the rows of a file by those that are staged; ``days`` are the days of their records."""

        def work(session: Session) -> Rewritten:
            make_days(session, self._days, days)
            condition = _QUERIES["of_file"].format(stream_id=int(file.stream_id), file_id=int(file.file_id))
            self._make_changeable(session, condition)
            with session.transaction():
                return _rewrite(session, condition, file, context, staged)

        rewritten = self._ingest.call(work)
        self._run_jobs()
        return rewritten

    def delete_stream(self, stream_id: int) -> DeletedStream:
        condition = _QUERIES["of_stream"].format(stream_id=int(stream_id))

        def work(session: Session) -> DeletedStream:
            self._make_changeable(session, condition)
            with session.transaction():
                return _delete_stream(session, condition, stream_id)

        deleted = self._ingest.call(work)
        self._run_jobs()
        return deleted

    def _make_changeable(self, session: Session, condition: str) -> None:
        """Make the columnar partitions ordinary that have rows which go: Citus deletes no columnar row."""
        if self.info.flavour != _CITUS:
            return
        days = [row["day"] for row in session.rows(_QUERIES["days_of"].format(condition=condition))]
        for row in session.rows(_QUERIES["columnar_days"], {"days": days}):
            with session.transaction():
                session.run(_QUERIES["make_changeable"].format(name=row["name"]))


class CopyRewriting:
    """Implements `puppylog.stores.rewriting.Rewriting`. The rows wait in a temporary file."""

    def __init__(self, rewriter: LinkedRewriter, file: ReadFile) -> None:
        self._rewrite = partial(rewriter.rewrite, file)
        self._staged = StagedRows()
        self._days: set[int] = set()  # since the epoch

    def write(self, parsed: Parsed) -> None:
        self._staged.write(parsed)
        self._days |= days_of([parsed.records])

    def commit(self, context: str) -> Rewritten:
        return self._rewrite(context, self._staged, self._days)

    def discard(self) -> None:
        self._staged.discard()


def _rewrite(session: Session, condition: str, file: ReadFile, context: str, staged: StagedRows) -> Rewritten:
    ids = {"stream_id": file.stream_id, "file_id": file.file_id}
    session.run(_REPLAY_QUERIES["take_turn"])
    check_read_file(file, _find_stored(session, condition, ids))
    removed_records, removed_rejects = _remove_rows(session, condition)
    records = rejects = refused = 0
    for parsed in staged:
        rows = [Rows(file.stream_id, file.file_id, parsed)]
        unfit = copy_records(session, rows)
        rejects += copy_rejects(session, rows, unfit)
        note_times(session, rows)
        records += parsed.records.num_rows - len(unfit)
        refused += len(unfit)
    session.run(_QUERIES["set_context"], {**ids, "context": context})
    return Rewritten(removed_records, removed_rejects, records, rejects, refused)


def _find_stored(session: Session, condition: str, ids: Mapping[str, int]) -> Mapping[str, Any] | None:
    """Return ``byte_offset`` and ``first_offset`` of a file, whose position is locked; None if there is none."""
    rows = session.rows(_QUERIES["lock_position"], ids)
    if not rows:
        return None
    firsts = (session.value(_QUERIES[query].format(condition=condition)) for query in ("first_record", "first_reject"))
    return {**rows[0], "first_offset": min((first for first in firsts if first is not None), default=None)}


def _delete_stream(session: Session, condition: str, stream_id: int) -> DeletedStream:
    session.run(_REPLAY_QUERIES["take_turn"])
    records, rejects = _remove_rows(session, condition)
    files = session.run(_QUERIES["delete_files"], {"stream_id": stream_id})
    session.run(_QUERIES["delete_report"], {"stream_id": stream_id})
    session.run(_QUERIES["delete_stream"], {"stream_id": stream_id})
    return DeletedStream(records, rejects, files)


def _remove_rows(session: Session, condition: str) -> tuple[int, int]:
    """Delete rows and store invalidations for their times; return how many records and rejected lines are gone."""
    session.run(_QUERIES["allow_deletions"])
    session.run(_QUERIES["invalidate_removed"].format(condition=condition))
    records = session.run(_QUERIES["delete_records"].format(condition=condition))
    return records, session.run(_QUERIES["delete_rejects"].format(condition=condition))
