"""An alert judges a metric: a statistic of its observations over a trailing window against a level, every period.

The rule is a pure function of what was and what is observed. A store runs it; so does a property test.
"""

from dataclasses import dataclass
from enum import StrEnum


class Comparison(StrEnum):
    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="


class NoData(StrEnum):
    """What no observation at all in a window means."""

    OK = "ok"
    KEEP = "keep"  # the state stays as it is
    NO_DATA = "no_data"  # a state of its own
    ALERT = "alert"  # as if the level were passed
    ZERO = "zero"  # as if zero were observed


class State(StrEnum):
    OK = "ok"
    PENDING = "pending"  # the level is passed, but not yet for long enough
    FIRING = "firing"
    NO_DATA = "no_data"


ALERT_STATISTICS = ("avg", "sum", "min", "max")


@dataclass(frozen=True, slots=True)
class Alert:
    """The definition of an alert, as its row in ``alerts`` has it."""

    name: str
    metric: str
    statistic: str  # one of ALERT_STATISTICS, over the observations in the window
    comparison: Comparison
    level: float
    window_s: int  # a whole number of the metric's periods
    period_s: int  # time between two evaluations; evaluations are aligned to the epoch
    for_s: int
    keep_firing_for_s: int
    delay_s: int  # the window ends so long before the evaluation, for late lines
    each_segment: bool  # judge every segment by itself, not all together
    no_data: NoData
