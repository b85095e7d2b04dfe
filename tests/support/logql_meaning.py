"""What a query in LogQL means, written once more in plain Python: the reference that stores are compared with.

It is slow and obvious: an entry passes the stages one after another, and a metric looks at all entries for each step.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from puppylog.model.logql.tree import (
    AllOf,
    AnyOf,
    Grouping,
    Keep,
    LabelFilter,
    LabelFormat,
    LabelTest,
    LineFilter,
    LineFormat,
    LogQuery,
    Matcher,
    NumberTest,
    Parser,
    RangeAggregation,
    Stage,
)

LEVELS: Final = {"err": "error", "error": "error", "warn": "warn", "warning": "warn", "info": "info", "notice": "info"}
_UNITS_S: Final = {"ms": 0.001, "s": 1.0, "m": 60.0}
_SIZES: Final = {"": 1, "KB": 1000, "KiB": 1024}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COMPARE: Final = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
}


@dataclass(frozen=True)
class Stored:
    """A record as it was stored, and the labels of its stream."""

    record: Mapping[str, Any]
    stream: Mapping[str, str]

    @property
    def ts_us(self) -> int:
        return int((self.record["ts"] - _EPOCH) / timedelta(microseconds=1))

    @property
    def line(self) -> str:
        """The line of the record, which has a message or is a request."""
        record = self.record
        if record.get("message") is not None:
            return str(record["message"])
        request = " ".join(str(record[name]) for name in ("request_method", "request_route") if record.get(name))
        status = "-" if record.get("status_code") is None else record["status_code"]
        size = "-" if record.get("response_bytes") is None else record["response_bytes"]
        at = record["ts"].strftime("%d/%b/%Y:%H:%M:%S")
        return f'{record.get("host") or "-"} - - [{at} +0000] "{request}" {status} {size}'

    @property
    def labels(self) -> dict[str, str]:
        """All labels that a query can use."""
        columns = ("host", "request_method", "request_route", "severity", "status_code", "response_bytes")
        found = {name: str(self.record[name]) for name in columns if self.record.get(name) is not None}
        if "severity" in found:
            found["level"] = found["detected_level"] = LEVELS.get(found["severity"].lower(), "unknown")
        for name, value in json.loads(self.record.get("attributes") or "{}").items():
            inner = value.items() if isinstance(value, dict) else ((None, value),)
            for key, text in inner:
                label = re.sub("[^a-z_]", "_", name if key is None else f"{name}_{key}")
                found[label] = text if isinstance(text, str) else json.dumps(text)
        return {**found, **self.stream}


@dataclass(frozen=True)
class Passed:
    """An entry behind all stages of a query."""

    ts_us: int
    line: str
    labels: Mapping[str, str]


def choose(query: LogQuery, stored: Sequence[Stored]) -> list[Passed]:
    """Return what a query chooses."""
    found = [_pass(query, one) for one in stored]
    return [one for one in found if one is not None]


def _pass(query: LogQuery, stored: Stored) -> Passed | None:
    labels, line = stored.labels, stored.line
    if not all(holds(matcher, labels) for matcher in query.matchers):
        return None
    for stage in query.stages:
        if isinstance(stage, LineFilter) and not _finds(stage, line):
            return None
        if isinstance(stage, LabelFilter) and not holds(stage.test, labels):
            return None
        labels, line = _change(stage, labels, line)
    return Passed(stored.ts_us, line, labels)


def _finds(stage: LineFilter, line: str) -> bool:
    is_regex = "~" in stage.operator
    found = any(re.search(value, line) if is_regex else value in line for value in stage.values)
    return found is not stage.operator.startswith("!")


def _change(stage: Stage, labels: dict[str, str], line: str) -> tuple[dict[str, str], str]:
    labels = dict(labels)
    if isinstance(stage, LineFormat):
        line = _fill(stage.template, labels, line)
    elif isinstance(stage, LabelFormat):
        for name, change in stage.changes:
            labels[name] = labels.pop(change, "") if isinstance(change, str) else _fill(change, labels, line)
    elif isinstance(stage, Keep):
        kept = {label for label in stage.labels if isinstance(label, str)}
        labels = {name: text for name, text in labels.items() if (name in kept) is not stage.is_dropped}
    elif isinstance(stage, Parser):
        for name, key in stage.labels:
            labels[name] = labels.get(key.replace(".", "_"), "")
    return labels, line


def _fill(template: Any, labels: Mapping[str, str], line: str) -> str:
    return "".join(
        part if isinstance(part, str) else line if part.name == "__line__" else labels.get(part.name, "")
        for part in template
    )


def holds(test: LabelTest, labels: Mapping[str, str]) -> bool:
    """Return whether a test holds for labels."""
    match test:
        case AllOf(parts):
            return all(holds(part, labels) for part in parts)
        case AnyOf(parts):
            return any(holds(part, labels) for part in parts)
        case Matcher(name, operator, value):
            text = labels.get(name, "")
            found = bool(re.fullmatch(value, text, re.DOTALL)) if "~" in operator else text == value
            return found is not operator.startswith("!")
        case NumberTest(name, comparison, wanted, unit):
            number = read_number(labels.get(name, ""), unit)
            return number is not None and _COMPARE[comparison](number, wanted)


def read_number(text: str, unit: str) -> float | None:
    """Return the number in a text, for the few forms that the tests store."""
    if unit == "number":
        return float(text) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) else None
    if unit == "bytes":
        found = re.fullmatch(r"([0-9.]+)(KB|KiB|)", text)
        return float(found[1]) * _SIZES[found[2]] if found else None
    if not re.fullmatch(r"(?:[0-9.]+(?:ms|s|m))+", text):
        return None
    return sum(float(number) * _UNITS_S[name] for number, name in re.findall(r"([0-9.]+)(ms|s|m)", text))


def aggregate(
    metric: RangeAggregation, stored: Sequence[Stored], instants_us: Sequence[int], by: Sequence[str]
) -> dict[tuple[tuple[str, str], ...], list[float | None]]:
    """Return the values of a range aggregation at each instant, of entries grouped by labels."""
    groups: dict[tuple[tuple[str, str], ...], list[tuple[int, float]]] = {}
    grouping = metric.grouping or Grouping(tuple(by))
    for entry in choose(metric.query, stored):
        if metric.unwrap is not None:
            unit = {"": "number", "bytes": "bytes"}.get(metric.unwrap.conversion, "duration")
            value = read_number(entry.labels.get(metric.unwrap.name, ""), unit)
            if value is None or not all(holds(test, entry.labels) for test in metric.unwrap.tests):
                continue
        else:
            value = float(len(entry.line.encode())) if metric.function.startswith("bytes") else 1.0
        names = [name for name in sorted(grouping.names) if entry.labels.get(name)]
        key = tuple((name, entry.labels[name]) for name in names)
        groups.setdefault(key, []).append((entry.ts_us, value))
    offset, length = round(metric.offset_s * 1e6), round(metric.range_s * 1e6)
    found = {}
    for key, values in groups.items():
        points = []
        for at in instants_us:
            inside = [value for ts_us, value in values if at - offset - length < ts_us <= at - offset]
            points.append(_reduce(metric, inside) if inside else None)
        if any(point is not None for point in points):
            found[key] = points
    return found


def _reduce(metric: RangeAggregation, values: list[float]) -> float:
    match metric.function:
        case "count_over_time" | "bytes_over_time" | "sum_over_time":
            return math.fsum(values)
        case "rate" | "bytes_rate":
            return math.fsum(values) / metric.range_s
        case "avg_over_time":
            return math.fsum(values) / len(values)
        case "min_over_time":
            return min(values)
        case "max_over_time":
            return max(values)
    ordered = sorted(values)
    rank = (metric.parameter or 0.0) * (len(ordered) - 1)
    low = int(rank)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (rank - low)
