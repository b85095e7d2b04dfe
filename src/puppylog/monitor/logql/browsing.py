"""What clients ask about labels, streams and fields, in order to offer them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from puppylog.model.logql.conditions import FALSE, TRUE, Condition, InStreams
from puppylog.model.logql.label_comparison import read_number
from puppylog.model.logql.labels import DETECTED_LEVEL, LEVEL, OfStream, is_known
from puppylog.model.logql.translation import text_of
from puppylog.model.logql.tree import LogQuery, Unit
from puppylog.monitor.logql.asking import Asking, Within
from puppylog.monitor.logql.entries import find_entries
from puppylog.monitor.logql.sql import QUERIES

_MAX_VALUES: Final = 1000
_SAMPLE: Final = 1000  # entries from which fields are collected
_FEW_VALUES: Final = 20  # an attribute with more values in the sample is offered as a field, not as a label
_MAX_VALUE_LENGTH: Final = 100  # in characters
_SIZED: Final = 1000  # entries of which the mean size is taken


def list_labels(asking: Asking, query: LogQuery, within: Within) -> list[str]:
    """Return the names of labels: those of the streams, and those of records that have few values."""
    streams = find_streams(asking, [query], within)
    found = {name for stream in streams for name in stream}
    values = _count_values(asking, query, within)
    if DETECTED_LEVEL in values:
        found.add(LEVEL)
    found |= {name for name, counts in values.items() if not is_known(name) and _is_label(counts)}
    return sorted(found)


def _is_label(counts: Mapping[str, int]) -> bool:
    is_short = all(len(text) <= _MAX_VALUE_LENGTH for text in counts)
    return is_short and len(counts) <= _FEW_VALUES and len(counts) * 2 <= sum(counts.values()) + 1


def _count_values(asking: Asking, query: LogQuery, within: Within, entries: int = _SAMPLE) -> dict[str, Counter[str]]:
    """Return how often each value of each field is in a sample of the newest entries."""
    found: dict[str, Counter[str]] = {}
    for entry in find_entries(asking, query, within, direction="backward", limit=entries):
        for name, text in {**entry.metadata, **entry.parsed}.items():
            found.setdefault(name, Counter())[text] += 1
    return found


def list_values(asking: Asking, query: LogQuery, within: Within, name: str, *, most: int = _MAX_VALUES) -> list[str]:
    """Return the values of a label; of a label of records the most frequent ones."""
    chosen = asking.choose(query, [name])
    value = chosen.labels.find(name)
    if isinstance(value, OfStream):
        streams = find_streams(asking, [query], within)
        return sorted({stream[value.name] for stream in streams if value.name in stream})[:most]
    rendering = asking.rendering()
    sql = QUERIES["label_values"].format(
        value=rendering.text(text_of(value, asking.written, 0)), where=rendering.condition(chosen.condition)
    )
    rows = asking.reader.query(sql, {**rendering.values, **within.parameters(), "most": most})
    return sorted(rows["value"].to_pylist())


def find_streams(asking: Asking, queries: Sequence[LogQuery], within: Within) -> list[Mapping[str, str]]:
    """Return the labels of the streams that have records which one of the queries chooses.

    If a query asks for labels of streams alone, their records are not looked at, and the time does not count.
    """
    found: set[int] = set()
    for query in queries:
        found |= _find_stream_ids(asking, asking.choose(query).condition, within)
    unique = {tuple(sorted(asking.streams[id_].items())): id_ for id_ in sorted(found) if id_ in asking.streams}
    return [dict(labels) for labels in sorted(unique)]


def _find_stream_ids(asking: Asking, condition: Condition, within: Within) -> set[int]:
    if condition == FALSE:
        return set()
    if condition == TRUE:
        return set(asking.streams)
    if isinstance(condition, InStreams):
        return set(condition.ids)
    rendering = asking.rendering()
    sql = QUERIES["streams_with_entries"].format(where=rendering.condition(condition))
    rows = asking.reader.query(sql, {**rendering.values, **within.parameters()})
    return set(rows["stream_id"].to_pylist())


@dataclass(frozen=True, slots=True)
class Amount:
    """How much a query chooses. The bytes are those of its entries times the mean size of some of them."""

    streams: int
    entries: int
    size_bytes: int


def measure(asking: Asking, query: LogQuery, within: Within) -> Amount:
    """Return how much a query chooses."""
    rendering = asking.rendering()
    where = rendering.condition(asking.choose(query).condition)
    values = {**rendering.values, **within.parameters()}
    rows = asking.reader.query(QUERIES["entries_per_stream"].format(where=where), values).to_pylist()
    entries = sum(int(row["n"]) for row in rows)
    sql = QUERIES["sampled_size"].format(where=where, size=rendering.fragment("size", text=rendering.line))
    [size] = asking.reader.query(sql, {**values, "entries": _SIZED})["size"].to_pylist()
    return Amount(len(rows), entries, round(float(size or 0) * entries))


@dataclass(frozen=True, slots=True)
class DetectedField:
    """A field of entries: a label of records."""

    name: str
    type: str  # of Loki: string, int, float, boolean, duration or bytes
    cardinality: int  # of its values in the sample


def detect_fields(asking: Asking, query: LogQuery, within: Within, *, entries: int, most: int) -> list[DetectedField]:
    """Return the fields of some of the newest entries, in the order of their names."""
    values = _count_values(asking, query, within, entries)
    found = [DetectedField(name, _find_type(counts), len(counts)) for name, counts in sorted(values.items())]
    return found[:most]


_TYPES: Final[tuple[tuple[str, Unit], ...]] = (("float", "number"), ("duration", "duration"), ("bytes", "bytes"))


def _find_type(texts: Iterable[str]) -> str:
    """Return the type that all texts have."""
    known = list(texts)
    if all(text in {"true", "false"} for text in known):
        return "boolean"
    if all(text.lstrip("-").isdecimal() for text in known):
        return "int"
    for name, unit in _TYPES:
        if all(read_number(text, unit) is not None for text in known):
            return name
    return "string"


def count_labels(asking: Asking, query: LogQuery, within: Within) -> dict[str, int]:
    """Return how many different values each label of the chosen streams has, and ``level`` in a sample."""
    counts: dict[str, set[str]] = {}
    for stream in find_streams(asking, [query], within):
        for name, text in stream.items():
            counts.setdefault(name, set()).add(text)
    found = {name: len(texts) for name, texts in counts.items()}
    values = _count_values(asking, query, within)
    if DETECTED_LEVEL in values:
        found[LEVEL] = len(values[DETECTED_LEVEL])
    found |= {name: len(counted) for name, counted in values.items() if not is_known(name) and _is_label(counted)}
    return dict(sorted(found.items()))
