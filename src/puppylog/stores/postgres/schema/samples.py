"""The query of a metric's sample records, which is stored with the metric: the server adds samples to transitions."""

from collections.abc import Mapping
from contextlib import suppress

from puppylog.errors import PuppylogError
from puppylog.model.metric import Metric
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import metric_of
from puppylog.stores.samples import sample_sql

_COMMON = load_queries("puppylog.stores", "definitions.sql")
_QUERIES = load_queries("puppylog.stores.postgres", "definitions.sql")


def sample_query(metric: Metric, known: Mapping[str, Metric]) -> str:
    """Return the query of sample records, with parameters. ``known`` has the metrics of the store by name."""
    samples = sample_sql(metric, known, "postgres")
    streams = "" if metric.group is None else _QUERIES["of_streams"]
    return _QUERIES["samples"].format(segment=samples.segment, condition=samples.condition, streams=streams)


def store_sample_query(session: Session, metric: Metric, known: Mapping[str, Metric]) -> None:
    session.run(_QUERIES["set_samples"], {"name": metric.name, "samples": sample_query(metric, known)})


def fill_sample_queries(session: Session) -> None:
    """Store the queries of metrics that an older version has created.

    A metric that has no valid expressions, which only a change by hand can have caused, gets none.
    """
    missing = {row["name"] for row in session.rows(_QUERIES["metrics_without_samples"])}
    if not missing:
        return
    rows = session.rows(_COMMON["list_metrics"].format(columns="", condition=""))
    known = {row["name"]: metric_of(row) for row in rows}
    for name in missing:
        with suppress(PuppylogError, KeyError):
            store_sample_query(session, known[name], known)
