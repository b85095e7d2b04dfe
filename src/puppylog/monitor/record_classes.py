"""The classes that a report divides records by, and when the records of each class came."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from puppylog.model.severity import NUMBERS, find_number
from puppylog.monitor.timeline import Timeline, find_dense_part, plan_part

_MAX_PASSES: Final = 4  # how often a timeline is narrowed to where nearly all records are

_STATUS_CLASS: Final = (
    "CASE WHEN status_code BETWEEN 100 AND 599 THEN CAST(floor(status_code / 100.0) AS INTEGER)"
    " WHEN status_code IS NOT NULL THEN 0 END"
)


@dataclass(frozen=True, slots=True)
class Class:
    """Records of one class: those with a status of 400 to 499, or those with a severity of error or more."""

    name: str
    records: int
    steps: Sequence[int]  # the number of records in each step of the histogram


def choose_kind(presence: Mapping[str, int]) -> str:
    """Return what divides the records into classes: most requests have a status, most messages a severity.

    ``presence`` is the number of records with a value in each column.
    """
    if presence["status_code"] and presence["status_code"] * 2 >= presence["severity"]:
        return "status"
    return "severity" if presence["severity"] else ""


_STATUS_NAMES: Final = ("5xx", "4xx", "3xx", "2xx", "1xx", "other status", "no status")
_SEVERITY_NAMES: Final = ("error", "warning", "info", "debug", "other severity", "no severity")
_LEAST: Final = tuple((NUMBERS[name], name) for name in ("error", "warning", "info"))


def _name_status(value: int | None) -> str:
    if value is None:
        return "no status"
    return f"{value}xx" if value else "other status"


def _name_severity(value: str | None) -> str:
    if value is None:
        return "no severity"
    number = find_number(value)
    if number is None:
        return "other severity"
    return next((name for least, name in _LEAST if number >= least), "debug")


def count_classes(
    ask: Callable[[str | None, str, Timeline], Iterable[Mapping[str, Any]]], kind: str, timeline: Timeline
) -> tuple[Timeline, Sequence[Class]]:
    """Return the classes of the records, and the timeline of their steps.

    If nearly all records are in a small part of the timeline, which a single wrong stamp is enough for, the timeline is
    narrowed to this part. The classes still count all records.

    Args:
        ask: returns rows of ``step``, ``value`` and ``records`` for a column or none, SQL of a value that is computed
            from the column, and a timeline.
        kind: as `choose_kind` returns it.
        timeline: reaches from the first to the last record.
    """
    column, expression, name_of, names = _KINDS[kind]
    records: dict[str, int] = {}
    for number in range(_MAX_PASSES):
        steps = {name: [0] * timeline.steps for name in names}
        for row in ask(column, expression, timeline):
            # A row may be outside of the timeline: records came after its range was asked for, or it was narrowed.
            if 0 <= (step := row["step"]) < timeline.steps:
                steps[name_of(row["value"])][step] += row["records"]
        records = records or {name: sum(counts) for name, counts in steps.items()}
        totals = [sum(counts) for counts in zip(*steps.values(), strict=True)]
        dense = find_dense_part(totals) if number == 0 else find_dense_part(totals, small=2)
        if dense is None:
            break
        timeline = plan_part(timeline, *dense)
    return timeline, [Class(name, records[name], counts) for name, counts in steps.items() if records[name]]


_KINDS: Final[Mapping[str, tuple[str | None, str, Callable[[Any], str], Sequence[str]]]] = {
    "status": ("status_code", _STATUS_CLASS, _name_status, _STATUS_NAMES),
    "severity": ("severity", "severity", _name_severity, _SEVERITY_NAMES),
    "": (None, "CAST(NULL AS TEXT)", lambda _: "", ("",)),
}
