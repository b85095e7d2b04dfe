"""Evaluates a metric query at all steps, after a store has aggregated the ranges."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from puppylog.errors import SearchError
from puppylog.model.logql.arithmetic import OPERATORS, compare
from puppylog.model.logql.refusal import refuse
from puppylog.model.logql.tree import (
    Binary,
    Grouping,
    Metric,
    Number,
    RangeAggregation,
    Vector,
    VectorAggregation,
)

LabelSet: TypeAlias = tuple[tuple[str, str], ...]
"""Names and texts of labels, in the order of the names."""

Points: TypeAlias = Sequence[float | None]
"""A value for each step; None where the series has none."""

Series: TypeAlias = Mapping[LabelSet, Points]

ReadRange: TypeAlias = Callable[[RangeAggregation, Sequence[str] | None], Series]
"""Returns the series of a range aggregation: by these labels, summed; by all labels for None."""

_ADDED: Final = frozenset({"count_over_time", "rate", "bytes_over_time", "bytes_rate", "sum_over_time"})
_COMPARISONS: Final = frozenset({"==", "!=", ">", ">=", "<", "<="})
_SETS: Final = frozenset({"and", "or", "unless"})


class Evaluator:
    """Evaluates one query."""

    def __init__(self, written: str, steps: int, read_range: ReadRange) -> None:
        """Prepare.

        Args:
            written: the text of the query, for errors.
            steps: how many steps there are.
            read_range: asks the store.
        """
        self._written = written
        self._steps = steps
        self._read_range = read_range

    def evaluate(self, metric: Metric) -> Series | float:
        """Return the series of a metric, or its number. Raises SearchError if series do not fit together."""
        match metric:
            case Number(value):
                return value
            case Vector(value):
                return {(): [value] * self._steps}
            case RangeAggregation():
                return self._read_range(metric, None)
            case VectorAggregation():
                return self._aggregate(metric)
            case Binary():
                return self._binary(metric)

    def _aggregate(self, metric: VectorAggregation) -> Series:
        pushed = self._push_down(metric)
        if pushed is not None:
            return pushed
        series = self.evaluate(metric.part)
        if not isinstance(series, Mapping):
            raise refuse(self._written, metric.at, f"{metric.function} aggregates series, and this is a number")
        if metric.function in {"sort", "sort_desc"}:
            return _sort(series, is_descending=metric.function == "sort_desc")
        groups: dict[LabelSet, list[LabelSet]] = {}
        for labels in series:
            groups.setdefault(group_labels(labels, metric.grouping), []).append(labels)
        if metric.parameter is not None:
            is_largest = metric.function == "topk"
            chosen = [_choose(series, members, metric.parameter, is_largest=is_largest) for members in groups.values()]
            return {labels: points for part in chosen for labels, points in part.items()}
        function = _AGGREGATES[metric.function]
        return {
            labels: _combine([series[member] for member in members], function) for labels, members in groups.items()
        }

    def _push_down(self, metric: VectorAggregation) -> Series | None:
        """Let the store sum by labels: it then need not return the series of all labels."""
        part, grouping = metric.part, metric.grouping
        if metric.function != "sum" or not isinstance(part, RangeAggregation) or part.function not in _ADDED:
            return None
        if grouping is not None and grouping.is_without:
            return None
        return self._read_range(part, () if grouping is None else grouping.names)

    def _binary(self, metric: Binary) -> Series | float:
        left, right = self.evaluate(metric.left), self.evaluate(metric.right)
        if not isinstance(left, Mapping) and not isinstance(right, Mapping):
            if metric.operator in _COMPARISONS:
                return float(compare(metric.operator, left, right))
            return OPERATORS[metric.operator](left, right)
        if isinstance(left, Mapping) and isinstance(right, Mapping):
            return self._join(metric, left, right)
        if metric.operator in _SETS:
            raise refuse(self._written, metric.at, f"{metric.operator} needs a vector on both sides")
        joined: dict[LabelSet, Points] = {}
        series = left if isinstance(left, Mapping) else right
        assert isinstance(series, Mapping)  # noqa: S101 - one of both is, see above
        for labels, points in series.items():
            others: Points = [left if isinstance(right, Mapping) else right] * self._steps  # type: ignore[list-item]  # the number
            pair = (points, others) if isinstance(left, Mapping) else (others, points)
            joined[labels] = _apply(metric, *pair, kept=points)
        return joined

    def _join(self, metric: Binary, left: Series, right: Series) -> Series:
        if metric.operator in _SETS:
            return self._join_sets(metric, left, right)
        by_key = self._by_key(metric, right)
        self._by_key(metric, left)
        joined: dict[LabelSet, Points] = {}
        for labels, points in left.items():
            key = _matching_labels(labels, metric.matching)
            if key in by_key:
                is_comparison = metric.operator in _COMPARISONS and not metric.is_bool
                joined[labels if is_comparison else key] = _apply(metric, points, right[by_key[key]], kept=points)
        return joined

    def _by_key(self, metric: Binary, series: Series) -> dict[LabelSet, LabelSet]:
        found: dict[LabelSet, LabelSet] = {}
        for labels in series:
            key = _matching_labels(labels, metric.matching)
            if key in found:
                raise self._ambiguous(metric)
            found[key] = labels
        return found

    def _ambiguous(self, metric: Binary) -> SearchError:
        cause = f"several series of one side of {metric.operator} match one of the other side"
        return refuse(self._written, metric.at, cause, "aggregate both sides by the same labels")

    def _join_sets(self, metric: Binary, left: Series, right: Series) -> Series:
        """Return what ``and``, ``or`` or ``unless`` leaves, for each step."""
        has_left, has_right = self._presence(metric, left), self._presence(metric, right)
        absent = [False] * self._steps
        joined: dict[LabelSet, Points] = {}
        for labels, points in left.items():
            present = has_right.get(_matching_labels(labels, metric.matching), absent)
            if metric.operator == "or":
                joined[labels] = points
            else:
                is_and = metric.operator == "and"
                joined[labels] = [p if is_in is is_and else None for p, is_in in zip(points, present, strict=True)]
        if metric.operator == "or":
            for labels, points in right.items():
                present = has_left.get(_matching_labels(labels, metric.matching), absent)
                added = [None if is_in else p for p, is_in in zip(points, present, strict=True)]
                before = joined.get(labels, [None] * self._steps)
                joined[labels] = [b if b is not None else a for b, a in zip(before, added, strict=True)]
        return joined

    def _presence(self, metric: Binary, series: Series) -> dict[LabelSet, list[bool]]:
        found: dict[LabelSet, list[bool]] = {}
        for labels, points in series.items():
            key = _matching_labels(labels, metric.matching)
            before = found.get(key, [False] * self._steps)
            found[key] = [b or point is not None for b, point in zip(before, points, strict=True)]
        return found


def group_labels(labels: LabelSet, grouping: Grouping | None) -> LabelSet:
    """Return the labels of the group to which a series belongs. Without a grouping there is one group."""
    if grouping is None:
        return ()
    return tuple(pair for pair in labels if (pair[0] in grouping.names) is not grouping.is_without)


def _matching_labels(labels: LabelSet, matching: Grouping | None) -> LabelSet:
    return labels if matching is None else group_labels(labels, matching)


def _apply(metric: Binary, left: Points, right: Points, *, kept: Points) -> Points:
    """Return the values of an operation. A comparison without ``bool`` keeps the values for which it holds."""
    result: list[float | None] = []
    for one, other, keep in zip(left, right, kept, strict=True):
        if one is None or other is None:
            result.append(None)
        elif metric.operator in _COMPARISONS:
            does_hold = compare(metric.operator, one, other)
            result.append(float(does_hold) if metric.is_bool else keep if does_hold else None)
        else:
            result.append(OPERATORS[metric.operator](one, other))
    return result


def _combine(members: Sequence[Points], function: Callable[[list[float]], float]) -> Points:
    combined: list[float | None] = []
    for points in zip(*members, strict=True):
        present = [point for point in points if point is not None]
        combined.append(function(present) if present else None)
    return combined


def _choose(series: Series, members: Iterable[LabelSet], count: int, *, is_largest: bool) -> Series:
    """Return the points that are among the ``count`` largest or smallest of their step."""
    names = sorted(members)
    chosen: dict[LabelSet, list[float | None]] = {labels: [None] * len(series[labels]) for labels in names}
    for step in range(len(series[names[0]])):
        present = [(point, labels) for labels in names if (point := series[labels][step]) is not None]
        present.sort(key=lambda pair: (math.isnan(pair[0]), -pair[0] if is_largest else pair[0]))
        for point, labels in present[:count]:
            chosen[labels][step] = point
    return {labels: points for labels, points in chosen.items() if any(point is not None for point in points)}


def _sort(series: Series, *, is_descending: bool) -> Series:
    """Return the series in the order of their last values, which is that of an instant query."""
    order = sorted(series, key=lambda labels: series[labels][-1] or 0.0, reverse=is_descending)
    return {labels: series[labels] for labels in order}


def _variance(values: list[float]) -> float:
    mean = math.fsum(values) / len(values)
    return math.fsum((value - mean) ** 2 for value in values) / len(values)


_AGGREGATES: Final[dict[str, Callable[[list[float]], float]]] = {
    "sum": math.fsum,
    "avg": lambda values: math.fsum(values) / len(values),
    "min": min,
    "max": max,
    "count": lambda values: float(len(values)),
    "stdvar": _variance,
    "stddev": lambda values: math.sqrt(_variance(values)),
}
