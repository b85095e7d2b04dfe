"""The fields of a record after its message: columns and attributes as ``name=value``, dim, matches highlighted."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

from puppylog.model.number import format_bytes
from puppylog.model.query.matches import Matches
from puppylog.tui.clean import clean, width_of
from puppylog.tui.runs import Run

Row: TypeAlias = Mapping[str, Any]
"""A record by the columns of ``log_records``."""

DIM: Final = "2"
_HIGHLIGHT: Final = "1;7"
_MAX_DEPTH: Final = 5
# A value on a terminal is cut to this width, and the attributes of a record to one and a half lines. Otherwise the
# headers of one request would fill the screen.
_MAX_VALUE: Final = 60
_ATTRIBUTE_LINES: Final = 1.5

# Columns that a terminal shows only if they match the query: they are long, and alike in most records.
_SELDOM: Final = ("referer", "user_agent", "request_proto", "ident")
_COLUMNS: Final = ("host", "response_bytes", "ruser", *_SELDOM)
_PLAIN_CHARACTERS: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:/@%+,;?&~#*!()[]<>{}$^|-"
)


def text_runs(text: str, matches: Matches, name: str, style: str = "", *, is_quoted: bool = False) -> list[Run]:
    """Return the text of the field ``name``, cleaned, with highlighted matches; escaped as in JSON if it is quoted."""
    runs: list[Run] = []
    at = 0
    for start, end in matches.find(name, text) if matches else ():
        runs += [Run(_clean(text[at:start], is_quoted), style), Run(_clean(text[start:end], is_quoted), _HIGHLIGHT)]
        at = end
    runs.append(Run(_clean(text[at:], is_quoted), style))
    return [run for run in runs if run.text]


def _clean(text: str, is_quoted: bool) -> str:
    return clean(json.dumps(text, ensure_ascii=False)[1:-1] if is_quoted else text)


class Attribute(NamedTuple):
    """An attribute as it is shown. The keys of nested objects are joined with dots."""

    name: str
    text: str
    is_json: bool = False  # whether the text is JSON rather than a text of the log


def iter_attributes(document: str | None) -> Iterator[Attribute]:
    """Yield every attribute that is not null, members of nested objects last."""
    if document is None:
        return
    try:
        attributes = json.loads(document)
    except (ValueError, RecursionError):
        attributes = None
    if isinstance(attributes, dict):
        yield from _iter_members(attributes, "", 0)
    else:
        yield Attribute("attributes", document)


def _iter_members(members: Mapping[str, Any], prefix: str, depth: int) -> Iterator[Attribute]:
    nested = []
    for key, value in members.items():
        if isinstance(value, dict) and value and depth < _MAX_DEPTH:
            nested.append((f"{prefix}{key}.", value))
        elif isinstance(value, str):
            yield Attribute(f"{prefix}{key}", value)
        elif value is not None:
            yield Attribute(f"{prefix}{key}", json.dumps(value, ensure_ascii=False), is_json=True)
    for name, inner in nested:
        yield from _iter_members(inner, name, depth + 1)


def whole_fields(row: Row, matches: Matches) -> list[list[Run]]:
    """Return all fields of a record that are not before its message or in it."""
    columns = [Attribute(name, str(row[name])) for name in _COLUMNS if row[name] is not None]
    return [_field(attribute, matches) for attribute in (*columns, *iter_attributes(row["attributes"]))]


def short_fields(row: Row, matches: Matches, width: int, left_out: dict[str, None]) -> list[list[Run]]:
    """Return the fields of a record for a terminal.

    Args:
        row: the record.
        matches: what finds the parts to highlight.
        width: of the terminal, in cells.
        left_out: gets the names of columns that are not shown, and ``attributes`` if some are cut.
    """
    is_request = row["request_method"] is not None
    fields: list[list[Run]] = []
    for name in _COLUMNS:
        if (value := row[name]) is None:
            continue
        if name == "response_bytes":
            fields.append([Run(format_bytes(value).replace(" ", ""), DIM)])
        elif name == "host" and is_request:
            fields.append(text_runs(value, matches, name, DIM))
        elif name not in _SELDOM or matches.find(name, value):
            fields.append(_field(Attribute(name, value), matches))
        else:
            left_out[name] = None
    return fields + _short_attributes(row, matches, width, left_out)


def _short_attributes(row: Row, matches: Matches, width: int, left_out: dict[str, None]) -> list[list[Run]]:
    found = [
        (bool(matches and matches.find(attribute.name, attribute.text)), attribute)
        for attribute in iter_attributes(row["attributes"])
    ]
    fields: list[list[Run]] = []
    cells = int(_ATTRIBUTE_LINES * width)
    for shown, (is_match, attribute) in enumerate(sorted(found, key=lambda pair: not pair[0])):
        if not is_match and len(attribute.text) > _MAX_VALUE:
            left_out["attributes"] = None
            runs = _field(attribute._replace(text=f"{attribute.text[: _MAX_VALUE - 1]}…"), matches)
        else:
            runs = _field(attribute, matches)
        cells -= sum(width_of(run.text) for run in runs) + 1
        if cells < 0 and not is_match and shown:
            left_out["attributes"] = None
            return [*fields, [Run(f"+{len(found) - shown}", DIM)]]
        fields.append(runs)
    return fields


def _field(attribute: Attribute, matches: Matches) -> list[Run]:
    """Return ``name=value``. A text or a name is in quotes unless it is of characters that need none."""
    name, text, is_json = attribute
    is_quoted = not is_json and not (text and _PLAIN_CHARACTERS.issuperset(text))
    quote = '"' if is_quoted else ""
    value = text_runs(text, matches, name, DIM, is_quoted=is_quoted)
    shown = clean(name if _PLAIN_CHARACTERS.issuperset(name) else json.dumps(name, ensure_ascii=False))
    return [Run(f"{shown}={quote}", DIM), *value, Run(quote, DIM)]


def join_fields(before: Sequence[Run], fields: Sequence[Sequence[Run]]) -> list[Run]:
    """Return the runs ``before``, two blanks, and the fields with a blank between two of them."""
    runs = list(before)
    for field in fields:
        runs += [Run("  " if len(runs) == len(before) else " "), *field] if runs else field
    return runs
