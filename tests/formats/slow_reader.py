"""One line of an access log, read in the plainest way: what the columnar parser is held to."""

import re
from datetime import datetime, timedelta, timezone
from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]

STAMP = re.compile(
    r" \[([0-9]{2})/(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)/([0-9]{4}):([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r" ([+-])([0-9]{2})([0-9]{2})\] "
)
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def read_line(raw: bytes, variant: str) -> Row | str:
    """Read one line without its newline in the plainest way: the record's columns that are not null, or the reason."""
    text = raw.decode("utf-8", "replace").removesuffix("\r")
    quotes = [match.end() - 1 for match in re.finditer(r'\\*"', text) if len(match[0]) % 2]
    opening = next((at for at in quotes if text[:at].endswith("] ")), None)
    if opening is None:
        return "no time in brackets before a quoted request" if text else "empty line"
    at = _read_time(text[max(opening - 30, 0) : opening])
    if isinstance(at, str):
        return at
    head = text[: opening - 30].split(" ", 2)
    if len(head) < 3 or not head[0]:
        return "no host, ident and user before the time"
    quotes = [at for at in quotes if at >= opening]
    if len(quotes) % 2:
        return "an unclosed quote"
    ending = _read_ending(text[quotes[1] + 1 :], variant)
    if isinstance(ending, str):
        return ending
    row = {"ts": at, **_read_head(*head), **_read_request(text[opening + 1 : quotes[1]]), **ending}
    attributes = {name: row.pop(name) for name in ("vhost", "extra") if row.get(name)}
    if raw != raw.decode("utf-8", "replace").encode():
        attributes["invalid_utf8"] = True
    return {name: value for name, value in row.items() if value not in {None, ""}} | (
        {"attributes": attributes} if attributes else {}
    )


def _read_time(text: str) -> datetime | str:
    match = STAMP.fullmatch(text)
    if match is None:
        return "time is not dd/Mon/yyyy:HH:MM:SS +zzzz"
    month = MONTHS.index(match[2]) + 1
    day, year, hour, minute, second, zone_hour, zone_minute = map(int, match.group(1, 3, 4, 5, 6, 8, 9))
    if not 2 <= year <= 9998 or second > 60 or zone_hour > 14 or zone_minute > 59:
        return "time out of range"
    zone = timedelta(hours=zone_hour, minutes=zone_minute) * (-1 if match[7] == "-" else 1)
    try:
        return datetime(year, month, day, hour, minute, tzinfo=timezone(zone)) + timedelta(seconds=second)
    except ValueError:
        return "time out of range"


def _known(text: str) -> str | None:
    return None if text == "-" else text


def _read_head(host: str, ident: str, user: str) -> Row:
    row = {"host": host}
    if user.startswith("- ") and _known(ident):
        row = {"host": ident, "vhost": host}
        ident, user = "-", user[2:]
    return row | {"ident": _known(ident), "ruser": _known(user) if user != '""' else None}


def _read_request(text: str) -> Row:
    method, blank, rest = text.partition(" ")
    route, _, proto = rest.rpartition(" ")
    if blank and re.fullmatch("[A-Z][A-Z0-9_-]*", method):
        if route and re.fullmatch("HTTP/.+", proto):
            return {"request_method": method, "request_route": route, "request_proto": proto}
        if rest.startswith("/"):
            return {"request_method": method, "request_route": rest}
    return {"message": _known(text)}


def _read_ending(text: str, variant: str) -> Row | str:
    status = re.match(r" ([0-9]{3}|-)(?= |\Z)", text)
    if status is None:
        return "status is not three digits"
    size = re.compile(r" ([0-9]{1,19}|-)(?= |\Z)").match(text, status.end())
    if size is None or (size[1] != "-" and int(size[1]) >= 1 << 63):
        return "bytes is not a whole number of 63 bits"
    rest = text[size.end() :]
    row: Row = {
        "status_code": int(status[1]) if status[1] != "-" else None,
        "response_bytes": int(size[1]) if size[1] != "-" else None,
    }
    if rest.startswith(' "') and variant != "common":
        pair = re.match(r' "((?:\\.|[^"\\])*)" "((?:\\.|[^"\\])*)"', rest)
        if pair is None:
            return "a referer but no user agent"
        return row | {
            "referer": _known(pair[1]),
            "user_agent": _known(pair[2]),
            "extra": rest[pair.end() :].removeprefix(" "),
        }
    if variant == "combined":
        return "no referer and user agent"
    return row | {"extra": rest.removeprefix(" ")}
