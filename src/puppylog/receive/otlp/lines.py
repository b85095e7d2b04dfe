"""Writes log records as lines of JSON, and reads the lines as rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

import pyarrow as pa

from puppylog.formats.base import Options
from puppylog.formats.registry import find_format
from puppylog.model.record import REJECTS, Parsed
from puppylog.receive.otlp.members import Members, quote
from puppylog.receive.received import NotDecoded, Problem, Received, ReceivedLines, use_time_of_receipt

MAX_RECORDS: Final = 1_000_000
"""The number of records that one request may have. Real senders send some thousands; a request full of empty records,
of 2 bytes each, would keep a core busy for minutes."""
MAX_BYTES: Final = 256 << 20
"""The size that the lines of one request may have in bytes. Each line repeats the attributes of its resource, so a
small request with one large attribute could fill the memory."""

_FORMAT: Final = find_format("json", Options(joins_lines=False))
_MAX_TEMPLATES: Final = 256


@dataclass(slots=True)
class LineWriter:
    """Writes the records of one scope. Most of them have the same keys, so each list of keys becomes a template."""

    scope: Members
    resource: Members
    _templates: dict[tuple[str, ...], str] = field(default_factory=dict)

    def write(self, keys: Sequence[str], values: Sequence[str]) -> str:
        """Return a record as a JSON object, with the members of its scope and of its resource.

        Args:
            keys: the keys of the record's own fields, then the keys of its attributes.
            values: their values in JSON.
        """
        shape = tuple(keys)
        template = self._templates.get(shape)
        if template is None:
            template = self._make_template(shape)
        return template % tuple(values)

    def _make_template(self, shape: tuple[str, ...]) -> str:
        used: set[str] = set()
        members = [f"{_write_key(_find_free(key, 'attributes.', used))}: %s" for key in shape]
        for prefix, (keys, values) in (("scope.", self.scope), ("resource.", self.resource)):
            for key, value in zip(keys, values, strict=True):
                members.append(f"{_write_key(_find_free(key, prefix, used))}: {value.replace('%', '%%')}")
        if len(self._templates) >= _MAX_TEMPLATES:
            self._templates.clear()
        template = self._templates[shape] = "{" + ", ".join(members) + "}"
        return template


@dataclass(slots=True)
class RequestLines:
    """Gathers the lines of one request by source, and the parts that could not be decoded."""

    problems: list[Problem] = field(default_factory=list)
    _by_source: dict[str, "SourceLines"] = field(default_factory=dict)
    _records: int = 0
    _size: int = 0

    def open_source(self, source: str) -> "SourceLines":
        """Return the lines of a source, to which more can be added."""
        return self._by_source.setdefault(source, SourceLines(self))

    def build(self, received_at_us: int) -> Received:
        """Return the rows.

        Args:
            received_at_us: the time of records that have none, in microseconds since the epoch.

        Raises:
            NotDecoded: the request has problems and not one record.
        """
        if self.problems and not self._records:
            raise NotDecoded(self.problems[0].place, self.problems[0].cause)
        lines = [found.build(source, received_at_us) for source, found in self._by_source.items()]
        return Received(tuple(found for found in lines if found.size), tuple(self.problems))

    def count(self, records: int, size: int) -> None:
        """Count lines.

        Raises:
            NotDecoded: the request has too many records, or they take too much memory.
        """
        self._records += records
        self._size += size
        if self._records > MAX_RECORDS:
            raise NotDecoded("", f"the request has more than {MAX_RECORDS:,} log records")
        if self._size > MAX_BYTES:
            raise NotDecoded("", f"the log records with the attributes of their resources exceed {MAX_BYTES >> 20} MiB")


@dataclass(slots=True)
class SourceLines:
    """The lines of one source. Every method raises as `RequestLines.count`."""

    _request: RequestLines
    _written: list[bytes] = field(default_factory=list)  # lines with their newlines
    _lines: list[str] = field(default_factory=list)
    _rejected: list[tuple[str, bytes]] = field(default_factory=list)  # reasons and bytes

    def add(self, line: str) -> None:
        """Add a line, without a newline."""
        self._request.count(1, len(line))
        self._lines.append(line)

    def add_written(self, lines: bytes) -> None:
        """Add lines in UTF-8, each with its newline."""
        self._request.count(lines.count(b"\n"), len(lines))
        self._written.append(lines)

    def reject(self, cause: str, record: bytes) -> None:
        """Add a record that cannot be decoded, with its bytes as they were sent."""
        self._request.count(1, len(record))
        self._rejected.append((f"not a log record: {cause}", record))

    def build(self, source: str, received_at_us: int) -> ReceivedLines:
        """Return the rows of the lines, and after them the rejected records."""
        data = b"".join([*self._written, "\n".join([*self._lines, ""]).encode("utf-8", "replace")])
        parsed = use_time_of_receipt(_FORMAT.open().parse(data, 0, received_at_us), received_at_us)
        rejects = parsed.rejects
        if self._rejected:
            reasons, lines = zip(*self._rejected, strict=True)
            starts = list(accumulate((len(line) + 1 for line in lines), initial=len(data)))
            columns = [pa.array(starts[:-1]), pa.array(reasons, pa.string()), pa.array(lines, pa.binary())]
            rejects = pa.concat_batches([rejects, pa.RecordBatch.from_arrays(columns, schema=REJECTS)])
            data += b"\n".join([*lines, b""])
        parsed = Parsed(parsed.records, rejects, data, rowless=parsed.rowless)
        return ReceivedLines(source, None, parsed, len(data), _FORMAT.name)


def _write_key(key: str) -> str:
    return quote(key).replace("%", "%%")


def _find_free(key: str, prefix: str, used: set[str]) -> str:
    """Return the key, with as many prefixes as make it differ from all keys before, and add it to these."""
    while key in used:
        key = prefix + key
    used.add(key)
    return key
