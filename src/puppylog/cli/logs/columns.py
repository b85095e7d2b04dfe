"""The columns that ``logs --columns`` shows: columns of the records, attributes, and the origin of a record."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from puppylog.cli.logs.origins import Origins
from puppylog.errors import SearchError, UsageError
from puppylog.model.query import RECORDS
from puppylog.model.query.fields import Kind, find_nearest, resolve
from puppylog.model.query.tree import Name
from puppylog.model.record import ALIASES, COLUMNS
from puppylog.model.source import name_source
from puppylog.monitor.attributes import find_attributes
from puppylog.monitor.condition import dialect_of
from puppylog.monitor.origins import Origin
from puppylog.stores.base import Store

_PREFIX: Final = "attributes."
_ORIGINS: Final[Mapping[Kind, Callable[[Origin], str | None]]] = {
    Kind.SOURCE: lambda origin: name_source(origin.source_uri),
    Kind.FILE: lambda origin: origin.path,
    Kind.GROUP: lambda origin: origin.group,
}


@dataclass(frozen=True, slots=True)
class Column:
    """A column to show."""

    name: str  # as the user wrote it
    kind: Kind
    source: str  # the column of the records, or the key of the attribute with dots


def read_columns(store: Store, written: str) -> Sequence[Column]:
    """Return the columns whose names are in ``written``, separated by commas.

    Raises:
        UsageError: a name is not that of a column, of an attribute of some record, or of an origin.
    """
    names = [name for part in written.split(",") if (name := part.strip())]
    if not names:
        raise UsageError("show", "no columns", advice="name some, such as --columns ts,message,attributes.user")
    certain = {*COLUMNS, *RECORDS.names}
    unsure = [name for name in names if name.lower() not in certain and not name.lower().startswith(_PREFIX)]
    attributes = find_attributes(store, unsure, dialect_of(store)) if unsure else {}
    return [_read_column(name, attributes) for name in names]


def _read_column(name: str, attributes: Mapping[str, str]) -> Column:
    lowered = name.lower()
    if lowered == "attributes":
        return Column(name, Kind.TEXT, "attributes")
    try:
        found = resolve(Name(name), RECORDS, attributes, name)
    except SearchError:
        nearest = find_nearest(name, RECORDS, attributes)
        advice = f"the nearest {'is' if len(nearest) == 1 else 'are'} {' and '.join(nearest)}" if nearest else ""
        raise UsageError("show", f"column {name!r}", "no record has a field of this name", advice) from None
    if found.kind is Kind.ATTRIBUTE:
        return Column(name, found.kind, name[len(_PREFIX) :] if lowered.startswith(_PREFIX) else name)
    return Column(name, found.kind, "stream_id" if found.kind is Kind.STREAM else ALIASES.get(lowered, lowered))


def select_columns(records: pa.Table, columns: Sequence[Column], origins: Origins) -> pa.Table:
    """Return a table with these columns of the records, and with ``is_match`` if the records have it."""
    arrays: list[pa.Array | pa.ChunkedArray] = []
    names: list[str] = []
    for column in columns:
        names.append(column.name)
        if column.kind is Kind.ATTRIBUTE:
            arrays.append(_attribute(records["attributes"].to_pylist(), column.source))
        elif column.kind in _ORIGINS:
            found = [origins.find(file_id) for file_id in records["file_id"].to_pylist()]
            read = _ORIGINS[column.kind]
            arrays.append(pa.array([None if origin is None else read(origin) for origin in found], pa.string()))
        else:
            arrays.append(records[column.source])
    if "is_match" in records.column_names:
        arrays.append(records["is_match"])
        names.append("is_match")
    return pa.table(arrays, names=names)


def _attribute(documents: Sequence[str | None], key: str) -> pa.Array:
    """Return an attribute of each record as JSON, so that a number stays a number in the output."""
    values = [None if document is None else find_member(json.loads(document), key) for document in documents]
    texts = [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]
    return pa.ExtensionArray.from_storage(pa.json_(pa.string()), pa.array(texts, pa.string()))


def find_member(members: Any, key: str) -> Any:  # noqa: ANN401 - JSON
    """Return the member of a JSON object that has this key, or else the one whose path of keys it is; None without."""
    if not isinstance(members, dict):
        return None
    if key in members:
        return members[key]
    for outer, inner in members.items():
        if key.startswith(f"{outer}.") and (found := find_member(inner, key[len(outer) + 1 :])) is not None:
            return found
    return None
