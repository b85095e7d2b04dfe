"""``puppylog apply`` and ``puppylog export``: from a configuration file to a store, and back."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click
import pyarrow as pa

from puppylog.cli.given_options import find_config_files
from puppylog.cli.messages import tell, warn
from puppylog.cli.options import examples, output_options, pass_settings, store_options
from puppylog.cli.output import terminal_width, write_rows
from puppylog.cli.surroundings import wants_color
from puppylog.config.apply import apply_configuration, check, plan_configuration
from puppylog.config.definition_set import Kind, read_definitions
from puppylog.config.export import export as export_definitions
from puppylog.config.plan import Plan
from puppylog.config.reading import read_configuration
from puppylog.config.silences import leave_out_ended
from puppylog.config.step import Action, Step
from puppylog.errors import ConfigurationError
from puppylog.settings import Settings
from puppylog.stores.connect import connect, name_store
from puppylog.tui.plan import describe_plan, draw_plan, list_changes

_FIELDS: Final = ("key", "before", "after")
_SCHEMA: Final = pa.schema(
    [
        ("action", pa.string()),  # create, update, delete, keep or refuse
        ("kind", pa.string()),
        ("name", pa.string()),
        ("note", pa.string()),
        ("fields", pa.list_(pa.struct([(name, pa.string()) for name in _FIELDS]))),
    ]
)
_DONE: Final = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}


@click.command(
    epilog=examples(
        "puppylog apply -c config.toml --dry-run",
        "puppylog apply -c config.toml",
        "puppylog apply --prune --dry-run -o json",
    )
)
@click.option("--dry-run", is_flag=True, help="Only show what would change. The exit code is 1 if anything would.")
@click.option(
    "--prune",
    is_flag=True,
    help="Also delete what the file does not declare, and delete and create again what cannot be updated in place.",
)
@output_options
@store_options
@pass_settings
@click.pass_context
def apply(ctx: click.Context, settings: Settings, *, dry_run: bool, prune: bool) -> None:
    """Apply the configuration file to the store.

    Its metrics, alerts, silences and retention are created, or changed in place. The plan is shown first, like a diff:
    + is created, ~ is changed, - is deleted, = is not in the file and stays, and ! cannot be done. If something cannot
    be done, nothing is, and the exit code is 78. Applying a file twice changes nothing the second time.
    """
    paths = find_config_files(ctx)
    if not paths:
        raise ConfigurationError("find", "a configuration file", advice="name one: puppylog apply -c FILE")
    configuration = read_configuration(paths)
    for sentence in configuration.find_unknown_contacts():
        warn(sentence)
    with connect(settings.store) as store:
        if dry_run:
            plan = plan_configuration(store, configuration, prune=prune, clock=settings.clock)
            _show(plan, settings)
            check(plan)
            if plan.has_changes:
                ctx.exit(1)
            return
        applied = apply_configuration(
            store,
            configuration,
            prune=prune,
            show=lambda plan: _show(plan, settings),
            report=lambda step: _tell_done(step, settings),
            clock=settings.clock,
        )
    if applied.error is not None:
        warn(applied.describe())
        raise applied.error


def _show(plan: Plan, settings: Settings) -> None:
    """Write a plan to stdout, and a sentence about it to stderr."""
    if settings.output == "table":
        for line in draw_plan(plan, terminal_width(), color=wants_color(settings)):
            sys.stdout.write(line + "\n")
    else:
        write_rows(_list_rows(plan), _SCHEMA, settings)
    sys.stdout.flush()
    tell(settings, describe_plan(plan))


def _list_rows(plan: Plan) -> list[dict[str, object]]:
    rows = [
        _make_row(
            step.action,
            step.kind,
            step.name,
            step.note,
            [dict(zip(_FIELDS, change, strict=True)) for change in list_changes(step)],
        )
        for step in plan.steps
    ]
    rows += [_make_row("keep", kept.kind, kept.name, kept.reason) for kept in plan.kept]
    return rows + [_make_row("refuse", refusal.kind, refusal.name, refusal.cause) for refusal in plan.refusals]


def _make_row(action: str, kind: Kind, name: str, note: str, fields: Sequence[object] = ()) -> dict[str, object]:
    return {"action": action, "kind": kind.value, "name": name, "note": note or None, "fields": list(fields)}


def _tell_done(step: Step, settings: Settings) -> None:
    tell(settings, f"{_DONE[step.action]} {step.subject}")


@click.command(
    epilog=examples(
        "puppylog export > config.toml",
        "puppylog export --store postgresql://host/logs | diff config.toml -",
        "puppylog export --parquet /srv/logs-2026",
    )
)
@click.option(
    "--parquet",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIRECTORY",
    help="Write all records and rejected lines into this new directory instead, as Parquet files.",
)
@store_options
@pass_settings
def export(settings: Settings, *, directory: Path | None) -> None:
    """Print the store's definitions as a configuration file.

    Applying the file to the same store changes nothing. With --parquet, the records are written instead.

    The Parquet files are in a folder per day (day=2026-11-27), as those of an archive, with the names of sources,
    groups and files in each row. Lines that are stored meanwhile may be in the export or not. To export a selection of
    records, use puppylog logs -o parquet.
    """
    with connect(settings.store) as store:
        if directory is not None:
            from puppylog.cli.export_parquet import export_rows  # noqa: PLC0415 - only this option loads Parquet

            export_rows(store, directory, settings)
            return
        definitions = leave_out_ended(read_definitions(store), settings.clock())
    sys.stdout.write(export_definitions(definitions, name_store(settings.store.url)))
