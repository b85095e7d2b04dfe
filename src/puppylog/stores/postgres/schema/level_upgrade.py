"""Adds levels to the metrics that an older version has created. The next refreshes fill them, the oldest day first.

A continuous aggregate cannot get the hidden columns of a mean or a variance later. Such a metric gets no levels until
it is created again: each of its buckets weighs as one value.
"""

from contextlib import suppress

from puppylog.errors import PuppylogError
from puppylog.stores.aggregate import aggregate_sql, hidden_of
from puppylog.stores.definitions import StoredMetric
from puppylog.stores.postgres.schema.levels import (
    add_hidden_columns,
    create_levels,
    records_in_range,
    steps_of_level,
    view_records,
)
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import metric_of

_COMMON = load_queries("puppylog.stores", "definitions.sql")
_DEFINITIONS = load_queries("puppylog.stores.postgres", "definitions.sql")
_QUERIES = load_queries("puppylog.stores.postgres", "levels.sql")


def add_levels(session: Session) -> None:
    """Create the levels of all metrics that have none, within the caller's transaction.

    A metric that has no valid expressions, which only a change by hand can have caused, gets none.
    """
    names = {row["name"] for row in session.rows(_QUERIES["metrics_without_levels"])}
    if not names:
        return
    session.run(_QUERIES["keep_on_coordinator"])
    columns = _DEFINITIONS["metric_columns"]
    for row in session.rows(_COMMON["list_metrics"].format(columns=columns, condition="")):
        if row["name"] not in names:
            continue
        with suppress(PuppylogError), session.transaction():
            stored = StoredMetric(row["id"], metric_of(row), row["group_id"])
            is_continuous = row["kind"] == "continuous_aggregate"
            if not is_continuous:
                where = records_in_range(stored)
                query = aggregate_sql(stored.metric, "postgres", where=where, is_counted=True, is_hidden_kept=True)
                add_hidden_columns(session, stored, query)
            lacks_hidden = is_continuous and hidden_of(stored.metric) != ""
            create_levels(session, stored, is_continuous=is_continuous, lacks_hidden=lacks_hidden)


def renew_levels(session: Session) -> None:
    """Store again how the levels of all metrics are read, within the caller's transaction."""
    session.run(_QUERIES["keep_on_coordinator"])
    columns = _DEFINITIONS["metric_columns"]
    for row in session.rows(_COMMON["list_metrics"].format(columns=columns, condition="")):
        stored = StoredMetric(row["id"], metric_of(row), row["group_id"])
        levels = session.rows(_QUERIES["levels_of"], {"id": stored.id})
        for level in levels:
            ids = {"id": stored.id, "step_s": level["step_s"]}
            session.run(_QUERIES["set_steps_of_level"], {**ids, "steps": steps_of_level(stored, level["step_s"])})
        if any(level["has_sketches"] for level in levels):
            view_records(session, stored, is_continuous=row["kind"] == "continuous_aggregate")
