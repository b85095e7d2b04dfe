"""Streams, claims and positions over one session.

A claim is an advisory lock of the session, not a lease: the server releases it when the session ends, so it neither
expires nor outlives its client. The check of the position (`append`) ensures that each line is stored once,
not the claim.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Final

from puppylog.errors import StreamBusy
from puppylog.model.labels import Labels
from puppylog.model.stream import EMPTY_FINGERPRINT, FilePosition, KnownFile, StreamReport
from puppylog.stores.base import NewFile
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries
from puppylog.stores.rows import columns_of_reports, encode_labels, known_file_of
from puppylog.stores.streams import new_positions, refuse_claimed

_QUERIES = load_queries("puppylog.stores.postgres", "streams.sql")
_CLAIM_RETRY_S: Final = 5.0


def open_streams(session: Session, source_uris: Sequence[str], group: str | None) -> list[int]:
    """Return the ids of the streams of these sources, in their order. Create the streams and the group if needed."""
    asked = {"source_uris": list(source_uris), "group_name": group}
    return [row["id"] for row in session.rows(_QUERIES["open_streams"], asked)]


def set_labels(session: Session, labels: Mapping[int, Labels]) -> None:
    """Give streams labels, in place of those that they have."""
    columns = {"stream_ids": list(labels), "labels": [encode_labels(given) for given in labels.values()]}
    session.run(_QUERIES["set_labels"], columns)


def claim_streams(session: Session, source_uris: Mapping[int, str]) -> None:
    """Claim streams until the session ends: all of them or none.

    Args:
        session: the session that holds the claims.
        source_uris: the sources, by stream id.

    Raises:
        StreamBusy: another session has claimed one of the streams.
    """
    rows = session.rows(_QUERIES["claim_streams"], {"stream_ids": list(source_uris)})
    busy = [row["stream_id"] for row in rows if not row["is_claimed"]]
    if busy:
        holder = _describe_holder(session, busy[0])
        release_streams(session, [row["stream_id"] for row in rows if row["is_claimed"]])
        refuse_claimed(source_uris[busy[0]], holder)


def claim_with_retry(session: Session, source_uris: Mapping[int, str]) -> None:
    """Claim streams; retry while a lost session of this process still holds them, until the server has ended it."""
    deadline = time.monotonic() + _CLAIM_RETRY_S
    while True:
        try:
            return claim_streams(session, source_uris)
        except StreamBusy:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def release_streams(session: Session, stream_ids: Sequence[int]) -> None:
    session.run(_QUERIES["release_streams"], {"stream_ids": list(stream_ids)})


def _describe_holder(session: Session, stream_id: int) -> str:
    rows = session.rows(_QUERIES["holder_of_stream"], {"stream_id": stream_id})
    if not rows:
        return "another collector"
    row = rows[0]
    where = "" if row["client_addr"] is None else f" at {row['client_addr']}"
    who = row["application_name"] or "another collector"
    return f"{who}{where} (server process {row['pid']})"


def open_files(session: Session, new: Sequence[NewFile]) -> list[FilePosition]:
    """Register new files of streams; return their positions in the same order."""
    columns = {
        "stream_ids": [file.stream_id for file in new],
        "paths": [file.path for file in new],
        "devices": [file.device for file in new],
        "inodes": [file.inode for file in new],
        "byte_offsets": [file.byte_offset for file in new],
        "head_hash": EMPTY_FINGERPRINT.head_hash,
        "marker_hash": EMPTY_FINGERPRINT.marker_hash,
    }
    ids = [row["id"] for row in session.rows(_QUERIES["open_files"], columns)]
    return new_positions(ids, new)


def find_known_files(
    session: Session, source_prefix: str, identities: Sequence[tuple[int, int]], heads: Sequence[tuple[int, str]]
) -> list[KnownFile]:
    """Return the files of one host that have one of the identities, or that begin with one of the heads."""
    asked = {
        "source_prefix": source_prefix,
        "devices": [device for device, _ in identities],
        "inodes": [inode for _, inode in identities],
        "head_sizes": [size for size, _ in heads],
        "head_hashes": [head_hash for _, head_hash in heads],
    }
    return [known_file_of(row) for row in session.rows(_QUERIES["find_known_files"], asked)]


def report(session: Session, reports: Sequence[StreamReport]) -> None:
    """Store reports, which replace earlier reports about the same streams."""
    session.run(_QUERIES["report_streams"], columns_of_reports(reports))
