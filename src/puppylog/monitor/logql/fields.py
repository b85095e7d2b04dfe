"""The labels of single records: columns, attributes and the level."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from puppylog.formats.names import ALL_NAMES, normalize
from puppylog.model.logql.labels import DETECTED_LEVEL, LEVEL, LEVELS, UNKNOWN_LEVEL, is_known, name_attribute
from puppylog.model.record import ALIASES, NUMERIC_COLUMNS, TEXT_COLUMNS

COLUMNS: Final = (
    *sorted(TEXT_COLUMNS - {"message"}),
    *sorted(NUMERIC_COLUMNS - {"line_offset", "stream_id", "file_id"}),
)
"""The columns whose values are labels of a record in answers. Others can be filtered, too."""

_MAX_DEPTH: Final = 10
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def list_fields(row: Mapping[str, Any]) -> dict[str, str]:
    """Return the labels of a record, of what its columns and attributes have.

    Args:
        row: the columns of ``log_records``; those that are missing are left out.
    """
    fields = {name: str(row[name]) for name in COLUMNS if row.get(name) is not None}
    severity = row.get("severity")
    if severity is not None:
        fields[DETECTED_LEVEL] = LEVELS.get(_lower(severity), UNKNOWN_LEVEL)
    if row.get("attributes"):
        for name, text in iter_attributes(row["attributes"]):
            fields.setdefault(name_attribute(name), text)
    return {name: text for name, text in fields.items() if text}


def list_hidden(row: Mapping[str, Any], fields: Mapping[str, str], aliases: Mapping[str, str]) -> dict[str, str]:
    """Return the labels that a query can use and that answers do not repeat: ``level``, and columns by other names.

    Args:
        row: as `list_fields` takes it.
        fields: what `list_fields` returned.
        aliases: what `find_aliases` returned for the query.
    """
    message = row.get("message") or ""
    found = {LEVEL: fields.get(DETECTED_LEVEL, ""), "message": message, "msg": message}
    found |= {alias: fields.get(name, found.get(name, "")) for alias, name in {**ALIASES, **aliases}.items()}
    return {name: text for name, text in found.items() if text and name not in fields}


def find_aliases(names: Iterable[str]) -> dict[str, str]:
    """Return the columns of names that formats read into columns.

    >>> find_aliases(["status", "http_status_code", "shop"])
    {'status': 'status_code', 'http_status_code': 'status_code'}
    """
    found = {name: _NAMED.get(normalize(name)) for name in names if not is_known(name)}
    return {name: column for name, column in found.items() if column is not None}


_NAMED: Final = {
    path.replace(".", ""): name.field
    for path, name in ALL_NAMES.by_path.items()
    if name.field in {*TEXT_COLUMNS, *NUMERIC_COLUMNS}
}


def iter_attributes(attributes: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the text of each attribute. Dots stand between the keys of objects; lists are JSON."""
    yield from _iter_members(json.loads(attributes, parse_float=_Written, parse_int=_Written), "", 0)


class _Written(str):
    """A number as it is written."""

    __slots__ = ()


def _iter_members(value: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    for key, inner in value.items():
        name = f"{prefix}{key}"
        match inner:
            case dict() if depth < _MAX_DEPTH:
                yield from _iter_members(inner, f"{name}.", depth + 1)
            case bool():
                yield name, "true" if inner else "false"
            case str():
                yield name, inner
            case list():
                yield name, json.dumps(inner, ensure_ascii=False)
            case _:
                pass


def _lower(text: str) -> str:
    """Return a text with the letters of ASCII in lower case, as all stores do."""
    return "".join(character.lower() if character.isascii() else character for character in text)
