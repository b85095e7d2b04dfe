r"""Finds a format by what the user writes after ``--format``.

>>> from puppylog.formats.registry import find_format
>>> parser = find_format("logfmt").open()
>>> parsed = parser.parse(b"level=info msg=started\nnot logfmt\n", offset=0, read_at_us=0)
>>> parsed.records.select(["line_offset", "severity", "message"]).to_pylist()
[{'line_offset': 0, 'severity': 'info', 'message': 'started'}]
>>> parsed.rejects.to_pylist()
[{'line_offset': 23, 'reason': 'no key=value pair at its start', 'line': b'not logfmt'}]
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from puppylog.errors import UsageError
from puppylog.formats import cri, json_lines
from puppylog.formats.access.access_log import AccessLog
from puppylog.formats.access.line import Variant
from puppylog.formats.apache_error import find_apache_error_mismatch, read_apache_error
from puppylog.formats.app_format import DatedFormat, read_app
from puppylog.formats.auto import Auto
from puppylog.formats.base import Format, Options
from puppylog.formats.container_parts import ContainerFormat
from puppylog.formats.cri import find_cri_mismatch, join_cri_parts, read_cri
from puppylog.formats.csv.csv import make_csv
from puppylog.formats.csv.zeek import make_zeek
from puppylog.formats.envoy import find_envoy_mismatch, read_envoy
from puppylog.formats.file.folder import find_file, list_files
from puppylog.formats.file.format import read_format_file
from puppylog.formats.file.lazy import LazyFormat
from puppylog.formats.foreign_formats import GENERAL, ForeignFormats
from puppylog.formats.haproxy import find_haproxy_mismatch, read_haproxy
from puppylog.formats.json_lines import find_json_mismatch, join_docker_parts, read_json
from puppylog.formats.json_objects import JsonFormat
from puppylog.formats.klog import Klog
from puppylog.formats.layout.configuration import WrittenLayout, choose_layout, find_layouts
from puppylog.formats.layout.layout import compile_layout, is_layout, parse_written, writes_json
from puppylog.formats.line_format import LineFormat
from puppylog.formats.listed_formats import AUTO
from puppylog.formats.logfmt import find_logfmt_mismatch, read_logfmt
from puppylog.formats.nginx_error import find_nginx_error_mismatch, read_nginx_error
from puppylog.formats.plain import read_plain
from puppylog.formats.postgresql.csvlog import read_csvlog
from puppylog.formats.postgresql.prefix import Prefix, compile_prefix, is_prefix
from puppylog.formats.postgresql.stderr import read_stderr
from puppylog.formats.regex.pattern import is_pattern
from puppylog.formats.regex.regex import make_regex
from puppylog.formats.syslog.syslog import Syslog
from puppylog.formats.w3c import W3c, is_w3c, read_fields


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in the registry."""

    make: Callable[[Options], Format]
    is_candidate: bool = True  # whether `auto` tries this format
    make_candidate: Callable[[Options], Format] | None = None  # makes the format for `auto` if it is stricter there


def _make_json(options: Options) -> Format:
    if not options.joins_lines:
        return LineFormat("json", read_json, options.zone, find_json_mismatch, rejects_colours=True)
    reader = partial(read_json, joins=True)
    lines = LineFormat("json", reader, options.zone, find_json_mismatch, rejects_colours=True)
    return ContainerFormat(JsonFormat(lines), json_lines.read_container_line, json_lines.PARTS, join_docker_parts)


def _make_cri(options: Options) -> Format:
    if not options.joins_lines:
        return LineFormat("cri", read_cri, options.zone, find_cri_mismatch)
    lines = LineFormat("cri", partial(read_cri, joins=True), options.zone, find_cri_mismatch)
    return ContainerFormat(lines, cri.read_container_line, cri.PARTS, join_cri_parts)


def _make_apache_error(options: Options) -> Format:
    reader = partial(read_apache_error, joins=options.joins_lines)
    return LineFormat("apache_error", reader, options.zone, find_apache_error_mismatch, options.joins_lines)


def _make_nginx_error(options: Options) -> Format:
    reader = partial(read_nginx_error, joins=options.joins_lines)
    return LineFormat("nginx_error", reader, options.zone, find_nginx_error_mismatch, options.joins_lines)


def _make_postgresql(name: str, prefix: Prefix | None, options: Options) -> Format:
    reader = partial(read_stderr, prefix=prefix, joins=options.joins_lines)
    return LineFormat(name, reader, options.zone, joins=options.joins_lines)


def _make_postgresql_csv(options: Options) -> Format:
    reader = partial(read_csvlog, joins=options.joins_lines)
    return LineFormat("postgresql_csv", reader, options.zone, joins=options.joins_lines)


FORMATS: Final[Mapping[str, Entry]] = {
    "access": Entry(lambda _: AccessLog(Variant.ACCESS)),
    "common": Entry(lambda _: AccessLog(Variant.COMMON), is_candidate=False),
    "combined": Entry(lambda _: AccessLog(Variant.COMBINED), is_candidate=False),
    "vhost_combined": Entry(
        lambda _: AccessLog(Variant.COMBINED, "vhost_combined"),
        is_candidate=False,
    ),
    "w3c": Entry(lambda o: W3c(zone=o.zone)),
    "zeek": Entry(make_zeek),
    "json": Entry(_make_json),
    "cri": Entry(_make_cri),
    "klog": Entry(Klog),
    "apache_error": Entry(_make_apache_error),
    "nginx_error": Entry(_make_nginx_error),
    "postgresql": Entry(lambda o: _make_postgresql("postgresql", None, o)),
    "postgresql_csv": Entry(_make_postgresql_csv),
    "haproxy": Entry(lambda o: LineFormat("haproxy", read_haproxy, o.zone, find_haproxy_mismatch)),
    "envoy": Entry(lambda o: LineFormat("envoy", read_envoy, o.zone, find_envoy_mismatch)),
    "csv": Entry(make_csv, make_candidate=partial(make_csv, must_name_record=True)),
    "syslog": Entry(Syslog),
    "logfmt": Entry(lambda o: LineFormat("logfmt", read_logfmt, o.zone, find_logfmt_mismatch, rejects_colours=True)),
    "app": Entry(lambda o: DatedFormat("app", o, read_app)),
    "plain": Entry(lambda o: DatedFormat("plain", o, read_plain)),
}
"""The formats of `listed_formats` by name, in the same order: that in which `auto` tries them."""

FORMAT_NAMES: Final = tuple(FORMATS)

FIRST_AFTER_FILES: Final = "apache_error"
"""`auto` tries the formats of files directly before this format."""

LAST_RESORT: Final = "plain"
"""The format that `auto` chooses if no other format fits."""

FOREIGN: Final = ("access", "json", "klog", "apache_error", "nginx_error", "logfmt", GENERAL)
"""The formats that read lines in the middle of a file of another format."""


def find_format(written: str, options: Options = Options()) -> Format:  # noqa: B008 - frozen
    """Return the format that the user asks for.

    Args:
        written: a name, ``auto``, or one of the forms in `WRITTEN`.
        options: how stamps without a zone or a year are read.

    Raises:
        UsageError: there is no such format, or it cannot be read.
        ConfigurationError: the file of the format has a fault.
    """
    if written == AUTO:
        return make_auto(options)
    if (made := _make_written(written, options)) is not None:
        return made
    found = find_file(written)
    if found is not None and (found.is_own or written not in FORMATS):
        return read_format_file(found.path, options)
    entry = FORMATS.get(written)
    if entry is None and is_layout(written):
        return _make_layout(parse_written(written), " ".join(written.splitlines()).strip(), options)
    if entry is None:
        raise _unknown_format(written)
    return entry.make(options)


def _unknown_format(name: str) -> UsageError:
    from difflib import get_close_matches  # noqa: PLC0415 - only a wrong name needs it

    nearest = get_close_matches(name, (AUTO, *FORMAT_NAMES, *list_files()), n=1)
    hint = f" (did you mean {nearest[0]!r}?)" if nearest else ""
    return UsageError("use", f"format {name!r}", f"there is no such format{hint}", "'puppylog formats' lists them")


def _make_written(written: str, options: Options) -> Format | None:
    """Return the format that a text of another form than a name defines; None for names and for layouts."""
    if is_pattern(written):
        return make_regex(written, options)
    if is_w3c(written):
        return replace(read_fields(written), zone=options.zone)
    if is_prefix(written):
        return _make_postgresql(" ".join(written.splitlines()).strip(), compile_prefix(written), options)
    return None


def list_configured_formats(configuration: str, source: str, options: Options, nickname: str = "") -> list[Format]:
    """Return the formats that a server's configuration defines; the formats that a log uses come first.

    Args:
        configuration: the text of the configuration.
        source: the name of the configuration, for errors.
        options: how stamps without a zone are read.
        nickname: the nickname of the only format to return; empty for all formats.

    Raises:
        UsageError: the configuration defines no format, or a format cannot be read.
    """
    found = find_layouts(configuration)
    layouts = [choose_layout(found, nickname, source)] if nickname or not found.layouts else found.layouts
    used_first = sorted(layouts, key=lambda layout: not layout.used_by)
    return [_make_layout(layout, _name_of(layout), options) for layout in used_first]


def _name_of(layout: WrittenLayout) -> str:
    """Return the nickname of a layout, or its text if the nickname is empty or is the name of another format."""
    return layout.written if layout.nickname in {"", *FORMATS} else layout.nickname


def _make_layout(layout: WrittenLayout, name: str, options: Options) -> Format:
    """Return the format for a server's log format; the format ``json`` if its lines are JSON."""
    if writes_json(layout) and "json" in FORMATS:
        return FORMATS["json"].make(options)
    return compile_layout(layout).make_format(name, options.zone)


def _list_candidates(options: Options) -> list[Format]:
    """Return the formats that `auto` tries, in their order. A file of the user replaces the format of its name."""
    files = {name: LazyFormat(name, found, options) for name, found in list_files().items()}
    own = {name for name, file in files.items() if file.found.is_own}
    candidates: list[Format] = []
    for name, entry in FORMATS.items():
        if name == FIRST_AFTER_FILES:
            candidates += [file for file in files.values() if file.found.is_own or file.name not in FORMATS]
        if entry.is_candidate and name != LAST_RESORT and name not in own:
            candidates.append((entry.make_candidate or entry.make)(options))
    return candidates


def is_kept_by_auto(format_: Format) -> bool:
    """Return whether ``auto`` knows a format by its name, so that a stream can keep it (see `KEPT`)."""
    auto = make_auto(Options())
    return any(known.name == format_.name for known in (*auto.candidates, auto.last_resort))


def make_auto(options: Options, first: Sequence[Format] = ()) -> Auto:
    """Return the format that chooses among all candidates; the formats in ``first`` are tried before the others."""
    single = replace(options, joins_lines=False)
    foreign = ForeignFormats([FORMATS[name].make(single) for name in FOREIGN])
    return Auto((*first, *_list_candidates(options)), FORMATS[LAST_RESORT].make(options), foreign)
