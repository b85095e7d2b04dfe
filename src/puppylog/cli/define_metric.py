"""``puppylog monitor metrics create | delete``."""

from dataclasses import replace
from typing import Final

import click

from puppylog.cli.complete import complete_metrics
from puppylog.cli.default_metrics import FITTING, SETS, create_defaults, tell_created
from puppylog.cli.old_names import OldNamesOption
from puppylog.cli.options import examples, group_option, pass_settings, store_options
from puppylog.cli.queries import WrittenQuery, dialect_of, read_filter, translate_for
from puppylog.cli.talk import tell
from puppylog.errors import UsageError
from puppylog.model.derived import define_derived
from puppylog.model.expression import find_names, parse_segment, parse_value
from puppylog.model.identifier import parse_identifier
from puppylog.model.metric import STATISTICS, Metric, is_name, needs_number, parse_property, parse_statistic
from puppylog.model.period import parse_period
from puppylog.model.record import ALIASES
from puppylog.monitor.attributes import find_attributes
from puppylog.settings import Settings
from puppylog.stores.base import Store
from puppylog.stores.connect import connect

_NOT_DERIVED: Final = frozenset({"stat", "of", "prop", "period", "refresh_rate", "segment", "filter_", "group"})
"""The parameters of `create` that a derived metric does not take."""


@click.command(
    epilog=examples(
        "puppylog monitor metrics create --default",
        "puppylog monitor metrics create -i magic -s count -p '*' --period 60 --refresh-rate 60",
        "puppylog monitor metrics create -i p99_bytes -s p99 -p response_bytes --period 1m --segment request_method",
        "puppylog monitor metrics create -i errors --filter 'status_code >= 500' --period 5m --group shop",
        "puppylog monitor metrics create -i share_5xx --stat ratio --of 'status_code >= 500' --period 1m",
        "puppylog monitor metrics create -i requests_per_second --stat rate --period 1m",
        "puppylog monitor metrics create -i mean_bytes --from 'total_bytes / total_traffic'",
        "puppylog monitor metrics create -i p95_seconds --stat p95 --prop 'duration_ms / 1000' --period 5m",
        "puppylog monitor metrics create -i slow --filter 'duration_ms > 1000 -request_route:/health*' --period 1m",
    )
)
@click.option(
    "--default",
    "default_set",
    type=click.Choice(SETS),
    is_flag=False,
    flag_value=FITTING,
    help="Create metrics and alerts that fit the stored records; original: those of the first Puppylog.",
)
@click.option(
    "-i",
    "--identifier",
    cls=OldNamesOption,
    old_names=("-id",),
    metavar="NAME",
    help="The metric's name: lower-case letters, digits and '_'.",
)
@click.option(
    "-s",
    "--stat",
    default="count",
    show_default=True,
    help=f"The statistic: {', '.join(STATISTICS)}, or pNN. rate is the count per second; ratio is the share of records "
    "that match --of, from 0 to 1.",
)
@click.option("--of", metavar="SQL|QUERY", help="Of a ratio: the records whose share it is, such as status_code>=500.")
@click.option(
    "-p",
    "--prop",
    default="*",
    show_default=True,
    help="The property: * (whole records), a column, an attribute, or an expression such as 'duration_ms / 1000'.",
)
@click.option(
    "--period",
    cls=OldNamesOption,
    old_names=("-pr",),
    default="1m",
    show_default=True,
    help="The length of a bucket: 60 (seconds), 10s, 5m, 1h.",
)
@click.option(
    "--refresh-rate",
    cls=OldNamesOption,
    old_names=("-rr", "--refresh_rate"),
    help="How often new records are materialized. Default: the period, at least 10s.",
)
@click.option(
    "--segment",
    cls=OldNamesOption,
    old_names=("-seg", "--segment_expression"),
    metavar="SQL",
    help="Keep one series per value of this expression, such as split_part(request_route, '/', 2).",
)
@click.option(
    "--filter",
    "filter_",
    metavar="SQL|QUERY",
    help="Only records that match: SQL such as status_code >= 500, or a query such as severity>=warning.",
)
@click.option(
    "--from",
    "formula",
    metavar="FORMULA",
    help="Derive the metric from metrics of one period: arithmetic over their names, such as 'errors / total * 100'.",
)
@group_option("Only records of this log group.")
@store_options
@pass_settings
def create(
    settings: Settings,
    *,
    default_set: str | None,
    identifier: str | None,
    stat: str,
    of: str | None,
    prop: str,
    period: str,
    refresh_rate: str | None,
    segment: str | None,
    filter_: str | None,
    formula: str | None,
    group: str | None,
) -> None:
    """Create a metric, or the default set.

    A new metric covers the records that are already stored. Creating the same metric twice is not an error.
    """
    if default_set is not None:
        if identifier is not None:
            raise UsageError("create", "--default with an identifier", "the default set has its own names")
        with connect(settings.store) as store:
            create_defaults(store, settings, default_set, group)
        return
    if identifier is None:
        raise UsageError(
            "create", "a metric without a name", advice="give it with -i/--identifier, or ask for --default"
        )
    if formula is not None:
        _create_derived(settings, parse_identifier(identifier, "metric"), formula)
        return
    statistic = parse_statistic(stat)
    if (statistic == "ratio") is not (of is not None):
        cause = "a ratio needs the records whose share it is" if of is None else f"{statistic} takes no --of"
        advice = "give them with --of, such as --of 'status_code>=500'" if of is None else "ask for --stat ratio"
        raise UsageError("create", f"metric {identifier!r}", cause, advice)
    filter_read = None if filter_ is None else read_filter(filter_)
    of_read = None if of is None else read_filter(of, "--of")
    period_s = parse_period(period)
    metric = Metric(
        name=parse_identifier(identifier, "metric"),
        statistic=statistic,
        property="*",
        period_s=period_s,
        segment=None if segment is None else parse_segment(segment),
        refresh_s=max(period_s, 10) if refresh_rate is None else parse_period(refresh_rate, "refresh rate"),
        group=group,
    )
    with connect(settings.store) as store:
        filter_kept, of_kept = (_translate(store, condition, settings) for condition in (filter_read, of_read))
        metric = replace(metric, property=read_property(store, prop, statistic), filter=filter_kept, of=of_kept)
        tell_created(settings, f"metric {metric.name}", is_new=store.create_metric(metric))


@click.command()
@click.argument("names", metavar="NAME...", nargs=-1, required=True, shell_complete=complete_metrics)
@store_options
@pass_settings
def delete(settings: Settings, names: tuple[str, ...]) -> None:
    """Delete a metric.

    The records stay, so the metric can be created again. A metric that an alert judges, or that another metric is
    derived from, cannot be deleted.
    """
    with connect(settings.store) as store:
        for name in names:
            store.delete_metric(name)
            tell(settings, f"deleted metric {name}")


def _create_derived(settings: Settings, name: str, formula: str) -> None:
    ctx = click.get_current_context()
    given = [
        parameter.opts[-1]
        for parameter in ctx.command.params
        if parameter.name in _NOT_DERIVED
        and ctx.get_parameter_source(parameter.name) is click.core.ParameterSource.COMMANDLINE
    ]
    if given:
        cause = f"a derived metric takes no {given[0]}: period, segments and records are those of its inputs"
        raise UsageError("create", f"metric {name!r}", cause)
    with connect(settings.store) as store:
        metric = define_derived(name, formula, {known.name: known for known in store.list_metrics()})
        tell_created(settings, f"metric {name}", is_new=store.create_metric(metric))


def read_property(store: Store, text: str, statistic: str) -> str:
    """Return the property that ``text`` means: a name, or the canonical text of an expression.

    A name that is no column is an attribute that the store knows.

    Raises:
        UsageError: the statistic cannot be taken of the property.
        ExpressionError: the text is neither a name nor an expression of the right type.
    """
    name = ALIASES.get(text.strip(), text.strip())
    if is_name(name) or statistic == "ratio":
        return parse_property(text, statistic)
    names = find_names(text)
    attributes = find_attributes(store, names, dialect_of(store)) if names else {}
    if name in attributes and is_name(f"attributes.{name}") and "." not in name:
        return f"attributes.{name}"
    return parse_value(text, is_number=needs_number(statistic), attributes=attributes)


def _translate(store: Store, condition: str | WrittenQuery | None, settings: Settings) -> str | None:
    """Return the canonical text of a condition that `read_filter` has read."""
    if isinstance(condition, WrittenQuery):
        return translate_for(store, condition, settings, is_kept=True)
    return condition
