"""The levels of a metric in a PostgreSQL store: tables of 1 minute, 1 hour and 1 day, their views, and their queries.

A level is made from the next finer one. The views ``puppylog.buckets_ID`` and ``puppylog.buckets_ID_SECONDS`` have the
hidden columns; ``metrics_1m.NAME``, ``metrics_1h.NAME`` and ``metrics_1d.NAME`` have those of ``metrics.NAME``.
"""

from dataclasses import replace
from typing import Final

from puppylog.stores.aggregate import Dialect, aggregate_sql, hidden_of, parts_of, sketch_sql
from puppylog.stores.definitions import StoredMetric
from puppylog.stores.levels import LEVEL_SCHEMAS, Part, columns_of, list_levels, merge_sketches_sql, merge_sql
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries
from puppylog.stores.sketches import has_sketch

_QUERIES = load_queries("puppylog.stores.postgres", "levels.sql")
_DEFINITIONS = load_queries("puppylog.stores.postgres", "definitions.sql")
_RANGE: Final = _QUERIES["in_range"]
_COMMON_STEP: Final = load_queries("puppylog.stores", "levels.sql")["step"]
_STEP_PARAMETER: Final = "$3"
_WATERMARK: Final = 4  # the parameter of the finest level's watermark; those of coarser levels follow


def records_in_range(stored: StoredMetric) -> str:
    """Return the condition that a record is in the range ``$1`` to ``$2``, and of the streams ``$3`` of its group."""
    return _DEFINITIONS["aggregate_range" if stored.group_id is None else "aggregate_group_range"]


def create_levels(session: Session, stored: StoredMetric, *, is_continuous: bool, lacks_hidden: bool = False) -> None:
    """Create the levels of a new metric, which are empty, and note how the metric is read in steps.

    Args:
        session: within a transaction.
        stored: a metric that is not derived, with its row and its roll-up.
        is_continuous: whether its roll-up is a continuous aggregate.
        lacks_hidden: whether a continuous aggregate has no hidden columns. Then no level is created.
    """
    metric, ids = stored.metric, {"id": stored.id}
    columns = columns_of(metric)
    if is_continuous:
        source = str(session.value(_QUERIES["continuous_table"], {"name": f"continuous_{stored.id}"}))
        hidden = hidden_of(metric)
        if lacks_hidden:
            typed = (column.split(" ", 1) for column in hidden_of(metric, is_typed=True).lstrip(", ").split(", "))
            hidden = "".join(f", CAST(NULL AS {type_}) AS {name}" for name, type_ in typed)
        names = {"parts": parts_of(metric), "hidden": hidden}
        session.run(_QUERIES["create_continuous_buckets"].format(**ids, **names))
    else:
        source = f"puppylog.rollup_{stored.id}"
        live = _DEFINITIONS["live_range"].format(**ids)
        above = aggregate_sql(metric, "postgres", group_id=stored.group_id, where=live, is_hidden_kept=True)
        session.run(_QUERIES["create_rollup_buckets"].format(**ids, columns=columns, live=above))
    own = Part(f"puppylog.buckets_{stored.id}", metric.period_s, where=_RANGE)
    if not has_sketch(metric):
        session.run(_QUERIES["set_steps"], {**ids, "steps": _steps(stored, own)})
    else:
        # Steps of the metric's own buckets need sketch rows of records.
        rows = sketch_sql(metric, "postgres", group_id=stored.group_id, where=_QUERIES["records_in_range"])
        records = f"({rows}) AS records"
        session.run(_QUERIES["set_steps"], {**ids, "steps": _steps(stored, replace(own, sketches=records))})
    if has_sketch(metric) and not list_levels(metric.period_s):
        view_records(session, stored, is_continuous=is_continuous)
    finer: Part | None = None
    for step_s in [] if lacks_hidden else list_levels(metric.period_s):
        finer, source = _create_level(session, stored, step_s, source, finer=finer, is_continuous=is_continuous)


def view_records(session: Session, stored: StoredMetric, *, is_continuous: bool) -> None:
    """Create the views that compute sketch rows from records: of the metric's own buckets, and of the finest level's.

    TimescaleDB leaves out chunks, when it plans a query of some buckets, only if the buckets are its own `time_bucket`.
    """
    dialect: Dialect = "timescaledb" if is_continuous else "postgres"
    metric, group_id, levels_s = stored.metric, stored.group_id, list_levels(stored.metric.period_s)
    if not levels_s:
        rows = sketch_sql(metric, dialect, group_id=group_id)
        session.run(_QUERIES["create_sketches"].format(id=stored.id, rows=rows))
        return
    ids = {"id": stored.id, "step_s": levels_s[0]}
    above = _QUERIES["records_above_watermark"].format(**ids)
    rows = sketch_sql(metric, dialect, group_id=group_id, where=above)
    session.run(_QUERIES["create_sketches"].format(**ids, rows=rows))
    live = sketch_sql(replace(metric, period_s=levels_s[0]), dialect, group_id=group_id, where=above)
    session.run(_QUERIES["create_level_sketches"].format(**ids, live=live))


def _create_level(
    session: Session, stored: StoredMetric, step_s: int, source: str, *, finer: Part | None, is_continuous: bool
) -> tuple[Part, str]:
    """Create one level; return its buckets for the next one, and the table that has them.

    Args:
        session: within a transaction.
        stored: the metric.
        step_s: the seconds of the level.
        source: the table of the stored finer buckets.
        finer: the finer level; None if the finer buckets are the metric's own.
        is_continuous: whether the metric's roll-up is a continuous aggregate.
    """
    metric = stored.metric
    ids = {"id": stored.id, "step_s": step_s}
    columns, parts = columns_of(metric), parts_of(metric)
    below = finer or Part(f"puppylog.buckets_{stored.id}", metric.period_s)
    table = f"puppylog.level_{stored.id}_{step_s}"
    typed = parts_of(metric, is_typed=True) + hidden_of(metric, is_typed=True)
    session.run(_QUERIES["create_level"].format(**ids, typed=typed))
    session.run(_QUERIES["index_level"].format(**ids))
    sketches = view = None
    if has_sketch(metric):
        sketches, view = _create_sketches(session, stored, step_s, finer, is_continuous=is_continuous)
    stored_part = replace(below, relation=source, where=_RANGE)
    live_part = replace(below, where=_QUERIES["above_watermark"].format(**ids))
    if view is not None:
        # The sketch rows of the level itself are ready when its buckets are computed.
        stored_part = replace(stored_part, sketches=f"puppylog.sketch_{stored.id}_{step_s}")
        live_part = replace(live_part, sketches=view)
    live = merge_sql(metric, step_s, [live_part])
    session.run(_QUERIES["create_level_buckets"].format(**ids, columns=columns, live=live))
    names = {"schema": LEVEL_SCHEMAS[step_s], "name": metric.name, "parts": parts}
    session.run(_QUERIES["create_level_view"].format(**ids, **names))
    level = Part(f"puppylog.buckets_{stored.id}_{step_s}", step_s, view, is_level=True)
    row = {
        "metric_id": stored.id,
        "step_s": step_s,
        "source": source,
        "query": _with_date_bin(merge_sql(metric, step_s, [stored_part]), step_s),
        "sketches": sketches,
        "is_finest": finer is None,
        "steps": steps_of_level(stored, step_s),
    }
    session.run(_QUERIES["insert_level"], row)
    return level, table


def steps_of_level(stored: StoredMetric, step_s: int) -> str:
    """Return the query of the observations in ``$1`` to ``$2`` in steps of ``$3`` seconds, from a level.

    Where the level ends, the finer ones go on, and then the metric's own buckets. The watermarks of all levels are
    parameters, ``$4`` that of the finest. If the query read them, TimescaleDB would plan a scan of every chunk.

    Args:
        stored: the metric.
        step_s: the seconds of the level.
    """
    metric, steps_s = stored.metric, list_levels(stored.metric.period_s)
    parts, since = [], "$1"
    for level_s in reversed(steps_s[: steps_s.index(step_s) + 1]):
        watermark = f"${_WATERMARK + steps_s.index(level_s)}"
        where = _QUERIES["stored_range"].format(since=since, watermark=watermark)
        sketches = f"puppylog.sketch_{stored.id}_{level_s}" if has_sketch(metric) else None
        parts.append(Part(f"puppylog.level_{stored.id}_{level_s}", level_s, sketches, where, is_level=True))
        since = f"greatest($1, {watermark})"
    where = _QUERIES["range_since"].format(since=since)
    own = Part(f"puppylog.buckets_{stored.id}", metric.period_s, where=where)
    if has_sketch(metric):
        in_range = _QUERIES["records_since"].format(since=since)
        rows = sketch_sql(metric, "postgres", group_id=stored.group_id, where=in_range)
        own = replace(own, sketches=f"({rows}) AS records")
    return _steps(stored, *parts, own)


def _create_sketches(
    session: Session, stored: StoredMetric, step_s: int, finer: Part | None, *, is_continuous: bool
) -> tuple[str, str]:
    """Create the sketch rows of a level; return the query that fills them, and the view that has them."""
    metric = stored.metric
    ids = {"id": stored.id, "step_s": step_s}
    session.run(_QUERIES["create_packed"].format(**ids))
    session.run(_QUERIES["index_packed"].format(**ids))
    session.run(_QUERIES["create_sketch"].format(**ids))
    if finer is None:
        rows = sketch_sql(replace(metric, period_s=step_s), "postgres", where=records_in_range(stored))
        view_records(session, stored, is_continuous=is_continuous)
    else:
        finer_rows = f"puppylog.sketch_{stored.id}_{finer.step_s}"
        rows = merge_sketches_sql(metric, step_s, [replace(finer, sketches=finer_rows, where=_RANGE)])
        live = merge_sketches_sql(metric, step_s, [replace(finer, where=_QUERIES["above_watermark"].format(**ids))])
        session.run(_QUERIES["create_level_sketches"].format(**ids, live=live))
    return _QUERIES["pack"].format(rows=rows), f"puppylog.sketches_{stored.id}_{step_s}"


def _steps(stored: StoredMetric, *parts: Part) -> str:
    """Return the query of the observations in steps of ``$3`` seconds."""
    merged = _with_date_bin(merge_sql(stored.metric, _STEP_PARAMETER, parts), _STEP_PARAMETER)
    return f"SELECT bucket, segment, value FROM ({merged}) AS steps"


def _with_date_bin(merged: str, step_s: int | str) -> str:
    """Return a query of merged buckets with PostgreSQL's own function for the start of a step: a third of the time."""
    return merged.replace(_COMMON_STEP.format(step_s=step_s), _QUERIES["step_in_postgres"].format(step_s=step_s))


def drop_levels(session: Session, stored: StoredMetric) -> None:
    """Drop the views and tables of a metric's levels, and the view of its own buckets."""
    for level in session.rows(_QUERIES["levels_of"], {"id": stored.id}):
        ids = {"id": stored.id, "step_s": level["step_s"]}
        names = {"schema": LEVEL_SCHEMAS[level["step_s"]], "name": stored.metric.name}
        session.run(_QUERIES["drop_level_view"].format(**names))
        session.run(_QUERIES["drop_level_buckets"].format(**ids))
        session.run(_QUERIES["drop_level"].format(**ids))
        if level["has_sketches"]:
            session.run(_QUERIES["drop_level_sketches"].format(**ids))
            session.run(_QUERIES["drop_sketch"].format(**ids))
            session.run(_QUERIES["drop_packed"].format(**ids))
    session.run(_QUERIES["drop_sketches"].format(id=stored.id))
    if session.value(_QUERIES["has_buckets"].format(id=stored.id)):
        session.run(_QUERIES["drop_buckets"].format(id=stored.id))


def add_hidden_columns(session: Session, stored: StoredMetric, query: str) -> None:
    """Add the hidden columns to the rollup of a metric that an older version has created.

    Args:
        session: within a transaction.
        stored: a metric that is a rollup.
        query: its query with the hidden columns.
    """
    hidden = hidden_of(stored.metric, is_typed=True).lstrip(", ")
    if not hidden:
        return
    added = " " + ", ".join(f"ADD COLUMN {column}" for column in hidden.split(", "))
    for statement in _QUERIES["add_hidden"].format(id=stored.id, added=added).split(";\n"):
        session.run(statement)
    session.run(_QUERIES["set_query"], {"id": stored.id, "query": query})
