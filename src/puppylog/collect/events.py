"""What happened while collecting, as small values. The command line decides what to say; nothing here prints."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """A source was opened, and is followed from now on."""

    source_uri: str
    resumed_at: int  # bytes of its current file that are stored already


@dataclass(frozen=True, slots=True)
class NativeReadersMissing:
    """Puppylog was installed without a C compiler: the readers in Python take about 40 to 120 times as much CPU."""


@dataclass(frozen=True, slots=True)
class SourceSkipped:
    """Something that matches a pattern, or lies in a directory, is not collected."""

    cause: str


@dataclass(frozen=True, slots=True)
class OpenFileLimitReached:
    """More files are followed than may be open at once. Those at rest are closed, and opened when they change."""

    limit: int  # on this process's descriptors
    most_open: int  # of logs


@dataclass(frozen=True, slots=True)
class WatchLimitReached:
    """The kernel has no room to tell of changes in some directories. Their files are looked at from time to time."""

    limit: str  # that is reached, such as fs.inotify.max_user_watches


@dataclass(frozen=True, slots=True)
class FormatChosen:
    """A file's lines have told how they are to be parsed."""

    path: str
    format: str


@dataclass(frozen=True, slots=True)
class FileFinished:
    """A file was rotated away, truncated or deleted, and everything of it is stored."""

    path: str
    byte_offset: int


@dataclass(frozen=True, slots=True)
class LineCut:
    """A line was longer than allowed; its beginning is kept."""

    path: str
    line_offset: int


@dataclass(frozen=True, slots=True)
class LineContinued:
    """A line whose beginning was stored without its newline has gone on; the rest of it is stored by itself."""

    path: str
    rest_offset: int


@dataclass(frozen=True, slots=True)
class Committed:
    """The store has answered: rows and positions are durable."""

    records: int
    rejects: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it is: what of this run is committed, and what was there to read when it was last looked at."""

    bytes_done: int
    bytes_total: int
    records: int
    rejects: int


@dataclass(frozen=True, slots=True)
class StoreAway:
    """The store can not take lines now. The files keep them; it will be asked again."""

    cause: str
    retry_in_s: float


@dataclass(frozen=True, slots=True)
class StoreBack:
    """The store takes lines again."""


@dataclass(frozen=True, slots=True)
class SourceAway:
    """A source can not be read now, or not to its end."""

    path: str
    cause: str
    is_watched: bool = True  # it is waited for; otherwise the run goes on without it


Event: TypeAlias = (
    StreamOpened
    | NativeReadersMissing
    | SourceSkipped
    | OpenFileLimitReached
    | WatchLimitReached
    | FormatChosen
    | FileFinished
    | LineCut
    | LineContinued
    | Committed
    | Progress
    | StoreAway
    | StoreBack
    | SourceAway
)
OnEvent: TypeAlias = Callable[[Event], None]
"""Is told what happens. A collector calls it from its reading thread and from its committing thread."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run has done."""

    bytes_read: int
    records: int
    rejects: int
    rowless: int  # lines without a row of their own
    files: int
    unfinished_bytes: int  # of last lines that wait for their newline
    seconds: float
    reasons: tuple[tuple[str, int], ...]  # why lines were rejected, most frequent first
    unfinished_wait_s: float | None = None  # how long after its last change a run takes one; None while watching
    unread: int = 0  # sources that could not be read to their end
