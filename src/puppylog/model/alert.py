"""An alert compares a statistic of a metric's observations over a trailing window with a threshold, every period.

This module has the definition of an alert. `alert_rule` has the evaluation: a pure function of status and observation.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from puppylog.errors import UsageError
from puppylog.model.identifier import find_contact_fault
from puppylog.model.metric import COUNTING_STATISTICS, Metric
from puppylog.model.period import format_period


class Comparison(StrEnum):
    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="


COMPARED = {
    Comparison.ABOVE: "above",
    Comparison.AT_LEAST: "at least",
    Comparison.BELOW: "below",
    Comparison.AT_MOST: "at most",
}
"""What people read for a comparison, as in ``above 10``."""


class NoData(StrEnum):
    """How an alert is judged when its window holds no observation."""

    OK = "ok"
    KEEP = "keep"  # the state does not change
    NO_DATA = "no_data"  # a state of its own
    ALERT = "alert"  # as if the threshold were crossed
    ZERO = "zero"  # as if zero were observed


class State(StrEnum):
    OK = "ok"
    PENDING = "pending"  # the threshold is crossed, but not yet for `Alert.for_s` seconds
    FIRING = "firing"
    NO_DATA = "no_data"


ALERT_STATISTICS = ("avg", "sum", "min", "max")

SEVERITIES = ("critical", "error", "warning", "info")
"""How serious an alert is, the most serious first."""

DEFAULT_GROUP_WAIT_S = 30
DEFAULT_SEVERITY = "warning"

_MAX_CONTACTS = 20
_MAX_SUMMARY = 500  # characters


@dataclass(frozen=True, slots=True)
class Alert:
    """The definition of an alert: a row of the table ``alerts``. All lengths of time are in whole seconds."""

    name: str
    metric: str  # the name of the metric
    statistic: str  # one of ALERT_STATISTICS, taken of the observations in the window
    comparison: Comparison
    threshold: float
    window_s: int  # a multiple of the metric's period
    period_s: int  # time between two evaluations; evaluations are aligned to the epoch
    for_s: int  # how long the threshold must be crossed before the alert fires
    keep_firing_for_s: int  # how long it must not be crossed before the alert stops firing
    delay_s: int  # from the end of the window to the evaluation, so that late lines are counted
    each_segment: bool  # judge each segment of the metric by itself, not all segments together
    no_data: NoData
    contacts: tuple[str, ...] = ()  # names of the contacts that are told of transitions
    group_wait_s: int = DEFAULT_GROUP_WAIT_S  # how long a message waits for transitions of other segments
    repeat_s: int = 0  # while the alert fires, it is told again after this time; 0 is never
    severity: str = DEFAULT_SEVERITY  # one of SEVERITIES
    summary: str = ""  # one line for people: what the alert means


TELLING_FIELDS = ("contacts", "group_wait_s", "repeat_s", "severity", "summary")
"""The fields of `Alert` that say who is told of its transitions, and how. They have no effect on evaluations."""


_WORDS = {"gt": Comparison.ABOVE, "ge": Comparison.AT_LEAST, "lt": Comparison.BELOW, "le": Comparison.AT_MOST}
"""Words for the comparisons: in a shell, an unquoted ``>`` redirects the output."""


def parse_comparison(text: str) -> Comparison:
    """Return the comparison that is written as ``>``, ``>=``, ``<``, ``<=``, or as gt, ge, lt, le.

    Raises:
        UsageError: ``text`` is not a comparison.
    """
    word = text.strip().lower()
    known = {**{comparison.value: comparison for comparison in Comparison}, **_WORDS}
    if word not in known:
        raise UsageError("use", f"comparison {text!r}", advice=f"known are {', '.join(known)}")
    return known[word]


def parse_no_data(text: str) -> NoData:
    """Return the policy for windows without an observation. Case is ignored, and ``-`` is read as ``_``.

    Raises:
        UsageError: no policy has that name.
    """
    word = text.strip().lower().replace("-", "_")
    known = [policy.value for policy in NoData]
    if word not in known:
        raise UsageError("use", f"no-data policy {text!r}", advice=f"known are {', '.join(known)}")
    return NoData(word)


# A line takes up to this long from its file to the store. After a shorter delay, the newest bucket would be incomplete.
_MIN_DELAY_S = 2
_MIN_PERIOD_S = 5
# How often a window is judged while time moves on by its length. A window of 1 h is judged every 30 s, not every 5 s.
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
    contacts: Sequence[str] = (),
    group_wait_s: int = DEFAULT_GROUP_WAIT_S,
    repeat_s: int = 0,
    severity: str = DEFAULT_SEVERITY,
    summary: str = "",
) -> Alert:
    """Return an alert on ``metric``.

    Args:
        name: of the alert; an identifier.
        metric: what the alert judges.
        comparison: how the observed value must compare with ``threshold`` for the alert to fire.
        threshold: in the unit of the metric's observations; finite.
        window_s: length of the window, a multiple of the metric's period.
        statistic: one of `ALERT_STATISTICS`.
        period_s: time between two evaluations; default 5 s, or a 120th of the window if that is longer.
        for_s: see `Alert`.
        keep_firing_for_s: see `Alert`.
        delay_s: see `Alert`; default one period of the metric, at least 2 s.
        each_segment: see `Alert`.
        no_data: default `NoData.ZERO` if the metric counts, `NoData.NO_DATA` otherwise.
        contacts: see `Alert`; at most 20, each once.
        group_wait_s: see `Alert`.
        repeat_s: see `Alert`.
        severity: one of `SEVERITIES`.
        summary: see `Alert`; at most 500 characters, without control characters.

    Raises:
        UsageError: an argument is out of range, or does not fit the metric.

    >>> traffic = Metric("traffic", "count", "*", period_s=10)
    >>> alert = define_alert("busy", traffic, comparison=Comparison.ABOVE, threshold=100, window_s=120)
    >>> alert.statistic, alert.period_s, alert.delay_s, alert.no_data.value
    ('avg', 5, 10, 'zero')
    >>> define_alert("busy", traffic, comparison=Comparison.ABOVE, threshold=100, window_s=15)
    Traceback (most recent call last):
    puppylog.errors.UsageError: cannot define alert 'busy': its window of 15s is not a multiple of the period of \
metric 'traffic', 10s
    """
    if period_s is None:
        period_s = max(_MIN_PERIOD_S, window_s // _EVALUATIONS_PER_WINDOW)
    if delay_s is None:
        delay_s = max(metric.period_s, _MIN_DELAY_S)
    if no_data is None:
        no_data = NoData.ZERO if metric.statistic in COUNTING_STATISTICS else NoData.NO_DATA
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
        contacts=tuple(contacts),
        group_wait_s=group_wait_s,
        repeat_s=repeat_s,
        severity=severity,
        summary=summary,
    )
    cause = find_fault(alert, metric)
    if cause is not None:
        raise UsageError("define", f"alert {name!r}", cause)
    return alert


def find_fault(alert: Alert, metric: Metric) -> str | None:
    """Return the first reason why ``alert`` cannot judge ``metric``; None if it can."""
    window, period = format_period(alert.window_s), format_period(metric.period_s)
    faults = {
        f"its statistic must be one of {', '.join(ALERT_STATISTICS)}, not {alert.statistic!r}": (
            alert.statistic not in ALERT_STATISTICS
        ),
        f"its threshold of {alert.threshold} is not finite": not math.isfinite(alert.threshold),
        f"its window of {window} is not a multiple of the period of metric {metric.name!r}, {period}": (
            alert.window_s < metric.period_s or alert.window_s % metric.period_s != 0
        ),
        "its period is shorter than 1s": alert.period_s < 1,
        "a length of time is negative": min(
            alert.for_s, alert.keep_firing_for_s, alert.delay_s, alert.group_wait_s, alert.repeat_s
        )
        < 0,
        f"metric {metric.name!r} has no segments": alert.each_segment and metric.segment is None,
    }
    return next((fault for fault, is_present in faults.items() if is_present), _find_notification_fault(alert))


def _find_notification_fault(alert: Alert) -> str | None:
    """Return the first fault in the alert's contacts, severity and summary; None if there is none."""
    faults = {
        f"its severity must be one of {', '.join(SEVERITIES)}, not {alert.severity!r}": alert.severity
        not in SEVERITIES,
        f"it has more than {_MAX_CONTACTS} contacts": len(alert.contacts) > _MAX_CONTACTS,
        "it names a contact twice": len(set(alert.contacts)) < len(alert.contacts),
    }
    found = next((fault for fault, is_present in faults.items() if is_present), None)
    found = found or find_text_fault("summary", alert.summary, _MAX_SUMMARY)
    return found or next(filter(None, map(find_contact_fault, alert.contacts)), None)


def find_text_fault(what: str, text: str, most: int) -> str | None:
    """Return why a text for people is refused: it is too long, or is not one line of printable text; None if it is OK.

    Args:
        what: the part that it is, for the message.
        text: the text.
        most: the largest number of characters.
    """
    if len(text) > most:
        return f"its {what} has more than {most} characters"
    return None if text.isprintable() else f"its {what} has a control character or a line break"
