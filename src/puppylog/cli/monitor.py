"""``puppylog monitor``: the tables of its commands, which are imported when they run."""

from typing import Final

import click

from puppylog.cli.lazy import LazyGroup, Table
from puppylog.cli.options import examples, output_options, store_options

FAMILIES: Final[Table] = {
    "metrics": ("puppylog.cli.monitor:metrics", "View, create and delete metrics."),
    "alerts": ("puppylog.cli.monitor:alerts", "View, observe, create and delete alerts."),
}
METRICS: Final[Table] = {
    "list": ("puppylog.cli.metrics:list_", "List the metrics."),
    "get": ("puppylog.cli.metrics:get", "Show the observations of a metric."),
    "meta": ("puppylog.cli.metrics:meta", "Show a metric's definition and size."),
    "create": ("puppylog.cli.define_metric:create", "Create a metric, or the default set."),
    "update": ("puppylog.cli.define_metric:update", "Change a metric, and keep its alerts."),
    "delete": ("puppylog.cli.define_metric:delete", "Delete a metric."),
}
ALERTS: Final[Table] = {
    "list": ("puppylog.cli.alerts:list_", "List the alerts and their states."),
    "get": ("puppylog.cli.alerts:get", "Show the history of an alert."),
    "meta": ("puppylog.cli.alerts:meta", "Show an alert's definition and states."),
    "observe": ("puppylog.cli.observe:observe", "Watch the alerts live."),
    "check": ("puppylog.cli.alerts:check", "Exit with 1 if an alert fires."),
    "test": ("puppylog.cli.alert_trial:test", "Show when an alert would have fired in the past."),
    "create": ("puppylog.cli.define_alert:create", "Create an alert."),
    "update": ("puppylog.cli.define_alert:update", "Change an alert, and keep its history."),
    "delete": ("puppylog.cli.define_alert:delete", "Delete an alert and its history."),
    "silence": ("puppylog.cli.silences:silence", "Hold back the messages of alerts for a time."),
    "unsilence": ("puppylog.cli.silences:unsilence", "End silences now."),
    "silences": ("puppylog.cli.silences:silences", "List the silences."),
    "ack": ("puppylog.cli.silences:ack", "Say that a person knows that an alert fires."),
    "notifications": ("puppylog.cli.notifications:notifications", "Show what was sent, and what was not and why."),
    "retry": ("puppylog.cli.notifications:retry", "Send notifications that are dead."),
}


@click.group(cls=LazyGroup, table=FAMILIES)
def monitor() -> None:
    """View and define metrics and alerts.

    The store itself keeps metrics up to date and evaluates alerts; these commands only define and show them.
    """


@click.group(
    cls=LazyGroup,
    table=METRICS,
    invoke_without_command=True,
    epilog=examples(
        "puppylog monitor metrics create --default",
        "puppylog monitor metrics get total_traffic --since 1h",
        "puppylog monitor metrics create -i errors -s count --filter 'status_code >= 500' --period 1m",
    ),
)
@output_options
@store_options
@click.pass_context
def metrics(ctx: click.Context) -> None:
    """View, create and delete metrics. Without a command, list them."""
    _list_without_command(ctx)


@click.group(
    cls=LazyGroup,
    table=ALERTS,
    invoke_without_command=True,
    epilog=examples(
        "puppylog monitor alerts observe",
        "puppylog monitor alerts create -i busy -m total_traffic --when '> 10' --window 2m",
        "puppylog monitor alerts get totaltraffic --since 1d",
    ),
)
@output_options
@store_options
@click.pass_context
def alerts(ctx: click.Context) -> None:
    """View, observe, create and delete alerts. Without a command, list them."""
    _list_without_command(ctx)


def _list_without_command(ctx: click.Context) -> None:
    group = ctx.command
    if ctx.invoked_subcommand is None and isinstance(group, LazyGroup):
        listing = group.get_command(ctx, "list")
        if listing is not None:
            with listing.make_context("list", [], parent=ctx) as below:
                listing.invoke(below)
