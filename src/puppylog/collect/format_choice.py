"""How a source is collected: the format and the multi-line rule that options, or keys of a file, ask for."""

from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from puppylog.collect.containers import Runtime
from puppylog.collect.options import SourceOptions
from puppylog.collect.restamp import Restamped
from puppylog.errors import UsageError
from puppylog.formats.base import Format, Options
from puppylog.formats.file.format import read_format_file
from puppylog.formats.listed_formats import AUTO, FILE_MARK
from puppylog.formats.multiline import Multiline
from puppylog.formats.registry import find_format, list_configured_formats, make_auto
from puppylog.model.labels import Labels
from puppylog.tail.boundary import IndentationBoundary, LineBoundary, PatternBoundary
from puppylog.tail.limits import RECORD_WAIT_S

_LOCALTIME: Final = Path("/etc/localtime")


def find_log_zone(zone: tzinfo | None, environ: Mapping[str, str]) -> ZoneInfo:
    """Return the zone of time stamps in logs, with its rules: the offset of a zone changes over the year.

    Args:
        zone: as `puppylog.settings.find_zone` returns it; None is the zone of this machine.
        environ: the environment, for ``TZ``.

    Raises:
        UsageError: the zone of this machine has no name.
    """
    if zone is not None:
        return ZoneInfo("UTC") if zone is UTC else ZoneInfo(str(zone))
    named = environ.get("TZ", "").lstrip(":") or str(_LOCALTIME.resolve()).partition("zoneinfo/")[2]
    try:
        return ZoneInfo(named)
    except (OSError, ValueError, KeyError):
        raise UsageError(
            "use", "time zone local", "this machine's zone has no name", advice="write it as Area/City"
        ) from None


def choose_format(written: str, configuration: Path | None, options: Options) -> Format:
    """Return a format.

    Args:
        written: a name, ``@`` and the path of a format file, or one of the forms in
            `puppylog.formats.listed_formats.WRITTEN`; with a configuration, a nickname.
        configuration: an nginx.conf or httpd.conf that has the format; None if ``written`` is the format.
        options: how stamps without a zone or a year are read.

    Raises:
        UsageError: no such format exists, or the server's configuration cannot be read.
        ConfigurationError: the format file has a fault.
    """
    if configuration is None and written.startswith(FILE_MARK):
        return read_format_file(Path(written[1:]).expanduser(), options)
    if configuration is None:
        return find_format(written, options)
    try:
        text = configuration.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError("read", str(configuration), (error.strerror or str(error)).lower()) from None
    nickname = "" if written == AUTO else written
    found = list_configured_formats(text, str(configuration), options, nickname)
    return found[0] if nickname else make_auto(options, found)


def anchor_format(written: str, directory: Path) -> str:
    """Return a format as it is written, with the path of a format file taken from a directory if it is relative."""
    is_file = written.startswith(FILE_MARK)
    return f"{FILE_MARK}{directory / Path(written[1:]).expanduser()}" if is_file else written


def joins_lines(multiline: str) -> bool:
    """Return whether a format decides which lines belong to the record before; see `Options.joins_lines`.

    Args:
        multiline: ``auto``, ``none``, ``indent`` or a pattern.
    """
    return multiline == "auto"


def choose_boundary(written: str) -> LineBoundary | None:
    """Return the rule by which a line begins a record: ``indent``, or a pattern; None for ``auto`` and ``none``.

    Raises:
        UsageError: ``written`` is not a regular expression.
    """
    if written in {"auto", "none"}:
        return None
    return IndentationBoundary() if written == "indent" else PatternBoundary(written)


def make_source(
    paths: Sequence[str],
    format_: Format,
    *,
    multiline: str = "auto",
    multiline_timeout_s: float = RECORD_WAIT_S,
    now: bool = False,
    group: str | None = None,
    from_end: bool = False,
    labels: Labels | None = None,
    runtime: Runtime | None = None,
    pod_labels: Sequence[str] = (),
) -> SourceOptions:
    """Return the options of a source.

    Args:
        paths: see `SourceOptions`.
        format_: how the first lines of records are parsed.
        multiline: as for `choose_boundary`.
        multiline_timeout_s: see `SourceOptions.record_wait_s`.
        now: whether records get the time at which their lines are read.
        group: see `SourceOptions`.
        from_end: see `SourceOptions`.
        labels: see `SourceOptions`.
        runtime: see `SourceOptions`.
        pod_labels: see `SourceOptions`.

    Raises:
        UsageError: ``multiline`` is not a regular expression.
    """
    boundary = choose_boundary(multiline)
    of_records = format_
    if boundary is not None:
        of_records = Multiline(format_, boundary.mark_starts, boundary.find_last_start)
    return SourceOptions(
        paths=paths,
        format=Restamped(of_records) if now else of_records,
        group=group,
        from_end=from_end,
        labels=labels or {},
        runtime=runtime,
        pod_labels=pod_labels,
        record_wait_s=multiline_timeout_s,
    )
