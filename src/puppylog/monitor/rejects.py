"""Reading rejected lines: their locations, the number of lines per reason, and their bytes.

A store may hold millions of rejected lines, each up to the greatest length of a line. So the first query returns only
locations (file and offset) and lengths; further queries fetch the lines at these locations, in batches of limited size.
A line that is deleted between the two queries is left out.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import accumulate
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from puppylog.errors import NotFound
from puppylog.model.source import name_source
from puppylog.monitor.range import ALWAYS, Range
from puppylog.stores.base import RecordReader, Value
from puppylog.stores.queries import load_queries

LINES: Final = pa.schema(
    [
        ("stream_id", pa.int32()),
        ("file_id", pa.int32()),
        ("line_offset", pa.int64()),
        ("rejected_at", pa.timestamp("us", tz="UTC")),
        ("reason", pa.string()),
        ("line", pa.binary()),
    ]
)
"""The columns of the batches of rejected lines. ``line`` does not include the newline."""

_QUERIES = load_queries("puppylog.stores", "rejects.sql")
_GROUPS = load_queries("puppylog.stores", "monitor.sql")

_PAGE_LINES: Final = 65_536
# Limits on a batch of lines. A caller that works on a batch needs a few times its size in memory.
_BATCH_LINES: Final = 16_384
_BATCH_BYTES: Final = 8 << 20
_BY_LOCATION: Final = ("stream_id", "file_id", "line_offset")


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file that has been collected."""

    file_id: int
    stream_id: int
    path: str  # the path at which a collector last saw the file
    source_uri: str


@dataclass(frozen=True, slots=True)
class RejectFilter:
    """Which rejected lines a query returns."""

    within: Range = ALWAYS  # of the time when a line was rejected
    reason: str = ""  # text that the reason contains; case is ignored
    group_id: int | None = None  # None: of any group
    file_ids: Sequence[int] | None = None  # None: of any file
    condition: str = "true"  # SQL of the store, rendered from a checked expression

    def render(self, query: str, **parts: str) -> str:
        """Return the SQL of the named query ``query`` with this filter in it.

        Args:
            query: the name.
            parts: the SQL of the other words in braces of the query.
        """
        in_group = _GROUPS["in_any_group" if self.group_id is None else "in_one_group"]
        in_files = _QUERIES["in_any_file" if self.file_ids is None else "in_these_files"]
        wanted = _QUERIES["wanted"].format(in_group=in_group, in_files=in_files, where=f"({self.condition})")
        return _QUERIES[query].format(wanted=wanted, **parts)

    def parameters(self) -> dict[str, Value]:
        """Return the values of the parameters in the SQL that `render` returns."""
        values: dict[str, Value] = {**self.within.parameters(), "reason": self.reason}
        if self.group_id is not None:
            values["group_id"] = self.group_id
        if self.file_ids is not None:
            values["wanted_files"] = ",".join(map(str, self.file_ids))
        return values


def read_files(reader: RecordReader) -> dict[int, KnownFile]:
    """Return every file that has been collected, by its id."""
    rows = reader.query(_QUERIES["known_files"]).to_pylist()
    return {row["file_id"]: KnownFile(**row) for row in rows}


def get_file_ids(files: dict[int, KnownFile], patterns: Sequence[str]) -> Sequence[int]:
    """Return the ids of the files that at least one of the patterns matches.

    A pattern is a file's path, the path, the name or the URI of its source, or one of these with ``*``, ``?`` and
    ``[…]``, which match slashes, too; ``-`` is standard input. A pattern that matches a source matches its rotated
    files as well.

    Raises:
        NotFound: one of the patterns matches no file.
    """
    found: dict[int, None] = {}
    for pattern in patterns:
        written = {pattern, str(Path(pattern).absolute())}
        matches = [file.file_id for file in files.values() if any(_matches(file, word) for word in written)]
        if not matches:
            raise NotFound("find", f"source {pattern!r}", "no such file has been collected into this store")
        found.update(dict.fromkeys(matches))
    return sorted(found)


def _matches(file: KnownFile, pattern: str) -> bool:
    source = urlsplit(file.source_uri)
    if pattern == "-":
        return source.scheme == "stdin"
    names = {file.source_uri, name_source(file.source_uri), unquote(source.path), file.path} - {""}
    return any(name == pattern or fnmatchcase(name, pattern) for name in names)


def count_reasons(reader: RecordReader, wanted: RejectFilter) -> pa.Table:
    """Return the number of rejected lines per reason and stream, most frequent first.

    Columns: ``stream_id``, ``reason``, ``lines``, ``first_at``, ``last_at``.
    """
    found = reader.query(wanted.render("reasons"), wanted.parameters())
    return found.sort_by([("lines", "descending"), ("reason", "ascending"), ("stream_id", "ascending")])


def iter_newest(reader: RecordReader, wanted: RejectFilter, *, lines: int) -> Iterator[pa.RecordBatch]:
    """Yield the newest ``lines`` that match the filter, oldest first, in batches of schema LINES."""
    locations = reader.query(wanted.render("newest_places"), {**wanted.parameters(), "places": lines})
    for batch in iter_location_batches(locations):
        yield from fetch_lines(reader, batch, ("rejected_at", *_BY_LOCATION))


def count_lines(reader: RecordReader, wanted: RejectFilter, most: int) -> int:
    """Return the number of lines that match the filter, counting no further than ``most``."""
    [row] = reader.query(wanted.render("places_count"), {**wanted.parameters(), "most": most}).to_pylist()
    return int(row["n"])


def iter_rejects(reader: RecordReader, wanted: RejectFilter) -> Iterator[pa.RecordBatch]:
    """Yield all lines that match the filter, in batches of schema LINES.

    Lines come file by file, in the order of their offsets.
    """
    after = {"after_stream": -1, "after_file": -1, "after_offset": -1}
    while True:
        page = reader.query(wanted.render("places_in_files"), {**wanted.parameters(), **after, "places": _PAGE_LINES})
        for locations in iter_location_batches(page):
            yield from fetch_lines(reader, locations, _BY_LOCATION)
        if page.num_rows < _PAGE_LINES:
            return
        stream_id, file_id, line_offset = (page[name][-1].as_py() for name in _BY_LOCATION)
        after = {"after_stream": stream_id, "after_file": file_id, "after_offset": line_offset}


def iter_location_batches(locations: pa.Table) -> Iterator[pa.Table]:
    """Cut locations into batches of at most _BATCH_LINES lines and _BATCH_BYTES bytes, but of at least one line."""
    ends = list(accumulate(locations["line_bytes"].to_pylist()))
    start = 0
    while start < locations.num_rows:
        before = ends[start - 1] if start else 0
        end = bisect_right(ends, before + _BATCH_BYTES)
        end = min(max(end, start + 1), start + _BATCH_LINES)
        yield locations.slice(start, end - start)
        start = end


def fetch_lines(reader: RecordReader, locations: pa.Table, order: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """Yield the lines at locations that are still rejected, in batches of schema LINES, sorted by columns."""
    columns = [locations[name].to_pylist() for name in _BY_LOCATION]
    values: dict[str, Value] = {}
    for what, numbers in zip(("stream", "file", "offset"), columns, strict=True):
        values[f"{what}s"] = ",".join(map(str, numbers))
        values[f"lowest_{what}"] = min(numbers)
        values[f"highest_{what}"] = max(numbers)
    found = reader.query(_QUERIES["lines_at"], values).cast(LINES)
    yield from found.sort_by([(name, "ascending") for name in order]).combine_chunks().to_batches()
