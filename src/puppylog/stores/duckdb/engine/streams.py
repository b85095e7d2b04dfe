"""Streams, their files and the files' positions. Each function runs in the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow as pa

from puppylog.model.labels import Labels
from puppylog.model.stream import EMPTY_FINGERPRINT, FilePosition, KnownFile
from puppylog.stores.base import NewFile
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.definitions import DEFINITIONS
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import encode_labels, known_file_of
from puppylog.stores.streams import new_positions

_QUERIES = load_queries("puppylog.stores.duckdb", "streams.sql")

_NEW_FILES = pa.schema(
    [
        ("id", pa.int32()),
        ("stream_id", pa.int32()),
        ("path", pa.string()),
        ("device", pa.int64()),
        ("inode", pa.int64()),
        ("byte_offset", pa.int64()),
    ]
)

_IDENTITIES = pa.schema([("device", pa.int64()), ("inode", pa.int64())])
_HEADS = pa.schema([("head_size", pa.int32()), ("head_hash", pa.string())])

_LABELS = pa.schema([("stream_id", pa.int32()), ("labels", pa.string())])

_REPORTS = pa.schema(
    [
        ("stream_id", pa.int32()),
        ("backlog_bytes", pa.int64()),
        ("behind_s", pa.float64()),
        ("stored_ago_s", pa.float64()),
        ("lines_per_s", pa.float64()),
        ("records", pa.int64()),
        ("rejects", pa.int64()),
        ("format", pa.string()),
        ("problem", pa.string()),
        ("ended", pa.bool_()),
        ("waiting_lines", pa.int64()),
        ("finished", pa.bool_()),
    ]
)


def open_streams(connection: Connection, source_uris: Sequence[str], group: str | None) -> list[int]:
    """Return the ids of the streams of these sources, in their order. Create the streams and the group if needed."""
    with connection.table("asked", pa.table({"source_uri": pa.array(source_uris, pa.string())})):
        connection.run(_QUERIES["insert_streams"])
        if group is not None:
            DEFINITIONS.create_group(connection, group)
            connection.run(_QUERIES["move_streams"], {"group_id": DEFINITIONS.get_group_id(connection, group)})
        ids = {row["source_uri"]: row["id"] for row in connection.rows(_QUERIES["ids_of_streams"])}
    return [ids[source_uri] for source_uri in source_uris]


def set_labels(connection: Connection, labels: Mapping[int, Labels]) -> None:
    """Give streams labels, in place of those that they have."""
    columns = {"stream_id": list(labels), "labels": [encode_labels(given) for given in labels.values()]}
    with connection.table("new_labels", pa.table(columns, schema=_LABELS)):
        connection.run(_QUERIES["set_labels"])


def open_files(connection: Connection, new: Sequence[NewFile]) -> list[FilePosition]:
    """Register new files of streams; return their positions in the same order."""
    ids = sorted(row["id"] for row in connection.rows(_QUERIES["next_ids"], {"count": len(new)}))
    columns = {
        "id": ids,
        "stream_id": [file.stream_id for file in new],
        "path": [file.path for file in new],
        "device": [file.device for file in new],
        "inode": [file.inode for file in new],
        "byte_offset": [file.byte_offset for file in new],
    }
    with connection.table("new_files", pa.table(columns, schema=_NEW_FILES)):
        connection.run(_QUERIES["insert_files"], asdict(EMPTY_FINGERPRINT))
    return new_positions(ids, new)


def find_known_files(
    connection: Connection,
    source_prefix: str,
    identities: Sequence[Sequence[int]],
    heads: Sequence[tuple[int, str]],
) -> list[KnownFile]:
    """Return the files of one host that have one of the identities, or that begin with one of the heads."""
    with (
        connection.table("asked_identities", _table_of(identities, _IDENTITIES)),
        connection.table("asked_heads", _table_of(heads, _HEADS)),
    ):
        rows = connection.rows(_QUERIES["find_known_files"], {"source_prefix": source_prefix})
    return [known_file_of(row) for row in rows]


def _table_of(rows: Sequence[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    return pa.table([pa.array([row[at] for row in rows], field.type) for at, field in enumerate(schema)], schema=schema)


def report(connection: Connection, columns: Mapping[str, Sequence[Any]]) -> None:
    """Store reports, which replace earlier reports about the same streams; ``columns`` as of `columns_of_reports`."""
    with connection.table("reports", pa.table(dict(columns), schema=_REPORTS)):
        connection.run(_QUERIES["report_streams"])
