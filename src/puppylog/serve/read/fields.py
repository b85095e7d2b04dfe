"""``/api/v1/fields`` and ``/api/v1/complete``: the fields of records, and completions of a query."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from puppylog.model.query.fields import Kind
from puppylog.monitor import completion
from puppylog.monitor.completion import Class, complete_query
from puppylog.monitor.field_sample import FieldSample, SampledField, sample_fields
from puppylog.monitor.search import Search
from puppylog.serve.read.choice import find_group_id, read_range, read_search
from puppylog.serve.read.resource import Answer, Asked, Choice, Reader, Resource
from puppylog.serve.read.units import count_units, find_character

_EXAMPLES: Final = 3
_EXAMPLE_CHARACTERS: Final = 100


class FieldsParameters(Choice, frozen=True, kw_only=True):
    """The parameters of ``/api/v1/fields``."""


class KnownField(Struct, kw_only=True):
    """A field that some of the newest records have."""

    name: str
    kind: Annotated[Kind, Meta(description="What its values are, and how a query compares them.")]
    share: Annotated[float, Meta(ge=0, le=1, description="The share of the newest records that have it.")]
    distinct: Annotated[int, Meta(description="The number of different values in these records.")]
    examples: Annotated[list[str], Meta(description="Its most frequent values, or their first 100 characters.")]
    is_facet: Annotated[bool, Meta(description="Whether it has few enough values to count the records of each.")]


class FieldsAnswer(Answer, kw_only=True):
    """The fields of the newest records that a query finds."""

    fields: Annotated[list[KnownField], Meta(description="The most used one first.")]
    sample_records: Annotated[int, Meta(description="The number of records that were looked at, the newest ones.")]


class CompleteParameters(Choice, frozen=True, kw_only=True):
    """The parameters of ``/api/v1/complete``."""

    at: (
        Annotated[
            int, Meta(ge=0, description="The place of the caret in `q`, in units of UTF-16. Default: after the end.")
        ]
        | None
    ) = None
    limit: Annotated[int, Meta(ge=1, le=completion.MAX_ITEMS, description="The greatest number of completions.")] = 20


class CompletionItem(Struct, kw_only=True):
    """A text that can take the place of the word at the caret."""

    insert: Annotated[str, Meta(description="The text.")]
    label: Annotated[str, Meta(description="The text for people.")]
    kind: Class
    detail: Annotated[str, Meta(description="What the text means, or how many records have the value.")]


class CompleteAnswer(Answer, kw_only=True):
    """The completions of the word at the caret."""

    start: Annotated[int, Meta(description="Where the word starts, in units of UTF-16.")]
    end: Annotated[int, Meta(description="Where the word ends, in units of UTF-16.")]
    items: list[CompletionItem]


def list_fields(asked: Asked[FieldsParameters], reader: Reader) -> FieldsAnswer:
    """Return the fields of the newest records that a query finds."""
    sample = sample_fields(reader, read_search(asked, reader))
    return FieldsAnswer(
        fields=[_describe_field(field, sample.records) for field in sample.fields], sample_records=sample.records
    )


def _describe_field(field: SampledField, records: int) -> KnownField:
    return KnownField(
        name=field.name,
        kind=field.kind,
        share=round(field.records / records, 4),
        distinct=len(field.values),
        examples=[value[:_EXAMPLE_CHARACTERS] for value in list(field.values)[:_EXAMPLES]],
        is_facet=field.is_facet,
    )


def complete(asked: Asked[CompleteParameters], reader: Reader) -> CompleteAnswer:
    """Return the completions of the word at the caret."""
    parameters = asked.parameters
    text = parameters.q
    at = len(text) if parameters.at is None else find_character(text, parameters.at)
    within, group_id = read_range(asked), find_group_id(asked, reader)

    def sample() -> FieldSample:
        return sample_fields(reader, Search(within=within, group_id=group_id))

    found = complete_query(text, at, sample)
    return CompleteAnswer(
        start=count_units(text[: found.start]),
        end=count_units(text[: found.end]),
        items=[
            CompletionItem(insert=item.insert, label=item.label, kind=item.kind, detail=item.detail)
            for item in found.items[: parameters.limit]
        ],
    )


RESOURCES: Final = (
    Resource(
        path="/api/v1/fields",
        summary="The fields of the newest records that a query finds",
        parameters=FieldsParameters,
        answer=FieldsAnswer,
        work=list_fields,
        rows="fields",
    ),
    Resource(
        path="/api/v1/complete",
        summary="Completions of the word at the caret of a query",
        parameters=CompleteParameters,
        answer=CompleteAnswer,
        work=complete,
    ),
)
