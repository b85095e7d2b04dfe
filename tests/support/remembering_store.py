"""A store in memory for several collectors of one machine. It keeps lines and positions, and checks moves."""

import itertools
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace

from puppylog.collect.dry_run import DryWriter
from puppylog.errors import StreamBusy
from puppylog.model.record import Parsed
from puppylog.model.request import ReceivedRequest
from puppylog.model.stream import EMPTY_FINGERPRINT, FilePosition, KnownFile, Move, Stream, StreamReport
from puppylog.stores.base import Appended, NewFile
from puppylog.stores.received_requests import refuse_repeated


class RememberingStore:
    """The stored lines and positions. Each collector writes with a `client` of its own."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.ids = itertools.count(1)
        self.streams: dict[str, int] = {}
        self.files: dict[int, tuple[int, FilePosition]] = {}  # stream and position, by file id
        self.messages: list[str] = []
        self.claimed: set[int] = set()
        self.reports: dict[int, StreamReport] = {}  # the last one of each stream
        self.questions = 0
        self.requests: dict[str, ReceivedRequest] = {}

    def client(self) -> "RememberingWriter":
        return RememberingWriter(self)

    def stream_files(self, stream_id: int) -> list[FilePosition]:
        return [position for owner, position in self.files.values() if owner == stream_id]

    def files_of(self, name: str) -> list[FilePosition]:
        """Return the positions of the stream whose source URI ends with the name."""
        (stream_id,) = (stream_id for uri, stream_id in self.streams.items() if uri.endswith(f"/{name}"))
        return self.stream_files(stream_id)


class RememberingWriter(DryWriter):
    """The connection of one collector."""

    def __init__(self, store: RememberingStore) -> None:
        super().__init__()
        self._store = store
        self._own: set[int] = set()

    def open_streams(self, source_uris: Sequence[str], *, group: str | None = None) -> Sequence[Stream]:
        store = self._store
        with store.lock:
            ids = [store.streams.setdefault(uri, next(store.ids)) for uri in source_uris]
            busy = [uri for uri, stream_id in zip(source_uris, ids, strict=True) if stream_id in store.claimed]
            if busy or len(set(ids)) < len(ids):
                raise StreamBusy("collect", busy[0], "another collector follows it already")
            store.claimed.update(ids)
            self._own.update(ids)
            return [
                Stream(stream_id, uri, group, tuple(store.stream_files(stream_id)))
                for uri, stream_id in zip(source_uris, ids, strict=True)
            ]

    def close_stream(self, stream_id: int) -> None:
        with self._store.lock:
            if stream_id in self._own:
                self._own.discard(stream_id)
                self._store.claimed.discard(stream_id)

    def open_files(self, new: Sequence[NewFile]) -> Sequence[FilePosition]:
        with self._store.lock:
            assert all(file.stream_id in self._own for file in new)
            opened = [
                FilePosition(
                    next(self._store.ids),
                    file.path,
                    file.device,
                    file.inode,
                    EMPTY_FINGERPRINT,
                    file.byte_offset,
                    finished=False,
                )
                for file in new
            ]
            for file, position in zip(new, opened, strict=True):
                self._store.files[position.file_id] = file.stream_id, position
            return opened

    def find_known_files(
        self, source_prefix: str, identities: Sequence[tuple[int, int]], heads: Sequence[tuple[int, str]]
    ) -> Sequence[KnownFile]:
        wanted, wanted_heads = set(identities), set(heads)
        with self._store.lock:
            self._store.questions += 1
            uris = {stream_id: uri for uri, stream_id in self._store.streams.items()}
            return [
                KnownFile(stream_id, uris[stream_id], position)
                for stream_id, position in self._store.files.values()
                if uris[stream_id].startswith(source_prefix)
                and (
                    (position.device, position.inode) in wanted
                    or (position.fingerprint.head_size, position.fingerprint.head_hash) in wanted_heads
                )
            ]

    def find_requests(self, digests: Sequence[str]) -> Mapping[str, ReceivedRequest]:
        with self._store.lock:
            return {digest: self._store.requests[digest] for digest in digests if digest in self._store.requests}

    def appender(self) -> "RememberingAppender":
        return RememberingAppender(self._store, self._own)

    def report(self, reports: Sequence[StreamReport]) -> None:
        assert {report.stream_id for report in reports} <= set(self._store.streams.values())
        self._store.reports.update((report.stream_id, report) for report in reports)


class RememberingAppender:
    """One transaction."""

    def __init__(self, store: RememberingStore, own: set[int]) -> None:
        self._store = store
        self._own = own
        self._messages: list[str] = []
        self._rejects = 0

    def write(self, stream_id: int, file_id: int, parsed: Parsed) -> None:
        assert self._store.files[file_id][0] == stream_id
        self._messages += parsed.records["message"].to_pylist()
        self._rejects += parsed.rejects.num_rows

    def complete(self) -> None:
        pass

    def commit(self, moves: Sequence[Move], requests: Sequence[ReceivedRequest] = ()) -> Appended:
        with self._store.lock:
            for move in moves:
                stream_id, position = self._store.files[move.file_id]
                assert stream_id in self._own
                if position.byte_offset != move.start or position.finished:
                    raise StreamBusy("append to", f"file {move.file_id} from byte {move.start}", str(position))
            for request in requests:
                if request.digest in self._store.requests:
                    refuse_repeated(request.digest)
            self._store.requests |= {request.digest: request for request in requests}
            for move in moves:
                stream_id, position = self._store.files[move.file_id]
                moved = replace(
                    position,
                    byte_offset=move.end,
                    fingerprint=move.fingerprint,
                    finished=move.finished,
                    context=move.context,
                )
                self._store.files[move.file_id] = stream_id, moved
            self._store.messages += self._messages
            return Appended(len(self._messages), self._rejects)

    def discard(self) -> None:
        pass
