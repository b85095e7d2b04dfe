"""Sketches: rows from which a percentile or a number of distinct values can be computed for any range of buckets.

A percentile's row is ``(bucket, segment, bin, n)``: ``n`` values lie in the bin. A bin has the values between two
powers of one base, so every value differs from the value that stands for its bin by at most `RELATIVE_ERROR`
(DDSketch). Merged buckets have the sum of ``n``.

The row of a number of distinct values is ``(bucket, segment, bin, n)``, too: the bin is a register, chosen by the hash
of a value, and ``n`` the greatest rank of a hash in it (HyperLogLog). Merged buckets have the greatest ``n``. The
standard error of an estimate is 1.04 / sqrt(`REGISTERS`), which is 3.3 %; up to some hundred values it is less.
"""

import math
from typing import Final

from puppylog.model.metric import Metric, parse_percentile
from puppylog.stores.queries import load_queries

RELATIVE_ERROR: Final = 0.01
"""Of a percentile that is computed from sketch rows, relative to the exact percentile."""

REGISTERS: Final = 1024

_QUERIES = load_queries("puppylog.stores", "levels.sql")

_REGISTER_BITS: Final = 10
_HASH_BITS: Final = 64 - _REGISTER_BITS  # that give the rank
_SCALE: Final = 0.7213 / (1 + 1.079 / REGISTERS) * REGISTERS * REGISTERS
_FEW: Final = 2.5 * REGISTERS  # below this estimate, the registers without a value tell more

_GAMMA: Final = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
_BINS: Final = {
    "one_bin": 40_000,  # the bin of 1; the bins of the greatest and the least positive values differ by 34,542 from it
    "infinity_bin": 100_000,
    "nan_bin": 200_000,  # the stores sort "not a number" after all numbers
    "width": math.log(_GAMMA),
    "middle": math.log(2 / (_GAMMA + 1)),  # from a bin's upper end to the value that stands for it, as a logarithm
    "most": 709.78,  # the logarithm of the greatest double
    # Absolute values below count as 0: their powers would be below the least double, which PostgreSQL refuses.
    "least": "1e-300",
}


def has_sketch(metric: Metric) -> bool:
    """Return whether longer buckets of the metric need sketch rows."""
    return metric.statistic == "distinct" or parse_percentile(metric.statistic) is not None


def bin_sql(metric: Metric, operand: str, *, is_duckdb: bool) -> tuple[str, str]:
    """Return the SQL of ``bin``, and of ``n`` as an aggregate over the records of a bucket, segment and bin.

    Args:
        metric: a metric with sketches.
        operand: the SQL of the metric's property, which is not null.
        is_duckdb: whether DuckDB runs the SQL; otherwise PostgreSQL does.
    """
    if parse_percentile(metric.statistic) is not None:
        return _QUERIES["bin_of_value"].format(x=f"CAST({operand} AS DOUBLE PRECISION)", **_BINS), "count(*)"
    hash_ = _QUERIES["hash_duckdb" if is_duckdb else "hash_postgres"].format(x=operand)
    values = {
        "hash": hash_,
        "mask": REGISTERS - 1,
        "bits": _HASH_BITS,
        "rest_mask": 2**_HASH_BITS - 1,
        "register_bits": _REGISTER_BITS,
    }
    register = _QUERIES["register"].format(**values)
    return register, f"max({_QUERIES['rank_duckdb' if is_duckdb else 'rank_postgres'].format(**values)})"


def merged_n_sql(metric: Metric) -> str:
    """Return the SQL of the column ``n`` of several merged sketch rows."""
    return "max(n)" if metric.statistic == "distinct" else "sum(n)"


def value_sql(metric: Metric, sketches: str) -> str:
    """Return the query of ``bucket``, ``segment``, ``value`` from a query of merged sketch rows."""
    fraction = parse_percentile(metric.statistic)
    if fraction is None:
        return _QUERIES["distinct_of_sketch"].format(sketches=sketches, registers=REGISTERS, scale=_SCALE, few=_FEW)
    value_of_bin = _QUERIES["value_of_bin"].format(**_BINS)
    return _QUERIES["percentile_of_sketch"].format(sketches=sketches, fraction=fraction, value_of_bin=value_of_bin)
