"""The questions of a tailer about other tailers and streams, so that only one stream reads a file."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from puppylog.model.stream import FilePosition
from puppylog.tail.checkpoint import Checkpoint
from puppylog.tail.chunk import TailedFile
from puppylog.tail.handle import OpenFile
from puppylog.tail.rotation.position import Identity, ReadPosition


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Another tailer or another collector reads the file, or the store has all of it: do not read it."""

    ask_again_s: float = 0.0  # ask again after this time, or when the file has changed


READ_TO_ITS_END: Final = Elsewhere(math.inf)
"""The store has all of the file. Ask again only when the file has changed."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """A stream has read the file up to the checkpoint. The tailer that asks reads the rest for that stream."""

    stream_id: int
    position: FilePosition
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class OpenedFile:
    """A file that a tailer has open."""

    file: TailedFile
    handle: OpenFile


class Owners(Protocol):
    """Knows which files other tailers of this process have open, and which files the streams of this host have read."""

    def is_open_elsewhere(self, identity: Identity) -> bool:
        """Return whether another tailer of this process has the file open. Must be fast: it is called often."""

    def find_owner(self, path: str, handle: OpenFile, *, others_only: bool = False) -> Elsewhere | Continuation | None:
        """Return by whom the opened file is read; None if no stream has read it.

        Args:
            path: of the source, if the file is at it; else of the rotated file.
            handle: the file.
            others_only: ignore what the stream of the tailer that asks has read.

        Raises:
            OSError: the file cannot be read now.
            PuppylogError: the store cannot be asked.
        """

    def set_open_files(self, files: Iterable[OpenedFile]) -> None:
        """Set the files that the tailer has open, instead of the files that were set before."""

    def note_finished(self, file: TailedFile, last: ReadPosition) -> None:
        """Note that the tailer has read the file to its end. The end is not stored yet."""


class NoOwners:
    """Implements `Owners` for a single tailer that knows all positions."""

    def is_open_elsewhere(self, identity: Identity) -> bool:  # noqa: ARG002 - the signature of the protocol
        return False

    def find_owner(
        self,
        path: str,  # noqa: ARG002 - the signature of the protocol
        handle: OpenFile,  # noqa: ARG002 - the signature of the protocol
        *,
        others_only: bool = False,  # noqa: ARG002 - the signature of the protocol
    ) -> Elsewhere | Continuation | None:
        return None

    def set_open_files(self, files: Iterable[OpenedFile]) -> None:
        """Do nothing: no other tailer asks."""

    def note_finished(self, file: TailedFile, last: ReadPosition) -> None:
        """Do nothing: no other tailer asks."""
