"""``/api/v1/histogram``: the number of records over time."""

from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct

from puppylog.model.query.fields import RECORDS, Field
from puppylog.monitor.budget import Budget
from puppylog.monitor.condition import dialect_of
from puppylog.monitor.counting.classes import choose_class, name_status_class
from puppylog.monitor.counting.field import column_of, get_field
from puppylog.monitor.counting.histogram import Histogram, count_histogram, find_latest
from puppylog.monitor.counting.newest_part import count_newest_part, find_ends, is_tallied
from puppylog.monitor.search import Search, narrow_search
from puppylog.serve.read.answers import format_instant
from puppylog.serve.read.choice import placed, read_search
from puppylog.serve.read.resource import Answer, Asked, BudgetedChoice, Instant, Reader, Resource

_STATUS_CLASS: Final = "status_class"
_AUTO: Final = "auto"


class HistogramParameters(BudgetedChoice, frozen=True, kw_only=True):
    """The parameters of ``/api/v1/histogram``."""

    steps: Annotated[
        int, Meta(ge=1, le=1000, description="The greatest number of steps. A step has a round length.")
    ] = 80
    by: (
        Annotated[
            str,
            Meta(
                description="The field whose values are series. `status_class` is the first digit of the status, and "
                "`auto` is the severity or the class of the status, if most of the records have one. Without it, all "
                "records are one series."
            ),
        ]
        | None
    ) = None
    series: Annotated[int, Meta(ge=1, le=100, description="The greatest number of series.")] = 6


class Series(Struct, kw_only=True):
    """The records with one value."""

    name: Annotated[
        str | None, Meta(description="The value; null for records without one, and for the only series without `by`.")
    ]
    counts: Annotated[list[int], Meta(description="The number of records in each step.")]


class OtherSeries(Struct, kw_only=True):
    """The records of all values that have no series."""

    values: Annotated[int, Meta(description="The number of these values.")]
    counts: list[int]


class HistogramAnswer(Answer, kw_only=True):
    """The number of records in each step of time. Steps are aligned to the epoch."""

    start: Annotated[Instant | None, Meta(description="The start of the first step; null without records.")]
    step_s: Annotated[int | None, Meta(description="The length of a step in seconds; null without records.")]
    series: Annotated[list[Series], Meta(description="The most frequent value comes first.")]
    other: OtherSeries | None
    by: Annotated[str | None, Meta(description="The field whose values are series; what `auto` has chosen.")]
    records: Annotated[int, Meta(description="The number of records in all steps.")]
    later: Annotated[
        int,
        Meta(
            description="The number of records after the last step. Without `until`, steps go on beyond the present at "
            "most as far as `since` is before it."
        ),
    ] = 0
    counted_since: Annotated[
        Instant | None,
        Meta(
            description="The instant from which records are counted, because the time of `budget_s` was over; steps "
            "before it have zeros. Null: all records are counted."
        ),
    ] = None


def make_histogram(asked: Asked[HistogramParameters], reader: Reader) -> HistogramAnswer:
    """Count the records that a query finds, over time."""
    search, budget_s = narrow_search(reader, read_search(asked, reader)), asked.parameters.budget_s
    latest = find_latest(search.within, asked.now)
    if budget_s is None:
        return _count(asked.parameters, reader, search, None, latest)
    # Steps begin where those of all records would, so that the chart keeps its place when it is counted whole.
    ends = find_ends(reader, search.within)
    start = search.within.since or (None if ends is None else ends[0])
    answer, since = count_newest_part(
        reader,
        search,
        Budget(budget_s),
        lambda part: _count(asked.parameters, reader, part, start, latest),
        is_tallied=_is_tallied(asked.parameters, reader, search),
    )
    answer.counted_since = None if since is None else format_instant(since)
    return answer


def _is_tallied(parameters: HistogramParameters, reader: Reader, search: Search) -> bool:
    column: str | None = "severity"  # as `stream_id` and `status_code`, it has a tally of each day
    if parameters.by not in {"", _AUTO, _STATUS_CLASS}:
        field = RECORDS.fields.get(parameters.by or "")
        column = None if field is None else column_of(field)
    return is_tallied(reader, search, column, dialect=dialect_of(reader), steps=parameters.steps)


def _count(
    parameters: HistogramParameters, reader: Reader, search: Search, start: datetime | None, latest: datetime | None
) -> HistogramAnswer:
    by = choose_class(reader, search) if parameters.by == _AUTO else parameters.by or None
    found = count_histogram(
        reader,
        search,
        dialect=dialect_of(reader),
        steps=parameters.steps,
        by=None if by is None else _find_field(reader, by),
        series=parameters.series,
        start=start,
        latest=latest,
        name_value=name_status_class if by == _STATUS_CLASS else None,
    )
    if found is None:
        return HistogramAnswer(start=None, step_s=None, series=[], other=None, by=by, records=0)
    return describe_histogram(found, by)


def _find_field(reader: Reader, by: str) -> Field:
    if by == _STATUS_CLASS:
        return RECORDS.fields["status_code"]
    with placed("by"):
        return get_field(reader, by, dialect_of(reader))


def describe_histogram(found: Histogram, by: str | None) -> HistogramAnswer:
    """Return a histogram as an answer."""
    other = found.other
    return HistogramAnswer(
        start=format_instant(found.start),
        step_s=found.step_s,
        series=[Series(name=None if by is None else one.name, counts=list(one.counts)) for one in found.series],
        other=None if other is None else OtherSeries(values=found.other_values, counts=list(other.counts)),
        by=by,
        records=found.records,
        later=found.later,
    )


RESOURCES: Final = (
    Resource(
        path="/api/v1/histogram",
        summary="The number of records over time, by the values of a field",
        parameters=HistogramParameters,
        answer=HistogramAnswer,
        work=make_histogram,
        rows="series",
    ),
)
