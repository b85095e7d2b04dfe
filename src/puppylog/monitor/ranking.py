"""The largest segments of a metric, ranked in the store: a metric may have a hundred thousand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from puppylog.monitor.steps import Ends
from puppylog.stores.base import RecordReader, Value
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")

SUM: Final = "sum(value)"
MEAN: Final = "avg(value)"
GREATEST: Final = "max(value)"


@dataclass(frozen=True, slots=True)
class LargestSegments:
    """The observations of the largest segments of a metric, and the size of the others."""

    table: pa.Table  # bucket, segment, value: in the order of the buckets and segments
    observed: Ends | None  # the first and the last bucket of all segments; None without observations
    buckets: int  # how many buckets of all segments are not empty
    left_out: int  # how many segments the table does not have
    rest: float  # what the sizes of these segments add up to


def rank_segments(
    reader: RecordReader, sql: str, parameters: Mapping[str, Value], *, size: str, most: int
) -> LargestSegments:
    """Return the observations of the largest segments.

    Args:
        reader: the store.
        sql: a query of ``bucket``, ``segment``, ``value``.
        parameters: its parameters.
        size: SQL, the size of a segment: `SUM`, `MEAN` or `GREATEST` of its finite values. Without one, the size is 0.
        most: the greatest number of segments.
    """
    ranked = _QUERIES["largest_segments"].format(observations=sql, size=size)
    table = reader.query(ranked, {**parameters, "most_segments": most})
    chosen = table.select(["bucket", "segment", "value"])
    if not table.num_rows:
        return LargestSegments(chosen, None, 0, 0, 0.0)
    first = {name: table[name][0].as_py() for name in ("first_bucket", "last_bucket", "buckets", "left_out", "rest")}
    observed = Ends(first["first_bucket"], first["last_bucket"])
    return LargestSegments(chosen, observed, int(first["buckets"]), int(first["left_out"]), float(first["rest"]))
