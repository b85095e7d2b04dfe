"""Where records are from: the file, the source and the group of each record, by the id of its file."""

from collections.abc import Collection
from dataclasses import dataclass

from puppylog.stores.base import RecordReader
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores", "monitor.sql")


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of the records of one file."""

    stream_id: int
    path: str  # where a collector last saw the file
    source_uri: str
    group: str | None


def has_stream(reader: RecordReader, condition: str) -> bool:
    """Return whether a stream passes ``condition``: SQL of the store on ``stream_id``, from a checked expression."""
    [row] = reader.query(_QUERIES["streams_exist"].format(where=f"({condition})")).to_pylist()
    return bool(row["is_found"])


def read_origins(reader: RecordReader, file_ids: Collection[int] | None = None) -> dict[int, Origin]:
    """Return the origins of records by the ids of their files: of all files in the store if ``file_ids`` is None."""
    if file_ids is None:
        rows = reader.query(_QUERIES["origins"]).to_pylist()
    else:
        files = ",".join(map(str, sorted(file_ids))) or "0"
        rows = reader.query(_QUERIES["origins_of_files"], {"files": files}).to_pylist()
    return {row["file_id"]: Origin(row["stream_id"], row["path"], row["source_uri"], row["group_name"]) for row in rows}
