"""``puppylog monitor alerts create | update | delete``."""

import math
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final, TypeAlias

import click

from puppylog.cli.complete import complete_alerts, complete_metrics
from puppylog.cli.given_options import find_config_files
from puppylog.cli.messages import tell, warn
from puppylog.cli.old_names import OldNamesOption
from puppylog.cli.options import examples, pass_settings, store_options
from puppylog.errors import NotFound, PuppylogError, UsageError
from puppylog.model.alert import (
    ALERT_STATISTICS,
    SEVERITIES,
    Alert,
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
from puppylog.stores.base import Store
from puppylog.stores.connect import connect

# ge, le, gt and lt need no quotes in a shell; > and < do.
_WHEN: Final = re.compile(r"\s*(>=|<=|>|<|ge\b|le\b|gt\b|lt\b)\s*(\S+)\s*", re.IGNORECASE)
_DEFAULT_WINDOW_S: Final = 120

Written: TypeAlias = str | tuple[str, ...] | None
"""The value of an option: of one that may be given several times, a tuple."""


def judging_options(command: Callable[..., object]) -> Callable[..., object]:
    """Add the options that describe when an alert fires. An option that is not given is None."""
    options = (
        click.option(
            "-s",
            "--stat",
            type=click.Choice(ALERT_STATISTICS),
            help="The statistic of the observations in the window. Default: avg.",
        ),
        click.option("--when", metavar="'> THRESHOLD'", help="When it fires: > >= < <= (or gt ge lt le) and a number."),
        click.option("--window", help="The length of time that is judged: whole periods of the metric. Default: 2m."),
        click.option(
            "--period",
            cls=OldNamesOption,
            old_names=("-pr",),
            help="How often the alert is judged. Default: 5s, less often over a long window.",
        ),
        click.option("--for", "for_", help="Fire once the rule has been true for this time. Default: 0."),
        click.option("--keep-firing-for", help="Recover once the rule has been false for this time. Default: 0."),
        click.option(
            "--delay",
            help="How long before now the window ends, to wait for late lines. Default: one period of the metric, at "
            "least 2s.",
        ),
        click.option(
            "--no-data",
            type=click.Choice([policy.value for policy in NoData]),
            help="The state, or value, if the window has no observation. Default: zero for metrics that count, else "
            "no_data.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def rule_options(command: Callable[..., object]) -> Callable[..., object]:
    """Add the options that describe an alert's rule, and whom it tells. An option that is not given is None."""
    options = (
        judging_options,
        click.option(
            "--contact",
            "contacts",
            metavar="NAME",
            multiple=True,
            help="A contact of the configuration file that is told of transitions. May be given several times.",
        ),
        click.option("--group-wait", help="How long a message waits for transitions of other segments. Default: 30s."),
        click.option("--repeat", help="Tell again after this time while the alert fires; 0 is never. Default: 0."),
        click.option("--severity", type=click.Choice(SEVERITIES), help="How serious the alert is. Default: warning."),
        click.option("--summary", metavar="TEXT", help="One line for people: what the alert means."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.command(
    epilog=examples(
        "puppylog monitor alerts create -i busy -m total_traffic --when '> 10' --window 2m",
        "puppylog monitor alerts create -i slow -m p99_bytes -s max --when '>= 1e6' --for 5m --no-data ok",
        "puppylog monitor alerts create -i crowded -m total_traffic_per_route --when '> 100' --each-segment",
        "puppylog monitor alerts create -i errors -m failed_share --when '> 0.05' --contact ops --severity critical",
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
@click.option(
    "-m",
    "--metric",
    metavar="NAME",
    required=True,
    shell_complete=complete_metrics,
    help="The metric that it judges.",
)
@rule_options
@click.option("--each-segment", is_flag=True, help="Judge each segment by itself. Default: all segments together.")
@store_options
@pass_settings
@click.pass_context
def create(
    ctx: click.Context,
    settings: Settings,
    /,
    *,
    identifier: str,
    metric: str,
    each_segment: bool,
    when: str | None,
    **written: Written,
) -> None:
    """Create an alert.

    The store evaluates the alert from now on. Creating the same alert twice is not an error.
    """
    name = parse_identifier(identifier, "alert")
    if when is None:
        raise UsageError("create", f"alert {name!r} without a rule", advice="say when it fires, as in --when '> 10'")
    rule = {"window_s": _DEFAULT_WINDOW_S, **read_rule(when=when, **written)}
    with connect(settings.store) as store:
        alert = define_alert(name, get_metric(store, metric).metric, each_segment=each_segment, **rule)
        is_new = store.create_alert(alert)
    tell(settings, f"created alert {name}" if is_new else f"alert {name} already exists")
    _warn_of_unknown_contacts(ctx, alert)


@click.command(
    epilog=examples(
        "puppylog monitor alerts update busy --when '> 25'",
        "puppylog monitor alerts update slow --window 10m --for 0",
        "puppylog monitor alerts update slow --contact ops --contact on-call",
    )
)
@click.argument("name", shell_complete=complete_alerts)
@rule_options
@click.option("--no-contacts", is_flag=True, help="Remove all contacts.")
@store_options
@pass_settings
@click.pass_context
def update(ctx: click.Context, settings: Settings, /, *, name: str, no_contacts: bool, **written: Written) -> None:
    """Change an alert, and keep its history.

    What is not given stays as it is, and so does the alert's state. The new rule judges from now on. The contacts that
    are given replace the present ones.
    """
    rule = read_rule(**written)
    if no_contacts:
        if "contacts" in rule:
            raise UsageError("update", f"alert {name!r}", "--contact and --no-contacts exclude each other")
        rule["contacts"] = ()
    if not rule:
        raise UsageError("update", f"alert {name!r}", "nothing to change was given", advice="as in --when '> 25'")
    with connect(settings.store) as store:
        known = asdict(_get_alert(store, name))
        metric = get_metric(store, known.pop("metric")).metric
        alert = define_alert(metric=metric, **{**known, **rule})
        is_changed = store.update_alert(alert)
    tell(settings, f"updated alert {name}" if is_changed else f"alert {name} is unchanged")
    _warn_of_unknown_contacts(ctx, alert)


def _warn_of_unknown_contacts(ctx: click.Context, alert: Alert) -> None:
    """Warn of contacts that the configuration of this machine does not declare; that of the sender's machine may."""
    if not alert.contacts:
        return
    from difflib import get_close_matches  # noqa: PLC0415 - most alerts need neither of these

    from puppylog.config.reading import check_configuration  # noqa: PLC0415 - as above

    files = find_config_files(ctx)
    try:
        configuration, _ = check_configuration(files)
    except PuppylogError:
        return  # `puppylog config check` tells what is wrong with the files
    declared = [contact.name for contact in configuration.contacts]
    unknown = [name for name in alert.contacts if name not in declared]
    if not unknown:
        return
    names = " and ".join(f"{name!r}" for name in unknown)
    where = " or ".join(map(str, files)) or "a configuration file"
    near = [f"{name!r}" for wrong in unknown for name in get_close_matches(wrong, declared, 1)]
    meant = f" (did you mean {' and '.join(near)}?)" if near else ""
    warn(
        f"contact {names} is not declared here{meant}: messages to it wait for a puppylog up whose configuration has "
        f'[[contact]] name = "{unknown[0]}"; on this machine, declare it in {where}',
    )


def read_rule(**written: Written) -> dict[str, Any]:
    """Return the arguments of `define_alert` that the values of `rule_options` give; None and () are left out.

    Raises:
        UsageError: a value cannot be read.
    """
    rule: dict[str, Any] = {"contacts": written["contacts"]} if written.get("contacts") else {}
    given = {option: text for option, text in written.items() if isinstance(text, str)}
    for option, (part, read) in _PARTS.items():
        if option in given:
            rule[part] = read(given[option])
    if "when" in given:
        rule["comparison"], rule["threshold"] = parse_when(given["when"])
    return rule


_PARTS: Final[dict[str, tuple[str, Callable[[str], object]]]] = {
    "stat": ("statistic", str),
    "window": ("window_s", lambda text: parse_period(text, "window")),
    "period": ("period_s", parse_period),
    "for_": ("for_s", lambda text: parse_period(text, "--for", min_s=0)),
    "keep_firing_for": ("keep_firing_for_s", lambda text: parse_period(text, "--keep-firing-for", min_s=0)),
    "delay": ("delay_s", lambda text: parse_period(text, "delay", min_s=0)),
    "no_data": ("no_data", parse_no_data),
    "group_wait": ("group_wait_s", lambda text: parse_period(text, "--group-wait", min_s=0)),
    "repeat": ("repeat_s", lambda text: parse_period(text, "--repeat", min_s=0)),
    "severity": ("severity", str),
    "summary": ("summary", str.strip),
}
"""By option, the argument of `define_alert` that it gives, and how it is read. The option ``when`` gives two."""


def _get_alert(store: Store, name: str) -> Alert:
    for alert in store.list_alerts():
        if alert.name == name:
            return alert
    raise NotFound("find", f"alert {name!r}", advice="see 'puppylog monitor alerts list'")


@click.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_alerts)
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
