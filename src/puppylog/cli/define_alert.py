"""``puppylog monitor alerts create | delete``: what an alert is, from the words on a command line."""

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

# Words for those whose shell takes > for itself.
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
    help="What of the observations in the window.",
)
@click.option(
    "--when", metavar="'> THRESHOLD'", required=True, help="When it rings: > >= < <= (or gt ge lt le) and a number."
)
@click.option("--window", default="2m", show_default=True, help="How much is judged: whole periods of the metric.")
@click.option(
    "--period",
    cls=OldNamesOption,
    old_names=("-pr",),
    help="How often it is judged. Default: 5s, less often over a long window.",
)
@click.option("--for", "for_", default="0", show_default=True, help="It rings after it was true for so long.")
@click.option("--keep-firing-for", default="0", show_default=True, help="It recovers after it was false for so long.")
@click.option(
    "--delay", help="The window ends so long ago, for late lines. Default: one period of the metric, from 2s."
)
@click.option("--each-segment", is_flag=True, help="Judge each segment by itself. Default: all together.")
@click.option(
    "--no-data",
    type=click.Choice([policy.value for policy in NoData]),
    help="What no observation at all means. Default: zero for metrics that count, else no_data.",
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

    The store evaluates it from now on. Creating the same alert twice is not an error.
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
    tell(settings, f"created alert {name}" if is_new else f"alert {name} is there already")


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
    """Return the comparison and the threshold in ``text``, such as ``> 10``.

    Raises:
        UsageError: it is none.
    """
    match = _WHEN.fullmatch(text)
    try:
        threshold = float(match[2]) if match is not None else math.nan
    except ValueError:
        threshold = math.nan
    if match is None or not math.isfinite(threshold):
        raise UsageError("read", f"--when {text!r}", advice="write one of > >= < <= and a number, such as '> 10'")
    return parse_comparison(match[1]), threshold
