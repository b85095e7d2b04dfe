"""``puppylog monitor alerts list | get | meta | check``: what alerts there are, and what they have said."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

import click
import pyarrow as pa

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
from puppylog.cli.talk import tell, warn
from puppylog.cli.times import parse_range
from puppylog.errors import NotFound
from puppylog.model.alert import State
from puppylog.monitor.alerts import AlertState, Watched, find_heartbeat, get_alert, read_signals, watch_alerts
from puppylog.settings import Settings
from puppylog.stores.base import Outlet
from puppylog.stores.connect import connect
from puppylog.tui.alert import describe_rule, doubt

# An engine that has just been started for this question first makes up the evaluations that were missed.
_HEARTBEAT_WAIT_S: Final = 15.0
_HEARTBEAT_POLL_S: Final = 0.1

_INSTANT: Final = pa.timestamp("us", "UTC")
_STATE: Final = [("state", pa.string()), ("since", _INSTANT), ("value", pa.float64())]
_LISTED: Final = pa.schema([("name", pa.string()), ("segment", pa.string()), *_STATE, ("rule", pa.string())])
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
        ("created_at", _INSTANT),
        ("evaluated_at", _INSTANT),
        ("error", pa.string()),
        ("states", pa.list_(pa.struct([("segment", pa.string()), *_STATE, ("last_fired_at", _INSTANT)]))),
    ]
)


@click.command("list")
@group_option("Only alerts on metrics that are limited to this log group.")
@output_options
@store_options
@pass_settings
def list_(settings: Settings, group: str | None) -> None:
    """List the alerts and what they are in."""
    with connect(settings.store) as store:
        states = watch_alerts(store, group=group).states
    if not states:
        tell(settings, "no alerts yet; a good start is: puppylog monitor metrics create --default")
    write_rows([_list_row(state, settings) for state in states], _LISTED, settings)


@click.command(epilog=examples("puppylog monitor alerts get totaltraffic --since 1d -o json"))
@click.argument("name")
@range_options
@limit_option("of the newest signals", 100)
@output_options
@store_options
@pass_settings
def get(settings: Settings, name: str, *, since: str | None, from_: str | None, to: str | None, limit: int) -> None:
    """Show the history of an alert.

    One row per change of state: the evaluation that brought it, what was observed in which window, and the level.
    """
    within = parse_range(settings, since, from_, to)
    with connect(settings.store) as store:
        get_alert(store, name)
        signals = read_signals(store, name, within=within, signals=limit)
    if not signals.num_rows:
        tell(settings, f"alert {name} has not signalled anything")
    write_table(signals, settings)


@click.command()
@click.argument("name")
@output_options
@store_options
@pass_settings
def meta(settings: Settings, name: str) -> None:
    """Show how an alert is defined and what it is in."""
    with connect(settings.store) as store:
        states = get_alert(store, name).states
    first = states[0]
    of_alert = {"created_at": first.created_at, "evaluated_at": first.evaluated_at, "error": first.error}
    judged = [asdict(state) for state in states if state.state is not None]
    write_record({**asdict(first.alert), "group": first.group, **of_alert, "states": judged}, _META, settings)


@click.command(
    epilog=examples(
        "puppylog monitor alerts check || echo 'something rings'", "puppylog monitor alerts check totaltraffic -q"
    )
)
@click.argument("names", metavar="[NAME]...", nargs=-1)
@group_option("Only alerts on metrics that are limited to this log group.")
@output_options
@store_options
@pass_settings
@click.pass_context
def check(ctx: click.Context, settings: Settings, names: Sequence[str], group: str | None) -> None:
    """Exit with 1 if an alert rings.

    Prints those that do. An alert that cannot be judged, or that nobody has evaluated lately, is no good news either.
    """
    with connect(settings.store) as store:
        cause = _await_evaluator(store)
        watched = watch_alerts(store, group=group)
    states = _pick(watched, names)
    ringing = [state for state in states if state.state is State.FIRING]
    failing = [state for state in states if state.error is not None]
    if ringing:
        write_rows([_list_row(state, settings) for state in ringing], _LISTED, settings)
    for state in failing:
        warn(f"alert {state.alert.name} cannot be judged: {state.error}")
    if cause is not None and states:
        warn(cause)
    if ringing or failing or (cause is not None and states):
        ctx.exit(1)
    tell(settings, "all good")


def _await_evaluator(outlet: Outlet) -> str | None:
    """Return why the states may not be what they say, after giving an evaluator some time to go round."""
    deadline = time.monotonic() + _HEARTBEAT_WAIT_S
    while (cause := doubt(find_heartbeat(outlet))) is not None and time.monotonic() < deadline:
        time.sleep(_HEARTBEAT_POLL_S)
    return cause


def _pick(watched: Watched, names: Sequence[str]) -> list[AlertState]:
    known = {state.alert.name for state in watched.states}
    for name in names:
        if name not in known:
            raise NotFound(f"cannot find alert {name!r}: see 'puppylog monitor alerts list'")
    return [state for state in watched.states if not names or state.alert.name in names]


def _list_row(state: AlertState, settings: Settings) -> dict[str, object]:
    return {
        "name": state.alert.name,
        "segment": state.segment_name if settings.output == "table" else state.segment,
        "state": state.state,
        "since": state.since,
        "value": state.value,
        "rule": describe_rule(state.alert),
    }
