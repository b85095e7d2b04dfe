"""Groups, streams, claims and positions, as one session sees them.

A claim is an advisory lock of the session: the server lets go of it when the session ends, so no lease can expire and
none is left behind. What makes a line stored once is not the claim but the position (`ingest`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from puppylog.errors import StreamBusy
from puppylog.model.stream import EMPTY_FINGERPRINT, FilePosition, Stream, StreamReport
from puppylog.stores.catalog import get_found, refuse_deletion
from puppylog.stores.postgres.session import Session
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import columns_of_reports, position_of

_QUERIES = load_queries("puppylog.stores.postgres", "streams.sql")


def open_stream(session: Session, source_uri: str, group: str | None) -> int:
    """Return the id of the stream of this source; it and its group are made if they are new."""
    return int(session.value(_QUERIES["open_stream"], {"source_uri": source_uri, "group_name": group}))


def claim_stream(session: Session, stream_id: int, source_uri: str) -> None:
    """Claim the stream for as long as the session lives.

    Raises:
        StreamBusy: another session holds it.
    """
    if not session.value(_QUERIES["claim_stream"], {"stream_id": stream_id}):
        raise StreamBusy(f"cannot collect {source_uri}: {_holder(session, stream_id)} follows it already")


def release_stream(session: Session, stream_id: int) -> None:
    session.run(_QUERIES["release_stream"], {"stream_id": stream_id})


def read_stream(session: Session, stream_id: int, source_uri: str) -> Stream:
    """Return the stream with its positions."""
    values = {"stream_id": stream_id}
    group = session.value(_QUERIES["stream_group"], values)
    files = session.rows(_QUERIES["files_of_stream"], values)
    return Stream(stream_id, source_uri, group, tuple(position_of(file) for file in files))


def own_backend(session: Session) -> dict[str, Any]:
    """Return what `end_backend` needs to know of this session, should it be lost."""
    (row,) = session.rows(_QUERIES["own_backend"])
    return row


def end_backend(session: Session, backend: Mapping[str, Any]) -> None:
    """End a lost session of ours that the server still believes in. It is OK if it is gone."""
    session.rows(_QUERIES["end_backend"], backend)


def _holder(session: Session, stream_id: int) -> str:
    rows = session.rows(_QUERIES["holder_of_stream"], {"stream_id": stream_id})
    if not rows:
        return "another collector"
    row = rows[0]
    where = "" if row["client_addr"] is None else f" at {row['client_addr']}"
    who = row["application_name"] or "another collector"
    return f"{who}{where} (server process {row['pid']})"


def open_file(
    session: Session, stream_id: int, *, path: str, device: int, inode: int, byte_offset: int
) -> FilePosition:
    """Make a new file of the stream, standing at ``byte_offset``."""
    new = {
        "stream_id": stream_id,
        "path": path,
        "device": device,
        "inode": inode,
        "byte_offset": byte_offset,
        "head_hash": EMPTY_FINGERPRINT.head_hash,
        "marker_hash": EMPTY_FINGERPRINT.marker_hash,
    }
    file_id = int(session.value(_QUERIES["open_file"], new))
    return FilePosition(file_id, path, device, inode, EMPTY_FINGERPRINT, byte_offset, finished=False)


def find_files(session: Session, file_ids: Sequence[int]) -> dict[int, tuple[int, FilePosition]]:
    """Return of which stream these files are and where they stand, by their ids; unknown ones are left out."""
    rows = session.rows(_QUERIES["find_files"], {"ids": list(file_ids)})
    return {row["file_id"]: (row["stream_id"], position_of(row)) for row in rows}


def report(session: Session, reports: Sequence[StreamReport]) -> None:
    """Keep what is said of streams, in place of what was said before."""
    session.run(_QUERIES["report_streams"], columns_of_reports(reports))


def create_group(session: Session, name: str) -> bool:
    """Return whether it is new."""
    return session.run(_QUERIES["insert_group"], {"name": name}) == 1


def get_group_id(session: Session, name: str) -> int:
    """Return the id of the group.

    Raises:
        NotFound: there is none of that name.
    """
    rows = session.rows(_QUERIES["find_group"], {"name": name})
    return int(get_found(rows[0] if rows else None, "group", name)["id"])


def delete_group(session: Session, name: str) -> None:
    """Forget the group and keep its streams.

    Raises:
        NotFound: there is no such group.
        UsageError: a metric is limited to it.
    """
    group_id = get_group_id(session, name)
    metrics = [row["name"] for row in session.rows(_QUERIES["metrics_of_group"], {"id": group_id})]
    refuse_deletion("group", name, metrics, "metric {} is limited to it")
    session.run(_QUERIES["delete_group"], {"id": group_id})
