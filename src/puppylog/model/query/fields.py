"""What a name in a query means: a column, an attribute, or the origin of the record.

A query about records and one about rejected lines have other columns. Any other name is the name of an
attribute, which the caller must know from the store; ``attributes.name`` is one without being asked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from puppylog.model.expression.attribute import attribute_text
from puppylog.model.query.scanning import refuse
from puppylog.model.query.tree import Name, Query, iter_names
from puppylog.model.record import ALIASES, COLUMNS, TEXT_COLUMNS


class Kind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    TIME = "time"
    SEVERITY = "severity"
    ATTRIBUTE = "attribute"  # text, which compares as a number where it is one
    SOURCE = "source"
    STREAM = "stream"
    GROUP = "group"
    FILE = "file"
    LABEL = "label"  # of the stream


@dataclass(frozen=True, slots=True)
class Field:
    """A field that exists, and the expression that is its value; empty for what is not in the records' table.

    Of a label, the expression is the label's name.
    """

    name: str
    kind: Kind
    expression: str = ""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The fields of what is searched."""

    fields: Mapping[str, Field]
    words_in: Sequence[str] | None  # the columns that words are looked for in; None: any text of a record
    has_attributes: bool

    @property
    def names(self) -> Sequence[str]:
        return list(self.fields)


_FROM: Final = {
    "source": Field("source", Kind.SOURCE),
    "stream": Field("stream", Kind.STREAM, "stream_id"),
    "group": Field("group", Kind.GROUP),
    "file": Field("file", Kind.FILE),
}


def _kind(column: str) -> Kind:
    if column == "severity":
        return Kind.SEVERITY
    if column == "ts":
        return Kind.TIME
    return Kind.TEXT if column in TEXT_COLUMNS else Kind.NUMBER


_COLUMNS: Final = {name: Field(name, _kind(name), name) for name in sorted(COLUMNS - {"attributes"})}

RECORDS: Final = Vocabulary(
    fields={**_COLUMNS, **{alias: _COLUMNS[name] for alias, name in ALIASES.items()}, **_FROM},
    words_in=None,
    has_attributes=True,
)
"""The fields of records."""

REJECTS: Final = Vocabulary(
    fields={
        "line": Field("line", Kind.TEXT, "line"),
        "reason": Field("reason", Kind.TEXT, "reason"),
        "rejected_at": Field("rejected_at", Kind.TIME, "rejected_at"),
        **{name: _COLUMNS[name] for name in ("line_offset", "stream_id", "file_id")},
        **_FROM,
    },
    words_in=("line", "reason"),
    has_attributes=False,
)
"""The fields of rejected lines."""

_PREFIX: Final = "attributes."
_LABEL: Final = "label."


def find_attribute_names(query: Query) -> list[str]:
    """Return the names in a query about records that are attributes if they are anything, without repeats."""
    names = [name.text for name in iter_names(query) if not _is_certain(name.text)]
    return list(dict.fromkeys(names))


def _is_certain(name: str) -> bool:
    return name.lower() in RECORDS.fields or _is_prefixed(name) or _is_label(name)


def _is_label(name: str) -> bool:
    return name.lower().startswith(_LABEL) and len(name) > len(_LABEL)


def _is_prefixed(name: str) -> bool:
    return name.lower().startswith(_PREFIX) and len(name) > len(_PREFIX)


def resolve(name: Name, vocabulary: Vocabulary, attributes: Mapping[str, str], query: str) -> Field:
    """Return the field of that name.

    Args:
        name: as it is written in the query.
        vocabulary: the fields of what is searched.
        attributes: the names of attributes that the store knows, each with an example of its value.
        query: the text of the query, for the error.

    Raises:
        SearchError: there is none; the error has the nearest names and an example.
    """
    if field := find_field(name, vocabulary, attributes, query):
        return field
    cause, example = describe_unknown(name.text, vocabulary, attributes)
    cause = f'there is no field "{name.text}"' + (f"; {cause}" if cause else "")
    advice = f'to search for this text, put it into quotes: "{name.text}"'
    raise refuse(query, name.span.start, cause, f"{example}; {advice}" if example else advice)


def find_field(name: Name, vocabulary: Vocabulary, attributes: Mapping[str, str], query: str) -> Field | None:
    """Return the field of that name, or None if there is none. The arguments are those of `resolve`.

    Raises:
        SearchError: it is the name of an attribute, and no key of an attribute looks like that.
    """
    if field := vocabulary.fields.get(name.text.lower()):
        return field
    if _is_label(name.text):
        return Field(name.text, Kind.LABEL, name.text[len(_LABEL) :])
    if vocabulary.has_attributes and (_is_prefixed(name.text) or name.text in attributes):
        key = name.text[len(_PREFIX) :] if _is_prefixed(name.text) else name.text
        return Field(name.text, Kind.ATTRIBUTE, attribute_expression(name, key, query))
    return None


def attribute_expression(name: Name, key: str, query: str) -> str:
    """Return the expression of an attribute: of a key that has dots in it, or of one in an object.

    Raises:
        SearchError: no key of an attribute looks like that.
    """
    if set(key) & set('"\\*') or any(character < " " for character in key) or "" in key.split("."):
        raise refuse(query, name.span.start, 'the name of an attribute has no * " \\ and no control characters')
    return attribute_text(key)


def find_nearest(name: str, vocabulary: Vocabulary, attributes: Mapping[str, str]) -> list[str]:
    """Return up to three names of fields that are spelt almost like ``name``, the nearest first."""
    from difflib import get_close_matches  # noqa: PLC0415 - only an unknown field needs it

    known = [*vocabulary.names, *(attributes if vocabulary.has_attributes else ())]
    lowered = {candidate.lower(): candidate for candidate in known}
    return [lowered[found] for found in get_close_matches(name.lower(), lowered, n=3, cutoff=0.5)]


def describe_unknown(name: str, vocabulary: Vocabulary, attributes: Mapping[str, str]) -> tuple[str, str]:
    """Return the names nearest to an unknown one, and an example of a field, for an error; both may be empty."""
    nearest = find_nearest(name, vocabulary, attributes)
    cause = f"the nearest {'is' if len(nearest) == 1 else 'are'} {' and '.join(nearest)}" if nearest else ""
    example = next(((key, attributes[key]) for key in [*nearest, *attributes] if key in attributes), None)
    return cause, "" if example is None else f"the store has, for example, {example[0]}:{_shown(example[1])}"


def _shown(value: str) -> str:
    """Return the value of an example as a query has it, short."""
    short = value if len(value) <= 40 else value[:39] + "*"
    return short if short and not set(short) & set(' "()\t\n\\') else '"' + short.replace('"', '\\"') + '"'
