"""Streams and positions, in one implementation for every store. Each function runs in the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple, NoReturn

from puppylog.errors import StoreRewound, StoreUnavailable, StreamBusy
from puppylog.model.stream import EMPTY_FINGERPRINT, FilePosition, Move, Stream
from puppylog.stores.base import NewFile
from puppylog.stores.queries import load_queries
from puppylog.stores.rewriting import ReadFile
from puppylog.stores.rows import position_of
from puppylog.stores.sql_connection import SqlConnection

_QUERIES = load_queries("puppylog.stores", "streams.sql")
_REWOUND: Final = "a standby without the last commits took over, or a backup was restored"


class StreamFile(NamedTuple):
    """A file with the stream that reads it."""

    stream_id: int
    position: FilePosition


def find_streams(connection: SqlConnection, stream_ids: Sequence[int]) -> list[Stream]:
    """Return these streams with their positions, in the order of ``stream_ids``. Unknown ids are left out."""
    asked = {"ids": list(stream_ids)}
    rows = {row["id"]: row for row in connection.rows(_QUERIES["find_streams"], asked)}
    files: dict[int, list[FilePosition]] = {stream_id: [] for stream_id in rows}
    for file in connection.rows(_QUERIES["files_of_streams"], asked):
        files[file["stream_id"]].append(position_of(file))
    found = ((stream_id, rows[stream_id]) for stream_id in stream_ids if stream_id in rows)
    return [
        Stream(stream_id, row["source_uri"], row["group_name"], tuple(files[stream_id])) for stream_id, row in found
    ]


def find_files(connection: SqlConnection, file_ids: Sequence[int]) -> dict[int, StreamFile]:
    """Return these files by their ids. Unknown ids are left out."""
    rows = connection.rows(_QUERIES["find_files"], {"ids": list(file_ids)})
    return {row["file_id"]: StreamFile(row["stream_id"], position_of(row)) for row in rows}


def new_positions(file_ids: Iterable[int], new: Sequence[NewFile]) -> list[FilePosition]:
    """Return the positions of new files. ``file_ids`` are in the order of ``new``."""
    return [
        FilePosition(
            file_id,
            file.path,
            file.device,
            file.inode,
            EMPTY_FINGERPRINT,
            file.byte_offset,
            finished=False,
            opened_ago_s=0.0,
        )
        for file_id, file in zip(file_ids, new, strict=True)
    ]


def refuse_claimed(source_uri: str, holder: str) -> NoReturn:
    """Raise StreamBusy: ``holder``, such as "process 123", has claimed the stream."""
    raise StreamBusy("collect", source_uri, f"{holder} follows it already")


def refuse_unknown_file(file_id: int) -> NoReturn:
    """Raise StoreRewound: the store has no such file, and had one when the collector opened it."""
    cause = f"the store does not know the file: its stream was deleted, or {_REWOUND}"
    raise StoreRewound("append to", f"file {file_id}", cause)


def refuse_moved_file(move: Move, byte_offset: int) -> NoReturn:
    """Raise StreamBusy: the position of the file is ``byte_offset``, and not the start of its move."""
    parts = "append to", f"file {move.file_id} from byte {move.start}"
    if byte_offset < move.start:
        raise StoreRewound(*parts, f"the store has it up to byte {byte_offset} only: {_REWOUND}")
    raise StreamBusy(*parts, f"another collector has stored it up to byte {byte_offset}")


def check_read_file(file: ReadFile, stored: Mapping[str, Any] | None) -> None:
    """Check that a file that was read again is stored as it was when the client began.

    Args:
        file: what the client has read.
        stored: ``byte_offset`` and ``first_offset`` of the file now; None if the store does not know the file.

    Raises:
        StreamBusy: the store does not know the file, or its position is another one.
        StoreUnavailable: the first row of the file is another one.
    """
    if stored is None:
        refuse_unknown_file(file.file_id)
    if stored["byte_offset"] != file.byte_offset:
        cause = f"it was read up to byte {file.byte_offset}, and is stored up to byte {stored['byte_offset']} now"
        raise StreamBusy("replace the records of", f"file {file.file_id}", cause)
    if stored["first_offset"] != file.first_offset:
        cause = "some of them were dropped while it was read"
        raise StoreUnavailable("replace the records of", f"file {file.file_id}", cause)


def check_found(streams: Sequence[Stream], source_uris: Sequence[str]) -> None:
    """Check that all claimed streams exist.

    Raises:
        StoreUnavailable: one was deleted while it was opened. A repeated call creates it again.
    """
    if len(streams) < len(source_uris):
        known = {stream.source_uri for stream in streams}
        deleted = next(source_uri for source_uri in source_uris if source_uri not in known)
        raise StoreUnavailable("open", deleted, "it is being deleted")
