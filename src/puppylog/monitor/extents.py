"""How many buckets of a metric there are in a range, and the first and the last one, from the metric's levels.

A row of a level says how many of the metric's own buckets are in it, so few rows are read of a metric with millions of
buckets. Its own buckets are read where no level has them: near the ends of a range, and above the watermarks.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from puppylog.model.metric import Metric
from puppylog.monitor.levels import Instants, Levels, cover
from puppylog.monitor.range import Range
from puppylog.monitor.steps import Ends
from puppylog.stores.base import RecordReader, Value
from puppylog.stores.queries import load_queries, parameters_of

_QUERIES = load_queries("puppylog.stores", "extents.sql")


class Observations(NamedTuple):
    """The number of observations, and of different segments that are not null."""

    observations: int
    segments: int


class LevelReader:
    """Asks the levels of one metric."""

    def __init__(self, reader: RecordReader, metric: Metric, levels: Levels, segment: str | None = None) -> None:
        """Ask only ``segment``; None is all segments. The metric is not derived."""
        self._reader = reader
        self._period_s = metric.period_s
        self._levels = levels
        self._coarser = sorted((level_s for level_s in levels.watermarks if level_s != metric.period_s), reverse=True)
        self._names: Mapping[str, Value] = {"segment": segment}

    def find_ends(self, within: Range) -> Ends | None:
        """Return the first and the last bucket in a range; None if there is none.

        The index of the finest level says in which of its buckets they are. Only these are read.
        """
        instants = Instants()
        finest = self._coarser[-1:]
        sql = self._render(finest, within, instants, _QUERIES["ends_of_level"], _QUERIES["ends_of_own"])
        found = [row for row in self._ask(sql, instants) if row["first_bucket"] is not None]
        if not found:
            return None
        first, first_s = min((row["first_bucket"], row["step_s"]) for row in found)
        last, last_s = max((row["last_bucket"], row["step_s"]) for row in found)
        if first_s == last_s == self._period_s:
            return Ends(first, last)
        values: dict[str, Value] = {**self._names, **_span("first", first, first_s), **_span("last", last, last_s)}
        sql = _QUERIES["ends_within_buckets"].format(id=self._levels.metric_id, in_segments=_QUERIES["in_segments"])
        [own] = self._reader.query(sql, values).to_pylist()
        return Ends(own["first_bucket"] or first, own["last_bucket"] or last)

    def count_observations(self, within: Range) -> Observations:
        """Return the number of observations in a range, and of their segments."""
        instants = Instants()
        of_level, of_own = _QUERIES["observations_of_level"], _QUERIES["observations_of_own"]
        parts = self._render(self._coarser, within, instants, of_level, of_own)
        [row] = self._ask(_QUERIES["observations"].format(parts=parts), instants)
        return Observations(row["observations"], row["segments"])

    def count_buckets(self, within: Range) -> int:
        """Return the number of different buckets of all segments in a range, in a store that knows their sizes."""
        instants = Instants()
        sql = self._render(self._coarser, within, instants, _QUERIES["sizes_of_level"], _QUERIES["sizes_of_own"])
        return sum(row["buckets"] for row in self._ask(sql, instants))

    def _render(self, usable: Sequence[int], within: Range, instants: Instants, of_level: str, of_own: str) -> str:
        """Return the SQL that asks all parts of a range.

        Args:
            usable: the levels that may be asked, the coarsest first.
            within: the range.
            instants: takes the parameters.
            of_level: the query of a part that a level has.
            of_own: the query of a part that no level has.
        """
        asked = []
        for level_s, part in cover(usable, self._levels, within.since, within.until):
            where = " AND ".join([*instants.limit(part.since, part.until), _QUERIES["in_segments"]])
            query, step_s = (of_own, self._period_s) if level_s is None else (of_level, level_s)
            asked.append(query.format(id=self._levels.metric_id, step_s=step_s, where=where))
        return "\nUNION ALL\n".join(asked)

    def _ask(self, sql: str, instants: Instants) -> list[dict[str, Any]]:
        values: dict[str, Value] = {**instants.parameters, **self._names}
        return list(self._reader.query(sql, {name: values[name] for name in parameters_of(sql)}).to_pylist())


def _span(name: str, bucket: datetime, step_s: int) -> dict[str, Value]:
    """Return the parameters that limit a query to one bucket of a level."""
    until = bucket + timedelta(seconds=step_s)
    return {f"{name}_since": bucket.astimezone(UTC).isoformat(), f"{name}_until": until.astimezone(UTC).isoformat()}
