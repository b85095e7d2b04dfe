"""Groups, metrics and alerts on a PostgreSQL server. Each metric has a row with its query, an aggregate and a view.

On TimescaleDB the aggregate is a continuous aggregate if possible. TimescaleDB refuses one with a subquery (a metric
that is limited to a group), before 2.20 one with a function that is not immutable, and before 2.15 one whose buckets
have an origin (of 7 seconds, or a week). All other aggregates are rollup tables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from puppylog.errors import PuppylogError, UsageError
from puppylog.model.derived import DERIVED
from puppylog.model.metric import Metric
from puppylog.model.period import format_period
from puppylog.stores import definitions
from puppylog.stores.aggregate import Dialect, aggregate_sql, hidden_of, needs_origin, parts_of
from puppylog.stores.definitions import StoredAlert
from puppylog.stores.postgres.schema.flavour import read_server, takes_origin
from puppylog.stores.postgres.schema.installation import Installation
from puppylog.stores.postgres.schema.levels import create_levels, drop_levels, records_in_range
from puppylog.stores.postgres.schema.samples import sample_query, store_sample_query
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import alert_of, metric_of, values_of_metric

_QUERIES = load_queries("puppylog.stores.postgres", "definitions.sql")

ROLLUP: Final = "rollup"
CONTINUOUS: Final = "continuous_aggregate"

_MIN_KEPT_PERIODS: Final = 4
"""For how many periods of a metric records must be kept: late lines make the store recompute a bucket."""


@dataclass(frozen=True, slots=True)
class StoredMetric(definitions.StoredMetric):
    """A metric as the server stores it."""

    kind: str  # ROLLUP, CONTINUOUS or DERIVED

    def aggregate(self, dialect: Dialect, where: str, *, is_counted: bool) -> str:
        """Return the SQL that computes the metric's buckets from the records that ``where`` selects."""
        return aggregate_sql(
            self.metric, dialect, group_id=self.group_id, where=where, is_counted=is_counted, is_hidden_kept=is_counted
        )

    def query(self) -> str:
        """Return the SQL that computes the metric's buckets in a range, with parameters for the range and the streams.

        The streams of the metric's group are a parameter, not a subquery: with a subquery, TimescaleDB 2.13 sometimes
        inserted no rows of a data node although it selected them.
        """
        return aggregate_sql(
            self.metric, "postgres", where=records_in_range(self), is_counted=True, is_hidden_kept=True
        )


class ServerDefinitions(definitions.Definitions[Session, StoredMetric, StoredAlert]):
    """The definitions of a PostgreSQL store of any flavour."""

    metric_columns: ClassVar[str] = _QUERIES["metric_columns"]
    alert_columns: ClassVar[str] = ""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def insert_group(self, connection: Session, name: str) -> bool:
        return bool(connection.rows(_QUERIES["insert_group"], {"name": name}))

    def release_streams(self, connection: Session, group_id: int) -> None:
        """Do nothing: a foreign key does it."""

    def read_metric(self, row: Mapping[str, Any]) -> StoredMetric:
        return StoredMetric(row["id"], metric_of(row), row["group_id"], row["kind"])

    def read_alert(self, row: Mapping[str, Any]) -> StoredAlert:
        return StoredAlert(row["id"], alert_of(row))

    def make_metric(self, connection: Session, metric_id: int, metric: Metric, group_id: int | None) -> StoredMetric:
        _check_keep(connection, metric)
        stored = StoredMetric(metric_id, metric, group_id, ROLLUP)
        _try(connection, stored)
        is_continuous = self._installation.flavour.is_timescale and group_id is None and _has_bucket(connection, metric)
        if is_continuous and _create_continuous(connection, stored):
            stored = replace(stored, kind=CONTINUOUS)
        else:
            _create_rollup(connection, stored)
        row = {**values_of_metric(metric), "id": metric_id, "group_id": group_id, "kind": stored.kind}
        connection.run(_QUERIES["insert_metric"], {**row, "query": stored.query(), "samples": sample_query(metric, {})})
        create_levels(connection, stored, is_continuous=stored.kind == CONTINUOUS)
        return stored

    def insert_derived(self, connection: Session, metric_id: int, metric: Metric, group_id: int | None) -> StoredMetric:
        row = {**values_of_metric(metric), "id": metric_id, "group_id": group_id, "kind": DERIVED, "query": ""}
        row["samples"] = None  # see `note_inputs`
        connection.run(_QUERIES["insert_metric"], row)
        return StoredMetric(metric_id, metric, group_id, DERIVED)

    def note_inputs(self, connection: Session, metric: Metric, known: Mapping[str, Metric]) -> None:
        store_sample_query(connection, metric, known)

    def drop_rollup(self, connection: Session, stored: StoredMetric) -> None:
        drop_levels(connection, stored)
        connection.run(_QUERIES["drop_rollup" if stored.kind == ROLLUP else "drop_continuous"].format(id=stored.id))

    def drop_alert(self, connection: Session, stored: StoredAlert) -> None:
        """Do nothing: foreign keys do it."""


def lock_definitions(session: Session) -> None:
    """Let no other client change definitions until the transaction ends."""
    session.run(_QUERIES["lock_definitions"])


def _check_keep(session: Session, metric: Metric) -> None:
    """Raise UsageError if the store would drop a metric's records before its buckets are final."""
    kept_s = session.value(_QUERIES["find_keep"])
    if kept_s is not None and metric.period_s * _MIN_KEPT_PERIODS > kept_s:
        cause = (
            f"its period of {format_period(metric.period_s)} is too long for a store that keeps records for "
            f"{format_period(kept_s)}"
        )
        raise UsageError("create", f"metric {metric.name!r}", cause)


def _has_bucket(session: Session, metric: Metric) -> bool:
    """Return whether a continuous aggregate of this release can have the metric's buckets."""
    return not needs_origin(metric.period_s) or takes_origin(read_server(session))


def _create_continuous(session: Session, stored: StoredMetric) -> bool:
    """Create a continuous aggregate and its view; return False if TimescaleDB refuses this metric."""
    aggregate = stored.aggregate("timescaledb", "true", is_counted=True)
    try:
        with session.transaction():
            session.run(_QUERIES["create_continuous"].format(id=stored.id, aggregate=aggregate))
            names = {"id": stored.id, "name": stored.metric.name, "parts": parts_of(stored.metric)}
            session.run(_QUERIES["create_continuous_view"].format(**names))
    except PuppylogError as error:
        if error.transient:
            raise
        return False
    return True


def _create_rollup(session: Session, stored: StoredMetric) -> None:
    live = stored.aggregate("postgres", _QUERIES["live_range"].format(id=stored.id), is_counted=False)
    parts = parts_of(stored.metric)
    typed_parts = parts_of(stored.metric, is_typed=True) + hidden_of(stored.metric, is_typed=True)
    session.run(_QUERIES["create_rollup"].format(id=stored.id, typed_parts=typed_parts))
    session.run(_QUERIES["index_rollup"].format(id=stored.id))
    session.run(_QUERIES["create_rollup_view"].format(id=stored.id, name=stored.metric.name, parts=parts, live=live))


def _try(session: Session, stored: StoredMetric) -> None:
    """Raise UsageError if the server cannot compute the metric."""
    try:
        with session.transaction():
            session.run(_QUERIES["try_metric"].format(aggregate=stored.aggregate("postgres", "true", is_counted=False)))
    except PuppylogError as error:
        if error.transient:
            raise
        raise UsageError("create", f"metric {stored.metric.name!r}", error.cause, error.advice) from None
