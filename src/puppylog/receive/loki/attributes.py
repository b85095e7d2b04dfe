"""Labels and structured metadata become attributes, and the severity of records whose lines have none.

If the line has an attribute of the same name, the line's one keeps the name. Then the label ``x`` becomes ``label_x``,
and the metadata ``x`` becomes ``metadata_x``, also where a label has the name. If the values are equal, one is kept.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from puppylog.formats.json_text import read_object
from puppylog.formats.names import find_name, normalize
from puppylog.formats.quoting import quote
from puppylog.formats.rows import write_object
from puppylog.formats.severity import KEY as SEVERITY_TEXT
from puppylog.formats.severity import NOTATIONS, read_severity
from puppylog.receive.loki.streams import Members, write_key

_LINE_TIME: Final = "line_time"
_GUESSED: Final = "detected_level"  # what Loki finds in a line; used if nothing else names the severity
_MAX_SEVERITY_LENGTH: Final = 64  # in characters; a longer text is not a severity
_MAX_LEVEL_KEY_LENGTH: Final = 40  # in characters; no key that names a severity is longer
_LAST_RANK: Final = 1 << 30
_MAX_SEARCHED: Final = 32  # names that are searched in all attributes at once; each search reads all of them


@dataclass(frozen=True, slots=True)
class _Labels:
    """The labels of a stream."""

    members: Members
    level_name: str | None  # the label that names a severity
    level: str | None  # the severity that it names
    all: str | None  # all labels as members of an object, without braces; None if there is none
    others: Members  # all but the one that names a severity, and the word of that one if it differs
    rest: str | None  # the others as members of an object


def add_members(
    records: pa.RecordBatch,
    stream: pa.Array,
    labels: Sequence[Members],
    *,
    metadata: Sequence[Members | None] | None,
    line_time: pa.Array | None,
) -> tuple[pa.Array, pa.Array]:
    """Return the columns ``severity`` and ``attributes`` with what the entries of the records say.

    Args:
        records: the records as their lines say.
        stream: int32: the number of the stream of each record.
        labels: of each stream.
        metadata: of each record; None if no record has any.
        line_time: for each record, the time in its line as a text, or null if it is the entry's; None if all are null.
    """
    read = [_read_labels(members) for members in labels]
    if _may_clash(records["attributes"], labels, metadata or ()):
        return _add_to_each(records, stream, read, metadata, line_time)
    parts = []
    if metadata is not None:
        parts.append(pa.array([_write(members) if members else None for members in metadata], pa.string()))
    if line_time is not None:
        parts.append(pc.binary_join_element_wise(f'{write_key(_LINE_TIME)}"', line_time, '"', ""))
    return _add_to_all(records, stream, read, parts)


def _read_labels(members: Members) -> _Labels:
    name, level, kept = _find_level(members)
    others = {**kept, **{key: value for key, value in members.items() if key != name}}
    return _Labels(members, name, level, _write(members), others, _write(others))


def _find_level(members: Members) -> tuple[str | None, str | None, Members]:
    """Return the key of the member that names a severity best, the severity, and the members that keep its word.

    Return None and None if there is none.
    """
    ranks = [(rank, key) for key in members if (rank := _rank_level(key)) is not None]
    for _, key in sorted(ranks):
        severity, kept = _read_severity(key, members[key])
        if severity is not None:
            return key, severity, kept
    return None, None, {}


def _rank_level(key: str) -> int | None:
    """Return the rank of a key among those that name a severity, the best is 0; None for other keys."""
    return _rank_short_level(key) if len(key) <= _MAX_LEVEL_KEY_LENGTH else None


@lru_cache(maxsize=1024)
def _rank_short_level(key: str) -> int | None:
    name = find_name(normalize(key))
    if name is not None and name.field == "severity":
        return name.rank
    return _LAST_RANK if key == _GUESSED else None


def _read_severity(key: str, value: str) -> tuple[str | None, Members]:
    text = json.loads(value)
    if not isinstance(text, str) or len(text) > _MAX_SEVERITY_LENGTH:
        return None, {}
    name = find_name(normalize(key))
    severity, kept = read_severity(text, NOTATIONS[0] if name is None else name.notation)
    return severity, {SEVERITY_TEXT: quote(kept)} if kept and key != _GUESSED else {}


def _write(members: Members) -> str | None:
    """Return the members of an object without braces; None if there is none."""
    return ", ".join([write_key(key) + value for key, value in members.items()]) or None


def _may_clash(attributes: pa.Array, labels: Sequence[Members], metadata: Sequence[Members | None]) -> bool:
    """Return whether two members of a record may have one name, or metadata may name a severity."""
    of_labels = set().union(*labels)
    of_metadata = set().union(*filter(None, metadata))
    if not of_labels.isdisjoint(of_metadata) or any(_rank_level(key) is not None for key in of_metadata):
        return True
    names = of_labels | of_metadata | {_LINE_TIME, SEVERITY_TEXT}
    if attributes.null_count == len(attributes):
        return _LINE_TIME in of_labels | of_metadata
    if len(names) > _MAX_SEARCHED:
        return True
    data = attributes.buffers()[2]
    text = b"" if data is None else data.to_pybytes()
    return any(write_key(name).encode() in text for name in names)


def _add_to_all(
    records: pa.RecordBatch, stream: pa.Array, labels: Sequence[_Labels], parts: Sequence[pa.Array]
) -> tuple[pa.Array, pa.Array]:
    """Add members whose names differ; ``parts`` are members without braces, or null, for each record."""
    attributes = records["attributes"]
    level = pa.array([of.level for of in labels], pa.string()).take(stream)
    severity = pc.coalesce(records["severity"], level)
    is_level_used = pc.fill_null(pc.equal(severity, level), fill_value=False)
    full = pa.array([of.all for of in labels], pa.string()).take(stream)
    rest = pa.array([of.rest for of in labels], pa.string()).take(stream)
    parts = [pc.if_else(is_level_used, rest, full), *parts]
    if attributes.null_count < len(attributes):
        parts.insert(0, pc.binary_slice(attributes.cast(pa.binary()), 1, -1).cast(pa.string()))
    # Arrow drops the rows in which all parts are null, so one part is empty in them.
    parts[-1] = pc.if_else(pc.coalesce(*parts).is_null(), "", parts[-1])
    joined = parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, ", ", null_handling="skip")
    objects = pc.binary_join_element_wise("{", joined, "}", "")
    return severity, pc.if_else(pc.equal(objects, "{}"), None, objects)


def _add_to_each(
    records: pa.RecordBatch,
    stream: pa.Array,
    labels: Sequence[_Labels],
    metadata: Sequence[Members | None] | None,
    line_time: pa.Array | None,
) -> tuple[pa.Array, pa.Array]:
    rows = zip(
        records["severity"].to_pylist(),
        records["attributes"].to_pylist(),
        stream.to_pylist(),
        repeat(None) if metadata is None else metadata,
        repeat(None) if line_time is None else line_time.to_pylist(),
        strict=False,
    )
    built = [_add_to_record(own, text, labels[at], members or {}, time) for own, text, at, members, time in rows]
    severities, texts = zip(*built, strict=True)
    return pa.array(severities, pa.string()), pa.array(texts, pa.string())


def _add_to_record(
    severity: str | None, attributes: str | None, labels: _Labels, metadata: Members, line_time: str | None
) -> tuple[str | None, str | None]:
    """Return the severity and the attributes of one record."""
    level_name, level, kept = _find_level(metadata) if metadata else (None, None, {})
    if severity is None:
        severity = labels.level if labels.level is not None and labels.level_name != _GUESSED else level or labels.level
    of_labels = labels.rest if labels.level is not None and labels.level == severity else labels.all
    if level is not None and level == severity:
        metadata = {**kept, **{key: value for key, value in metadata.items() if key != level_name}}
    if line_time is not None:
        metadata = {**metadata, _LINE_TIME: quote(line_time)}
    if _is_unique(attributes or "", {**labels.others, **labels.members}, metadata):
        parts = [attributes[1:-1] if attributes else None, of_labels, _write(metadata)]
        text = ", ".join(part for part in parts if part)
        return severity, f"{{{text}}}" if text else None
    members = {item.key: item.json for item in read_object(attributes)[0]} if attributes else {}
    _add_renamed(members, labels.others if of_labels is labels.rest else labels.members, "label_")
    _add_renamed(members, metadata, "metadata_")
    return severity, write_object(members.items())


def _is_unique(attributes: str, labels: Members, metadata: Members) -> bool:
    """Return whether certainly no two of the names are equal."""
    if not labels.keys().isdisjoint(metadata):
        return False
    return not attributes or not any(write_key(key) in attributes for key in (*labels, *metadata))


def _add_renamed(members: dict[str, str], added: Members, prefix: str) -> None:
    """Add members; a member whose name is taken by another value gets the prefix."""
    for key, value in added.items():
        name = key
        while members.get(name, value) != value:
            name = prefix + name
        members[name] = value
