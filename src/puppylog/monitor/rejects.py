"""Reading rejected lines: which there are, how many for which reason, and their bytes.

There may be millions of them, and each may be short or as long as a line can be. So what is asked for first is where
they are and how long; then lines are fetched by their places, in batches of so many bytes. Between two questions the
store may change: a line that is gone by then is left out.
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
"""Rejected lines as they are read. ``line`` is without its newline."""

_QUERIES = load_queries("puppylog.stores", "rejects.sql")
_GROUPS = load_queries("puppylog.stores", "monitor.sql")

_PAGE_PLACES: Final = 65_536
# Lines are fetched so many at a time: whoever works on a batch of them holds it a few times over.
_BATCH_LINES: Final = 16_384
_BATCH_BYTES: Final = 8 << 20
_BY_PLACE: Final = ("stream_id", "file_id", "line_offset")


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file that has been collected."""

    file_id: int
    stream_id: int
    path: str  # where it was last seen
    source_uri: str


@dataclass(frozen=True, slots=True)
class RejectFilter:
    """Which rejected lines are wanted."""

    within: Range = ALWAYS  # when they were rejected
    reason: str = ""  # a part of their reason, in any case of letters
    group_id: int | None = None
    file_ids: Sequence[int] | None = None

    def render(self, query: str) -> str:
        """Return the text of one of the queries that ask for lines."""
        in_group = _GROUPS["in_any_group" if self.group_id is None else "in_one_group"]
        in_files = _QUERIES["in_any_file" if self.file_ids is None else "in_these_files"]
        wanted = _QUERIES["wanted"].format(in_group=in_group, in_files=in_files)
        return _QUERIES[query].format(wanted=wanted)

    def parameters(self) -> dict[str, Value]:
        """Return the values that `render` leaves to be bound."""
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
    """Return the ids of the files that any of the patterns means.

    A pattern is a file's path, the path or the URI of its source, or one of these with ``*``, ``?`` and ``[…]``, which
    stand for slashes, too; ``-`` is standard input. Files that were rotated away belong to their source.

    Raises:
        NotFound: one of the patterns means none.
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
    names = {file.source_uri, unquote(source.path), file.path} - {""}
    return any(name == pattern or fnmatchcase(name, pattern) for name in names)


def count_reasons(reader: RecordReader, wanted: RejectFilter) -> pa.Table:
    """Return how many lines were rejected for what, by stream, most frequent first.

    Columns: ``stream_id``, ``reason``, ``lines``, ``first_at``, ``last_at``.
    """
    found = reader.query(wanted.render("reasons"), wanted.parameters())
    return found.sort_by([("lines", "descending"), ("reason", "ascending"), ("stream_id", "ascending")])


def iter_newest(reader: RecordReader, wanted: RejectFilter, *, lines: int) -> Iterator[pa.RecordBatch]:
    """Give the newest ``lines`` that are wanted, oldest first, in batches of schema LINES."""
    places = reader.query(wanted.render("newest_places"), {**wanted.parameters(), "places": lines})
    for batch in _iter_batches(places):
        yield from _fetch(reader, batch, ("rejected_at", *_BY_PLACE))


def count_lines(reader: RecordReader, wanted: RejectFilter, most: int) -> int:
    """Return how many lines are wanted; ``most`` if there are so many or more."""
    [row] = reader.query(wanted.render("places_count"), {**wanted.parameters(), "most": most}).to_pylist()
    return int(row["n"])


def iter_rejects(reader: RecordReader, wanted: RejectFilter) -> Iterator[pa.RecordBatch]:
    """Give all lines that are wanted, in batches of schema LINES.

    Each file's are in the order in which they stand in it, and one file comes after the other.
    """
    after = {"after_stream": -1, "after_file": -1, "after_offset": -1}
    while True:
        page = reader.query(wanted.render("places_in_files"), {**wanted.parameters(), **after, "places": _PAGE_PLACES})
        for places in _iter_batches(page):
            yield from _fetch(reader, places, _BY_PLACE)
        if page.num_rows < _PAGE_PLACES:
            return
        stream_id, file_id, line_offset = (page[name][-1].as_py() for name in _BY_PLACE)
        after = {"after_stream": stream_id, "after_file": file_id, "after_offset": line_offset}


def _iter_batches(places: pa.Table) -> Iterator[pa.Table]:
    """Cut places into batches whose lines can be held at once; a line that is longer than that is one by itself."""
    ends = list(accumulate(places["line_bytes"].to_pylist()))
    start = 0
    while start < places.num_rows:
        before = ends[start - 1] if start else 0
        until = bisect_right(ends, before + _BATCH_BYTES)
        until = min(max(until, start + 1), start + _BATCH_LINES)
        yield places.slice(start, until - start)
        start = until


def _fetch(reader: RecordReader, places: pa.Table, order: Sequence[str]) -> Iterator[pa.RecordBatch]:
    columns = [places[name].to_pylist() for name in _BY_PLACE]
    values: dict[str, Value] = {}
    for what, numbers in zip(("stream", "file", "offset"), columns, strict=True):
        values[f"{what}s"] = ",".join(map(str, numbers))
        values[f"lowest_{what}"] = min(numbers)
        values[f"highest_{what}"] = max(numbers)
    found = reader.query(_QUERIES["lines_at"], values).cast(LINES)
    yield from found.sort_by([(name, "ascending") for name in order]).combine_chunks().to_batches()
