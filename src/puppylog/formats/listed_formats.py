"""The formats that ``--format`` takes, each with a description and a sample.

This module loads no reader and no Arrow, so that a command can list the formats at once. `registry` makes the formats.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Final


@dataclass(frozen=True, slots=True)
class ListedFormat:
    """One format in the output of ``puppylog formats``."""

    summary: str  # what it reads
    samples: str  # the name of its file in ``samples/``, without the suffix


LISTED: Final[Mapping[str, ListedFormat]] = {
    "access": ListedFormat("access logs of Apache and nginx, common or combined", "access"),
    "common": ListedFormat("access logs without referer and user agent", "access"),
    "combined": ListedFormat("access logs with referer and user agent", "access"),
    "vhost_combined": ListedFormat("combined access logs with the virtual host before the client", "access"),
    "w3c": ListedFormat("W3C extended logs, such as those of IIS and CloudFront", "w3c"),
    "zeek": ListedFormat("logs of Zeek with tabs, whose directives name the fields", "zeek"),
    "json": ListedFormat("JSON, one object on each line", "json"),
    "cri": ListedFormat("logs of containers under Kubernetes", "cri"),
    "klog": ListedFormat("logs of glog and klog, as components of Kubernetes write them", "klog"),
    "apache_error": ListedFormat("error logs of Apache, versions 2.2 and 2.4", "apache_error"),
    "nginx_error": ListedFormat("error logs of nginx", "nginx_error"),
    "postgresql": ListedFormat("logs of PostgreSQL, with any log_line_prefix", "postgresql"),
    "postgresql_csv": ListedFormat("logs of PostgreSQL in CSV (csvlog)", "postgresql_csv"),
    "haproxy": ListedFormat("logs of HAProxy: HTTP, TCP and errors of connections", "haproxy"),
    "envoy": ListedFormat("access logs of Envoy and Istio", "envoy"),
    "csv": ListedFormat("tables with a header: CSV, TSV, semicolons or bars", "csv"),
    "syslog": ListedFormat("syslog, RFC 5424 and RFC 3164, with or without octet counting", "syslog"),
    "logfmt": ListedFormat("logfmt: key=value", "logfmt"),
    "app": ListedFormat("text of applications: a time or a level, and what else is in the head", "app"),
    "plain": ListedFormat("any line: the line is the message", "plain"),
}
"""The formats by name, in the order in which `auto` tries them."""

AUTO: Final = "auto"
"""The name of the format that chooses a format by looking at the lines. It is the default."""

FILE_MARK: Final = "@"
"""What precedes the path of a format file."""

WRITTEN: Final[Mapping[str, str]] = {
    "@FILE": "a format file: TOML with a regular expression, the types of its fields and samples",
    "$variable …": "a log_format of nginx: the string or the whole directive",
    "%directive …": "a LogFormat of Apache: the string or the whole directive",
    "log_line_prefix = …": "a log_line_prefix of PostgreSQL: the setting or the string",
    "w3c: field …": "W3C extended logs without #Fields",
    "(?P<name>…)": "a regular expression (RE2) whose named groups become columns",
}
"""What the user may write instead of a name, and what such a format reads."""


def find_sample_line(name: str) -> str:
    """Return an example line of the format, from its samples; empty if there is none."""
    folder = resources.files("puppylog.formats").joinpath("samples")
    for paragraph in folder.joinpath(f"{LISTED[name].samples}.txt").read_text(encoding="utf-8").split("\n\n"):
        keys = dict(line.split(": ", 1) for line in paragraph.splitlines() if ": " in line and line[0] != "#")
        if "line" in keys and "record" in keys and keys.get("as", LISTED[name].samples) == name:
            return keys["line"]
    return ""
