"""``puppylog collector``: collect log files into the store."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from click.core import ParameterSource

from puppylog.cli.complete import complete_files, complete_groups
from puppylog.cli.lazy import LazyGroup, Table
from puppylog.cli.old_names import OldNamesOption
from puppylog.cli.options import examples, host_option, pass_settings, store_options
from puppylog.cli.parsing import choose_format, format_options, multiline_options, zone_option
from puppylog.collect.containers import DEFAULT_PATHS, Runtime, check_pod_labels
from puppylog.errors import SourceError, UsageError
from puppylog.model.identifier import parse_identifier
from puppylog.model.labels import check_labels, parse_label
from puppylog.settings import Settings
from puppylog.stores.connect import begin_engine

if TYPE_CHECKING:  # loaded while the engine starts
    from puppylog.collect.options import SourceOptions

_OF_SOURCES: Final = frozenset(
    {"now", "from_end", "format_", "format_from", "year", "multiline", "multiline_timeout", "group", "labels"}
)
"""The options that say how the files of ``--source`` are collected."""

COMMANDS: Final[Table] = {
    "detect": ("puppylog.cli.detect:detect", "Show how a file would be parsed."),
    "forget": ("puppylog.cli.collector_forget:forget", "Delete streams with their records."),
    "reread": ("puppylog.cli.collector_reread:reread", "Read a stream again, and replace its records."),
    "status": ("puppylog.cli.collector_status:status", "Show whether the collectors keep up."),
}


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    invoke_without_command=True,
    epilog=examples(
        "puppylog collector -s access.log",
        "puppylog collector -s '/var/log/nginx/*.log' --watch --group shop",
        "puppylog collector -s app.log --watch --multiline indent",
        "puppylog collector -s journal: --watch",
        "puppylog collector --kubernetes --watch --label cluster=east",
        "puppylog collector -s 'journal:?unit=nginx.service' --watch --group shop",
        "puppylog collector -s access.log --dry-run",
        "puppylog collector -c config.toml --watch",
        "puppylog collector detect access.log",
    ),
)
@click.option(
    "-s",
    "--source",
    "sources",
    multiple=True,
    metavar="PATH",
    shell_complete=complete_files,
    envvar="PUPPYLOG_SOURCE",
    show_envvar=True,
    help="A file, compressed or not, a directory, a named pipe, a pattern such as '/var/log/**/*.log', "
    "journal: for the journal of systemd, or - for standard input. May be given again.",
)
@click.option(
    "-w",
    "--watch",
    is_flag=True,
    envvar="PUPPYLOG_WATCH",
    show_envvar=True,
    help="Follow the files at their end, through rotation and truncation, until interrupted.",
)
@click.option("-n", "--now", is_flag=True, help="Give each record the time at which its line is read.")
@click.option("--from-end", is_flag=True, help="Skip the present content of files that the store does not know yet.")
@format_options
@zone_option
@multiline_options
@click.option(
    "--group",
    metavar="NAME",
    shell_complete=complete_groups,
    envvar="PUPPYLOG_GROUP",
    show_envvar=True,
    help="The log group of these sources; created if it does not exist.",
)
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="NAME=VALUE",
    help="A label of these sources, such as env=prod, by which their records are found. May be given again.",
)
@click.option(
    "--kubernetes",
    "runtime",
    flag_value=Runtime.KUBERNETES.value,
    help="Collect the logs of pods, by default /var/log/pods/*/*/*.log, with namespace, pod, pod_uid, container and "
    "restart as labels.",
)
@click.option(
    "--pod-label",
    "pod_labels",
    multiple=True,
    metavar="NAME",
    help="With --kubernetes: a label of pods that becomes a label of their logs, such as app; * is any text. Asks the "
    "API of Kubernetes. May be given again.",
)
@click.option(
    "--docker",
    "runtime",
    flag_value=Runtime.DOCKER.value,
    help="Collect the logs of Docker's containers, by default /var/lib/docker/containers/*/*-json.log, with container "
    "and image as labels.",
)
@click.option(
    "-r",
    "--echo",
    cls=OldNamesOption,
    old_names=("--redirect_psql_out",),
    is_flag=True,
    help="Print the store's answer to each batch.",
)
@click.option("--dry-run", is_flag=True, help="Parse and count lines, show why some are rejected, store nothing.")
@host_option
@store_options
@pass_settings
@click.pass_context
def collector(
    ctx: click.Context,
    settings: Settings,
    *,
    sources: tuple[str, ...],
    watch: bool,
    now: bool,
    from_end: bool,
    format_: str,
    format_from: Path | None,
    year: int | None,
    multiline: str,
    multiline_timeout: float,
    group: str | None,
    labels: tuple[str, ...],
    runtime: str | None,
    pod_labels: tuple[str, ...],
    echo: bool,
    dry_run: bool,
) -> None:
    """Collect log files into the store.

    Without --source, the sources are those of the configuration file.

    Every complete line is stored exactly once: as a record, or as a rejected line with its reason. The store knows how
    far each file has been read, so the same command continues where the last one ended. On an interrupt, the collector
    stops reading, commits the lines that it has read, and exits.
    """
    if ctx.invoked_subcommand is not None:
        return
    chosen_runtime = None if runtime is None else Runtime(runtime)
    if chosen_runtime is not None:
        sources = sources or DEFAULT_PATHS[chosen_runtime]
    _check_source_options(ctx, sources, group)
    given_labels = check_labels(dict(map(parse_label, labels)))
    given_pod_labels = check_pod_labels(pod_labels)
    if given_pod_labels and chosen_runtime is not Runtime.KUBERNETES:
        raise UsageError("use", "--pod-label", "it is about logs of Kubernetes", advice="add --kubernetes")
    if dry_run and watch:
        raise UsageError("watch", "in a dry run", "it ends where the files end")

    if not dry_run:
        ctx.call_on_close(begin_engine(settings.store))
    # These take 0.3 s of CPU, in which the engine starts.
    from puppylog.cli import collector_run  # noqa: PLC0415 - see above
    from puppylog.collect.format_choice import joins_lines, make_source  # noqa: PLC0415 - see above

    def read_sources(settings: Settings) -> "Sequence[SourceOptions]":
        if not sources:
            return collector_run.read_declared_sources(ctx, settings)
        chosen = choose_format(settings, format_, format_from, year, joins_lines=joins_lines(multiline))
        source = make_source(
            sources,
            chosen,
            multiline=multiline,
            multiline_timeout_s=multiline_timeout,
            now=now,
            group=group,
            from_end=from_end,
            labels=given_labels,
            runtime=chosen_runtime,
            pod_labels=given_pod_labels,
        )
        return [source]

    summary = collector_run.run(read_sources, settings, paths=sources, watch=watch, echo=echo, is_dry=dry_run)
    if summary is not None and summary.unread:
        ctx.exit(SourceError.exit_code)


def _check_source_options(ctx: click.Context, sources: Sequence[str], group: str | None) -> None:
    """Refuse a wrong group, and without --source the options for it: the sources of the file have keys instead."""
    if group is not None:
        parse_identifier(group, "group")
    if sources:
        return
    for parameter in ctx.command.params:
        is_given = ctx.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
        if is_given and parameter.name in _OF_SOURCES:
            raise UsageError("use", f"{parameter.opts[-1]} without --source", "sources of a file have keys for it")
