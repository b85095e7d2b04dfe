"""Runs the samples of a format file, and finds where they differ from what the file says."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from puppylog.formats.base import Options
from puppylog.formats.file.definition import Definition
from puppylog.formats.file.document import SampleTable
from puppylog.formats.file.format import make_format
from puppylog.model.record import Parsed

READ_AT_US: Final = 1
"""The time of reading, in microseconds since the epoch. A record of this time has no time of its own."""

_TIME: Final = "ts"


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that a sample expects, and the value that its lines give."""

    sample: int  # its number, from 1
    line: str  # the first line of the sample
    key: str  # such as ``severity`` or ``attributes.pid``
    expected: str  # both as JSON; empty if there is no value
    got: str


def check_samples(definition: Definition) -> list[Difference]:
    """Return where the samples of a format differ from what its file says, in the order of the file."""
    return [
        difference
        for number, sample in enumerate(definition.document.samples, 1)
        for difference in _check(definition, number, sample)
    ]


def read_sample(definition: Definition, sample: SampleTable) -> Parsed:
    """Return the rows of the lines of a sample."""
    lines = sample.line.removesuffix("\n") + "\n"
    return make_format(definition, Options(year=sample.year)).open().parse(lines.encode(), 0, READ_AT_US)


def list_records(parsed: Parsed) -> list[dict[str, Any]]:
    """Return the records as a format file writes them: without null, the time as a text, attributes as a table."""
    return [_write_record(record) for record in parsed.records.to_pylist()]


def _check(definition: Definition, number: int, sample: SampleTable) -> Iterator[Difference]:
    parsed = read_sample(definition, sample)
    expected, got = _outline_sample(sample), _outline(parsed)
    first = sample.line.splitlines()[0]
    for key in dict.fromkeys((*expected, *got)):
        before, after = expected.get(key, ""), got.get(key, "")
        if before != after:
            yield Difference(number, first, key, before, after)


def _outline_sample(sample: SampleTable) -> dict[str, str]:
    """Return what a sample expects: JSON values by key."""
    if sample.rejected is not None:
        return {"rejected": json.dumps(sample.rejected)}
    if sample.rowless:
        return {}
    records = [sample.record] if sample.record is not None else sample.records or []
    return _flatten([_normalize(record) for record in records])


def _outline(parsed: Parsed) -> dict[str, str]:
    """Return what lines have become: JSON values by key."""
    found = _flatten(list_records(parsed))
    reasons = parsed.rejects["reason"].to_pylist()
    return found | ({"rejected": json.dumps(reasons[0] if len(reasons) == 1 else reasons)} if reasons else {})


def _flatten(records: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for number, record in enumerate(records, 1):
        prefix = f"record {number}: " if len(records) > 1 else ""
        for key, value in record.items():
            if key == "attributes" and isinstance(value, Mapping):
                flat |= {f"{prefix}{key}.{name}": _to_json(inner) for name, inner in value.items()}
            else:
                flat[f"{prefix}{key}"] = _to_json(value)
    return flat


def _to_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _normalize(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a written record with its time in the form in which times are compared."""
    found = dict(record)
    written = found.get(_TIME)
    try:
        time = datetime.fromisoformat(written) if isinstance(written, str) else written
    except ValueError:
        return found
    if isinstance(time, datetime):
        found[_TIME] = write_time(time.replace(tzinfo=UTC) if time.tzinfo is None else time)
    return found


def _write_record(record: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in record.items() if value is not None and key != "line_offset"}
    time: datetime = found.pop(_TIME)
    attributes = json.loads(found.pop("attributes", "{}"))
    attributes.pop("ts_source", None)
    has_time = time != datetime.fromtimestamp(READ_AT_US / 1e6, UTC)
    return ({_TIME: write_time(time)} if has_time else {}) | found | ({"attributes": attributes} if attributes else {})


def write_time(time: datetime) -> str:
    """Return a time in UTC as ISO 8601, with milli- or microseconds if it has any."""
    spec = "seconds" if time.microsecond == 0 else "milliseconds" if time.microsecond % 1000 == 0 else "microseconds"
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=spec) + "Z"
