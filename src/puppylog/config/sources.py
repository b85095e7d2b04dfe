"""Sources of the files, and the format and the multi-line rule that they ask for."""

from collections.abc import Mapping
from datetime import tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from puppylog.collect.containers import DEFAULT_PATHS, Runtime, check_pod_labels
from puppylog.collect.format_choice import (
    anchor_format,
    choose_boundary,
    choose_format,
    find_log_zone,
    joins_lines,
    make_source,
)
from puppylog.collect.options import SourceOptions
from puppylog.config.faults import Faults, Location
from puppylog.config.tables import SourceTable
from puppylog.config.values import SourceConfig
from puppylog.formats.base import Options
from puppylog.model.labels import check_labels
from puppylog.settings import find_zone
from puppylog.tail.journal.source import SCHEME, JournalSource, is_journal
from puppylog.tail.source import STDIN

_OF_FILES: Final = (
    "paths",
    "kubernetes",
    "docker",
    "format",
    "format_file",
    "tz",
    "year",
    "multiline",
    "multiline_timeout",
)
"""The keys that a journal cannot have: its entries have one format, and name their time zone."""


def read_source(table: SourceTable, location: Location, faults: Faults) -> SourceConfig | None:
    """Return the source of a table. Return None after its faults were noted."""
    before = len(faults.found)
    directory = location.file.absolute().parent
    paths = _read_journal(table, location, faults) if table.journal else _read_paths(table, location, faults)
    source = SourceConfig(
        paths=paths,
        format=anchor_format(table.format, directory),
        format_file=None if table.format_file is None else directory / table.format_file,
        group=table.group,
        tz=table.tz,
        year=table.year,
        labels=dict(table.labels),
        runtime=_find_runtime(table),
        pod_labels=table.pod_labels,
        from_end=table.from_end,
        multiline=table.multiline,
        multiline_timeout_s=table.multiline_timeout,
        now=table.now,
    )
    if table.kubernetes and table.docker:
        faults.add(location, "kubernetes and docker exclude each other")
    if table.pod_labels and not table.kubernetes:
        faults.add(location, "pod_labels is only for logs of Kubernetes", "write kubernetes = true")
    with faults.noting(location, "pod_labels"):
        check_pod_labels(table.pod_labels)
    with faults.noting(location, "labels"):
        check_labels(table.labels)
    with faults.noting(location, "format"):
        choose_format(source.format, source.format_file, Options(ZoneInfo("UTC"), source.year))
    with faults.noting(location, "multiline"):
        choose_boundary(source.multiline)
    return source if len(faults.found) == before else None


def _read_paths(table: SourceTable, location: Location, faults: Faults) -> tuple[str, ...]:
    if STDIN in table.paths:
        faults.add(location, "paths: '-', standard input, cannot be a source in a configuration file")
    if any(map(is_journal, table.paths)):
        faults.add(location, "paths: a journal is not a path", "write journal = true")
    runtime = _find_runtime(table)
    paths = table.paths or (() if runtime is None else DEFAULT_PATHS[runtime])
    if not paths:
        faults.add(location, "paths is missing", "name files, or write journal, kubernetes or docker = true")
    for key in ("units", "matches", "journal_directory"):
        if getattr(table, key):
            faults.add(location, f"{key} is only for a journal", "write journal = true")
    directory = location.file.absolute().parent
    return tuple(str(directory / path) for path in paths)


def _find_runtime(table: SourceTable) -> Runtime | None:
    return Runtime.KUBERNETES if table.kubernetes else Runtime.DOCKER if table.docker else None


def _read_journal(table: SourceTable, location: Location, faults: Faults) -> tuple[str, ...]:
    """Return the text of the journal, as the only path of the source."""
    defaults = SourceTable()
    for key in _OF_FILES:
        if getattr(table, key) != getattr(defaults, key):
            faults.add(location, f"{key} is only for files, and the source is a journal")
    text = SCHEME
    directory = (
        "" if table.journal_directory is None else str(location.file.absolute().parent / table.journal_directory)
    )
    with faults.noting(location, "journal"):
        text = JournalSource.make(directory, table.units, table.matches).text
    return (text,)


def make_options(source: SourceConfig, default_zone: tzinfo | None, environ: Mapping[str, str]) -> SourceOptions:
    """Return the options with which a collector follows the source.

    Args:
        source: of a file.
        default_zone: the zone of stamps without an offset if the source names none; None is that of this machine.
        environ: the environment, for ``TZ``.

    Raises:
        UsageError: the format no longer exists, or this machine's zone has no name.
    """
    return make_source(
        source.paths,
        choose_format(
            source.format,
            source.format_file,
            Options(
                find_source_zone(source, default_zone, environ), source.year, joins_lines=joins_lines(source.multiline)
            ),
        ),
        multiline=source.multiline,
        multiline_timeout_s=source.multiline_timeout_s,
        now=source.now,
        group=source.group,
        from_end=source.from_end,
        labels=source.labels,
        runtime=source.runtime,
        pod_labels=source.pod_labels,
    )


def find_source_zone(source: SourceConfig, default_zone: tzinfo | None, environ: Mapping[str, str]) -> ZoneInfo:
    """Return the zone of a source's stamps without an offset. Arguments and errors are those of `make_options`."""
    return find_log_zone(default_zone if source.tz is None else find_zone(source.tz), environ)
