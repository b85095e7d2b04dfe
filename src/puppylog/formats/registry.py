"""The formats by the names that people write."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Final

from puppylog.errors import UsageError
from puppylog.formats.access.access_log import AccessLog
from puppylog.formats.access.line import Variant
from puppylog.formats.auto import Auto
from puppylog.formats.base import Format, Options
from puppylog.formats.cri import find_cri_mismatch, read_cri
from puppylog.formats.json_lines import find_json_mismatch, read_json
from puppylog.formats.layout.configuration import WrittenLayout, choose_layout, find_layouts
from puppylog.formats.layout.layout import compile_layout, is_layout, parse_written, writes_json
from puppylog.formats.line_format import LineFormat
from puppylog.formats.logfmt import find_logfmt_mismatch, read_logfmt
from puppylog.formats.plain import read_plain
from puppylog.formats.regex.pattern import is_pattern
from puppylog.formats.regex.regex import make_regex
from puppylog.formats.syslog.syslog import Syslog
from puppylog.formats.w3c import W3c, is_w3c, read_fields


@dataclass(frozen=True, slots=True)
class Entry:
    """One name in the registry."""

    summary: str  # what `puppylog formats` says
    samples: str  # its file in ``samples/``, without the ending
    make: Callable[[Options], Format]
    is_candidate: bool = True  # by `auto`


FORMATS: Final[Mapping[str, Entry]] = {
    "access": Entry(
        "access logs of Apache and nginx, common or combined", "access", lambda _: AccessLog(Variant.ACCESS)
    ),
    "common": Entry(
        "access logs without referer and user agent", "access", lambda _: AccessLog(Variant.COMMON), is_candidate=False
    ),
    "combined": Entry(
        "access logs with referer and user agent", "access", lambda _: AccessLog(Variant.COMBINED), is_candidate=False
    ),
    "vhost_combined": Entry(
        "the same with the virtual host before the client's",
        "access",
        lambda _: AccessLog(Variant.COMBINED, "vhost_combined"),
        is_candidate=False,
    ),
    "w3c": Entry("W3C extended, as IIS and CloudFront write it", "w3c", lambda _: W3c()),
    "json": Entry(
        "JSON, an object a line", "json", lambda o: LineFormat("json", read_json, o.zone, find_json_mismatch)
    ),
    "cri": Entry(
        "lines of containers, as Kubernetes keeps them",
        "cri",
        lambda o: LineFormat("cri", read_cri, o.zone, find_cri_mismatch),
    ),
    "syslog": Entry("syslog, RFC 5424 and RFC 3164, octet-counted or not", "syslog", Syslog),
    "logfmt": Entry(
        "logfmt: key=value", "logfmt", lambda o: LineFormat("logfmt", read_logfmt, o.zone, find_logfmt_mismatch)
    ),
    "plain": Entry("anything: the line is the message", "plain", lambda o: LineFormat("plain", read_plain, o.zone)),
}
"""In the order in which they are tried."""

FORMAT_NAMES: Final = tuple(FORMATS)

AUTO: Final = "auto"
"""What people write who do not say."""

LAST_RESORT: Final = "plain"
"""What a file is read as that is in no other format."""


WRITTEN: Final[Mapping[str, str]] = {
    "$variable …": "a log_format of nginx, the string or the whole directive",
    "%directive …": "a LogFormat of Apache, the string or the whole directive",
    "w3c: field …": "W3C extended whose fields are not in the log",
    "(?P<name>…)": "what a regular expression (RE2) finds: its named groups become columns",
}
"""What else may be written in place of a name, and what it reads."""


def find_sample_line(name: str) -> str:
    """Return a line of the format, as its own samples have it."""
    folder = resources.files("puppylog.formats").joinpath("samples")
    for paragraph in folder.joinpath(f"{FORMATS[name].samples}.txt").read_text(encoding="utf-8").split("\n\n"):
        keys = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != "#")
        if "line" in keys and "record" in keys and keys.get("as", FORMATS[name].samples) == name:
            return keys["line"]
    return ""


def find_format(written: str, options: Options = Options()) -> Format:  # noqa: B008 - frozen
    """Return the format that is asked for by its name.

    Raises:
        UsageError: there is none.
    """
    if written == AUTO:
        return make_auto(options)
    if is_pattern(written):
        return make_regex(written, options)
    if is_w3c(written):
        return read_fields(written)
    entry = FORMATS.get(written)
    if entry is None and is_layout(written):
        return _make_layout(parse_written(written), " ".join(written.splitlines()).strip(), options)
    if entry is None:
        raise UsageError("use", f"format {written!r}", f"it must be one of {', '.join((AUTO, *FORMAT_NAMES))}")
    return entry.make(options)


def list_configured_formats(configuration: str, source: str, options: Options, nickname: str = "") -> list[Format]:
    """Return the formats that a server's configuration defines, those that a log is written in first.

    Args:
        configuration: its text.
        source: its name, for errors.
        options: see there.
        nickname: that of one format, which is returned alone; empty for all of them.

    Raises:
        UsageError: there is none, or one cannot be read.
    """
    found = find_layouts(configuration)
    layouts = [choose_layout(found, nickname, source)] if nickname or not found.layouts else found.layouts
    used_first = sorted(layouts, key=lambda layout: not layout.used_by)
    return [_make_layout(layout, _name_of(layout), options) for layout in used_first]


def _name_of(layout: WrittenLayout) -> str:
    """Return the nickname, unless it means something else here."""
    return layout.written if layout.nickname in {"", *FORMATS} else layout.nickname


def _make_layout(layout: WrittenLayout, name: str, options: Options) -> Format:
    """Return the format of a server's log format; where its lines are JSON, that is what they are read as."""
    if writes_json(layout) and "json" in FORMATS:
        return FORMATS["json"].make(options)
    return compile_layout(layout).make_format(name, options.zone)


def _list_candidates(options: Options) -> list[Format]:
    """Return the formats that are tried on a file of which nothing is said, in their order."""
    return [entry.make(options) for name, entry in FORMATS.items() if entry.is_candidate and name != LAST_RESORT]


def make_auto(options: Options, first: Sequence[Format] = ()) -> Auto:
    """Return the format that chooses; ``first`` are tried before all others."""
    return Auto((*first, *_list_candidates(options)), FORMATS[LAST_RESORT].make(options))
