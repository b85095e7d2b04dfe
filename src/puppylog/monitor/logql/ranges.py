"""Metric queries: a store aggregates the entries of cells of time, and the ranges are made of the cells."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from puppylog.errors import UsageError
from puppylog.model.logql.arithmetic import quantile
from puppylog.model.logql.conditions import every
from puppylog.model.logql.evaluation import Evaluator, LabelSet, Points, Series, group_labels
from puppylog.model.logql.labels import STREAM_LABELS, Labels, OfStream
from puppylog.model.logql.refusal import refuse
from puppylog.model.logql.stages import shape_entry
from puppylog.model.logql.translation import text_of, translate_tests
from puppylog.model.logql.tree import Metric, RangeAggregation, Unwrap
from puppylog.model.logql.windows import Steps, Windows
from puppylog.monitor.logql.asking import Asking, bounds
from puppylog.monitor.logql.fields import COLUMNS, list_fields, list_hidden
from puppylog.monitor.logql.sql import QUERIES, Conversion, Rendering, fragment

MAX_SERIES: Final = 500
"""The greatest number of series in an answer, as in Loki."""

_MAX_CELLS: Final = 300_000
_MAX_US: Final = 36_525 * 86_400 * 1_000_000
_CONVERSIONS: Final[Mapping[str, Conversion]] = {
    "": "number",
    "bytes": "bytes",
    "duration": "duration",
    "duration_seconds": "duration",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """The entries of one series in one cell: their number, and the sum and the ends of their values."""

    count: int
    total: float
    least: float
    greatest: float
    values: tuple[tuple[float, int], ...] = ()  # for a quantile: each different value, and how often it is there


def evaluate(asking: Asking, metric: Metric, steps: Steps) -> Series | float:
    """Return the series of a metric query, or its number.

    Raises:
        UsageError: it has too many series, or reads too much.
        SearchError: a part of the query cannot be computed; the error says where.
    """

    def read_range(aggregation: RangeAggregation, names: Sequence[str] | None) -> Series:
        return _read_range(asking, aggregation, steps, names)

    value = Evaluator(asking.written, steps.count, read_range).evaluate(metric)
    if isinstance(value, Mapping):
        value = {labels: points for labels, points in value.items() if any(point is not None for point in points)}
        if len(value) > MAX_SERIES:
            raise _refuse_series()
    return value


def _refuse_series() -> UsageError:
    cause = f"maximum number of series ({MAX_SERIES}) reached for a single query"
    advice = "choose fewer streams, or aggregate by fewer labels with sum by (…) or topk"
    return UsageError("answer", "the query", cause, advice)


def _read_range(asking: Asking, aggregation: RangeAggregation, steps: Steps, names: Sequence[str] | None) -> Series:
    range_us, offset_us = _micros(aggregation.range_s), _micros(aggregation.offset_s)
    if max(range_us, abs(offset_us)) > _MAX_US:
        raise refuse(asking.written, aggregation.at, "a range and an offset are at most a hundred years")
    if steps.count == 1:
        steps = Steps(steps.start_us, range_us, 1)  # with a short step, a long range would have many cells
    windows = Windows(steps, range_us, offset_us)
    cells = _Reading(asking, aggregation, windows).read(names)
    combine = _combiner(aggregation)
    series: dict[LabelSet, Points] = {labels: windows.slide(found, combine) for labels, found in cells.items()}
    return series


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)


class _Reading:
    """Reads the cells of one aggregation."""

    def __init__(self, asking: Asking, aggregation: RangeAggregation, windows: Windows) -> None:
        self._asking = asking
        self._aggregation = aggregation
        self._windows = windows
        self._rendering: Rendering = asking.rendering()
        self._has_own_cells = True  # whether the entries of a series in a cell are one row of the answer

    def read(self, names: Sequence[str] | None) -> dict[LabelSet, dict[int, Cell]]:
        """Return the cells of each series, by their numbers. The series have these labels; all labels for None."""
        aggregation = self._aggregation
        grouping = aggregation.grouping
        if names is None and grouping is not None and not grouping.is_without:
            names = grouping.names
        unwrap = aggregation.unwrap
        also = [*(names or ()), *([] if unwrap is None else [unwrap.name])]
        chosen = self._asking.choose(aggregation.query, also)
        labels = chosen.labels
        tests = () if unwrap is None else unwrap.tests
        written, streams = self._asking.written, self._asking.streams
        condition = every([chosen.condition, translate_tests(tests, labels, streams, written)])
        number = self._number(unwrap, labels)
        if names is None and not labels.has_all:
            kept = labels.kept
            candidates = [*STREAM_LABELS, *sorted(labels.own), *labels.changed, *(kept or ())]
            names = [name for name in dict.fromkeys(candidates) if kept is None or name in kept]
        groups, name_row = self._all_groups(labels.aliases) if names is None else self._named_groups(names, labels)
        self._has_own_cells = self._has_own_cells and not (grouping is not None and grouping.is_without)
        where = self._rendering.condition(condition)
        found: dict[LabelSet, dict[int, Cell]] = {}
        for row in self._query(groups, number, where):
            key = name_row(row)
            if grouping is not None and grouping.is_without:
                key = group_labels(key, grouping)
            cells = found.setdefault(key, {})
            cell = _make_cell(row)
            cells[row["cell"]] = _merge(cells[row["cell"]], cell) if row["cell"] in cells else cell
        return found

    def _number(self, unwrap: Unwrap | None, labels: Labels) -> str:
        """Return the SQL of the value of a record that is aggregated."""
        if unwrap is None:
            is_size = self._aggregation.function.startswith("bytes_")
            return self._rendering.fragment("size", text=self._rendering.line) if is_size else "1"
        text = text_of(labels.find(unwrap.name), self._asking.written, unwrap.at)
        return self._rendering.number(self._rendering.text(text), _CONVERSIONS[unwrap.conversion])

    def _named_groups(
        self, names: Sequence[str], labels: Labels
    ) -> tuple[Sequence[str], Callable[[Mapping[str, Any]], LabelSet]]:
        """Return the SQL of the values by which cells are grouped, and what makes labels of a row."""
        values = {name: labels.find(name) for name in names}
        of_streams = {name: value.name for name, value in values.items() if isinstance(value, OfStream)}
        others = [name for name in names if name not in of_streams]
        at = self._aggregation.at
        groups = [self._rendering.text(text_of(values[name], self._asking.written, at)) for name in others]
        if of_streams:
            groups.append("stream_id")
            streams = self._asking.streams.values()
            different = {tuple(stream.get(label, "") for label in of_streams.values()) for stream in streams}
            self._has_own_cells = len(different) == len(streams)

        def name_row(row: Mapping[str, Any]) -> LabelSet:
            found = {name: row[f"g{place}"] for place, name in enumerate(others)}
            if of_streams:
                stream = self._asking.stream_of(row[f"g{len(others)}"])
                found |= {name: stream.get(label, "") for name, label in of_streams.items()}
            return _label_set(found)

        return groups, name_row

    def _all_groups(self, aliases: Mapping[str, str]) -> tuple[Sequence[str], Callable[[Mapping[str, Any]], LabelSet]]:
        """Return the same for all labels of the entries."""
        self._has_own_cells = False  # attributes that differ may give the same labels
        groups = [*COLUMNS, "stream_id", "CAST(attributes AS TEXT)"]
        places = [*COLUMNS, "stream_id", "attributes"]
        stages = self._aggregation.query.stages
        unwrap = self._aggregation.unwrap

        def name_row(row: Mapping[str, Any]) -> LabelSet:
            record = {name: row[f"g{place}"] for place, name in enumerate(places)}
            stream = self._asking.stream_of(record["stream_id"])
            fields = list_fields(record)
            found, _ = shape_entry(stages, {**fields, **stream}, "", 0, list_hidden(record, fields, aliases))
            if unwrap is not None:
                found.pop(unwrap.name, None)
            return _label_set(found)

        return groups, name_row

    def _query(self, groups: Sequence[str], number: str, where: str) -> list[dict[str, Any]]:
        aggregates, is_by_number = self._aggregates()
        aliases = [f"g{place}" for place in range(len(groups))]
        sql = QUERIES["cells"].format(
            names="".join(f"{alias}, " for alias in aliases),
            groups="".join(f"{group} AS {alias}, " for group, alias in zip(groups, aliases, strict=True)),
            ordinals=", ".join([*aliases, "cell", *(["number"] if is_by_number else [])]),
            aggregates=aggregates,
            number=number,
            micros=self._rendering.fragment("micros"),
            where=where,
        )
        windows = self._windows
        parameters = {
            **self._rendering.values,
            **bounds(windows.since_us, windows.until_us),
            "step": windows.steps.step_us,
            "bound": windows.bound_us,
            "shift": windows.shift_us,
            "most": _MAX_CELLS + 1,
        }
        rows: list[dict[str, Any]] = self._asking.reader.query(sql, parameters).to_pylist()
        if len(rows) > _MAX_CELLS:
            cause = f"it has more than {_MAX_CELLS:,} combinations of labels and steps"
            advice = "choose a longer step, or fewer labels with by (…)"
            if is_by_number:
                advice = "choose a step as long as the range: the store then computes each quantile"
            raise UsageError("answer", "the query", cause, advice)
        return rows

    def _aggregates(self) -> tuple[str, bool]:
        """Return the SQL of the aggregates of a cell, and whether each different number has a row.

        A quantile needs all numbers of a range, unless the range is one cell and the store can compute it.
        """
        if self._aggregation.function != "quantile_over_time":
            return fragment("added"), False
        share = self._aggregation.parameter or 0.0
        if self._has_own_cells and self._windows.is_one_cell and 0 <= share <= 1:
            return fragment("interpolated", share=repr(share)), False
        return fragment("repeated"), True


def _label_set(labels: Mapping[str, str]) -> LabelSet:
    return tuple(sorted((name, text) for name, text in labels.items() if text))


def _make_cell(row: Mapping[str, Any]) -> Cell:
    count = int(row["n"])
    if "number" in row:
        value = float(row["number"])
        return Cell(count, value * count, value, value, ((value, count),))
    return Cell(count, float(row["total"]), float(row["least"]), float(row["greatest"]))


def _merge(one: Cell, other: Cell) -> Cell:
    """Return the entries of two cells as one."""
    least, greatest = min(one.least, other.least), max(one.greatest, other.greatest)
    return Cell(one.count + other.count, one.total + other.total, least, greatest, one.values + other.values)


def _combiner(aggregation: RangeAggregation) -> Callable[[Sequence[Cell]], float]:
    """Return what makes the value of a range of its cells."""
    range_s = aggregation.range_s
    share = aggregation.parameter or 0.0
    combiners: dict[str, Callable[[Sequence[Cell]], float]] = {
        "count_over_time": lambda cells: float(sum(cell.count for cell in cells)),
        "bytes_over_time": _total,
        "rate": lambda cells: _total(cells) / range_s,
        "bytes_rate": lambda cells: _total(cells) / range_s,
        "sum_over_time": _total,
        "avg_over_time": lambda cells: _total(cells) / sum(cell.count for cell in cells),
        "min_over_time": lambda cells: min(cell.least for cell in cells),
        "max_over_time": lambda cells: max(cell.greatest for cell in cells),
        "quantile_over_time": lambda cells: quantile([pair for cell in cells for pair in cell.values], share),
    }
    return combiners[aggregation.function]


def _total(cells: Sequence[Cell]) -> float:
    return math.fsum(cell.total for cell in cells)
