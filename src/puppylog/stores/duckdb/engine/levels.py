"""The levels of a metric in the embedded store: tables, sketch rows and views, made and refreshed with the metric.

The level tables hold the buckets below the metric's watermark, rounded down to the level. They are made from the finer
level in the transaction that changes the metric's own buckets, never from records.
"""

from collections.abc import Sequence

from puppylog.stores.aggregate import hidden_of, parts_of, sketch_sql
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.ranges import US_PER_S, merge_ranges
from puppylog.stores.duckdb.engine.stored import StoredMetric
from puppylog.stores.levels import LEVEL_SCHEMAS, Part, columns_of, list_levels, merge_sketches_sql, merge_sql
from puppylog.stores.queries import load_queries
from puppylog.stores.sketches import has_sketch

_QUERIES = load_queries("puppylog.stores.duckdb", "levels.sql")

Ranges = Sequence[tuple[int, int]]
"""Half-open ranges of time in microseconds since the epoch."""


def create_levels(connection: Connection, stored: StoredMetric, live_range: str) -> None:
    """Create the tables and views of a metric's levels. The tables are empty.

    Args:
        connection: the writer's connection.
        stored: the metric, whose roll-up exists.
        live_range: SQL, the condition of records above the metric's watermark.
    """
    metric, metric_id = stored.metric, stored.id
    live = stored.aggregate(live_range)
    connection.run(_QUERIES["create_buckets"].format(id=metric_id, columns=columns_of(metric), live=live))
    if has_sketch(metric):
        connection.run(_QUERIES["create_sketch"].format(relation=f"sketch_{metric_id}"))
        live = sketch_sql(metric, "duckdb", group_id=stored.group_id, where=live_range)
        connection.run(_QUERIES["create_sketches"].format(id=metric_id, live=live))
    typed = f"{parts_of(metric, is_typed=True)}{hidden_of(metric, is_typed=True)}"
    for step_s in list_levels(metric.period_s):
        names = {"id": metric_id, "step_s": step_s, "schema": LEVEL_SCHEMAS[step_s], "name": metric.name}
        connection.run(_QUERIES["create_level"].format(typed=typed, **names))
        if has_sketch(metric):
            connection.run(_QUERIES["create_sketch"].format(relation=f"sketch_{metric_id}_{step_s}"))
        above = _QUERIES["above_level"].format(id=metric_id, step_s=step_s)
        own = Part(f"puppylog.buckets_{metric_id}", metric.period_s, f"puppylog.sketches_{metric_id}", above)
        live = merge_sql(metric, step_s, [own])
        connection.run(_QUERIES["create_level_view"].format(live=live, parts=parts_of(metric), **names))


def drop_levels(connection: Connection, stored: StoredMetric) -> None:
    """Drop what `create_levels` has created."""
    for step_s in list_levels(stored.metric.period_s):
        connection.run(_QUERIES["drop_level_view"].format(schema=LEVEL_SCHEMAS[step_s], name=stored.metric.name))
    views = ["buckets", *(["sketches"] if has_sketch(stored.metric) else [])]
    for view in views:
        connection.run(_QUERIES["drop_view"].format(relation=f"{view}_{stored.id}"))
    for relation in _list_tables(stored):
        connection.run(_QUERIES["drop_table"].format(relation=relation))


def _list_tables(stored: StoredMetric) -> dict[str, int]:
    """Return the tables that `create_levels` has created, each with the seconds in its buckets."""
    period_s = stored.metric.period_s
    steps = list_levels(period_s)
    tables = {f"level_{stored.id}_{step_s}": step_s for step_s in steps}
    if has_sketch(stored.metric):
        tables |= {f"sketch_{stored.id}": period_s, **{f"sketch_{stored.id}_{step_s}": step_s for step_s in steps}}
    return tables


def refill_sketch(connection: Connection, stored: StoredMetric, since_us: int, until_us: int, where: str) -> None:
    """Compute the sketch rows of the metric's own buckets in a range again.

    Args:
        connection: the writer's connection.
        stored: the metric.
        since_us: the start of the first bucket, in microseconds since the epoch.
        until_us: the end of the last bucket.
        where: SQL, the condition of the records in the range.
    """
    if not has_sketch(stored.metric):
        return
    relation = f"sketch_{stored.id}"
    if since_us < stored.watermark_us:
        in_range = _QUERIES["in_range"].format(since_us=since_us, until_us=until_us)
        connection.run(_QUERIES["clear_range"].format(relation=relation, where=in_range))
    query = sketch_sql(stored.metric, "duckdb", group_id=stored.group_id, where=where)
    connection.run(_QUERIES["fill"].format(relation=relation, query=query))


def add_to_sketch(connection: Connection, stored: StoredMetric, where: str, source: str) -> None:
    """Add sketch rows of late records to frozen buckets. A bucket may then have two rows of one bin, which add up."""
    if has_sketch(stored.metric):
        query = sketch_sql(stored.metric, "duckdb", group_id=stored.group_id, where=where, source=source)
        connection.run(_QUERIES["fill"].format(relation=f"sketch_{stored.id}", query=query))


def refill_levels(connection: Connection, stored: StoredMetric, ranges: Ranges, watermark_us: int) -> None:
    """Make the level buckets of some ranges again, and those between the old and the new watermark.

    Args:
        connection: the writer's connection.
        stored: the metric, with its old watermark.
        ranges: where its own buckets have changed, those between the watermarks included.
        watermark_us: the new watermark, in microseconds since the epoch.
    """
    finer = Part(f"puppylog.rollup_{stored.id}", stored.metric.period_s, f"puppylog.sketch_{stored.id}")
    for step_s in list_levels(stored.metric.period_s):
        step_us = step_s * US_PER_S
        old_us, new_us = stored.watermark_us // step_us * step_us, watermark_us // step_us * step_us
        for since_us, until_us in merge_ranges(ranges, step_us):
            if since_us < new_us:
                bounds = (since_us, min(until_us, new_us))
                _refill(connection, stored, step_s, finer, bounds, has_rows=since_us < old_us)
        level, sketch = (f"puppylog.{kind}_{stored.id}_{step_s}" for kind in ("level", "sketch"))
        finer = Part(level, step_s, sketch, is_level=True)


def _refill(
    connection: Connection, stored: StoredMetric, step_s: int, finer: Part, bounds: tuple[int, int], *, has_rows: bool
) -> None:
    """Make the buckets of one level in a range again. ``has_rows``: the level may have some in the range."""
    where = _QUERIES["in_range"].format(since_us=bounds[0], until_us=bounds[1])
    parts = [Part(finer.relation, finer.step_s, finer.sketches, where, is_level=finer.is_level)]
    queries = {f"level_{stored.id}_{step_s}": merge_sql(stored.metric, step_s, parts)}
    if has_sketch(stored.metric):
        queries[f"sketch_{stored.id}_{step_s}"] = merge_sketches_sql(stored.metric, step_s, parts)
    for relation, query in queries.items():
        if has_rows:
            connection.run(_QUERIES["clear_range"].format(relation=relation, where=where))
        connection.run(_QUERIES["fill"].format(relation=relation, query=query))


def refill_late(connection: Connection, stored: StoredMetric) -> None:
    """Make the level buckets again that have buckets in the table ``late_buckets``."""
    length_us = max(3600, stored.metric.period_s) * US_PER_S
    starts = [row["since_us"] for row in connection.rows(_QUERIES["touched_hours"])]
    refill_levels(connection, stored, [(start, start + length_us) for start in starts], stored.watermark_us)


def clear_above(connection: Connection, stored: StoredMetric, watermark_us: int) -> None:
    """Delete the sketch rows and the level buckets that a lower watermark no longer covers."""
    far_us = 2**62
    for relation, step_s in _list_tables(stored).items():
        step_us = step_s * US_PER_S
        where = _QUERIES["in_range"].format(since_us=watermark_us // step_us * step_us, until_us=far_us)
        connection.run(_QUERIES["clear_range"].format(relation=relation, where=where))


def note_levels(connection: Connection, metric_id: int) -> None:
    """Record that the metric has levels."""
    connection.run(_QUERIES["note_levels"], {"id": metric_id})
