"""Filling a new metric with the buckets of the records that the store has already."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from puppylog.stores.postgres.definitions.server import ROLLUP, StoredMetric
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.postgres", "metrics.sql")

_SLICE_RECORDS: Final = 4_000_000
"""So many records are aggregated in one transaction at most: other transactions run in between."""


def materialize(session: Session, stored: StoredMetric) -> None:
    """Fill a metric up to now, oldest first, in transactions that leave room for others in between."""
    # Asked for by itself: as a part of the next query, it would be asked of every node.
    oldest = {"oldest": session.value(_QUERIES["oldest_kept"])}
    if stored.kind == ROLLUP:
        for _, until in iter_slices(session.rows(_QUERIES["rows_per_day"], oldest)):
            session.run(_QUERIES["refresh_rollup"], {"id": stored.id, "until": until})
        session.run(_QUERIES["refresh_rollup"], {"id": stored.id, "until": "infinity"})
        return
    for since, until in iter_slices(session.rows(_QUERIES["rows_per_day"], oldest)):
        (window,) = session.rows(_QUERIES["settled_window"], {"since": since, "until": until, "id": stored.id})
        # Never without bounds: TimescaleDB 2.28 leaves a bucket out of a refresh that has only one.
        if window["since"] < window["until"]:
            session.run(_QUERIES["refresh_continuous"], {"id": stored.id, **window})
    session.run(_QUERIES["schedule_refresh"], {"id": stored.id})
    session.run(_QUERIES["note_refresh"], {"id": stored.id})


def iter_slices(days: Sequence[Mapping[str, Any]]) -> Iterator[tuple[datetime, datetime]]:
    """Give ranges of whole days, oldest first, that hold about so many records as one transaction may aggregate.

    Args:
        days: ``day`` and ``records``, in order.
    """
    since: datetime | None = None
    records = 0
    for row in days:
        if since is not None and records + row["records"] > _SLICE_RECORDS:
            yield since, row["day"]
            since, records = None, 0
        since = since or row["day"]
        records += row["records"]
    if since is not None:
        yield since, days[-1]["day"] + timedelta(days=1)
