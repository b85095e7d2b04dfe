"""``puppylog monitor alerts create | delete``."""

import math
import re
from typing import Final

import click

from puppylog.cli.old_names import OldNamesOption
from puppylog.cli.options import examples, pass_settings, store_options
from puppylog.cli.talk import tell
from puppylog.errors import UsageError
from puppylog.model.alert import (
    ALERT_STATISTICS,
    Comparison,
    NoData,
    define_alert,
    parse_comparison,
    parse_no_data,
)
from puppylog.model.identifier import parse_identifier
from puppylog.model.period import parse_period
from puppylog.monitor.metrics import get_metric
from puppylog.settings import Settings
from puppylog.stores.connect import connect

# ge, le, gt and lt need no quotes in a shell; > and < do.
_WHEN: Final = re.compile(r"\s*(>=|<=|>|<|ge\b|le\b|gt\b|lt\b)\s*(\S+)\s*", re.IGNORECASE)


@click.command(
    epilog=examples(
        "puppylog monitor alerts create -i busy -m total_traffic --when '> 10' --window 2m",
        "puppylog monitor alerts create -i slow -m p99_bytes -s max --when '>= 1e6' --for 5m --no-data ok",
        "puppylog monitor alerts create -i crowded -m total_traffic_per_route --when '> 100' --each-segment",
    )
)
@click.option(
    "-i",
    "--identifier",
    cls=OldNamesOption,
    old_names=("-id",),
    metavar="NAME",
    required=True,
    help="The alert's name: lower-case letters, digits and '_'.",
)
@click.option("-m", "--metric", metavar="NAME", required=True, help="The metric that it judges.")
@click.option(
    "-s",
    "--stat",
    type=click.Choice(ALERT_STATISTICS),
    default="avg",
    show_default=True,
    help="The statistic of the observations in the window.",
)
@click.option(
    "--when", metavar="'> THRESHOLD'", required=True, help="When it rings: > >= < <= (or gt ge lt le) and a number."
)
@click.option("--window", default="2m", show_default=True, help="The time judged: whole periods of the metric.")
@click.option(
    "--period",
    cls=OldNamesOption,
    old_names=("-pr",),
    help="How often the alert is judged. Default: 5s, less often over a long window.",
)
@click.option("--for", "for_", default="0", show_default=True, help="Ring once the rule was true for this time.")
@click.option(
    "--keep-firing-for", default="0", show_default=True, help="Recover once the rule was false for this time."
)
@click.option(
    "--delay",
    help="How long before now the window ends, to wait for late lines. Default: one period of the metric, at least 2s.",
)
@click.option("--each-segment", is_flag=True, help="Judge each segment by itself. Default: all segments together.")
@click.option(
    "--no-data",
    type=click.Choice([policy.value for policy in NoData]),
    help="The state, or value, if the window has no observation. Default: zero for metrics that count, else no_data.",
)
@store_options
@pass_settings
def create(
    settings: Settings,
    *,
    identifier: str,
    metric: str,
    stat: str,
    when: str,
    window: str,
    period: str | None,
    for_: str,
    keep_firing_for: str,
    delay: str | None,
    each_segment: bool,
    no_data: str | None,
) -> None:
    """Create an alert.

    The store evaluates the alert from now on. Creating the same alert twice is not an error.
    """
    name = parse_identifier(identifier, "alert")
    comparison, threshold = parse_when(when)
    with connect(settings.store) as store:
        alert = define_alert(
            name,
            get_metric(store, metric).metric,
            statistic=stat,
            comparison=comparison,
            threshold=threshold,
            window_s=parse_period(window, "window"),
            period_s=None if period is None else parse_period(period),
            for_s=parse_period(for_, "--for", least_s=0),
            keep_firing_for_s=parse_period(keep_firing_for, "--keep-firing-for", least_s=0),
            delay_s=None if delay is None else parse_period(delay, "delay", least_s=0),
            each_segment=each_segment,
            no_data=None if no_data is None else parse_no_data(no_data),
        )
        is_new = store.create_alert(alert)
    tell(settings, f"created alert {name}" if is_new else f"alert {name} exists already")


@click.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@store_options
@pass_settings
def delete(settings: Settings, names: tuple[str, ...]) -> None:
    """Delete an alert and its history."""
    with connect(settings.store) as store:
        for name in names:
            store.delete_alert(name)
            tell(settings, f"deleted alert {name}")


def parse_when(text: str) -> tuple[Comparison, float]:
    """Return the comparison and the threshold in ``text``.

    >>> parse_when("> 10")
    (<Comparison.ABOVE: '>'>, 10.0)

    Raises:
        UsageError: ``text`` is not a comparison and a finite number.
    """
    match = _WHEN.fullmatch(text)
    try:
        threshold = float(match[2]) if match is not None else math.nan
    except ValueError:
        threshold = math.nan
    if match is None or not math.isfinite(threshold):
        raise UsageError("read", f"--when {text!r}", advice="write one of > >= < <= and a number, such as '> 10'")
    return parse_comparison(match[1]), threshold
