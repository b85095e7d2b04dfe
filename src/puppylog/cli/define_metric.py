"""``puppylog monitor metrics create | update | delete``."""

from collections.abc import Mapping
from typing import Final

import click

from puppylog.cli.complete import complete_metrics
from puppylog.cli.default_metrics import FITTING, SETS, create_defaults, tell_created
from puppylog.cli.messages import tell
from puppylog.cli.metric_definition import REMOVABLE, Parts, define_metric, definition_options, read_parts
from puppylog.cli.old_names import OldNamesOption
from puppylog.cli.options import examples, pass_settings, store_options
from puppylog.errors import UsageError
from puppylog.model.derived import define_derived, is_derived
from puppylog.model.identifier import parse_identifier
from puppylog.model.metric import Metric
from puppylog.monitor.metrics import get_metric
from puppylog.settings import Settings
from puppylog.stores.base import Store
from puppylog.stores.connect import connect

_PERIOD_S: Final = 60


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
@definition_options
@store_options
@pass_settings
def create(
    settings: Settings,
    /,
    *,
    default_set: str | None,
    identifier: str | None,
    formula: str | None,
    **written: str | None,
) -> None:
    """Create a metric, or the default set.

    A new metric covers the records that are already stored. Creating the same metric twice is not an error.
    """
    if default_set is not None:
        if identifier is not None:
            raise UsageError("create", "--default with an identifier", "the default set has its own names")
        with connect(settings.store) as store:
            create_defaults(store, settings, default_set, written["group"])
        return
    if identifier is None:
        raise UsageError(
            "create", "a metric without a name", advice="give it with -i/--identifier, or ask for --default"
        )
    name = parse_identifier(identifier, "metric")
    if formula is not None:
        _refuse_parts("create", name, written)
    parts = read_parts(**written)
    with connect(settings.store) as store:
        if formula is not None:
            metric = _derive(store, name, formula)
        else:
            new = Metric(name, "count", "*", _PERIOD_S, refresh_s=_PERIOD_S)
            metric = define_metric(store, settings, new, parts, "create")
        is_new = store.create_metric(metric)
        tell_created(settings, f"metric {name}", is_new=is_new)
        if is_new:
            _tell_retention(settings, store)


@click.command(
    epilog=examples(
        "puppylog monitor metrics update errors --filter 'status_code >= 400'",
        "puppylog monitor metrics update errors --group '' --period 5m",
        "puppylog monitor metrics update share --from 'errors / total'",
    )
)
@click.argument("name", shell_complete=complete_metrics)
@definition_options
@store_options
@pass_settings
def update(settings: Settings, /, *, name: str, formula: str | None, **written: str | None) -> None:
    """Change a metric, and keep its alerts and their history.

    What is not given stays as it is. An empty --segment, --filter or --group is removed. The buckets are computed again
    from the stored records.
    """
    removed: Parts = {option.removesuffix("_"): None for option in REMOVABLE if written[option] == ""}
    parts = {**removed, **read_parts(**{option: text for option, text in written.items() if text != ""})}
    if not parts and formula is None:
        raise UsageError("update", f"metric {name!r}", "nothing to change was given", advice="as in --period 5m")
    with connect(settings.store) as store:
        before = get_metric(store, name).metric
        if formula is not None or is_derived(before):
            _refuse_parts("update", name, written)
            metric = _derive(store, name, formula or before.property)
        else:
            metric = define_metric(store, settings, before, parts, "update")
        is_changed = store.update_metric(metric)
        tell(settings, f"updated metric {name}" if is_changed else f"metric {name} is unchanged")
        if is_changed:
            _tell_retention(settings, store)


def _tell_retention(settings: Settings, store: Store) -> None:
    """Say that the buckets were computed from the records that are left, if the store drops old ones."""
    if not store.get_retention().is_empty:
        tell(settings, "this store drops old records: the metric covers those that it has now, and all later ones")


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


def _refuse_parts(verb: str, name: str, written: Mapping[str, str | None]) -> None:
    """Raise UsageError if a derived metric was given a part that it takes from its inputs."""
    names = {parameter.name: parameter.opts[-1] for parameter in click.get_current_context().command.params}
    given = [names[option] for option, text in written.items() if text is not None]
    if given:
        cause = f"a derived metric takes no {given[0]}: period, segments and records are those of its inputs"
        raise UsageError(verb, f"metric {name!r}", cause)


def _derive(store: Store, name: str, formula: str) -> Metric:
    return define_derived(name, formula, {known.name: known for known in store.list_metrics()})
