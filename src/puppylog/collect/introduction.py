"""New files are made known to the store many at once: each time costs a transaction, however many they are.

Until then their chunks wait. Those of one file stay in their order, and files are made known in the order in which
their first chunks came.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from puppylog.collect.followed import Followed, OpenFile
from puppylog.formats.base import Format
from puppylog.model.stream import FilePosition
from puppylog.stores.base import NewFile
from puppylog.tail.chunk import Chunk, TailedFile

Read: TypeAlias = tuple[Followed, Chunk]

_WAITING_CHUNKS: Final = 256
_WAITING_BYTES: Final = 16 << 20  # what they hold in memory; of large files, few are worth a transaction


class Introduction:
    """Opens the files that chunks are of, before anybody takes the chunks."""

    def __init__(
        self,
        open_files: Callable[[Sequence[NewFile]], Sequence[FilePosition]],
        format: Format,  # noqa: A002 - the word of the product
    ) -> None:
        """Prepare to open files.

        Args:
            open_files: makes them known to the store.
            format: whose parsers read them.
        """
        self._open_files = open_files
        self._format = format

    def iter_open(self, chunks: Iterable[Read]) -> Iterator[Read]:
        """Give the chunks when their files are open; at the latest when there are no more, all of them."""
        waiting: list[Read] = []
        waiting_bytes = 0
        for followed, chunk in chunks:
            file = chunk.file
            if file.serial not in followed.files and file.file_id is not None:
                self._open(followed, file, file.file_id)
            if file.serial in followed.files:
                yield followed, chunk
                continue
            waiting.append((followed, chunk))
            waiting_bytes += len(chunk.data)
            if len(waiting) >= _WAITING_CHUNKS or waiting_bytes >= _WAITING_BYTES:
                self._introduce(waiting)
                yield from waiting
                waiting, waiting_bytes = [], 0
        if waiting:
            self._introduce(waiting)
            yield from waiting

    def _introduce(self, waiting: Iterable[Read]) -> None:
        new = list(dict.fromkeys((followed, chunk.file) for followed, chunk in waiting))
        opened = self._open_files(
            [
                NewFile(stream_of(followed, file), _as_text(file.path), file.device, file.inode, file.start)
                for followed, file in new
            ]
        )
        for (followed, file), position in zip(new, opened, strict=True):
            self._open(followed, file, position.file_id)

    def _open(self, followed: Followed, file: TailedFile, file_id: int) -> None:
        followed.files[file.serial] = OpenFile(file_id, self._format.open(file.context, file.modified_at_us))


def stream_of(followed: Followed, file: TailedFile) -> int:
    """Return the stream of the file: the source's, or the one that has read the file under another name."""
    return followed.stream.stream_id if file.stream_id is None else file.stream_id


def _as_text(path: str) -> str:
    """Return the path as a store can keep it. Names of files are bytes, and need not be UTF-8."""
    return os.fsencode(path).decode(errors="backslashreplace")
