"""The options of a run: which sources it collects, and how. One value goes from the command line to the tailers."""

from collections.abc import Sequence
from dataclasses import dataclass

from puppylog.formats.base import Format
from puppylog.tail.boundary import Boundary
from puppylog.tail.limits import RECORD_WAIT_S


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectOptions:
    """The options of a `Collector`.

    Example:
        >>> from puppylog.formats.registry import find_format
        >>> options = CollectOptions(sources=["/var/log/app/*.log"], format=find_format("plain"), watch=True)
        >>> options.from_end
        False
    """

    sources: Sequence[str]
    """Paths of files, directories and named pipes, glob patterns, or ``-`` for standard input."""
    format: Format
    """How lines are parsed."""
    group: str | None = None
    """The log group of the streams; None keeps the group that each stream has."""
    host: str = ""
    """This machine's name in source URIs; empty on a store of one machine."""
    watch: bool = False
    """Go on after the end of the files, through rotation and truncation, until stopped."""
    from_end: bool = False
    """Read only new lines of files that the store does not know when the run starts."""
    boundary: Boundary | None = None
    """Where records of several lines begin; without one, every line is a record."""
    record_wait_s: float = RECORD_WAIT_S
    """The last record of several lines is complete when its file has not grown for so many seconds."""
