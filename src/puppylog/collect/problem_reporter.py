"""Reports what is wrong with sources as events, each thing once."""

from puppylog.collect.events import (
    JournalGap,
    OnEvent,
    OpenFileLimitReached,
    SourceSkipped,
    SourceUnreadable,
    WatchLimitReached,
)
from puppylog.collect.slots import Slots
from puppylog.model.journal_cursor import JournalCursor


class ProblemReporter:
    """What was reported so far. Used in the reading thread only."""

    def __init__(self, on_event: OnEvent, *, watch: bool) -> None:
        """Prepare; ``watch`` is whether the sources are watched. A run that ends by itself does not report limits."""
        self._on_event = on_event
        self._watch = watch
        self._skipped: set[str] = set()  # sentences
        self._refused: set[str] = set()  # paths and patterns
        self._is_open_file_limit_told = False

    @property
    def refused(self) -> int:
        """How many paths and patterns cannot be read."""
        return len(self._refused)

    def clear(self) -> None:
        """Forget which sources were reported, because others are followed now."""
        self._skipped.clear()
        self._refused.clear()

    def skip(self, cause: str) -> None:
        """Report a sentence about a file that is left out."""
        if cause not in self._skipped:
            self._skipped.add(cause)
            self._on_event(SourceSkipped(cause))

    def refuse(self, path: str, cause: str) -> None:
        """Report a path or a pattern that cannot be read."""
        if path not in self._refused:
            self._refused.add(path)
            self._on_event(SourceUnreadable(path, cause, self._watch))

    def note_gap(self, path: str, stored: JournalCursor) -> None:
        """Report entries of a journal that are gone after the stored one."""
        self._on_event(JournalGap(path, stored.realtime_us))

    def note_open_file_limit(self, slots: Slots) -> None:
        """Report that no more files can be open at once."""
        if self._watch and not self._is_open_file_limit_told:
            self._is_open_file_limit_told = True
            self._on_event(OpenFileLimitReached(slots.descriptors, slots.limit))

    def note_watch_limit(self, limit: str) -> None:
        """Report that the system notifies of no more files."""
        if self._watch:
            self._on_event(WatchLimitReached(limit))
