"""Groups, streams and the files they have read: what is behind the positions. Each function is one transaction."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from puppylog.model.stream import EMPTY_FINGERPRINT, FilePosition, Stream
from puppylog.stores.catalog import get_found, refuse_deletion
from puppylog.stores.duckdb.engine import Connection
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import position_of

_QUERIES = load_queries("puppylog.stores.duckdb", "streams.sql")

_REPORTS = pa.schema(
    [
        ("stream_id", pa.int32()),
        ("backlog_bytes", pa.int64()),
        ("behind_s", pa.float64()),
        ("read_ago_s", pa.float64()),
        ("lines_per_s", pa.float64()),
        ("records", pa.int64()),
        ("rejects", pa.int64()),
        ("format", pa.string()),
        ("problem", pa.string()),
        ("ended", pa.bool_()),
    ]
)


def open_stream(connection: Connection, source_uri: str, group: str | None) -> Stream:
    """Return the stream of this source with its positions; it and its group are made if they are new."""
    if not connection.rows(_QUERIES["find_stream"], {"source_uri": source_uri}):
        connection.run(_QUERIES["insert_stream"], {"source_uri": source_uri})
    if group is not None:
        create_group(connection, group)
        group_id = get_group_id(connection, group)
        connection.run(_QUERIES["move_stream"], {"source_uri": source_uri, "group_id": group_id})
    (row,) = connection.rows(_QUERIES["find_stream"], {"source_uri": source_uri})
    files = connection.rows(_QUERIES["files_of_stream"], {"stream_id": row["id"]})
    return Stream(row["id"], source_uri, row["group_name"], tuple(position_of(file) for file in files))


def open_file(
    connection: Connection, stream_id: int, *, path: str, device: int, inode: int, byte_offset: int
) -> FilePosition:
    """Make a new file of the stream, standing at ``byte_offset``."""
    new = {
        "id": connection.value(_QUERIES["next_id"]),
        "stream_id": stream_id,
        "path": path,
        "device": device,
        "inode": inode,
        "head_size": EMPTY_FINGERPRINT.head_size,
        "head_hash": EMPTY_FINGERPRINT.head_hash,
        "marker_size": EMPTY_FINGERPRINT.marker_size,
        "marker_hash": EMPTY_FINGERPRINT.marker_hash,
        "byte_offset": byte_offset,
    }
    connection.run(_QUERIES["insert_file"], new)
    return FilePosition(new["id"], path, device, inode, EMPTY_FINGERPRINT, byte_offset, finished=False)


def find_files(connection: Connection, file_ids: Sequence[int]) -> list[FilePosition]:
    """Return where these files stand; unknown ones are left out."""
    return [position_of(row) for row in connection.rows(_QUERIES["find_files"], {"ids": json.dumps(list(file_ids))})]


def report(connection: Connection, columns: Mapping[str, Sequence[Any]]) -> None:
    """Keep what is said of streams, in place of what was said before; ``columns`` are those of `StreamReport`."""
    with connection.table("reports", pa.table(dict(columns), schema=_REPORTS)):
        connection.run(_QUERIES["report_streams"])


def create_group(connection: Connection, name: str) -> bool:
    """Return whether it is new."""
    if connection.rows(_QUERIES["find_group"], {"name": name}):
        return False
    connection.run(_QUERIES["insert_group"], {"name": name})
    return True


def get_group_id(connection: Connection, name: str) -> int:
    """Return the id of the group.

    Raises:
        NotFound: there is none of that name.
    """
    rows = connection.rows(_QUERIES["find_group"], {"name": name})
    return int(get_found(rows[0] if rows else None, "group", name)["id"])


def delete_group(connection: Connection, name: str) -> None:
    """Forget the group and keep its streams.

    Raises:
        NotFound: there is no such group.
        UsageError: a metric is limited to it.
    """
    group_id = get_group_id(connection, name)
    metrics = [row["name"] for row in connection.rows(_QUERIES["metrics_of_group"], {"id": group_id})]
    refuse_deletion("group", name, metrics, "metric {} is limited to it")
    connection.run(_QUERIES["release_streams"], {"id": group_id})
    connection.run(_QUERIES["delete_group"], {"id": group_id})
