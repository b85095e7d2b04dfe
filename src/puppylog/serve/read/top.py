"""``/api/v1/top``: the most frequent values of fields."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct

from puppylog.errors import NotFound, SearchError
from puppylog.model.query.fields import Field
from puppylog.monitor.condition import dialect_of
from puppylog.monitor.counting.field import get_field
from puppylog.monitor.counting.top import Top, TopValue, Value
from puppylog.monitor.counting.tops import count_tops
from puppylog.monitor.search import narrow_search
from puppylog.serve.read.answers import format_instant
from puppylog.serve.read.choice import read_search
from puppylog.serve.read.resource import Answer, Asked, Choice, Reader, Resource
from puppylog.serve.refusal import Refusal

_MAX_FIELDS: Final = 20
_VALUE_CHARACTERS: Final = 1000
_BUDGET_S: Final = 0.3
"""If counting would take longer, a sample is counted. A page shows eight fields beside its lines."""


class TopParameters(Choice, frozen=True, kw_only=True):
    """The parameters of ``/api/v1/top``."""

    field: Annotated[
        tuple[str, ...],
        Meta(description="A field whose values are counted: a column, an attribute, source, stream, group or file."),
    ]
    limit: Annotated[int, Meta(ge=1, le=1000, description="The greatest number of values of each field.")] = 8
    sample: Annotated[
        bool, Meta(description="Whether a part of the records may be counted, if all of them would take longer.")
    ] = True


class CountedValue(Struct, kw_only=True, omit_defaults=True):
    """A value, and the number of records that have it."""

    value: Annotated[str | int | float | None, Meta(description="Null for records without a value.")]
    count: int
    is_cut: Annotated[bool, Meta(description="Whether the value is a longer text, of which this is the start.")] = False


class CountedField(Struct, kw_only=True):
    """The most frequent values of a field."""

    field: Annotated[str, Meta(description="The field, as it was asked for.")]
    kind: Annotated[str | None, Meta(description="The kind of its values; null with an error.")]
    records: Annotated[int, Meta(description="The number of records that were counted, whatever their values.")]
    distinct: Annotated[int, Meta(description="The number of different values; no value counts as one.")]
    values: Annotated[list[CountedValue], Meta(description="The most frequent one first.")]
    is_sample: Annotated[bool, Meta(description="Whether only a part of the records was counted.")]
    sample_records: Annotated[int | None, Meta(description="The number of records in this part.")]
    sample_share: Annotated[float | None, Meta(description="How much of the range of time the part covers, up to 1.")]
    error: Annotated[str | None, Meta(description="Why the field was not counted.")]


class TopAnswer(Answer, kw_only=True):
    """The most frequent values of fields."""

    fields: Annotated[list[CountedField], Meta(description="In the order in which they were asked for.")]


def count_fields(asked: Asked[TopParameters], reader: Reader) -> TopAnswer:
    """Count the values of some fields. An unknown field is an error of its own, and the others are counted."""
    parameters = asked.parameters
    names = list(dict.fromkeys(parameters.field))
    if len(names) > _MAX_FIELDS:
        raise Refusal(400, f"at most {_MAX_FIELDS} fields are counted at once", place="field")
    search, dialect = narrow_search(reader, read_search(asked, reader)), dialect_of(reader)
    known: dict[str, Field] = {}
    errors: dict[str, str] = {}
    for name in names:
        try:
            known[name] = get_field(reader, name, dialect)
        except (NotFound, SearchError) as error:
            errors[name] = error.message
    budget_s = _BUDGET_S if parameters.sample else None
    counted = count_tops(
        reader, list(known.values()), search, dialect=dialect, values=parameters.limit, budget_s=budget_s
    )
    return TopAnswer(fields=_describe(names, known, dict(zip(known, counted, strict=True)), errors))


def _describe(
    names: Sequence[str], known: Mapping[str, Field], counted: Mapping[str, Top], errors: Mapping[str, str]
) -> list[CountedField]:
    described = []
    for name in names:
        top = counted.get(name, Top([], 0, 0))
        is_sample = top.share is not None
        described.append(
            CountedField(
                field=name,
                kind=known[name].kind if name in known else None,
                records=top.records,
                distinct=top.distinct,
                values=[describe_value(one) for one in top.values],
                is_sample=is_sample,
                sample_records=top.records if is_sample else None,
                sample_share=top.share,
                error=errors.get(name),
            )
        )
    return described


def describe_value(one: TopValue) -> CountedValue:
    """Return a counted value as an answer has it."""
    value = plain_value(one.value)
    is_cut = isinstance(value, str) and len(value) > _VALUE_CHARACTERS
    return CountedValue(
        value=value[:_VALUE_CHARACTERS] if isinstance(value, str) else value, count=one.count, is_cut=is_cut
    )


def plain_value(value: Value | None) -> str | int | float | None:
    """Return a value of a field as JSON has it."""
    return format_instant(value) if isinstance(value, datetime) else value


RESOURCES: Final = (
    Resource(
        path="/api/v1/top",
        summary="The most frequent values of fields",
        parameters=TopParameters,
        answer=TopAnswer,
        work=count_fields,
        rows="fields",
    ),
)
