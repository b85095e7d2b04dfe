"""Turns fields with names into columns and attributes. ``native/fields.c`` does the same in C.

If two fields name the same column, the field with the better name fills it (see ``names``). The other field becomes an
attribute, and so does a value that does not fit its column: nothing is lost. A field with a known name is left out if
its value is empty, null, or one or two dashes: then the value is unknown.

A list of tags, as OpenSearch Dashboards writes it, may have a level among its texts, and stays an attribute.

Some names mean a column only in a line with a request, which has a method, a protocol, a route or the size of an answer
under a name that is sure. Fields with such names are read after all others, and so are all statuses.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from puppylog.formats import clock
from puppylog.formats.host import read_host
from puppylog.formats.names import Name
from puppylog.formats.quoting import quote
from puppylog.formats.rows import NO_TIME, write_object
from puppylog.formats.rows import Member as Attribute
from puppylog.formats.severity import KEY as SEVERITY_TEXT
from puppylog.formats.severity import read_severity
from puppylog.formats.stamp import read_stamp

Columns: TypeAlias = dict[str, str | int | None]

_UNKNOWN: Final = frozenset({"", "-", "--"})
_DEFERRED: Final = frozenset({"request", "no request", "sender"})
_OF_REQUESTS: Final = ("request_method", "request", "request_proto", "request_route", "response_bytes")
_OF_SIGN: Final = (("gelf", "syslog"), ("nextcloud", "nextcloud"), ("windows", "windows"))
_STATUSES_OF_DATADOG: Final = frozenset(
    {"emergency", "alert", "critical", "error", "warning", "warn", "notice", "info", "debug", "trace"}
)
"""What Datadog writes as ``status``; ``ok`` says nothing about a severity."""
_WITH_MORE: Final = ("ts", "severity", "host")
_WHOLE_SECONDS = re.compile("[0-9]{1,10}")

_MAX_TIME_LENGTH = 100  # in bytes of UTF-8; a longer text is not a time
_EARLIEST_US = 100_000_000 * 1_000_000
"""The earliest time that a number may mean, in March 1973. A smaller number is a duration or a count, and no time."""

_NO_STAMP: Final = clock.Stamp(NO_TIME)
_INTEGER = re.compile("-?[1-9][0-9]{0,18}|0")
_METHOD = re.compile("[A-Z][A-Z0-9_-]*")
_HTTP_METHODS: Final = frozenset(
    {
        *("GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "PROPPATCH"),
        *("MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH", "PURGE", "QUERY"),
    }
)
_LISTED: Final = "listed"
_NOTATIONS_OF_SIGNS: Final = frozenset({"mongodb", "apple"})
"""The notations of names that mean a severity only in lines with the sign of the same name."""
_LIST_OF_TEXTS = re.compile(r'\[(?:[ \t\r\n]*"[^"\\]*"[ \t\r\n]*[,\]])+')
_TEXT_IN_LIST = re.compile(r'"([^"]*)"')
_LISTED_LEVELS: Final = frozenset({"fatal", "error", "warning", "info", "debug"})
_FIRST_OF_LIST = re.compile(r'\[[ \t\r\n]*"([^"\\,]*)"[ \t\r\n]*,')
_REQUEST = re.compile("([A-Z][A-Z0-9_-]*) (?:(.+) (HTTP/[^ ]+)|(/.*))", re.DOTALL)
_REQUEST_COLUMNS: Final = ("request_method", "request_route", "request_proto")


@dataclass(slots=True)
class Member:
    """A field of a line. Its members are fields, too, if its value is an object that `names.holds_names` accepts."""

    key: str
    json: str  # the value in JSON
    text: str | None = None  # the value if it is a text or a number, else None
    is_number: bool = False
    name: Name | None = None
    inner: Sequence["Member"] = ()
    is_used: bool = False  # the value fills a column, or is unknown: it becomes no attribute


@dataclass(frozen=True, slots=True)
class Fields:
    """The values of a line, as arguments of `puppylog.formats.rows.RowsBuilder.add`."""

    ts_us: int
    is_local: bool
    columns: Columns
    attributes: list[Attribute]
    has_ambiguous_zone: bool = False  # the time names a zone that may mean several


@dataclass(slots=True)
class _Reading:
    """What has been read of a line."""

    signs: frozenset[str]
    winners: dict[str, Member] = field(default_factory=dict)
    columns: dict[str, Columns] = field(default_factory=dict)  # that the winner of a field fills
    stamp: clock.Stamp = _NO_STAMP
    added: dict[str, dict[str, str]] = field(default_factory=dict)  # attributes that the winner of a field adds
    nanoseconds: int = 0

    def has_request(self) -> bool:
        return any(name in self.winners for name in _OF_REQUESTS)


def read_fields(members: Sequence[Member]) -> Fields:
    """Return the columns and the attributes that the members of a line fill.

    Args:
        members: the members in their order; no two members of one object have the same key.
    """
    named = list(_iter_named(members))
    reading = _Reading(frozenset(name.sign for _, name in named if name.sign))
    deferred: list[tuple[Member, Name]] = []
    for member, name in named:
        if not name.field:
            continue
        if member.json == "null" or member.text in _UNKNOWN:
            member.is_used = name.notation != _LISTED
        elif name.rule in _DEFERRED or name.field == "status_code":
            deferred.append((member, name))
        else:
            _offer(reading, member, name)
    has_request = reading.has_request()
    for member, name in deferred:
        if _is_meant(name, reading.signs, has_request=has_request):
            _offer(reading, member, name, has_request=has_request)
    if "datadog" in reading.signs and "severity" not in reading.winners:
        _read_status_of_datadog(reading, named)
    if "request" in reading.winners:  # the whole request fills the columns of its parts
        for part in _REQUEST_COLUMNS:
            reading.winners.pop(part, None)
    return _finish(reading, members, [name for _, name in named])


def _read_status_of_datadog(reading: _Reading, named: Iterable[tuple[Member, Name]]) -> None:
    """Let the first ``status`` with a word of Datadog fill the severity."""
    for member, name in named:
        is_status = name.field == "status_code" and name.rule == "request" and not member.is_number
        if is_status and member.text in _STATUSES_OF_DATADOG:
            _offer(reading, member, replace(name, field="severity", rule=""))
            return


def _is_meant(name: Name, signs: frozenset[str], *, has_request: bool) -> bool:
    match name.rule:
        case "request":
            return has_request
        case "no request":
            return not has_request
        case "sender":
            return not signs.isdisjoint({"gelf", "logstash"})
    return True


def _offer(reading: _Reading, member: Member, name: Name, *, has_request: bool = False) -> None:
    """Let the member fill the columns of its field, if it fits and no member with a better name fills them."""
    winner = reading.winners.get(name.field)
    if winner is not None and winner.name is not None and name.rank >= winner.name.rank:
        return
    added: dict[str, str] = {}
    found = _read_value(reading, member, name, added, has_request=has_request)
    if found is None:
        return
    reading.winners[name.field] = member
    reading.columns[name.field] = found
    reading.added[name.field] = added


def _finish(reading: _Reading, members: Sequence[Member], names: Sequence[Name]) -> Fields:
    winners, us = reading.winners, reading.stamp.us
    if "nanoseconds" in winners:
        if "ts" in winners and _WHOLE_SECONDS.fullmatch(winners["ts"].text or ""):
            us += reading.nanoseconds // 1000
        else:
            del winners["nanoseconds"]
    columns: Columns = {}
    for name, member in winners.items():
        member.is_used = member.name is None or member.name.notation != _LISTED
        columns.update(reading.columns[name])
    if "clef" in reading.signs and not any(map(_is_surely_severity, names)):
        columns["severity"] = "info"
    attributes = list(_iter_remaining(members))
    keys = {key for key, _ in attributes}
    for field_name in _WITH_MORE:
        if field_name in winners:
            attributes += [(key, value) for key, value in reading.added[field_name].items() if key not in keys]
    has_zone = "ts" in winners and "zone" in reading.added["ts"]
    return Fields(us, reading.stamp.is_local, columns, attributes, has_zone)


def _is_surely_severity(name: Name) -> bool:
    """Return whether the name means a severity in the lines of all formats."""
    return name.field == "severity" and name.notation not in {*_NOTATIONS_OF_SIGNS, _LISTED}


def _iter_named(members: Iterable[Member]) -> Iterator[tuple[Member, Name]]:
    for member in members:
        if member.name is not None:
            yield member, member.name
        yield from _iter_named(member.inner)


def _iter_remaining(members: Iterable[Member]) -> Iterator[Attribute]:
    for member in members:
        if member.is_used:
            continue
        if not any(inner.is_used for inner, _ in _iter_named(member.inner)):
            yield member.key, member.json
        elif left := list(_iter_remaining(member.inner)):
            yield member.key, write_object(left)


def _read_value(
    reading: _Reading, member: Member, name: Name, added: dict[str, str], *, has_request: bool
) -> Columns | None:
    """Return the columns that the value of a field fills, which are none for a time; None if the value does not fit.

    Args:
        reading: a time is stored here.
        member: the field.
        name: of the field.
        added: attributes of the record are added here.
        has_request: whether the line has a request.
    """
    if name.notation == _LISTED:
        return _read_listed_severity(member.json, added)
    text = member.text
    if text is None:
        return _read_host_list(member.json, added) if name.field == "host" else None
    match name.field:
        case "ts":
            found = _read_stamp(reading, text, added)
        case "nanoseconds":
            found = _read_nanoseconds(reading, text)
        case "severity":
            found = _read_severity(reading, text, name, added)
        case "status_code":
            found = _read_status(text, name, has_request=has_request)
        case "response_bytes":
            found = _read_integer("response_bytes", 0, 1 << 63, text)
        case _:
            found = None if member.is_number else _read_text(name, text, added)
    return found


def _read_nanoseconds(reading: _Reading, text: str) -> Columns | None:
    if _read_integer("nanoseconds", 0, 1_000_000_000, text) is None:
        return None
    reading.nanoseconds = int(text)
    return {}


def _read_stamp(reading: _Reading, text: str, added: dict[str, str]) -> Columns | None:
    stamp = _read_time(text, added)
    if stamp is None:
        return None
    reading.stamp = stamp
    return {}


def _read_severity(reading: _Reading, text: str, name: Name, added: dict[str, str]) -> Columns | None:
    notation = name.notation
    if notation in _NOTATIONS_OF_SIGNS and notation not in reading.signs:
        return None
    if notation == "words":
        notation = next((of_sign for sign, of_sign in _OF_SIGN if sign in reading.signs), notation)
    return _fill_severity(text, notation, added)


def _read_listed_severity(json: str, added: dict[str, str]) -> Columns | None:
    """Read the first level in a list of texts in JSON. A list with anything else has none."""
    texts = _TEXT_IN_LIST.findall(json) if _LIST_OF_TEXTS.fullmatch(json) else []
    level = next((text for text in texts if text in _LISTED_LEVELS), None)
    return None if level is None else _fill_severity(level, "keywords", added)


def _fill_severity(text: str, notation: str, added: dict[str, str]) -> Columns | None:
    severity, kept = read_severity(text, notation)
    if kept:
        added[SEVERITY_TEXT] = quote(kept)
    return None if severity is None else {"severity": severity}


def _read_status(text: str, name: Name, *, has_request: bool) -> Columns | None:
    """Return a status of HTTP. In a line with a request, a sure name may have another number: no answer was sent."""
    is_sure = has_request and not name.rule
    return _read_integer("status_code", -1 if is_sure else 100, 1000 if has_request else 600, text)


def _read_text(name: Name, text: str, added: dict[str, str]) -> Columns | None:
    match name.field:
        case "request":
            return read_request(text)
        case "message":
            return {"message": text.removesuffix("\n").removesuffix("\r")}
        case "host":
            return _read_host(text, added)
        case "request_method" if name.rule:
            return {name.field: text} if text in _HTTP_METHODS else None
    return {name.field: text} if _fits_column(name.field, text) else None


def _read_host(text: str, added: dict[str, str]) -> Columns | None:
    host = read_host(text)
    if host is None:
        return None
    if host.port:
        added["client_port"] = host.port
    if host.is_first:
        added["forwarded_for"] = quote(text)
    return {"host": host.name}


def _read_host_list(json: str, added: dict[str, str]) -> Columns | None:
    """Read a list of addresses in JSON: the first one is the host. Such a list stays in ``forwarded_for``."""
    first = _FIRST_OF_LIST.match(json)
    host = _read_host(first[1], added) if first is not None else None
    if host is not None:
        added["forwarded_for"] = json
    return host


def _fits_column(field_name: str, text: str) -> bool:
    match field_name:
        case "request_method":
            return _METHOD.fullmatch(text) is not None
        case "request_route":
            return text.startswith(("/", "http://", "https://")) or text == "*"
        case "request_proto":
            return text.startswith("HTTP/")
    return True


def _read_time(text: str, added: dict[str, str]) -> clock.Stamp | None:
    """Return a time in any style. A zone that may mean several becomes the attribute ``zone``."""
    text = _unwrap_time(text)
    try:
        stamp = clock.parse_iso(text) or clock.parse_access(text)
    except clock.OutOfRange:
        return None
    if stamp is not None:
        return stamp
    stamp = clock.parse_epoch(text)
    if stamp is not None:
        return stamp if stamp.us >= _EARLIEST_US else None
    found = read_stamp(text) if len(text.encode()) <= _MAX_TIME_LENGTH else None
    if found is None or found.end != len(text):
        return None
    if found.zone_name:
        added["zone"] = quote(found.zone_name)
    return clock.Stamp(found.us, found.is_local)


def _unwrap_time(text: str) -> str:
    """Return the text without brackets, or without what .NET writes around milliseconds."""
    if text.startswith("[") and text.endswith("]"):
        return text[1:-1]
    if text.startswith("/Date(") and text.endswith(")/"):
        return text[len("/Date(") : -len(")/")]
    return text


def _read_integer(field_name: str, start: int, end: int, text: str) -> Columns | None:
    if _INTEGER.fullmatch(text) is None or not start <= int(text) < end:
        return None
    return {field_name: int(text)}


def read_request(text: str) -> Columns | None:
    """Return the columns of ``METHOD route HTTP/x``, or of ``METHOD /route`` (HTTP/0.9); None for other texts."""
    match = _REQUEST.fullmatch(text)
    return (
        None if match is None else dict(zip(_REQUEST_COLUMNS, (match[1], match[2] or match[4], match[3]), strict=True))
    )
