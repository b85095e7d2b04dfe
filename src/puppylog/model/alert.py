"""An alert compares a statistic of a metric's observations over a trailing window with a threshold, every period.

What it is lives here; what it does, a pure function of what was and what is observed, is `alert_rule`.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from puppylog.errors import UsageError
from puppylog.model.metric import Metric
from puppylog.model.period import format_period


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
    ALERT = "alert"  # as if the threshold were crossed
    ZERO = "zero"  # as if zero were observed


class State(StrEnum):
    OK = "ok"
    PENDING = "pending"  # the threshold is crossed, but not yet for long enough
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
    threshold: float
    window_s: int  # a whole number of the metric's periods
    period_s: int  # time between two evaluations; evaluations are aligned to the epoch
    for_s: int
    keep_firing_for_s: int
    delay_s: int  # the window ends so long before the evaluation, for late lines
    each_segment: bool  # judge every segment by itself, not all together
    no_data: NoData


_WORDS = {"gt": Comparison.ABOVE, "ge": Comparison.AT_LEAST, "lt": Comparison.BELOW, "le": Comparison.AT_MOST}
"""Comparisons for those whose shell takes ``>`` for itself."""


def parse_comparison(text: str) -> Comparison:
    """Return the comparison written as ``>``, ``>=``, ``<``, ``<=``, or as gt, ge, lt, le.

    Raises:
        UsageError: there is none of that name.
    """
    word = text.strip().lower()
    known = {**{comparison.value: comparison for comparison in Comparison}, **_WORDS}
    if word not in known:
        raise UsageError("use", f"comparison {text!r}", advice=f"known are {', '.join(known)}")
    return known[word]


def parse_no_data(text: str) -> NoData:
    """Return the policy for windows without any observation.

    Raises:
        UsageError: there is none of that name.
    """
    word = text.strip().lower().replace("-", "_")
    known = [policy.value for policy in NoData]
    if word not in known:
        raise UsageError("use", f"no-data policy {text!r}", advice=f"known are {', '.join(known)}")
    return NoData(word)


# So long may a line take from its file to the store. With less, the newest bucket would be judged half full.
_LEAST_DELAY_S = 2
_PERIOD_S = 5
# In 5 s, a window of more than 10 minutes hardly moves: it is judged so many times before it has moved on as a whole.
_EVALUATIONS_PER_WINDOW = 120


def define_alert(
    name: str,
    metric: Metric,
    *,
    comparison: Comparison,
    threshold: float,
    window_s: int,
    statistic: str = "avg",
    period_s: int | None = None,
    for_s: int = 0,
    keep_firing_for_s: int = 0,
    delay_s: int | None = None,
    each_segment: bool = False,
    no_data: NoData | None = None,
) -> Alert:
    """Return the alert on ``metric``, with defaults that suit the metric where nothing is said.

    Raises:
        UsageError: the parts do not make an alert on this metric.
    """
    if period_s is None:
        period_s = max(_PERIOD_S, window_s // _EVALUATIONS_PER_WINDOW)
    if delay_s is None:
        delay_s = max(metric.period_s, _LEAST_DELAY_S)
    if no_data is None:
        no_data = NoData.ZERO if metric.statistic == "count" else NoData.NO_DATA
    alert = Alert(
        name=name,
        metric=metric.name,
        statistic=statistic,
        comparison=comparison,
        threshold=threshold,
        window_s=window_s,
        period_s=period_s,
        for_s=for_s,
        keep_firing_for_s=keep_firing_for_s,
        delay_s=delay_s,
        each_segment=each_segment,
        no_data=no_data,
    )
    cause = _fault_of(alert, metric)
    if cause is not None:
        raise UsageError("define", f"alert {name!r}", cause)
    return alert


def _fault_of(alert: Alert, metric: Metric) -> str | None:
    """Return what keeps ``alert`` from judging ``metric``, if anything does."""
    window, period = format_period(alert.window_s), format_period(metric.period_s)
    faults = {
        f"it takes one of {', '.join(ALERT_STATISTICS)} of the observations, not {alert.statistic!r}": (
            alert.statistic not in ALERT_STATISTICS
        ),
        f"its threshold of {alert.threshold} is not finite": not math.isfinite(alert.threshold),
        f"its window of {window} is no whole number of the periods of metric {metric.name!r}, {period} each": (
            alert.window_s < metric.period_s or alert.window_s % metric.period_s != 0
        ),
        "its period is shorter than 1s": alert.period_s < 1,
        "a length of time is below zero": min(alert.for_s, alert.keep_firing_for_s, alert.delay_s) < 0,
        f"metric {metric.name!r} has no segments to judge one by one": alert.each_segment and metric.segment is None,
    }
    return next((fault for fault, is_there in faults.items() if is_there), None)
