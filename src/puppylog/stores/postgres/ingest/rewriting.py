"""Replaces the rows of a file, and deletes streams, in one transaction each.

A replay of rejected lines waits for this transaction, and this one for a replay: they change the same rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, Final

from puppylog.errors import StoreUnavailable
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
            rows = self._choose_rows(session, condition)
            with session.transaction():
                return _rewrite(session, rows, file, context, staged)

        rewritten = self._ingest.call(work)
        self._run_jobs()
        return rewritten

    def delete_stream(self, stream_id: int) -> DeletedStream:
        condition = _QUERIES["of_stream"].format(stream_id=int(stream_id))

        def work(session: Session) -> DeletedStream:
            rows = self._choose_rows(session, condition)
            with session.transaction():
                return _delete_stream(session, rows, stream_id)

        deleted = self._ingest.call(work)
        self._run_jobs()
        return deleted

    def _choose_rows(self, session: Session, condition: str) -> "_Rows":
        """Return the rows that a condition selects.

        Citus deletes no row of a columnar partition, and refuses a deletion that might touch one. So the partitions of
        the records become ordinary ones, and the records are deleted day by day.
        """
        if self.info.flavour != _CITUS:
            return _Rows(condition, None)
        days = sorted(_list_days(session, condition))
        for row in session.rows(_QUERIES["columnar_days"], {"days": days}):
            with session.transaction():
                session.run(_QUERIES["make_changeable"].format(name=row["name"]))
        return _Rows(condition, days)


def _list_days(session: Session, condition: str) -> set[date]:
    return {row["day"] for row in session.rows(_QUERIES["days_of"].format(condition=condition))}


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows that go."""

    condition: str  # SQL that selects them
    days: Sequence[date] | None  # of the records, if they are deleted day by day

    def delete_records(self, session: Session) -> int:
        """Delete the records; return their number.

        Raises:
            StoreUnavailable: a replay has stored records of other days since the days were listed.
        """
        if self.days is None:
            return session.run(_QUERIES["delete_records"].format(condition=self.condition))
        if not _list_days(session, self.condition) <= {*self.days}:
            raise StoreUnavailable("replace", "records", "others were stored at the same moment")
        conditions = [_QUERIES["within_day"].format(condition=self.condition, day=day) for day in self.days]
        return sum(session.run(_QUERIES["delete_records"].format(condition=each)) for each in conditions)


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


def _rewrite(session: Session, rows: _Rows, file: ReadFile, context: str, staged: StagedRows) -> Rewritten:
    ids = {"stream_id": file.stream_id, "file_id": file.file_id}
    session.run(_REPLAY_QUERIES["take_turn"])
    check_read_file(file, _find_stored(session, rows.condition, ids))
    removed_records, removed_rejects = _remove_rows(session, rows)
    records = rejects = refused = 0
    for parsed in staged:
        part = [Rows(file.stream_id, file.file_id, parsed)]
        unfit = copy_records(session, part)
        rejects += copy_rejects(session, part, unfit)
        note_times(session, part)
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


def _delete_stream(session: Session, rows: _Rows, stream_id: int) -> DeletedStream:
    session.run(_REPLAY_QUERIES["take_turn"])
    records, rejects = _remove_rows(session, rows)
    files = session.run(_QUERIES["delete_files"], {"stream_id": stream_id})
    session.run(_QUERIES["delete_report"], {"stream_id": stream_id})
    session.run(_QUERIES["delete_stream"], {"stream_id": stream_id})
    return DeletedStream(records, rejects, files)


def _remove_rows(session: Session, rows: _Rows) -> tuple[int, int]:
    """Delete rows and store invalidations for their times; return how many records and rejected lines are gone."""
    session.run(_QUERIES["allow_deletions"])
    session.run(_QUERIES["invalidate_removed"].format(condition=rows.condition))
    records = rows.delete_records(session)
    return records, session.run(_QUERIES["delete_rejects"].format(condition=rows.condition))
