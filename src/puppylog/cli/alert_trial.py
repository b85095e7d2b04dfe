"""``puppylog monitor alerts test``: when would an alert have fired in the past?"""

from dataclasses import asdict
from datetime import timedelta
from typing import Any, Final

import click
import pyarrow as pa

from puppylog.cli.complete import complete_alerts
from puppylog.cli.define_alert import Written, judging_options, read_rule
from puppylog.cli.messages import tell, warn
from puppylog.cli.options import (
    examples,
    limit_option,
    output_options,
    pass_settings,
    range_options,
    store_options,
)
from puppylog.cli.output import write_rows
from puppylog.cli.tables import Layout
from puppylog.cli.times import parse_range
from puppylog.cli.truncation import tell_truncated
from puppylog.errors import UsageError
from puppylog.model.alert import State, define_alert
from puppylog.model.number import format_duration
from puppylog.monitor.alert_trial import Problem, Trial, try_alert
from puppylog.monitor.alerts import describe_unjudged, get_alert
from puppylog.monitor.metrics import get_metric
from puppylog.settings import Settings
from puppylog.stores.connect import connect
from puppylog.tui.alert import describe_rule
from puppylog.tui.times import format_range, format_time

_DEFAULT_RANGE: Final = timedelta(days=7)

_INSTANT: Final = pa.timestamp("us", "UTC")
_SCHEMA: Final = pa.schema(
    [
        ("segment", pa.string()),
        ("state", pa.string()),
        ("since", _INSTANT),
        ("until", _INSTANT),
        ("duration_s", pa.float64()),
        ("value", pa.float64()),
        ("end_value", pa.float64()),
    ]
)
_LAYOUT: Final = Layout(
    expendable=("end_value", "value", "segment", "duration_s"),
    paths=("segment",),
    headings={"duration_s": "for", "end_value": "value at its end"},
    shown={
        "state": lambda state: str(state).replace("_", " "),
        "duration_s": lambda seconds: format_duration(float(str(seconds))),
    },
)


@click.command(
    "test",
    epilog=examples(
        "puppylog monitor alerts test errors --since 7d",
        "puppylog monitor alerts test errors --since 30d --when '> 25' --for 5m",
        "puppylog monitor alerts test errors --threshold 25 -o json",
    ),
)
@click.argument("name", shell_complete=complete_alerts)
@click.option("--threshold", type=float, metavar="NUMBER", help="Try this threshold instead of the alert's.")
@judging_options
@range_options
@limit_option("of the newest rows", 100)
@output_options
@store_options
@pass_settings
def test(
    settings: Settings,
    /,
    *,
    name: str,
    threshold: float | None,
    since: str | None,
    from_: str | None,
    to: str | None,
    limit: int,
    **written: Written,
) -> None:
    """Show when an alert would have fired in the past.

    The rule judges the stored observations of the metric as the store would have done. Without a range, it judges the
    last seven days. Options of the rule replace those of the alert, to try them out; nothing is stored, and no contact
    is told. Each row is a time in which the alert would have fired or had no data. The rule begins in the state ok.
    """
    if threshold is not None and written.get("when") is not None:
        raise UsageError("use", "both --threshold and --when", "each has the threshold")
    within = parse_range(settings, since, from_, to)
    until = min(within.until or settings.clock(), settings.clock())
    begin = within.since or until - _DEFAULT_RANGE
    rule = read_rule(**written) | ({} if threshold is None else {"threshold": threshold})
    with connect(settings.store) as store:
        known = asdict(get_alert(store, name).states[0].alert)
        metric = get_metric(store, known.pop("metric")).metric
        alert = define_alert(metric=metric, **{**known, **rule})
        trial = try_alert(store, alert, metric, begin, until)
    shown = trial.problems[max(0, len(trial.problems) - limit) :]
    write_rows([_row(problem, trial) for problem in shown], _SCHEMA, settings, _LAYOUT)
    tell_truncated(settings, "rows", shown=len(shown), limit=limit, count=lambda _: len(trial.problems))
    _tell_outcome(settings, trial, describe_rule(alert))


def _row(problem: Problem, trial: Trial) -> dict[str, Any]:
    seconds = ((problem.until or trial.last_at) - problem.since).total_seconds()
    return {**asdict(problem), "state": problem.state.value, "duration_s": seconds}


def _tell_outcome(settings: Settings, trial: Trial, rule: str) -> None:
    """Say how often and for how long the alert would have fired, and what the rule could not see."""
    now = settings.clock()
    within = format_range(trial.first_at, trial.last_at, settings.zone, now)
    outcomes = [
        f"would have {what} {_times(trial.count(state))}, for {format_duration(trial.measure_s(state))}"
        for state, what in ((State.FIRING, "fired"), (State.NO_DATA, "had no data"))
        if trial.count(state)
    ]
    if not trial.count(State.FIRING):
        outcomes.insert(0, "would not have fired")
    segments = f" over {trial.segments:,} segments" if trial.segments > 1 else ""
    tell(settings, f"{rule}: {', and '.join(outcomes)}{segments}, from {within}")
    if any(problem.until is None and problem.state is State.FIRING for problem in trial.problems):
        tell(settings, "it would still fire at the end of this time")
    if trial.unjudged_segments:
        warn(describe_unjudged(trial.unjudged_segments))
    if trial.missing_until is not None:
        until = format_time(trial.missing_until, settings.zone, now)
        warn(
            f"before {until} the metric has no buckets and the store has no records, because they were deleted or "
            "never collected; the rule saw nothing there"
        )


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"
