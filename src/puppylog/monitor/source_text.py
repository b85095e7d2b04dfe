"""The text of records as it was: read again from their files, or put together from their columns.

A file is read only if it is the one that was collected: on this machine, at its last known path, with the same bytes at
its start and before the position that the store has.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from puppylog.formats.base import KEPT
from puppylog.model.source import split_uri
from puppylog.model.stream import KnownFile
from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import known_file_of
from puppylog.tail.checkpoint import confirm
from puppylog.tail.decompressed import open_log
from puppylog.tail.handle import OpenFile
from puppylog.tail.line_end import LineEnd, find_line_end

_QUERIES = load_queries("puppylog.stores", "monitor.sql")

_PIECE_BYTES: Final = 64 << 10
_MAX_BYTES: Final = 4 << 20  # a longer line is put together from its columns
_MAX_JSON_LINES: Final = 1000  # of one JSON object
_PLAIN: Final = "plain"  # the format whose message is the line
# The columns of a line in the combined log format.
_REQUEST: Final = ("request_method", "request_route", "request_proto")

Row = Mapping[str, Any]
"""A record by the columns of ``log_records``."""


@dataclass(frozen=True, slots=True)
class SourceText:
    """The text of one record, without the newline at its end."""

    text: bytes
    is_exact: bool  # False if it was put together from columns


@dataclass(frozen=True, slots=True)
class _Origin:
    file: KnownFile
    format: str


def read_source_texts(reader: RecordReader, rows: Sequence[Row], host: str) -> list[SourceText]:
    """Return the text of each record.

    Args:
        reader: the store.
        rows: records with all columns.
        host: the name of this machine. Files of other machines are not looked for.
    """
    origins = _read_origins(reader, {row["file_id"] for row in rows})
    texts: dict[int, SourceText] = {}  # by the number of the row
    by_file: dict[int, list[int]] = {}
    for at, row in enumerate(rows):
        by_file.setdefault(row["file_id"], []).append(at)
    for file_id, numbers in by_file.items():
        origin = origins.get(file_id)
        numbers.sort(key=lambda at: int(rows[at]["line_offset"]))  # a compressed file can only be read forward
        found = _read_file(origin, [rows[at] for at in numbers], host)
        for at, text in zip(numbers, found, strict=True):
            texts[at] = SourceText(text, True) if text is not None else _put_together(rows[at], origin)
    return [texts[at] for at in range(len(rows))]


def _read_origins(reader: RecordReader, file_ids: set[int]) -> dict[int, _Origin]:
    if not file_ids:
        return {}
    rows = reader.query(_QUERIES["file_positions"], {"files": ",".join(map(str, sorted(file_ids)))}).to_pylist()
    return {row["file_id"]: _Origin(known_file_of(row), _format_of(row)) for row in rows}


def _format_of(row: Mapping[str, Any]) -> str:
    """Return the name of a file's format: that of the file if it was detected, or else that of its stream."""
    return str(row["context"].partition("\n")[0].removeprefix(KEPT) or row["format"])


def _read_file(origin: _Origin | None, rows: Sequence[Row], host: str) -> Iterator[bytes | None]:
    """Yield the text of records of one file, sorted by their offsets; None where the file no longer has it."""
    handle = _open_same(origin, host)
    if handle is None:
        yield from (None for _ in rows)
        return
    with closing(handle):
        for row in rows:
            try:
                yield _read_record(handle, row["line_offset"], row["message"] or "")
            except OSError:
                yield None


def _open_same(origin: _Origin | None, host: str) -> OpenFile | None:
    """Return the open file that was collected; None if there is another file at its path, or none."""
    if origin is None or split_uri(origin.file.source_uri)[0] not in {None, host}:
        return None
    position = origin.file.position
    if position.fingerprint.head_size == 0:
        return None
    try:
        handle = open_log(position.path)
        try:
            is_same = confirm(handle, position) is not None
        except OSError:
            is_same = False
        if is_same:
            return handle
        handle.close()
    except OSError:
        pass
    return None


def _read_record(handle: OpenFile, start: int, message: str) -> bytes | None:
    """Return the line at the offset ``start``, and the lines after it that belong to the same record."""
    lines = _iter_lines(handle, start)
    first = next(lines, None)
    if first is None:
        return None
    text = first
    if first.lstrip()[:1] == b"{" and not _is_json(first):
        for _, line in zip(range(_MAX_JSON_LINES), lines, strict=False):
            text += b"\n" + line
            if line.rstrip().endswith(b"}") and _is_json(text):
                return text
        return first
    for expected in message.split("\n")[1:]:
        following = next(lines, None)
        if following is None or following.decode(errors="replace").strip() != expected.strip():
            break
        text += b"\n" + following
    return text


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _iter_lines(handle: OpenFile, start: int) -> Iterator[bytes]:
    """Yield the lines from the offset ``start`` on, without their newlines, up to _MAX_BYTES in all."""
    held, at, newline = b"", start, b"\n"
    while at - start < _MAX_BYTES:
        piece = handle.read(_PIECE_BYTES, at)
        if at == start and b"\n" not in piece and b"\r" in piece and find_line_end(handle) is LineEnd.CR:
            newline = b"\r"
        at += len(piece)
        *lines, held = (held + piece).split(newline)
        yield from lines
        if len(piece) < _PIECE_BYTES:
            if held:
                yield held
            return


def _put_together(row: Row, origin: _Origin | None) -> SourceText:
    """Return the text of a record from its columns. It is exact for the format ``plain``, whose message is the line."""
    others = [name for name in ("host", "request_method", "attributes") if row[name] is not None]
    if origin is not None and origin.format == _PLAIN and row["message"] is not None and not others:
        return SourceText(row["message"].encode(), True)
    text = _combined(row) if row["request_method"] is not None else _joined(row)
    return SourceText(text.encode(errors="replace"), False)


def _combined(row: Row) -> str:
    """Return a request as a line in the combined log format."""
    host, ident, user = (row[name] or "-" for name in ("host", "ident", "ruser"))
    request = " ".join(row[name] for name in _REQUEST if row[name] is not None)
    status, size = ("-" if row[name] is None else row[name] for name in ("status_code", "response_bytes"))
    line = f'{host} {ident} {user} [{row["ts"]:%d/%b/%Y:%H:%M:%S %z}] "{request}" {status} {size}'
    if row["referer"] is not None or row["user_agent"] is not None:
        line += f' "{row["referer"] or "-"}" "{row["user_agent"] or "-"}"'
    return line


def _joined(row: Row) -> str:
    """Return time, host, severity, message and attributes of a record, with blanks between them."""
    parts = [row["ts"].isoformat(), *(row[name] for name in ("host", "severity", "message", "attributes"))]
    return " ".join(part for part in parts if part is not None)
