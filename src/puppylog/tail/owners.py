"""What a tailer must know of other tailers and streams before it begins a file: a file is read by one stream only."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from puppylog.model.stream import FilePosition
from puppylog.tail.checkpoint import Checkpoint
from puppylog.tail.chunk import TailedFile
from puppylog.tail.handle import OpenFile
from puppylog.tail.rotation.place import Identity, Place


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The file is another tailer's or another collector's to read, or the store has all of it."""

    ask_again_s: float = 0.0


READ_TO_ITS_END: Final = Elsewhere(math.inf)
"""The store has all of the file: ask again when the file has changed."""


@dataclass(frozen=True, slots=True)
class Continuation:
    """A stream has read the file as far as the checkpoint; the asking tailer reads the rest for that stream."""

    stream_id: int
    position: FilePosition
    checkpoint: Checkpoint


class Owners(Protocol):
    """Knows which files the other tailers of this process hold, and which files the streams of this host have read."""

    def is_held(self, identity: Identity) -> bool:
        """Return whether another tailer of this process has the file open. Must be cheap."""

    def find_owner(self, path: str, handle: OpenFile, *, others_only: bool = False) -> Elsewhere | Continuation | None:
        """Return who reads the file that was opened at the path; None if no stream has read it.

        Args:
            path: of the source, or of the rotated file.
            handle: the file.
            others_only: leave out what the asking tailer's own stream has read.

        Raises:
            OSError: the file cannot be read now.
            PuppylogError: the store cannot be asked.
        """

    def hold(self, files: Mapping[Identity, TailedFile]) -> None:
        """Note all files that the tailer has open, in place of those that were noted before."""

    def finish(self, file: TailedFile, last: Place) -> None:
        """Note that the tailer reads no more of the file. The store does not know that yet."""


class NoOwners:
    """Implements `Owners` where there is one tailer only, and it knows all positions."""

    def is_held(self, identity: Identity) -> bool:  # noqa: ARG002 - the protocol's
        return False

    def find_owner(
        self,
        path: str,  # noqa: ARG002 - the protocol's
        handle: OpenFile,  # noqa: ARG002 - the protocol's
        *,
        others_only: bool = False,  # noqa: ARG002 - the protocol's
    ) -> Elsewhere | Continuation | None:
        return None

    def hold(self, files: Mapping[Identity, TailedFile]) -> None:
        """Nothing else asks."""

    def finish(self, file: TailedFile, last: Place) -> None:
        """Nothing else asks."""
