"""A source that is followed: its stream, its files and their parsers, and when it is worth another look."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from puppylog.formats.base import Parser
from puppylog.model.stream import Stream
from puppylog.tail.chunk import Chunk
from puppylog.tail.pipe import PipeTailer
from puppylog.tail.tailer import Tailer

SOON_S: Final = 0.1
"""How often a file that grows is looked at. Well below the second in which a line should be visible."""

IDLE_S: Final = 3.0
"""How often a file is looked at that has long been at rest: often enough for those that nobody is told of, seldom
enough for a thousand of them to cost nothing."""

_SLOWER: Final = 1.5
_TURN_BYTES: Final = 16 << 20  # read of one source before the others have their turn


@dataclass(slots=True)
class OpenFile:
    """A file that is being read: what the store calls it, and who reads its lines."""

    file_id: int
    parser: Parser
    format_name: str = ""  # what was last said about it


@dataclass(slots=True, eq=False)
class Followed:
    """A source and its files."""

    stream: Stream
    tailer: Tailer | PipeTailer
    files: dict[int, OpenFile] = field(default_factory=dict)  # by the serial of the tailed file
    has_finished: bool = False  # a file of it was read to its end and left its path
    problem: str | None = None
    due_at: float = 0.0
    """When it is looked at again; on the clock that is handed to `look`."""
    _pause_s: float = SOON_S

    @property
    def is_pipe(self) -> bool:
        """Whether what was read cannot be read again."""
        return isinstance(self.tailer, PipeTailer)

    @property
    def is_gone(self) -> bool:
        """Whether its files were read to their end, and none stands at its path any more."""
        has_finished = self.has_finished or any(file.finished for file in self.stream.files)
        if self.files or not has_finished or not isinstance(self.tailer, Tailer):
            return False
        try:
            os.stat(self.tailer.path)  # noqa: PTH116 - pathlib does not tell a missing file from one that is forbidden
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            return False
        return False

    def look(self, now: float) -> Iterator[Chunk]:
        """Give what can be read now, but no more than a turn of it; then it is due again, the sooner the more came."""
        came = False
        for chunk in self.tailer.read(_TURN_BYTES):
            came = True
            yield chunk
        self._pause_s = SOON_S if came else min(IDLE_S, self._pause_s * _SLOWER)
        self.due_at = now if self.tailer.has_more else now + self._pause_s

    def wake(self) -> None:
        """Something has happened to it: it is due at once."""
        self.due_at = 0.0
        self._pause_s = SOON_S
