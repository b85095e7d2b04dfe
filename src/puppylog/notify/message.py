"""What a contact is told about an alert: a frozen value, from which each contact makes what its medium shows.

All texts in a message are hostile: names of segments and sample lines come from logs. Each contact escapes them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from puppylog.model.alert import Comparison


class Kind(StrEnum):
    """What has happened. The first three are the kinds of rows in the table ``notifications``."""

    FIRING = "firing"
    NO_DATA = "no_data"
    RESOLVED = "resolved"
    ACKNOWLEDGED = "acknowledged"  # a person knows of a firing alert; only PagerDuty has a state for this


MOST_URGENT_FIRST: Final = (Kind.FIRING, Kind.NO_DATA, Kind.ACKNOWLEDGED, Kind.RESOLVED)

MAX_LINES: Final = 10
"""The most sample lines of a segment. A segment with this many may have more matching records."""

SEVERITIES: Final = ("critical", "error", "warning", "info")


@dataclass(frozen=True, slots=True)
class SampleLine:
    """A record that the alert observed, as one line of text."""

    ts: datetime
    text: str  # hostile, of any length
    source: str = ""  # the name of the stream's source; hostile; empty if it is unknown


@dataclass(frozen=True, slots=True)
class SegmentReport:
    """One transition: of one segment, or of all segments together."""

    kind: Kind
    segment: str | None  # None: all segments together, or the records for which the segment is null
    value: float | None  # the observed value of the transition; None if nothing was observed
    since: datetime  # the evaluation at which this firing, or this time without data, began
    key: str  # the same for the firing, its repetitions and its resolution; at most 200 printable ASCII characters
    ended_at: datetime | None = None  # the evaluation at which it ended; set if and only if `kind` is resolved
    chart: tuple[float | None, ...] = ()  # observations up to the transition, oldest first; None is an empty bucket
    lines: tuple[SampleLine, ...] = ()  # newest first
    lines_omitted: int = 0  # how many more records are known to match; there may be more


@dataclass(frozen=True, slots=True)
class Message:
    """Transitions of one alert, told to one contact at once. Has at least one segment."""

    alert: str
    metric: str  # empty if the alert was deleted before this process has seen its definition
    statistic: str  # of the metric's observations in the window: avg, sum, min or max
    comparison: Comparison
    threshold: float
    window_s: int
    segments: tuple[SegmentReport, ...]
    summary: str = ""  # what the definition of the alert says about it; empty if it says nothing
    severity: str = "warning"  # one of SEVERITIES
    each_segment: bool = False  # whether the alert judges each segment by itself
    segments_omitted: int = 0  # how many more segments have changed their state
    note: str = ""  # such as "the alert was deleted" or "acknowledged by ann: looking into it"
    command: str = ""  # the command that shows the records, for a shell
    link: str = ""  # of the alert's page; empty if no page is configured
    store: str = ""  # the store's URL without a password
    is_late: bool = False  # whether the evaluation was missed and caught up, or the message waited for long
    is_test: bool = False
    told_at: datetime | None = None  # if this is a reminder: when the same was told last
    occasion: str = ""  # the same if the message is sent again after an error; of no other message of the store

    @property
    def kind(self) -> Kind:
        """The most urgent kind among the segments."""
        kinds = {report.kind for report in self.segments}
        return next(kind for kind in MOST_URGENT_FIRST if kind in kinds)

    @property
    def identity(self) -> str:
        """A hash that is the same if the message is sent again after an error, and of no other message."""
        parts = [f"{report.kind} {report.key}" for report in self.segments]
        return hashlib.sha256("\n".join([self.occasion, *parts]).encode()).hexdigest()

    @property
    def count(self) -> int:
        """The number of segments, with those that are left out."""
        return len(self.segments) + self.segments_omitted


def count_kinds(message: Message) -> Mapping[Kind, int]:
    """Return how many segments of the message there are of each kind that occurs, the most urgent kind first."""
    kinds = [report.kind for report in message.segments]
    return {kind: kinds.count(kind) for kind in MOST_URGENT_FIRST if kind in kinds}
