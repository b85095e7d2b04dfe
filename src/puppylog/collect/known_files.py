"""Finds the stream that a file belongs to: the stream that has read the file, even under another name.

A stream has read a file if the file has the device, the inode and the fingerprint of one of the stream's positions. A
compressed file and a copy have an inode of their own, so they must begin with all bytes that the store has of the file.
Only one tailer of this process reads a file. No file of a stream that another collector follows is read.
"""

import contextlib
import math
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from puppylog.collect.same_file import find_bases, find_copied_logs, find_heads, find_match, is_copy_path
from puppylog.errors import ConfigurationError, StreamBusy
from puppylog.model.source import split_uri
from puppylog.model.stream import FilePosition, KnownFile, Move, Stream
from puppylog.tail.checkpoint import Checkpoint, confirm
from puppylog.tail.chunk import TailedFile
from puppylog.tail.copies import is_copy_of_live
from puppylog.tail.decompressed import open_log
from puppylog.tail.handle import OpenFile, identity_of
from puppylog.tail.owners import READ_TO_ITS_END, Continuation, Elsewhere, OpenedFile
from puppylog.tail.rotation.position import Identity, ReadPosition, position_identity

Head: TypeAlias = tuple[int, str]

_ASK_AGAIN_S: Final = 3.0
"""How many seconds pass before the store is asked again about a file that another collector reads."""


@dataclass(slots=True, eq=False)
class SourceFiles:
    """The files that one source of this collector has open."""

    stream_id: int
    release: Callable[[FilePosition], bool] | None = None
    """Lets another source read a file; returns False if this source reads it."""
    files: Mapping[Identity, OpenedFile] = field(default_factory=dict)


class KnownFiles:
    """Knows the files that the store has positions of, and the files that the tailers of this process have open.

    A run that starts again makes a new object.
    """

    def __init__(
        self,
        find: Callable[[Sequence[Identity], Sequence[Head]], Sequence[KnownFile]],
        claim: Callable[[str], Stream],
        on_continued: Callable[[int], None],
        on_skipped: Callable[[str], None],
    ) -> None:
        """Prepare.

        Args:
            find: looks for files of this host in the store.
            claim: opens a stream by its source URI; raises `StreamBusy` if another collector follows it.
            on_continued: called with the id of a claimed stream before a file is read for it.
            on_skipped: called with a sentence for each file that is skipped because another collector reads it.
        """
        self._find = find
        self._claim = claim
        self._on_continued = on_continued
        self._on_skipped = on_skipped
        self._sources: dict[int, SourceFiles] = {}  # by stream id
        self._followed_paths: set[str] = set()  # of sources
        self._source_by_identity: dict[Identity, SourceFiles] = {}
        self._source_by_file_id: dict[int, SourceFiles] = {}  # by file id
        self._new_ids: dict[TailedFile, int] = {}  # of files that the store did not know when they were opened
        # Two fields are used in the reading thread and in the committing thread, under the lock; the others in the
        # reading thread only.
        self._lock = threading.Lock()
        self._uncommitted: dict[int, int] = {}  # the end of the uncommitted bytes, by file id; under the lock
        # Files that were read to their end, and the end is not committed; under the lock.
        self._finishing: dict[TailedFile, ReadPosition] = {}
        # Source URIs by stream id. Files of these streams are or may be read here, but their sources are not followed.
        self._claimed: dict[int, str] = {}
        self._unknown: set[Identity] = set()  # of files that the store does not know, by a question of `prepare`
        self._not_renamed: set[tuple[str, Identity]] = set()  # missing paths, and files that were not renamed from them

    def follow(self, streams: Iterable[Stream]) -> None:
        """Note that the sources of these streams are followed from now on. Their tailers may not be open yet."""
        for stream in streams:
            self._sources[stream.stream_id] = SourceFiles(stream.stream_id)
            self._followed_paths.add(split_uri(stream.source_uri)[1])

    def unfollow(self, stream: Stream) -> None:
        """Note that the source of a stream is no longer followed. Its tailer is closed."""
        self.set_open_files(self._sources.pop(stream.stream_id), ())
        self._followed_paths.discard(split_uri(stream.source_uri)[1])

    def owners_for(self, stream_id: int) -> "StreamOwners":
        """Return the `Owners` of the tailer of the stream's source."""
        return StreamOwners(self, self._sources[stream_id])

    def attach(self, stream_id: int, release: Callable[[FilePosition], bool]) -> None:
        """Set the function that lets another source read a file of this stream's source."""
        self._sources[stream_id].release = release

    def is_read(self, position: FilePosition) -> bool:
        """Return whether a tailer of this process has the file of the position open."""
        return self._holder(position) is not None

    def take_claims(self, source_uris: Sequence[str]) -> list[int]:
        """Return the ids of the claimed streams that belong to these sources. The caller now owns their claims."""
        wanted = set(source_uris)
        taken = [stream_id for stream_id, source_uri in self._claimed.items() if source_uri in wanted]
        for stream_id in taken:
            del self._claimed[stream_id]
        return taken

    def take_idle_claims(self) -> dict[int, str]:
        """Return the source URIs of claimed streams of which no file is open, by id. The caller now owns their claims.

        Every chunk that was read must be committed.
        """
        read = {opened.file.stream_id for source in self._sources.values() for opened in source.files.values()}
        return {stream_id: self._claimed.pop(stream_id) for stream_id in self.claims() if stream_id not in read}

    def claims(self) -> list[int]:
        """Return the ids of the claimed streams whose sources are not followed."""
        return list(self._claimed)

    def prepare(self, paths: Sequence[str]) -> None:
        """Ask the store about many files at once before they are opened, so that no new file needs its own question."""
        asked: dict[Identity, Sequence[Head]] = {}
        for path in paths:
            with contextlib.suppress(OSError):
                identity = identity_of(Path(path).stat())
                asked[identity] = _read_heads(path) if is_copy_path(_resolve(path)) else []
        known = self._find(list(asked), [head for heads in asked.values() for head in heads])
        identities = {position_identity(file.position) for file in known}
        known_heads = {_head_of(file.position) for file in known}
        self._unknown |= {
            identity
            for identity, heads in asked.items()
            if identity not in identities and identity not in self._source_by_identity and known_heads.isdisjoint(heads)
        }

    def find_renamed(self, paths: Mapping[str, Sequence[str]]) -> list[str]:
        """Return the missing paths whose stream has read one of the files that rotation has renamed from them.

        Args:
            paths: the missing paths, each with those files.
        """
        by_identity: dict[Identity, set[str]] = {}
        by_head: dict[Head, set[str]] = {}
        for path, file in ((path, file) for path, files in paths.items() for file in files):
            with contextlib.suppress(OSError):
                identity = identity_of(Path(file).stat())
                if (path, identity) not in self._not_renamed:
                    by_identity.setdefault(identity, set()).add(path)
                    for head in _read_heads(file):
                        by_head.setdefault(head, set()).add(path)
        if not by_identity:
            return []
        found: set[str] = set()
        for known in self._find(list(by_identity), list(by_head)):
            position, path = known.position, split_uri(known.source_uri)[1]
            if path in by_identity.get(position_identity(position), ()) or path in by_head.get(_head_of(position), ()):
                found.add(path)
        asked = ((path, identity) for identity, paths in by_identity.items() for path in paths)
        self._not_renamed |= {(path, identity) for path, identity in asked if path not in found}
        return sorted(found)

    def note_read(self, file_id: int, end: int) -> None:
        """Note that the lines of a file up to the offset ``end`` are read, and not committed yet."""
        with self._lock:
            self._uncommitted[file_id] = end

    def note_committed(self, moves: Iterable[Move], finished: Iterable[TailedFile]) -> None:
        """Note what the store has committed. May be called from another thread."""
        with self._lock:
            for move in moves:
                if self._uncommitted.get(move.file_id) == move.end:
                    del self._uncommitted[move.file_id]
            for file in finished:
                self._finishing.pop(file, None)

    def find_owner(
        self, asking: SourceFiles, path: str, handle: OpenFile, *, others_only: bool
    ) -> Elsewhere | Continuation | None:
        """See `puppylog.tail.owners.Owners`."""
        if self._is_finishing(handle):
            return Elsewhere()
        is_unknown = handle.identity in self._unknown
        self._unknown.discard(handle.identity)
        match = None if is_unknown else self._match_known(asking, path, handle, others_only=others_only)
        if isinstance(match, Elsewhere):
            return match
        if match is not None:
            return self._continue(asking, path, handle, *match)
        return Elsewhere(_ASK_AGAIN_S) if self._is_copy_of_live(handle) else None

    def _match_known(
        self, asking: SourceFiles, path: str, handle: OpenFile, *, others_only: bool
    ) -> tuple[KnownFile, Checkpoint] | Elsewhere | None:
        """Return the file of the store that this file is, and the offset from which to read on.

        Returns:
            If several files of the store match, the one with the largest offset; None if none matches; `Elsewhere` if
            another collector may be reading the file, and has not stored a line of it yet.
        """
        heads = find_heads(handle) if is_copy_path(handle.path) else []
        best: tuple[KnownFile, Checkpoint] | None = None
        known = self._find([handle.identity], heads)
        by_inode = {file.position.file_id: file.stream_id for file in known if _is_inode_only(file, handle)}
        own_file_id = min(
            (file_id for file_id, stream_id in by_inode.items() if stream_id == asking.stream_id), default=math.inf
        )
        for file in known:
            is_own_copy = file.stream_id == asking.stream_id and position_identity(file.position) != handle.identity
            if (is_own_copy and path == handle.path) or (others_only and file.stream_id == asking.stream_id):
                continue  # the tailer itself finds copies of its stream's files, but not by a link to a copy
            began_earlier = file.position.file_id in by_inode and file.position.file_id < own_file_id
            if began_earlier and file.stream_id != asking.stream_id and not self._may_read(file):
                return Elsewhere(_ASK_AGAIN_S)
            checkpoint = find_match(file, handle)
            if checkpoint is not None and (best is None or file.position.byte_offset >= best[0].position.byte_offset):
                best = file, checkpoint
        return best

    def _is_copy_of_live(self, handle: OpenFile) -> bool:
        """Return whether the file is a copy of a log that a stream reads: copytruncate's, or a compressed one.

        What the stream has read of the log need not be stored yet.
        """
        is_copied = any(
            log.path in self._followed_paths
            or log.identity in self._source_by_identity
            or self._find([log.identity], [])
            for log in find_copied_logs(handle)
        )
        bases = find_bases(handle.path)
        return is_copied or any(
            one.file.path in bases and one.handle.identity != handle.identity and is_copy_of_live(handle, one.handle)
            for source in (self._sources.values() if bases else ())
            for one in source.files.values()
        )

    def _continue(
        self, asking: SourceFiles, path: str, handle: OpenFile, file: KnownFile, checkpoint: Checkpoint
    ) -> Elsewhere | Continuation:
        """Return how to read on a file that a stream has read, if no other tailer or collector reads it."""
        position = file.position
        if position.finished and not handle.read(1, checkpoint.offset):
            return READ_TO_ITS_END
        holder = self._holder(position)
        is_read_here = holder is asking and position_identity(position) != handle.identity
        if is_read_here or holder not in {None, asking} or not self._is_released(asking, file):
            return Elsewhere()
        with self._lock:
            if position.file_id in self._uncommitted:
                return Elsewhere()
        if file.stream_id not in self._sources and file.stream_id not in self._claimed:
            stream = self._claim_stream(path, file)
            if stream is None:
                return Elsewhere(_ASK_AGAIN_S)
            fresh = next((known for known in stream.files if known.file_id == position.file_id), None)
            confirmed = None if fresh is None else confirm(handle, fresh)
            if fresh is None or confirmed is None:
                return Elsewhere()
            position, checkpoint = fresh, confirmed
        if file.stream_id in self._claimed:
            self._on_continued(file.stream_id)
        return Continuation(file.stream_id, position, checkpoint)

    def _is_released(self, asking: SourceFiles, file: KnownFile) -> bool:
        """Return whether the source of the file's own stream lets another source read the file, or is not followed."""
        source = self._sources.get(file.stream_id)
        if source is None or source.release is None:
            return source is None or source is asking
        if not source.release(file.position) and source is not asking:
            return False
        with self._lock:  # its tailer may just have finished it as missing; that end is not to be committed
            for finished in [known for known in self._finishing if known.file_id == file.position.file_id]:
                del self._finishing[finished]
        return True

    def _may_read(self, file: KnownFile) -> bool:
        """Claim the stream of a file of which no line is stored yet; return whether no other collector follows it."""
        if file.stream_id in self._sources or file.stream_id in self._claimed:
            return True
        return self._claim_stream(file.position.path, file) is not None

    def _claim_stream(self, path: str, file: KnownFile) -> Stream | None:
        try:
            stream = self._claim(file.source_uri)
        except (StreamBusy, ConfigurationError) as error:
            self._on_skipped(f"{path} is left out: it belongs to {split_uri(file.source_uri)[1]}; {error.message}")
            return None
        self._claimed[stream.stream_id] = stream.source_uri
        return stream

    def _holder(self, position: FilePosition) -> SourceFiles | None:
        """Return the source that has the file of the position open; None if no source has."""
        return self._source_by_file_id.get(position.file_id)

    def _is_finishing(self, handle: OpenFile) -> bool:
        """Return whether a tailer of this process has read the file to its end, and the end is not committed yet."""
        with self._lock:
            finishing = list(self._finishing.values())
        for last in finishing:
            same = last.identity == handle.identity
            if (same or is_copy_path(handle.path)) and last.byte_offset > 0 and confirm(handle, last) is not None:
                return True
        return False

    def is_open_elsewhere(self, asking: SourceFiles, identity: Identity) -> bool:
        """See `puppylog.tail.owners.Owners`."""
        return self._source_by_identity.get(identity, asking) is not asking

    def set_open_files(self, source: SourceFiles, files: Iterable[OpenedFile]) -> None:
        """See `puppylog.tail.owners.Owners`."""
        opened = {one.handle.identity: one for one in files}
        still_open = {one.file for one in opened.values()}
        for identity, held in source.files.items():
            if self._source_by_identity.get(identity) is source:
                del self._source_by_identity[identity]
            if held.file not in still_open:
                file_id = self._new_ids.pop(held.file, held.file.file_id)
                if file_id is not None and self._source_by_file_id.get(file_id) is source:
                    del self._source_by_file_id[file_id]
        source.files = opened
        for identity, held in opened.items():
            self._source_by_identity.setdefault(identity, source)
            self._unknown.discard(identity)
            if held.file.file_id is not None:
                self._source_by_file_id[held.file.file_id] = source

    def register(self, stream_id: int, file: TailedFile, file_id: int) -> None:
        """Note the id that the store has given to a new file.

        Args:
            stream_id: of the source that reads the file.
            file: the file, as its tailer opened it.
            file_id: its id in the store.
        """
        source = self._sources[stream_id]
        if any(held.file is file for held in source.files.values()):
            self._new_ids[file] = file_id
            self._source_by_file_id[file_id] = source

    def note_finished(self, file: TailedFile, last: ReadPosition) -> None:
        """See `puppylog.tail.owners.Owners`."""
        with self._lock:
            self._finishing[file] = last


@dataclass(frozen=True, slots=True)
class StreamOwners:
    """Implements `puppylog.tail.owners.Owners` for the tailer of one source."""

    _known: KnownFiles
    _source: SourceFiles

    def is_open_elsewhere(self, identity: Identity) -> bool:
        return self._known.is_open_elsewhere(self._source, identity)

    def find_owner(self, path: str, handle: OpenFile, *, others_only: bool = False) -> Elsewhere | Continuation | None:
        return self._known.find_owner(self._source, path, handle, others_only=others_only)

    def set_open_files(self, files: Iterable[OpenedFile]) -> None:
        self._known.set_open_files(self._source, files)

    def note_finished(self, file: TailedFile, last: ReadPosition) -> None:
        self._known.note_finished(file, last)


def _is_inode_only(file: KnownFile, handle: OpenFile) -> bool:
    """Return whether the file matches the position by inode, and the position has no content to compare."""
    position = file.position
    is_inode_only = position.fingerprint.head_size == 0 and not position.finished
    return is_inode_only and position_identity(position) == handle.identity


def _resolve(path: str) -> str:
    """Return the target of a link, which a tailer opens: only the target's name tells whether it may be a copy."""
    return os.path.realpath(path) if Path(path).is_symlink() else path


def _read_heads(path: str) -> Sequence[Head]:
    with contextlib.closing(open_log(path)) as handle:
        return find_heads(handle)


def _head_of(position: FilePosition) -> Head:
    return position.fingerprint.head_size, position.fingerprint.head_hash
