"""The shapes of messages: which kinds of messages there are, and which are new."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from puppylog.model.expression.term import Dialect
from puppylog.model.query.fields import RECORDS, Field
from puppylog.monitor.counting.field import has_alike, order_sql, value_sql
from puppylog.monitor.counting.tallied import find_tallies
from puppylog.monitor.search import Search
from puppylog.stores.base import RecordReader, Value
from puppylog.stores.queries import load_queries
from puppylog.stores.shapes import masked_sql, shape_sql
from puppylog.stores.tallies import SHAPES

_QUERIES = load_queries("puppylog.stores", "counting.sql")


@dataclass(frozen=True, slots=True)
class TalliedSearch:
    """A search in terms of tallies: tallies of the field ``field`` count the records of the search ``base``."""

    base: Search
    field: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """The messages of one shape.

    Attributes:
        shape: the shape, with a star in place of every part that varies.
        count: the number of records.
        first_at: the time of the first one.
        last_at: the time of the last one.
        example: the message of the last one.
    """

    shape: str
    count: int
    first_at: datetime
    last_at: datetime
    example: str


@dataclass(frozen=True, slots=True)
class Patterns:
    """The most frequent shapes, the most frequent first.

    Attributes:
        patterns: the shapes; with ``new_since``, only new ones.
        records: the number of records with a message.
        distinct: the number of shapes.
        new: the number of shapes that are new; without ``new_since``, all are.
        missing: the number of records without a message.
    """

    patterns: Sequence[Pattern]
    records: int
    distinct: int
    new: int
    missing: int


def find_patterns(
    reader: RecordReader,
    search: Search,
    *,
    dialect: Dialect,
    patterns: int,
    field: Field = RECORDS.fields["message"],
    new_since: datetime | None = None,
    tallies: TalliedSearch | None = None,
) -> Patterns:
    """Return the most frequent shapes of messages, or of another field that is text.

    Args:
        reader: the store.
        search: chooses the records.
        dialect: the SQL dialect of the store.
        patterns: the greatest number of shapes.
        field: a column of text, or an attribute.
        new_since: only shapes of which no record before this instant is among those that the search chooses.
        tallies: which tallies count the same records; None: those of messages if the search has no condition.
    """
    order = order_sql(field, dialect, "shape")
    found_sql, parameters = _shapes_sql(reader, search, field, dialect, tallies), search.parameters()
    sql = _QUERIES["patterns"].format(found=found_sql, order=order)
    since = "-infinity" if new_since is None else new_since.astimezone(UTC).isoformat()
    rows = reader.query(sql, {**parameters, "new_since": since, "patterns": patterns}).to_pylist()
    totals, shown = rows[0], [row for row in rows if row["shape"] is not None]
    examples = _find_examples(reader, search, field, dialect, [row["last_at"] for row in shown])
    return Patterns(
        [
            Pattern(
                row["shape"],
                int(row["n"]),
                row["first_at"],
                row["last_at"],
                # The last record may have been deleted since.
                examples.get((row["shape"], row["last_at"]), row["shape"]),
            )
            for row in shown
        ],
        records=int(totals["records"]),
        distinct=int(totals["different"]),
        new=int(totals["new"]),
        missing=int(totals["missing"]),
    )


def _find_examples(
    reader: RecordReader, search: Search, field: Field, dialect: Dialect, instants: Sequence[datetime]
) -> dict[tuple[str, datetime], str]:
    """Return a text of each shape and instant."""
    if not instants:
        return {}
    parameters: dict[str, Value] = {
        **search.parameters(),
        "instants": ",".join(sorted({instant.astimezone(UTC).isoformat() for instant in instants})),
    }
    rows = reader.query(_examples_sql(search, field, dialect), parameters).to_pylist()
    return {(row["shape"], row["ts"]): row["example"] for row in rows}


def _shapes_sql(
    reader: RecordReader, search: Search, field: Field, dialect: Dialect, tallies: TalliedSearch | None
) -> str:
    """Return a query of the shapes of texts; one shape may have several rows."""
    if tallies is None and field == RECORDS.fields["message"]:
        tallies = TalliedSearch(search, SHAPES)
    tallied = None if tallies is None else find_tallies(reader, tallies.base, tallies.field, dialect=dialect)
    value = value_sql(field, dialect)
    if tallied is not None:
        search = replace(search, condition=f"({search.condition}) AND ({tallied.rest.condition})")
    texts = _QUERIES["different_texts" if has_alike(reader, value) else "texts"]
    masked = _QUERIES["masked_shapes"].format(
        texts=texts.format(value=value, chosen=search.render("chosen_records")),
        masked=masked_sql("value"),
        shape=shape_sql("masked"),
    )
    return masked if tallied is None else f"{tallied.render('tallied_shapes')} UNION ALL {masked}"


def _examples_sql(search: Search, field: Field, dialect: Dialect) -> str:
    value = value_sql(field, dialect)
    return _QUERIES["pattern_examples"].format(
        chosen=search.render("chosen_records"), value=value, masked=masked_sql(value), shape=shape_sql("masked")
    )
