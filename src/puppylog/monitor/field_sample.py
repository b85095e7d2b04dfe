"""The fields of the newest records that a search finds: how many of the records have each, and with which values."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from puppylog.model.query.fields import RECORDS, Kind
from puppylog.model.severity import find_severity
from puppylog.model.source import name_source
from puppylog.monitor.attributes import iter_attributes
from puppylog.monitor.origins import read_origins
from puppylog.monitor.pages import find_page
from puppylog.monitor.search import Search
from puppylog.stores.base import RecordReader

SAMPLE_RECORDS: Final = 1000
"""The number of records that are looked at."""

_UNUSUAL: Final = frozenset({"file_id", "line_offset", "stream_id", "stream"})  # known, but not what people look for
# Of fields that equally many records have, those of one kind come before those of another one.
_PLACES: Final = {Kind.SEVERITY: 0, Kind.SOURCE: 2, Kind.GROUP: 2, Kind.ATTRIBUTE: 3, Kind.FILE: 4}
_COLUMNS: Final = [field for name, field in RECORDS.fields.items() if field.expression == name and name not in _UNUSUAL]
# A field has few enough values to count if it has at most _FEW, or if each has at least _RECORDS_PER_VALUE records.
_FEW: Final = 12
_RECORDS_PER_VALUE: Final = 5
_UNCOUNTED: Final = frozenset({"ts", "message"})


@dataclass(frozen=True, slots=True)
class SampledField:
    """A field that some of the records have."""

    name: str
    kind: Kind
    records: int  # how many of the sample have a value
    values: Mapping[str, int]  # the values as text, each with its number of records; the most frequent first

    @property
    def is_facet(self) -> bool:
        """Whether the field has few enough values to show how many records each of them has."""
        is_few = len(self.values) <= max(_FEW, self.records // _RECORDS_PER_VALUE)
        return is_few and self.name not in _UNCOUNTED


@dataclass(frozen=True, slots=True)
class FieldSample:
    """The fields of some records, the most used first."""

    records: int
    fields: Sequence[SampledField]

    def find(self, name: str) -> SampledField | None:
        """Return the field of that name, which may be written in any case if it is a column."""
        return next((field for field in self.fields if field.name in {name, name.lower()}), None)


def sample_fields(reader: RecordReader, search: Search, *, records: int = SAMPLE_RECORDS) -> FieldSample:
    """Return the fields of the newest records that a search finds."""
    table = find_page(reader, search, records=records, order="newest", after=None).records
    values: dict[tuple[str, Kind], Counter[str]] = {}
    for field in _COLUMNS:
        texts = table[field.name].cast(pa.string()).to_pylist()
        is_severity = field.kind is Kind.SEVERITY
        values[field.name, field.kind] = _count(_name_severities(texts) if is_severity else texts)
    origins = read_origins(reader, set(table["file_id"].to_pylist()))
    named = [origins[file_id] for file_id in table["file_id"].to_pylist() if file_id in origins]
    values["source", Kind.SOURCE] = _count(name_source(one.source_uri) for one in named)
    values["group", Kind.GROUP] = _count(one.group for one in named)
    values["file", Kind.FILE] = _count(one.path for one in named)
    for text in table["attributes"].to_pylist():
        if text is not None:
            for name, value in _iter_texts(json.loads(text)):
                values.setdefault((name, Kind.ATTRIBUTE), Counter())[value] += 1
    found = [
        SampledField(name, kind, counts.total(), dict(counts.most_common()))
        for (name, kind), counts in values.items()
        if counts
    ]
    found.sort(key=lambda field: (-field.records, _PLACES.get(field.kind, 1), field.name))
    return FieldSample(table.num_rows, found)


def _name_severities(words: Iterable[str | None]) -> Iterable[str | None]:
    """Return the names of severities; a word that is none stays as it is."""
    return (None if word is None else find_severity(word) or word for word in words)


def _count(values: Iterable[str | None]) -> Counter[str]:
    return Counter(value for value in values if value is not None)


def _iter_texts(attributes: Any) -> Iterable[tuple[str, str]]:  # noqa: ANN401 - JSON
    """Yield the names and values of attributes. A name that is also that of a column gets the prefix of attributes."""
    for name, value in iter_attributes(attributes):
        if not value.startswith("{"):  # its members are fields of their own
            yield f"attributes.{name}" if name.lower() in RECORDS.fields else name, value
