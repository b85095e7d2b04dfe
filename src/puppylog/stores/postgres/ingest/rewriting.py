"""Replaces the rows of a file, and deletes streams, in one transaction each.

A replay of rejected lines waits for this transaction, and this one for a replay: they change the same rows. A job that
compresses the records may conflict with the transaction, which is then repeated.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any, Final, TypeVar

from puppylog.errors import StoreUnavailable
from puppylog.model.record import Parsed
from puppylog.stores.base import StoreInfo
from puppylog.stores.postgres.ingest.append import Days, Rows, copy_records, copy_rejects, make_days, note_times
from puppylog.stores.postgres.ingest.touched import days_of
from puppylog.stores.postgres.sessions.failures import is_deadlock
from puppylog.stores.postgres.sessions.link import Link
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries
from puppylog.stores.rewriting import DeletedStream, ReadFile, Rewritten
from puppylog.stores.staging import StagedRows
from puppylog.stores.streams import check_read_file

_QUERIES = load_queries("puppylog.stores.postgres", "rewriting.sql")
_REPLAY_QUERIES = load_queries("puppylog.stores.postgres", "replay.sql")

_COLUMNAR: Final = {
    "citus": ("columnar_partitions", "make_heap"),
    "timescaledb_distributed": ("compressed_chunks", "decompress"),
}
"""Flavours that delete no columnar records: the query of the tables that have some, and what makes them ordinary."""

_PAUSES_S: Final = (0.1, 0.3, 1.0, 3.0)

T = TypeVar("T")


class _Conflict(StoreUnavailable):
    """Another session has changed the records since the transaction was prepared."""


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
            rows = self._choose_rows(session, file.stream_id, condition)
            with session.transaction():
                return _rewrite(session, rows, file, context, staged)

        rewritten = self._repeat(work)
        self._run_jobs()
        return rewritten

    def delete_stream(self, stream_id: int) -> DeletedStream:
        condition = _QUERIES["of_stream"].format(stream_id=int(stream_id))

        def work(session: Session) -> DeletedStream:
            rows = self._choose_rows(session, stream_id, condition)
            with session.transaction():
                return _delete_stream(session, rows, stream_id)

        deleted = self._repeat(work)
        self._run_jobs()
        return deleted

    def _repeat(self, work: Callable[[Session], T]) -> T:
        """Do ``work``, and again a few times if its transaction conflicts with a job or a replay."""
        for pause_s in _PAUSES_S:
            try:
                return self._ingest.call(work)
            except StoreUnavailable as error:
                if not isinstance(error, _Conflict) and not is_deadlock(error):
                    raise
            time.sleep(pause_s)
        return self._ingest.call(work)

    def _choose_rows(self, session: Session, stream_id: int, condition: str) -> "_Rows":
        """Return the rows of a stream that a condition selects.

        Some flavours delete no columnar record, and refuse a deletion that might touch one. So the tables of these
        records become ordinary ones, each in a transaction of its own, and the records are deleted day by day.
        """
        if self.info.flavour not in _COLUMNAR:
            return _Rows(condition)
        columnar, make_ordinary = _COLUMNAR[self.info.flavour]
        days = sorted(_list_days(session, condition))
        rows = _Rows(condition, days, _QUERIES[columnar], {"stream_id": stream_id, "days": days})
        for table in rows.list_columnar(session):
            with session.transaction():
                session.run(_QUERIES[make_ordinary].format(**table))
        return rows


def _list_days(session: Session, condition: str) -> set[date]:
    return {row["day"] for row in session.rows(_QUERIES["days_of"].format(condition=condition))}


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows that go."""

    condition: str  # SQL that selects them
    days: Sequence[date] | None = None  # of the records, if they are deleted day by day
    columnar: str = ""  # then the query of the columnar tables that have records of these days
    values: Mapping[str, Any] = field(default_factory=dict)  # of this query

    def list_columnar(self, session: Session) -> Sequence[Mapping[str, Any]]:
        """Return the columnar tables that have some of the records."""
        return session.rows(self.columnar, self.values)

    def delete_records(self, session: Session) -> int:
        """Delete the records; return their number.

        Raises:
            _Conflict: since the rows were chosen, a replay has stored records of other days, or a job has made records
                columnar.
        """
        if self.days is None:
            return session.run(_QUERIES["delete_records"].format(condition=self.condition))
        # This query locks the tables of the records, so that no job can make one of them columnar.
        if not _list_days(session, self.condition) <= {*self.days}:
            raise _Conflict("replace", "records", "others were stored at the same moment")
        if self.list_columnar(session):
            raise _Conflict("replace", "records", "a job made them columnar at the same moment")
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
