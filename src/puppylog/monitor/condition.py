"""A search query as a condition in the SQL of a store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Protocol

from puppylog.model import query as language
from puppylog.model.expression import render
from puppylog.monitor.condition_sql import ConditionSql
from puppylog.stores.base import RecordReader, StoreInfo

if TYPE_CHECKING:  # a command without a query needs none of these modules, and they take 30 ms of CPU
    from puppylog.model.expression.term import Dialect
    from puppylog.model.query.fields import Vocabulary
    from puppylog.model.query.tree import Query


class DescribedReader(RecordReader, Protocol):
    """A reader that says what kind of store it reads."""

    @property
    def info(self) -> StoreInfo: ...


@dataclass(frozen=True, slots=True)
class WrittenQuery:
    """A query whose syntax is correct, and its text."""

    text: str
    tree: "Query"


def read_query(text: str) -> WrittenQuery | None:
    """Return the query that is written in ``text``; None if there are only blanks.

    Raises:
        SearchError: the syntax of the query is wrong.
    """
    return WrittenQuery(text, language.parse_query(text)) if text.strip() else None


def read_source_query(patterns: Sequence[str]) -> WrittenQuery | None:
    """Return a query for the records of the sources that one of the patterns matches; None without patterns.

    A pattern means the same as in ``source:pattern``: it is a whole path or the end of one, and ``*`` is any text.
    ``-`` is standard input.
    """
    if not patterns:
        return None
    from puppylog.model.query.tree import FieldTest, Name, Or, Value  # noqa: PLC0415 - see above

    written = ["stdin://*" if pattern == "-" else pattern for pattern in patterns]
    tests = [FieldTest(Name("source"), ":", Value(tuple(pattern.split("*")))) for pattern in written]
    return WrittenQuery(" ".join(patterns), tests[0] if len(tests) == 1 else Or(tuple(tests)))


def dialect_of(reader: DescribedReader) -> "Dialect":
    """Return the dialect of the store's SQL."""
    return "duckdb" if reader.info.flavour == "duckdb" else "postgres"


def translate_query(
    reader: DescribedReader,
    query: WrittenQuery,
    *,
    now: datetime,
    zone: tzinfo | None,
    vocabulary: "Vocabulary | None" = None,
    is_kept: bool = False,
) -> str:
    """Return a query on records or on rejected lines as an expression.

    Args:
        reader: the store, which is asked for the names of attributes.
        query: the query.
        now: the present instant.
        zone: the zone of times without an offset; None is the zone of this machine.
        vocabulary: the fields that a query may name; None: those of records.
        is_kept: the query is the filter of a metric: relative times and fields that are not in the records are refused.

    Raises:
        SearchError: the query names a field that no record has, or compares a field with a value of a wrong type.
    """
    vocabulary = vocabulary or language.RECORDS
    names = language.find_attribute_names(query.tree) if vocabulary.has_attributes else []
    known: Mapping[str, str] = {}
    if names:
        from puppylog.monitor.attributes import find_attributes  # noqa: PLC0415 - see above

        known = find_attributes(reader, names, dialect_of(reader))
    reading = language.Reading(query.text, vocabulary, known, None if is_kept else now, zone, is_kept)
    return language.translate(query.tree, reading)


def join_conditions(reader: DescribedReader, *expressions: str | None) -> str:
    """Return the SQL condition that all expressions are true; expressions that are None are ignored."""
    wanted = [text for text in expressions if text is not None]
    dialect = dialect_of(reader)
    condition = " AND ".join(f"({render(text, dialect)})" for text in wanted) or "true"
    if dialect != "duckdb" or not wanted:
        return condition
    return ConditionSql(condition, wanted)
