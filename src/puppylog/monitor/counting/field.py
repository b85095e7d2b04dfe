"""The field whose values are counted, as SQL."""

from collections.abc import Mapping
from typing import Final

from puppylog.errors import NotFound
from puppylog.model.expression import render
from puppylog.model.expression.term import Dialect
from puppylog.model.query.fields import RECORDS, Field, Kind, describe_unknown, find_field
from puppylog.model.query.tree import Name
from puppylog.model.severity import name_sql
from puppylog.model.source import decode_uri
from puppylog.monitor.attributes import find_attributes
from puppylog.monitor.counting.tallied import counts_sql
from puppylog.monitor.search import Search, count_records
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "counting.sql")

_EMPTY: Final = "the store has no records; 'puppylog collector -s FILE' collects one"
_ORIGINS: Final = {Kind.SOURCE: "stream_id", Kind.GROUP: "stream_id", Kind.FILE: "file_id"}
_TEXTS: Final = frozenset({Kind.TEXT, Kind.SEVERITY, Kind.ATTRIBUTE})
# The numbers of records in which equal values are looked for. A field with 30,000 different values, such as a route
# with its parameters, has hardly any equal ones among 2,000 records.
_SAMPLES: Final = (2_000, 100_000)


def get_field(reader: RecordReader, name: str, dialect: Dialect) -> Field:
    """Return the field of that name: a column, an alias, an attribute, ``source``, ``stream``, ``group`` or ``file``.

    Raises:
        NotFound: no record has it; the error has the nearest names, and an example from the store.
        SearchError: it cannot be the name of an attribute.
    """
    if found := find_field(Name(name), RECORDS, {}, name):
        return found
    attributes = find_attributes(reader, [name], dialect)
    if found := find_field(Name(name), RECORDS, attributes, name):
        return found
    cause, example = describe_unknown(name, RECORDS, attributes)
    if not example:
        is_empty = count_records(reader, Search(), 1) == 0
        example = _EMPTY if is_empty else "no record in the store has attributes"
    raise NotFound("find", f'the field "{name}"', cause, example)


def value_sql(field: Field, dialect: Dialect) -> str:
    """Return the SQL of the field's value. For a source, a group or a file it is the id of the stream or the file."""
    if field.kind is Kind.ATTRIBUTE:
        return render(field.expression, dialect)
    if field.kind is Kind.SEVERITY:
        return name_sql(field.expression)  # older records have other spellings
    return _ORIGINS.get(field.kind) or field.expression  # a column, for which sqlglot need not be loaded


def order_sql(field: Field, dialect: Dialect, column: str = "value") -> str:
    """Return the SQL by which the values in ``column`` are ordered: texts by their bytes on every store."""
    return f'{column} COLLATE "C"' if field.kind in _TEXTS and dialect == "postgres" else column


def column_of(field: Field) -> str | None:
    """Return the column of ``log_records`` that `value_sql` reads for the field; None if it is not a column."""
    return None if field.kind is Kind.ATTRIBUTE else _ORIGINS.get(field.kind) or field.expression


def values_sql(reader: RecordReader, field: Field, search: Search, dialect: Dialect) -> str:
    """Return the query of the field's values, each with its number of records."""
    value, column = value_sql(field, dialect), column_of(field)
    if column is not None:
        return _QUERIES["values"].format(value=value, counts=counts_sql(reader, search, column, dialect=dialect))
    is_grouped = dialect == "duckdb" and has_alike(reader, "CAST(attributes AS TEXT)")
    template = _QUERIES["attribute_values"] if is_grouped else _QUERIES["computed_values"]
    return template.format(value=value, chosen=search.render("chosen_records"))


def has_alike(reader: RecordReader, value: str) -> bool:
    """Return whether, of some records with this SQL value, at most half have different ones."""
    query = _QUERIES["sample"].format(value=value)
    for records in _SAMPLES:
        [row] = reader.query(query, {"records": records}).to_pylist()
        if row["different"] * 2 <= row["records"]:
            return True
        if row["records"] < records:  # the sample is already all of them
            return False
    return False


def read_origins(reader: RecordReader, kind: Kind) -> Mapping[int, str | None] | None:
    """Return the names of sources, groups or files by the id that `value_sql` gives; None for any other field."""
    if kind is Kind.FILE:
        return {row["id"]: row["path"] for row in reader.query(_QUERIES["file_names"]).to_pylist()}
    if kind not in _ORIGINS:
        return None
    rows = reader.query(_QUERIES["stream_names"]).to_pylist()
    if kind is Kind.SOURCE:
        return {row["id"]: decode_uri(row["source_uri"]) for row in rows}
    return {row["id"]: row["group_name"] for row in rows}
