"""Registers new files in the store, many in one transaction: a transaction takes the same time for any number of files.

The chunks of a file wait until the file is registered. The chunks of one file keep their order. Files are registered in
the order of their first chunks.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from puppylog.collect.tailed_source import OpenFile, TailedSource
from puppylog.model.stream import FilePosition
from puppylog.stores.base import NewFile
from puppylog.tail.chunk import Chunk, TailedFile

SourceChunk: TypeAlias = tuple[TailedSource, Chunk]
"""A chunk, and the source that it was read from."""

_WAITING_CHUNKS: Final = 256
_WAITING_BYTES: Final = 16 << 20  # bounds the memory that waiting chunks take


class FileRegistration:
    """Gives every file its id in the store, and a parser, before a chunk of the file is passed on."""

    def __init__(
        self,
        open_files: Callable[[Sequence[NewFile]], Sequence[FilePosition]],
        on_registered: Callable[[int, TailedFile, int], None] = lambda _stream_id, _file, _file_id: None,
    ) -> None:
        """Prepare to register files.

        Args:
            open_files: registers new files in the store; returns their positions in the same order.
            on_registered: called for each new file with the id of its source's stream, the file, and its new id.
        """
        self._on_registered = on_registered
        self._open_files = open_files

    def iter_registered(self, chunks: Iterable[SourceChunk]) -> Iterator[SourceChunk]:
        """Pass the chunks on, each as soon as its file is registered. After the last chunk all files are registered."""
        waiting: list[SourceChunk] = []
        waiting_bytes = 0
        for source, chunk in chunks:
            file = chunk.file
            if file.serial not in source.files and file.file_id is not None:
                self._open(source, file, file.file_id)
            if file.serial in source.files:
                yield source, chunk
                continue
            waiting.append((source, chunk))
            waiting_bytes += len(chunk.data)
            if len(waiting) >= _WAITING_CHUNKS or waiting_bytes >= _WAITING_BYTES:
                self._register(waiting)
                yield from waiting
                waiting, waiting_bytes = [], 0
        if waiting:
            self._register(waiting)
            yield from waiting

    def _register(self, waiting: Iterable[SourceChunk]) -> None:
        new = list(dict.fromkeys((source, chunk.file) for source, chunk in waiting))
        opened = self._open_files(
            [
                NewFile(stream_of(source, file), _as_text(file.path), file.device, file.inode, file.start)
                for source, file in new
            ]
        )
        for (source, file), position in zip(new, opened, strict=True):
            self._open(source, file, position.file_id)
            self._on_registered(source.stream.stream_id, file, position.file_id)

    def _open(self, source: TailedSource, file: TailedFile, file_id: int) -> None:
        source.files[file.serial] = OpenFile(file_id, source.open_parser(file), source.format.name)


def stream_of(source: TailedSource, file: TailedFile) -> int:
    """Return the id of the file's stream: that of the source, or the one that has read the file under another name."""
    return source.stream.stream_id if file.stream_id is None else file.stream_id


def _as_text(path: str) -> str:
    """Return the path as text for a store. The name of a file is bytes, and need not be UTF-8."""
    return os.fsencode(path).decode(errors="backslashreplace")
