"""The events of a collector, as values. Nothing here prints: the command line decides what to print."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from puppylog.model.record import LineCounts


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """A source was opened, and is followed from now on."""

    source_uri: str
    resumed_at: int  # how many bytes of its current file are stored already


@dataclass(frozen=True, slots=True)
class NativeReadersMissing:
    """Puppylog was installed without a C compiler: its readers in Python use about 40 to 120 times as much CPU."""


@dataclass(frozen=True, slots=True)
class SourceSkipped:
    """A file that matches a pattern, or is in a directory, is not collected."""

    cause: str


@dataclass(frozen=True, slots=True)
class OpenFileLimitReached:
    """More files are followed than may be open at once. Idle files are closed, and opened again when they change."""

    limit: int  # how many descriptors this process may have
    max_open: int  # how many logs are open at most


@dataclass(frozen=True, slots=True)
class WatchLimitReached:
    """A system limit leaves some directories without notification. Changes in them are found by polling only."""

    limit: str  # the name of the limit, such as fs.inotify.max_user_watches


@dataclass(frozen=True, slots=True)
class FormatChosen:
    """The format of a file was recognized by its lines."""

    path: str
    format: str


@dataclass(frozen=True, slots=True)
class FileFinished:
    """A file was rotated, truncated or deleted, and all of its lines are stored."""

    path: str
    byte_offset: int


@dataclass(frozen=True, slots=True)
class FileMissing:
    """A file was deleted or replaced while no collector had it open. Lines after the offset, if any, are lost."""

    path: str
    byte_offset: int  # up to which its lines are stored


@dataclass(frozen=True, slots=True)
class LineCut:
    """A line was longer than allowed. Only its beginning is kept."""

    path: str
    line_offset: int


@dataclass(frozen=True, slots=True)
class LineContinued:
    """A line whose beginning was stored without a newline has continued. The rest is stored as a line of its own."""

    path: str
    rest_offset: int


@dataclass(frozen=True, slots=True)
class JournalGap:
    """A journal no longer has the last stored entry. Entries after it may have been deleted, too."""

    path: str
    stored_us: int  # the time of that entry, in microseconds since the epoch


@dataclass(frozen=True, slots=True)
class Committed:
    """The store has committed rows and positions: they are durable."""

    records: int
    rejects: int
    seconds: float = field(default=0.0, compare=False)  # that the commit took, with its retries


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of this run is committed, and how much there was to read at the last poll."""

    bytes_done: int
    bytes_total: int
    records: int
    rejects: int


@dataclass(frozen=True, slots=True)
class StoreInterrupted:
    """The store cannot take lines now. The lines stay in their files, and the call is retried."""

    cause: str
    retry_in_s: float


@dataclass(frozen=True, slots=True)
class StoreResumed:
    """The store takes lines again."""


@dataclass(frozen=True, slots=True)
class SourceUnreadable:
    """A source cannot be read now, or not to its end."""

    path: str
    cause: str
    is_watched: bool = True  # the collector waits for the source; otherwise the run goes on without it


@dataclass(frozen=True, slots=True)
class PodLabelsMissing:
    """The API of Kubernetes does not return the labels of pods now. Lines are stored, and get these labels later."""

    cause: str | None  # None: it returns them again


@dataclass(frozen=True, slots=True)
class SourcesChanged:
    """Other sources are collected from now on."""

    sources: int  # how many


Event: TypeAlias = (
    StreamOpened
    | NativeReadersMissing
    | SourceSkipped
    | OpenFileLimitReached
    | WatchLimitReached
    | FormatChosen
    | FileFinished
    | FileMissing
    | LineCut
    | LineContinued
    | JournalGap
    | Committed
    | Progress
    | StoreInterrupted
    | StoreResumed
    | SourceUnreadable
    | PodLabelsMissing
    | SourcesChanged
)
OnEvent: TypeAlias = Callable[[Event], None]
"""Called with each event. A collector calls it from its reading thread and from its committing thread."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a run has done."""

    bytes_read: int
    records: int
    rejects: int
    counts: LineCounts
    files: int
    unfinished_bytes: int  # of last lines that have no newline yet
    seconds: float
    reasons: tuple[tuple[str, int], ...]  # why lines were rejected, most frequent first
    unfinished_wait_s: float | None = (
        None  # how long after the file's last change a run stores such a line; None while watching
    )
    unread: int = 0  # sources that could not be read to their end
