"""The shapes of messages: which kinds of messages there are, and which are new."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from puppylog.model.expression.term import Dialect
from puppylog.model.query.fields import RECORDS, Field
from puppylog.model.shape import MAX_CHARACTERS, QUOTED, VARYING
from puppylog.monitor.counting.field import has_alike, order_sql, value_sql
from puppylog.monitor.search import Search
from puppylog.stores.base import RecordReader, Value
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "counting.sql")


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
) -> Patterns:
    """Return the most frequent shapes of messages, or of another field that is text.

    Args:
        reader: the store.
        search: chooses the records.
        dialect: the SQL dialect of the store.
        patterns: the greatest number of shapes.
        field: a column of text, or an attribute.
        new_since: only shapes of which no record before this instant is among those that the search chooses.
    """
    texts = _QUERIES["different_texts" if has_alike(reader, value_sql(field, dialect)) else "texts"]
    sql, parameters = _render(search, field, dialect, "patterns", texts), search.parameters()
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
    rows = reader.query(_render(search, field, dialect, "pattern_examples"), parameters).to_pylist()
    return {(row["shape"], row["ts"]): row["example"] for row in rows}


def _render(search: Search, field: Field, dialect: Dialect, query: str, texts: str = "") -> str:
    value, chosen = value_sql(field, dialect), search.render("chosen_records")
    masked = _QUERIES["masked"].format(
        value="value" if texts else value, characters=MAX_CHARACTERS, varying=_quote(VARYING)
    )
    return _QUERIES[query].format(
        chosen=chosen,
        value=value,
        texts=texts.format(value=value, chosen=chosen),
        masked=masked,
        shape=_QUERIES["shape"].format(masked="masked", quoted=_quote(QUOTED)),
        order=order_sql(field, dialect, "shape"),
    )


def _quote(pattern: str) -> str:
    return "'" + pattern.replace("'", "''") + "'"
