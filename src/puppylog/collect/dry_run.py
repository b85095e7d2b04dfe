"""A store that keeps nothing. A dry run of a collector writes to it."""

from collections.abc import Mapping, Sequence

from puppylog.model.labels import Labels
from puppylog.model.record import Parsed
from puppylog.model.request import ReceivedRequest
from puppylog.model.stream import EMPTY_FINGERPRINT, FilePosition, KnownFile, Move, Stream, StreamReport
from puppylog.stores.base import FULL_BYTES, Appended, Appender, NewFile


class DryWriter:
    """Accepts every line and stores none. Implements `puppylog.stores.base.RecordWriter`."""

    full_rows = 131_072  # as many rows as a store takes in one batch: parsing is measured with real batches
    full_bytes = FULL_BYTES

    def __init__(self) -> None:
        self._last_id = 0

    def open_streams(self, source_uris: Sequence[str], *, group: str | None = None) -> Sequence[Stream]:
        return [Stream(self._next_id(), source_uri, group, ()) for source_uri in source_uris]

    def set_labels(self, labels: Mapping[int, Labels]) -> None:
        pass

    def close_stream(self, stream_id: int) -> None:
        pass

    def open_files(self, new: Sequence[NewFile]) -> Sequence[FilePosition]:
        return [
            FilePosition(
                self._next_id(), file.path, file.device, file.inode, EMPTY_FINGERPRINT, file.byte_offset, finished=False
            )
            for file in new
        ]

    def find_known_files(
        self,
        source_prefix: str,  # noqa: ARG002 - the signature of the protocol
        identities: Sequence[tuple[int, int]],  # noqa: ARG002 - the signature of the protocol
        heads: Sequence[tuple[int, str]],  # noqa: ARG002 - the signature of the protocol
    ) -> Sequence[KnownFile]:
        return []

    def find_files(self, file_ids: Sequence[int]) -> Mapping[int, FilePosition]:  # noqa: ARG002 - the signature of the protocol
        return {}

    def appender(self) -> Appender:
        return DryAppender()

    def report(self, reports: Sequence[StreamReport]) -> None:
        pass

    def find_requests(self, digests: Sequence[str]) -> Mapping[str, ReceivedRequest]:  # noqa: ARG002 - the signature of the protocol
        return {}

    def keep_alive(self) -> None:
        pass

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id


class DryAppender:
    """Counts rows, and commits nothing."""

    def __init__(self) -> None:
        self._counted = Appended(0, 0)

    def write(self, stream_id: int, file_id: int, parsed: Parsed) -> None:  # noqa: ARG002 - the signature of the protocol
        self._counted = Appended(
            self._counted.records + parsed.records.num_rows, self._counted.rejects + parsed.rejects.num_rows
        )

    def complete(self) -> None:
        pass

    def commit(
        self,
        moves: Sequence[Move],  # noqa: ARG002 - the signature of the protocol
        requests: Sequence[ReceivedRequest] = (),  # noqa: ARG002 - the signature of the protocol
    ) -> Appended:
        return self._counted

    def discard(self) -> None:
        pass
