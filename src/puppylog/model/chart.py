"""Charts made of block characters. Pure functions over numbers; None, NaN and infinities are gaps."""

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

Number: TypeAlias = float | None

_RISING: Final = " ▁▂▃▄▅▆▇█"  # eighths of a cell, from below
_GROWING: Final = " ▏▎▍▌▋▊▉█"  # eighths of a cell, from the left
_EIGHTHS: Final = 8


def resample(points: Iterable[tuple[int, Number]], length: int, columns: int, *, missing: Number) -> list[Number]:
    """Cut a series into ``columns`` equal parts and return the mean of each part; None for a part without values.

    Args:
        points: (position, value) with 0 <= position < length; of two points at one position the last one counts.
        length: the length of the series, at least 1.
        columns: the number of parts; a series of fewer positions has one part per position.
        missing: the value at a position without a point; None leaves the position out of the mean.
    """
    known = {position: value for position, value in points if 0 <= position < length and _is_finite(value)}
    columns = max(1, min(columns, length))
    edges = [length * column // columns for column in range(columns + 1)]
    totals, counts = [0.0] * columns, [0] * columns
    for position, value in known.items():
        # The inverse of the edges: the column whose part of the series holds the position.
        column = (columns * (position + 1) - 1) // length
        totals[column] += value or 0.0
        counts[column] += 1
    if missing is not None:
        for column, (low, high) in enumerate(pairwise(edges)):
            totals[column] += missing * (high - low - counts[column])
            counts[column] = high - low
    return [total / count if count else None for total, count in zip(totals, counts, strict=True)]


def sparkline(values: Sequence[Number]) -> str:
    """Return one character per value, on a scale that includes zero; a gap is a blank, the least value a low line.

    >>> sparkline([0, 1, 2, None, 8])
    '▁▂▃ █'
    """
    low, high = _scale(values)
    return "".join(_RISING[_step(value, low, high, _EIGHTHS)] for value in values)


def columns(values: Sequence[Number], height: int) -> list[str]:
    """Return ``height`` lines, the topmost first: one column of blocks per value, on a scale that includes zero."""
    low, high = _scale(values)
    steps = [_step(value, low, high, _EIGHTHS * height) for value in values]
    return [
        "".join(_RISING[min(max(step - _EIGHTHS * below, 0), _EIGHTHS)] for step in steps)
        for below in reversed(range(height))
    ]


def bar(value: Number, longest: float, width: int) -> str:
    """Return a bar of ``width * value / longest`` cells, at most ``width``."""
    if not _is_finite(value) or value is None or value <= 0 or longest <= 0:
        return ""
    eighths = max(1, round(min(value / longest, 1.0) * width * _EIGHTHS))
    whole, rest = divmod(eighths, _EIGHTHS)
    return _GROWING[_EIGHTHS] * whole + (_GROWING[rest] if rest else "")


def _is_finite(value: Number) -> bool:
    return value is not None and math.isfinite(value)


def _scale(values: Sequence[Number]) -> tuple[float, float]:
    finite = [value for value in values if value is not None and math.isfinite(value)]
    return min([0.0, *finite]), max([0.0, *finite])


def _step(value: Number, low: float, high: float, steps: int) -> int:
    """Return 0 for a gap, else 1 (the bottom of the scale) to ``steps`` (its top)."""
    if value is None or not math.isfinite(value):
        return 0
    # Both sides are halved first, so that a scale from -1e308 to 1e308 does not overflow.
    share = (value / 2 - low / 2) / (high / 2 - low / 2) if high / 2 > low / 2 else 0.0
    return 1 + round(min(share, 1.0) * (steps - 1))
