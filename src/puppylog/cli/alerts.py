"""``puppylog monitor alerts list | get | meta | check``: the alerts, their states and their history."""

import functools
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

import click
import pyarrow as pa

from puppylog.cli.complete import complete_alerts
from puppylog.cli.messages import tell, warn
from puppylog.cli.options import (
    examples,
    group_option,
    limit_option,
    output_options,
    pass_settings,
    range_options,
    store_options,
)
from puppylog.cli.output import write_record, write_rows, write_table
from puppylog.cli.tables import Layout
from puppylog.cli.times import parse_range
from puppylog.cli.truncation import tell_truncated
from puppylog.errors import NotFound
from puppylog.model.alert import State
from puppylog.monitor.alerts import (
    AlertSnapshot,
    AlertState,
    count_transitions,
    describe_unjudged,
    find_heartbeat,
    get_alert,
    read_alerts,
    read_evidence,
    read_transitions,
)
from puppylog.monitor.clock import ClockStep, find_clock_step
from puppylog.monitor.notifications import iter_notification_findings
from puppylog.monitor.range import ALWAYS
from puppylog.settings import Settings
from puppylog.stores.base import Store
from puppylog.stores.connect import connect
from puppylog.stores.rows import columns_of_alert
from puppylog.tui.alert import describe_rule, explain_stale_states

# An engine that this command has just started first catches up the evaluations that were missed.
_ENGINE_WAIT_S: Final = 15.0
# On a server, another evaluator takes over within this time, if the last one has just ended.
_EVALUATOR_WAIT_S: Final = 3.0
_HEARTBEAT_POLL_S: Final = 0.1

UNKNOWN: Final = "unknown"
"""The state that a list shows for an alert that is not evaluated."""

_INSTANT: Final = pa.timestamp("us", "UTC")
_STATE: Final = [("state", pa.string()), ("since", _INSTANT), ("value", pa.float64())]
_LISTED: Final = pa.schema(
    [
        ("name", pa.string()),
        ("segment", pa.string()),
        *_STATE,
        ("rule", pa.string()),
        ("severity", pa.string()),
        ("contacts", pa.list_(pa.string())),
        ("summary", pa.string()),
        ("acknowledged_by", pa.string()),
        ("silence", pa.string()),
        ("silenced_until", _INSTANT),
    ]
)
_META: Final = pa.schema(
    [
        ("name", pa.string()),
        ("metric", pa.string()),
        ("group", pa.string()),
        ("statistic", pa.string()),
        ("comparison", pa.string()),
        ("level", pa.float64()),
        *((f"{length}_s", pa.int32()) for length in ("window", "period", "for", "keep_firing_for", "delay")),
        ("each_segment", pa.bool_()),
        ("no_data", pa.string()),
        ("contacts", pa.list_(pa.string())),
        ("group_wait_s", pa.int32()),
        ("repeat_s", pa.int32()),
        ("severity", pa.string()),
        ("summary", pa.string()),
        ("created_at", _INSTANT),
        ("evaluated_at", _INSTANT),
        ("error", pa.string()),
        ("unjudged_segments", pa.int64()),
        ("skipped_since", _INSTANT),
        ("skipped_until", _INSTANT),
        (
            "states",
            pa.list_(
                pa.struct(
                    [("segment", pa.string()), *_STATE, ("last_fired_at", _INSTANT), ("acknowledged_by", pa.string())]
                )
            ),
        ),
    ]
)


def _say(state: str) -> str:
    """Return a state as people read it: ``no data`` for ``no_data``."""
    return state.replace("_", " ")


_LAYOUT: Final = Layout(
    expendable=(
        *("summary", "contacts", "severity", "rule", "silence", "since", "value", "silenced_until", "acknowledged_by"),
        "segment",
    ),
    paths=("segment",),
    wrapped=("rule",),
    headings={"acknowledged_by": "seen by", "silenced_until": "silent until"},
    shown={"state": _say, "contacts": ", ".join},
)
_HISTORY: Final = Layout(
    expendable=(
        *("recorded_at", "window_since", "window_until", "made_up", "comparison", "level"),
        *("segment", "from_state", "value"),
    ),
    headings={
        "evaluated_at": "at",
        "from_state": "from",
        "to_state": "to",
        "comparison": "is",
        "level": "threshold",
        "window_since": "window from",
        "window_until": "window to",
        "made_up": "caught up",
        "recorded_at": "recorded",
    },
    shown={"from_state": _say, "to_state": _say, "made_up": lambda is_caught_up: "yes" if is_caught_up else "no"},
)


def _write_line(record: str) -> str:
    """Return a record of the evidence as one line of text."""
    from puppylog.notify.sample import write_sample  # noqa: PLC0415 - only evidence needs it

    return write_sample(json.loads(record))


_EVIDENCE: Final = Layout(
    expendable=("line_offset", "file_id", "source_uri", "omitted", "segment", "evaluated_at"),
    paths=("segment", "source_uri"),
    headings={"evaluated_at": "fired", "ts": "record of", "source_uri": "source", "omitted": "left out"},
    shown={"record": _write_line},
)


@click.command("list")
@group_option("Only alerts on metrics that are limited to this log group.")
@output_options
@store_options
@pass_settings
def list_(settings: Settings, group: str | None) -> None:
    """List the alerts and their states.

    The state is unknown if the alert was not evaluated when it was due; the exit code is 1 then, otherwise 0.
    """
    with connect(settings.store) as store:
        judged = _read_states(store, (), group)
    if not judged.states:
        tell(settings, "no alerts yet; a good start is: puppylog monitor metrics create --default")
    write_states(judged.states, settings, has_evaluator=judged.has_evaluator)
    _fail_if(judged.cause)


def write_states(states: Sequence[AlertState], settings: Settings, *, has_evaluator: bool = True) -> None:
    """Write a row per state. The state of an alert that is not evaluated is unknown."""
    rows = [_list_row(state, settings, is_known=has_evaluator and not state.is_overdue) for state in states]
    write_rows(rows, _LISTED, settings, _LAYOUT)


@click.command(
    epilog=examples(
        "puppylog monitor alerts get totaltraffic --since 1d -o json",
        "puppylog monitor alerts get totaltraffic --evidence -l 1",
    )
)
@click.argument("name", shell_complete=complete_alerts)
@click.option(
    "--evidence", is_flag=True, help="Show sample records of the transitions to firing, which were kept with them."
)
@range_options
@limit_option("of the newest transitions", 100)
@output_options
@store_options
@pass_settings
def get(
    settings: Settings, name: str, *, evidence: bool, since: str | None, from_: str | None, to: str | None, limit: int
) -> None:
    """Show the history of an alert.

    One row per change of state: when it was evaluated, the observed value, the window and the threshold.
    """
    within = parse_range(settings, since, from_, to)
    with connect(settings.store) as store:
        get_alert(store, name)
        transitions = read_transitions(store, name, within=within, transitions=limit)
        if not transitions.num_rows and limit:
            when = "never changed its state" if within == ALWAYS else "not changed its state in this time"
            tell(settings, f"alert {name} has {when}")
        if evidence:
            records = read_evidence(store, name, within=within, transitions=limit)
            write_table(records, settings, _EVIDENCE)
        else:
            write_table(transitions, settings, _HISTORY)
        sys.stdout.flush()
        count = functools.partial(count_transitions, store, name, within=within)
        tell_truncated(settings, "transitions", shown=transitions.num_rows, limit=limit, count=count)


@click.command()
@click.argument("name", shell_complete=complete_alerts)
@output_options
@store_options
@pass_settings
def meta(settings: Settings, name: str) -> None:
    """Show an alert's definition and states."""
    with connect(settings.store) as store:
        states = get_alert(store, name).states
    first = states[0]
    names = ("created_at", "evaluated_at", "error", "unjudged_segments", "skipped_since", "skipped_until")
    of_alert = {name: getattr(first, name) for name in names}
    judged = [asdict(state) for state in states if state.state is not None]
    write_record({**columns_of_alert(first.alert), "group": first.group, **of_alert, "states": judged}, _META, settings)


@click.command(
    epilog=examples(
        "puppylog monitor alerts check || echo 'an alert fires'", "puppylog monitor alerts check totaltraffic -q"
    )
)
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=complete_alerts)
@group_option("Only alerts on metrics that are limited to this log group.")
@output_options
@store_options
@pass_settings
@click.pass_context
def check(ctx: click.Context, settings: Settings, names: Sequence[str], group: str | None) -> None:
    """Exit with 1 if an alert fires.

    Prints the alerts that fire. Also exits with 1 if an alert cannot be judged, or was not evaluated when it was due;
    stderr says what to do. Stderr also says which messages about alerts could not be sent; the exit code does not.
    """
    with connect(settings.store) as store:
        judged = _read_states(store, names, group)
        undelivered = list(iter_notification_findings(store))
    states = judged.states
    firing = [state for state in states if state.state is State.FIRING]
    failing = [state for state in states if state.error is not None]
    if firing:
        write_rows([_list_row(state, settings) for state in firing], _LISTED, settings, _LAYOUT)
    for state in failing:
        warn(f"alert {state.alert.name} cannot be judged: {state.error}")
    for name, segments in {state.alert.name: state.unjudged_segments for state in states}.items():
        if segments:
            warn(f"alert {name}: {describe_unjudged(segments)}")
    for finding in undelivered:
        warn(f"{finding.subject}: {finding.found}; {finding.advice}")
    if judged.clock_step is not None and states:
        warn(judged.clock_step.describe())
    _fail_if(judged.cause)
    if firing or failing:
        ctx.exit(1)
    tell(settings, "no alert fires" if states else "there are no alerts to check")


@dataclass(frozen=True, slots=True)
class _CheckedStates:
    """The states of alerts, and whether they are up to date."""

    states: Sequence[AlertState]
    has_evaluator: bool
    cause: str | None  # why some or all states are out of date
    clock_step: ClockStep | None  # set if the store's clock was set back within the last day


def _read_states(store: Store, names: Sequence[str], group: str | None) -> _CheckedStates:
    """Return the states of the alerts of these names, or of all alerts.

    If the states are out of date, wait a while for an evaluation: this command may just have started the engine.
    """
    flavour = store.info.flavour
    deadline = time.monotonic() + (_ENGINE_WAIT_S if flavour == "duckdb" else _EVALUATOR_WAIT_S)
    while True:
        states = _select(read_alerts(store, group=group), names)
        heartbeat = find_heartbeat(store)
        cause = explain_stale_states(heartbeat, states, flavour) if states else None
        if cause is None or time.monotonic() >= deadline:
            return _CheckedStates(states, heartbeat is not None and not heartbeat.is_old, cause, find_clock_step(store))
        time.sleep(_HEARTBEAT_POLL_S)


def _fail_if(cause: str | None) -> None:
    """Say why the states are out of date, and exit with 1; do nothing if ``cause`` is None."""
    if cause is not None:
        sys.stdout.flush()
        warn(cause)
        raise click.exceptions.Exit(1)


def _select(snapshot: AlertSnapshot, names: Sequence[str]) -> list[AlertState]:
    known = {state.alert.name for state in snapshot.states}
    for name in names:
        if name not in known:
            raise NotFound("find", f"alert {name!r}", advice="see 'puppylog monitor alerts list'")
    return [state for state in snapshot.states if not names or state.alert.name in names]


def _list_row(state: AlertState, settings: Settings, *, is_known: bool = True) -> dict[str, object]:
    return {
        "name": state.alert.name,
        "segment": state.segment_name if settings.output == "table" else state.segment,
        "state": state.state if is_known else UNKNOWN,
        "since": state.since,
        "value": state.value,
        "rule": describe_rule(state.alert),
        "severity": state.alert.severity,
        "contacts": state.alert.contacts or None,
        "summary": state.alert.summary or None,
        "acknowledged_by": state.acknowledged_by,
        "silence": None if state.silence is None else state.silence.name,
        "silenced_until": None if state.silence is None else state.silence.ends_at,
    }
