"""Metrics in the store: a row each, and from the row a query, an aggregate and a view.

On TimescaleDB a metric is a continuous aggregate where it can be one; TimescaleDB refuses those with a subquery (the
limit to a group) and, before 2.20, those with a function that is not immutable. Everything else is a rollup table.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from puppylog.errors import PuppylogError, UsageError
from puppylog.model.metric import Metric
from puppylog.model.period import format_period
from puppylog.stores.aggregate import Dialect, aggregate_sql
from puppylog.stores.catalog import get_found, is_same_metric, refuse_deletion, refuse_other
from puppylog.stores.postgres.ingest.streams import get_group_id
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import metric_of, values_of_metric

_QUERIES = load_queries("puppylog.stores.postgres", "metrics.sql")

ROLLUP: Final = "rollup"
CONTINUOUS: Final = "continuous_aggregate"

# So many records are aggregated in one transaction at most, so that others get their turn in between.
_SLICE_RECORDS: Final = 4_000_000


@dataclass(frozen=True, slots=True)
class StoredMetric:
    """A metric as the store has it."""

    id: int
    metric: Metric
    group_id: int | None
    kind: str

    def aggregate(self, dialect: Dialect, where: str, *, is_counted: bool) -> str:
        """Return the SQL that computes its buckets from the records that ``where`` leaves."""
        return aggregate_sql(self.metric, dialect, group_id=self.group_id, where=where, is_counted=is_counted)

    def query(self) -> str:
        """Return the SQL of its buckets in a range.

        Which streams are in its group is asked beforehand: with a subquery, TimescaleDB 2.13 has been seen to insert
        nothing of a data node whose rows it does select.
        """
        in_range = _QUERIES["aggregate_range" if self.group_id is None else "aggregate_group_range"]
        return aggregate_sql(self.metric, "postgres", where=in_range, is_counted=True)


def list_metrics(session: Session) -> list[StoredMetric]:
    """In the order of their names."""
    return [_stored(row) for row in session.rows(_QUERIES["list_metrics"])]


def find_metric(session: Session, name: str) -> StoredMetric | None:
    return next((stored for stored in list_metrics(session) if stored.metric.name == name), None)


def get_metric(session: Session, name: str) -> StoredMetric:
    """Return the metric of that name.

    Raises:
        NotFound: there is none.
    """
    return get_found(find_metric(session, name), "metric", name)


def create_metric(
    session: Session, metric: Metric, *, is_timescale: bool, drop_after_s: int | None
) -> StoredMetric | None:
    """Make the metric with everything read live, within the caller's transaction; None if the same one is there.

    Raises:
        AlreadyExists: the name belongs to another definition.
        NotFound: no such group.
        UsageError: the store cannot compute it.
    """
    found = find_metric(session, metric.name)
    if found is not None:
        refuse_other(metric, is_same=is_same_metric(found.metric, metric))
        return None
    if drop_after_s is not None and metric.period_s * 4 > drop_after_s:
        raise UsageError(
            "create",
            f"metric {metric.name!r}",
            (
                f"its period of {format_period(metric.period_s)} is too long for a store that keeps records for "
                f"{format_period(drop_after_s)}"
            ),
        )
    group_id = None if metric.group is None else get_group_id(session, metric.group)
    number = int(session.value(_QUERIES["next_id"]))
    stored = StoredMetric(number, metric, group_id, ROLLUP)
    _try(session, stored)
    if is_timescale and group_id is None and _create_continuous(session, stored):
        stored = replace(stored, kind=CONTINUOUS)
    else:
        _create_rollup(session, stored)
    row = {**values_of_metric(metric), "id": number, "group_id": group_id, "kind": stored.kind}
    row["query"] = stored.query()
    session.run(_QUERIES["insert_metric"], row)
    return stored


def _create_continuous(session: Session, stored: StoredMetric) -> bool:
    """Return whether TimescaleDB takes it as a continuous aggregate."""
    aggregate = stored.aggregate("timescaledb", "true", is_counted=True)
    try:
        with session.transaction():
            session.run(_QUERIES["create_continuous"].format(id=stored.id, aggregate=aggregate))
            session.run(_QUERIES["create_continuous_view"].format(id=stored.id, name=stored.metric.name))
    except PuppylogError as error:
        if error.transient:
            raise
        return False
    return True


def _create_rollup(session: Session, stored: StoredMetric) -> None:
    live = stored.aggregate("postgres", _QUERIES["live_range"].format(id=stored.id), is_counted=False)
    session.run(_QUERIES["create_rollup"].format(id=stored.id))
    session.run(_QUERIES["index_rollup"].format(id=stored.id))
    session.run(_QUERIES["create_rollup_view"].format(id=stored.id, name=stored.metric.name, live=live))


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


def delete_metric(session: Session, name: str) -> None:
    """Forget the metric and its aggregate, within the caller's transaction; the records stay.

    Raises:
        NotFound: there is none of that name.
        UsageError: an alert judges it.
    """
    stored = get_metric(session, name)
    alerts = [row["name"] for row in session.rows(_QUERIES["alerts_of_metric"], {"id": stored.id})]
    refuse_deletion("metric", name, alerts, "alert {} judges it")
    session.run(_QUERIES["drop_view"].format(name=name))
    session.run(_QUERIES["drop_rollup" if stored.kind == ROLLUP else "drop_continuous"].format(id=stored.id))
    session.run(_QUERIES["delete_metric"], {"id": stored.id})


def _try(session: Session, stored: StoredMetric) -> None:
    """Raise UsageError if the store cannot compute it at all."""
    try:
        with session.transaction():
            session.run(_QUERIES["try_metric"].format(aggregate=stored.aggregate("postgres", "true", is_counted=False)))
    except PuppylogError as error:
        if error.transient:
            raise
        raise UsageError("create", f"metric {stored.metric.name!r}", error.cause, error.advice) from None


def _stored(row: Mapping[str, Any]) -> StoredMetric:
    return StoredMetric(row["id"], metric_of(row), row["group_id"], row["kind"])
