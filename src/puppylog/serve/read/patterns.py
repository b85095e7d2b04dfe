"""``/api/v1/patterns``: the shapes of messages."""

from typing import Annotated, Final

from msgspec import Meta, Struct

from puppylog.errors import UsageError
from puppylog.model.query.fields import RECORDS, Field, Kind
from puppylog.monitor.budget import Budget
from puppylog.monitor.condition import dialect_of
from puppylog.monitor.counting.field import get_field
from puppylog.monitor.counting.newest_part import count_newest_part, is_tallied
from puppylog.monitor.counting.patterns import Patterns, find_patterns
from puppylog.monitor.pages import TEXT_CHARACTERS
from puppylog.monitor.search import Search, narrow_search
from puppylog.serve.read.answers import format_instant
from puppylog.serve.read.choice import placed, read_instant, read_search
from puppylog.serve.read.resource import Answer, Asked, BudgetedChoice, Instant, Reader, Resource
from puppylog.stores.tallies import SHAPES

_TEXTS: Final = frozenset({Kind.TEXT, Kind.ATTRIBUTE})


class PatternsParameters(BudgetedChoice, frozen=True, kw_only=True):
    """The parameters of ``/api/v1/patterns``."""

    limit: Annotated[int, Meta(ge=1, le=1000, description="The greatest number of patterns.")] = 50
    field: Annotated[str, Meta(description="The field whose texts have the patterns.")] = "message"
    new_since: (
        Annotated[
            str,
            Meta(
                description="Only patterns of which no record before this instant is among those that the query finds. "
                "Then `budget_s` does not count: only all records tell what is new."
            ),
        ]
        | None
    ) = None


class Pattern(Struct, kw_only=True):
    """The messages of one shape."""

    shape: Annotated[str, Meta(description="The text, with a star in place of every part that varies.")]
    count: Annotated[int, Meta(description="The number of records.")]
    first_at: Instant
    last_at: Instant
    example: Annotated[str, Meta(description="The text of the last record, or the start of it.")]
    is_cut: Annotated[bool, Meta(description="Whether the text of the example is longer.")]


class PatternsAnswer(Answer, kw_only=True):
    """The most frequent shapes of messages."""

    patterns: Annotated[list[Pattern], Meta(description="The most frequent one first.")]
    records: Annotated[int, Meta(description="The number of records with a message.")]
    distinct: Annotated[int, Meta(description="The number of patterns.")]
    new: Annotated[int, Meta(description="The number of new patterns; without `new_since`, all are new.")]
    missing: Annotated[int, Meta(description="The number of records without a message.")]
    counted_since: Annotated[
        Instant | None,
        Meta(
            description="The instant from which records are counted, because the time of `budget_s` was over. Null: "
            "all records are counted."
        ),
    ] = None


def list_patterns(asked: Asked[PatternsParameters], reader: Reader) -> PatternsAnswer:
    """Return the most frequent shapes of the messages that a query finds."""
    parameters = asked.parameters
    new_since = read_instant(asked, "new_since", parameters.new_since)
    search = narrow_search(reader, read_search(asked, reader))
    field, since = _find_text(reader, parameters.field), None

    def find(search: Search) -> Patterns:
        return find_patterns(
            reader,
            search,
            dialect=dialect_of(reader),
            patterns=parameters.limit,
            field=field,
            new_since=new_since,
        )

    if parameters.budget_s is None or new_since is not None:
        found = find(search)
    else:
        tallies = SHAPES if field == RECORDS.fields["message"] else None
        is_whole = is_tallied(reader, search, tallies, dialect=dialect_of(reader))
        found, since = count_newest_part(reader, search, Budget(parameters.budget_s), find, is_tallied=is_whole)
    return PatternsAnswer(
        patterns=[
            Pattern(
                shape=one.shape,
                count=one.count,
                first_at=format_instant(one.first_at),
                last_at=format_instant(one.last_at),
                example=one.example[:TEXT_CHARACTERS],
                is_cut=len(one.example) > TEXT_CHARACTERS,
            )
            for one in found.patterns
        ],
        records=found.records,
        distinct=found.distinct,
        new=found.new,
        missing=found.missing,
        counted_since=None if since is None else format_instant(since),
    )


def _find_text(reader: Reader, name: str) -> Field:
    if name == "message":
        return RECORDS.fields["message"]
    with placed("field"):
        field = get_field(reader, name, dialect_of(reader))
        if field.kind not in _TEXTS:
            raise UsageError("find", f"patterns of {name}", "it is not text", "choose message or another text")
        return field


RESOURCES: Final = (
    Resource(
        path="/api/v1/patterns",
        summary="The most frequent shapes of messages",
        parameters=PatternsParameters,
        answer=PatternsAnswer,
        work=list_patterns,
        rows="patterns",
    ),
)
