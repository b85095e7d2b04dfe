"""Fills a new metric with the buckets of the records that are stored already."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from puppylog.model.derived import DERIVED
from puppylog.stores.postgres.definitions.server import ROLLUP, StoredMetric
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries
from puppylog.stores.slices import slice_starts

_QUERIES = load_queries("puppylog.stores.postgres", "metrics.sql")


def materialize(session: Session, stored: StoredMetric) -> None:
    """Fill a metric up to now, the oldest records first, in several transactions."""
    if stored.kind == DERIVED:
        return
    if stored.kind == ROLLUP:
        for _, until in _iter_slices(session):
            session.run(_QUERIES["refresh_rollup"], {"id": stored.id, "until": until})
        session.run(_QUERIES["refresh_rollup"], {"id": stored.id, "until": "infinity"})
        return
    for since, until in _iter_slices(session):
        (window,) = session.rows(_QUERIES["settled_window"], {"since": since, "until": until, "id": stored.id})
        # Both bounds are given: if one is missing, a refresh of TimescaleDB 2.28 leaves out a bucket.
        if window["since"] < window["until"]:
            session.run(_QUERIES["refresh_continuous"], {"id": stored.id, **window})
    session.run(_QUERIES["schedule_refresh"], {"id": stored.id})
    session.run(_QUERIES["note_refresh"], {"id": stored.id})


def _iter_slices(session: Session) -> Iterator[tuple[datetime, datetime]]:
    """Yield half-open ranges of whole days, the oldest first."""
    # A separate query: as a part of the next query, each node would call the function.
    oldest = session.value(_QUERIES["oldest_kept"])
    days = session.rows(_QUERIES["rows_per_day"], {"oldest": oldest})
    if days:
        starts = slice_starts((row["day"], row["records"]) for row in days)
        yield from pairwise([*starts, days[-1]["day"] + timedelta(days=1)])
