"""Alerts in the original's words: All good, Ringing a bell, Recovered."""

import io
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Final

from puppylog.model.alert import COMPARED, Alert, Comparison, State
from puppylog.model.number import format_duration, format_number
from puppylog.model.period import format_period
from puppylog.monitor.alerts import AlertState, Heartbeat, Transition
from puppylog.tui.clean import clean, width_of
from puppylog.tui.live import Line
from puppylog.tui.table import GAP, TableWriter
from puppylog.tui.times import format_times
from puppylog.tui.wrap import cut_path, wrap

ALL_GOOD: Final = "All good"
RINGING: Final = "Ringing a bell"
RECOVERED: Final = "Recovered"
PENDING: Final = "About to ring"
NO_DATA: Final = "No data"
NOT_JUDGED: Final = "Not judged yet"
NOT_EVALUATED: Final = "Not evaluated"
FAILING: Final = "Cannot be judged"

# In a terminal of fewer cells, a name with its segment has _READABLE_NAME cells at most, so that the times fit, too.
_WIDE: Final = 100
_READABLE_NAME: Final = 24
_MIN_NAME: Final = 16
_MIN_SEGMENT: Final = 6

_COLORS: Final = {
    **dict.fromkeys((RINGING, FAILING), "red"),
    **dict.fromkeys((PENDING, NO_DATA, NOT_EVALUATED), "yellow"),
    **dict.fromkeys((ALL_GOOD, RECOVERED), "green"),
}
_NOTED: Final = "yellow"  # the colour of a problem that is silenced or acknowledged
_ADVISE_DOCTOR: Final = "'puppylog doctor' says more"
_ADVICE: Final = {
    "duckdb": f"run 'puppylog up', which keeps the engine that evaluates them; {_ADVISE_DOCTOR}",
    "plain": f"run 'puppylog up', which evaluates them, or install pg_cron; {_ADVISE_DOCTOR}",
    "citus": f"run 'puppylog up', which evaluates them, or install pg_cron; {_ADVISE_DOCTOR}",
    "timescaledb": "'puppylog doctor' says why the server's scheduler does not run its job",
    "timescaledb_distributed": "'puppylog doctor' says why the server's scheduler does not run its job",
}
"""What to do if nothing evaluates the alerts, by the flavour of the store."""
_WORDS: Final = {State.FIRING: RINGING, State.PENDING: PENDING, State.NO_DATA: NO_DATA, State.OK: ALL_GOOD}


def word_for_state(state: AlertState) -> str:
    """Return the word for an alert's state, such as ``Ringing a bell``."""
    if state.error is not None:
        return FAILING
    if state.state is None:
        return NOT_JUDGED
    if state.is_overdue:
        return NOT_EVALUATED
    if state.state is State.OK and state.last_fired_at is not None:
        return RECOVERED
    return _WORDS[state.state]


def word_for_transition(transition: Transition) -> str:
    """Return the word for the state after a transition, such as ``Recovered``."""
    if transition.to_state is State.OK and transition.from_state is State.FIRING:
        return RECOVERED
    return _WORDS[transition.to_state]


def line_for_state(state: AlertState, zone: tzinfo | None) -> str:
    """Return one line about an alert's state, beginning with the time at which the state began."""
    at = state.since or state.evaluated_at
    because = f", {state.error}" if state.error else ""
    note = _describe_note(state)
    because += f", {note}" if note else ""
    rule = _threshold(state.alert.comparison, state.alert.threshold)
    return f"{_time(at, zone)} {_subject(state)}: {word_for_state(state)}, {_value(state.value)} ({rule}){because}"


def line_for_transition(transition: Transition, zone: tzinfo | None) -> str:
    """Return one line about a transition, beginning with the time of its evaluation."""
    subject = _named(transition.alert, transition.segment_name, has_segment=transition.segment is not None)
    rule = _threshold(transition.comparison, transition.threshold)
    at, word = _time(transition.evaluated_at, zone), word_for_transition(transition)
    return f"{at} {subject}: {word}, {_value(transition.value)} ({rule})"


def draw_alerts(states: Sequence[AlertState], *, zone: tzinfo | None, now: datetime, width: int) -> list[Line]:
    """Return a table of all alerts; a line is in the colour of its state, and the last one names what does not fit."""
    out = io.StringIO()
    names = ("alert", "status", "value", "rings", "since", "last rang")
    is_number = [name in ("value", "since", "last rang") for name in names]
    order = [names.index(name) for name in ("last rang", "rings", "since", "value")]
    table = TableWriter(out, names, is_number, width, rigid=is_number, expendable=order)
    since = format_times([state.since for state in states], zone, now)
    last_rang = format_times([state.last_fired_at for state in states], zone, now)
    most = width if width >= _WIDE else max(_MIN_NAME, min(_READABLE_NAME, width - len(RINGING) - len(GAP)))
    table.write([[*_row(state, most), *times] for state, *times in zip(states, since, last_rang, strict=True)])
    header, *rows = out.getvalue().splitlines()
    colors = [_NOTED if _describe_note(state) else _COLORS.get(word_for_state(state), "") for state in states]
    lines = [Line(header, "bold"), *(Line(row, color) for row, color in zip(rows, colors, strict=True))]
    hidden = ", ".join(names[at] for at in table.hidden)
    return [*lines, *map(Line, wrap(f"not shown: {hidden}", width))] if hidden else lines


def draw_summaries(states: Sequence[AlertState], width: int) -> list[Line]:
    """Return for each alert that rings, and that has a summary, the summary after its severity."""
    ringing = {state.alert.name: state.alert for state in states if word_for_state(state) == RINGING}
    texts = [f"{alert.name} ({alert.severity}): {alert.summary}" for alert in ringing.values() if alert.summary]
    return [Line(line) for text in texts for line in wrap(clean(text), width)]


def sort_by_urgency(states: Sequence[AlertState]) -> list[AlertState]:
    """Return the states in this order: firing, failing, not evaluated, pending, without data, not judged yet, good."""
    ranks = {word: rank for rank, word in enumerate((RINGING, FAILING, NOT_EVALUATED, PENDING, NO_DATA, NOT_JUDGED))}
    return sorted(states, key=lambda state: ranks.get(word_for_state(state), len(ranks)))


def describe_rule(alert: Alert) -> str:
    """Return the rule of an alert as a phrase, such as ``avg of total_traffic over 2m above 10``."""
    parts = [f"{alert.statistic} of {alert.metric} over {format_period(alert.window_s)}"]
    parts.append(_threshold(alert.comparison, alert.threshold))
    if alert.for_s:
        parts.append(f"for {format_period(alert.for_s)}")
    return " ".join(parts) + (", each segment by itself" if alert.each_segment else "")


def explain_stale_states(heartbeat: Heartbeat | None, states: Sequence[AlertState], flavour: str) -> str | None:
    """Return why the states are out of date, and what to do; None if every alert is evaluated when it is due.

    Args:
        heartbeat: the evaluator's last heartbeat; None if no evaluator has ever run.
        states: the states of the alerts.
        flavour: the flavour of the store, which decides what evaluates alerts.
    """
    advice = _ADVICE.get(flavour, _ADVISE_DOCTOR)
    if heartbeat is None:
        return f"nothing evaluates the alerts, and nothing ever has; {advice}"
    if heartbeat.is_old:
        return f"nothing evaluates the alerts: {heartbeat.evaluator} last did so {_age(heartbeat.age_s)}; {advice}"
    if heartbeat.error is not None:
        return f"the evaluator of alerts has a problem: {heartbeat.error}; {_ADVISE_DOCTOR}"
    overdue = sorted({state.alert.name: state.evaluated_age_s for state in states if state.is_overdue}.items())
    if not overdue:
        return None
    name, age_s = overdue[0]
    others = f" (and {len(overdue) - 1} more)" if len(overdue) > 1 else ""
    return f"alert {name}{others} is not evaluated when it is due, last {_age(age_s)}; {_ADVISE_DOCTOR}"


def _age(age_s: float) -> str:
    if age_s < 0:
        return f"at a time {format_duration(-age_s)} ahead of the store's clock"
    return f"{format_duration(age_s)} ago"


def _row(state: AlertState, most: int) -> list[str]:
    """Return the cells without the times. The name is at most ``most`` cells wide, if the segment can be cut so far."""
    rule = _threshold(state.alert.comparison, state.alert.threshold)
    subject = clean(_subject(state))
    if width_of(subject) > most and state.segment_name is not None:
        left = max(_MIN_SEGMENT, most - width_of(state.alert.name) - len("[]"))
        subject = _named(state.alert.name, cut_path(clean(state.segment_name), left), has_segment=True)
    note = _describe_note(state)
    return [subject, word_for_state(state) + (f", {clean(note)}" if note else ""), format_number(state.value), rule]


def _describe_note(state: AlertState) -> str:
    """Return that a problem is silenced, or who has acknowledged it; empty if neither is true."""
    if state.state not in (State.FIRING, State.NO_DATA):
        return ""
    if state.silence is not None:
        return "silenced"
    return "" if state.acknowledged_by is None else f"seen by {state.acknowledged_by}"


def _subject(state: AlertState) -> str:
    return _named(
        state.alert.name, state.segment_name, has_segment=state.alert.each_segment and state.state is not None
    )


def _named(alert: str, segment: str | None, *, has_segment: bool) -> str:
    return f"{alert}[{'-' if segment is None else segment}]" if has_segment else alert


def _value(value: float | None) -> str:
    return f"value {format_number(value)}"


def _threshold(comparison: Comparison, threshold: float) -> str:
    return f"{COMPARED[comparison]} {format_number(threshold)}"


def _time(at: datetime, zone: tzinfo | None) -> str:
    return at.astimezone(zone).isoformat(timespec="seconds")
