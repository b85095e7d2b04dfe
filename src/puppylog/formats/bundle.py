"""Lines of JSON that are bundles: each has an array of records, and each of the records becomes one.

- OTLP's JSON in a file, as the collector of OpenTelemetry writes it: ``{"resourceLogs": [...]}``. The attributes of a
  record, its scope and its resource become members beside each other, as the receiver of OTLP has them.
- CloudTrail's files: ``{"Records": [...]}``. Each record is read as a line of its own.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from puppylog.model.severity import find_severity, name_of_number

KEYS: Final = ("resourceLogs", "Records")
"""The keys by which a bundle is known: the first key of its line, whose value is an array."""

_DECODER: Final = json.JSONDecoder(strict=False)
_BLANKS: Final = " \t\r\n"
_VALUES: Final = ("stringValue", "boolValue", "doubleValue", "bytesValue")
_MESSAGE_KEYS: Final = ("message", "msg", "log")
_OBSERVED_LATER_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Part:
    """A record of a bundle."""

    start: int  # the index in the line at which it starts
    end: int
    line: str  # the record as a line of JSON


def split_bundle(line: str) -> list[Part]:
    """Return the records of a bundle, in their order. A bundle without a known form is one part.

    Args:
        line: an object of valid JSON whose first key is one of `KEYS`.
    """
    try:
        parts = list(_iter_parts(line))
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        parts = [Part(0, len(line), '{"unparsed": true, ' + line.lstrip(_BLANKS)[1:])]
    return parts


def _iter_parts(line: str) -> Iterator[Part]:
    key, start, _ = next(_iter_members(line, 0))
    if key == "Records":
        for at, end, record in _iter_items(line, start):
            if not isinstance(record, dict):
                raise TypeError("a record is not an object")
            yield Part(at, end, _on_one_line(line[at:end]))
        return
    for at, _, resource_logs in _iter_items(line, start):
        resource = _read_attributes(resource_logs.get("resource") or {})
        for scope_at, _, scope_logs in _iter_list(line, at, "scopeLogs"):
            scope = _read_scope(scope_logs.get("scope") or {})
            for record_at, end, record in _iter_list(line, scope_at, "logRecords"):
                yield Part(record_at, end, _write_record(record, scope, resource))


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANKS:
        at += 1
    return at


def _iter_members(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """Yield key, start and end of the value of each member of the object at the index ``at``."""
    at = _skip(text, _skip(text, at) + 1)
    while text[at] == '"':
        key, at = _DECODER.raw_decode(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, end = _DECODER.raw_decode(text, start)
        yield key, start, end
        at = _skip(text, _skip(text, end) + 1)


def _iter_items(text: str, at: int) -> Iterator[tuple[int, int, Any]]:
    """Yield start, end and value of each item of the array at the index ``at``."""
    at = _skip(text, at + 1)
    while text[at] != "]":
        value, end = _DECODER.raw_decode(text, at)
        yield at, end, value
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _iter_list(text: str, at: int, wanted: str) -> Iterator[tuple[int, int, Any]]:
    """Yield the items of the array under a key of the object at the index ``at``."""
    for key, start, _ in _iter_members(text, at):
        if key == wanted and text[start] == "[":
            yield from _iter_items(text, start)


def _read_attributes(holder: Mapping[str, Any]) -> dict[str, Any]:
    return {one["key"]: _read_value(one.get("value")) for one in holder.get("attributes") or ()}


def _read_scope(scope: Mapping[str, Any]) -> dict[str, Any]:
    named = {f"otel.scope.{key}": scope[key] for key in ("name", "version") if scope.get(key)}
    return named | _read_attributes(scope)


def _read_value(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if not isinstance(value, dict):
        return None
    for key in _VALUES:
        if key in value:
            return value[key]
    if "intValue" in value:
        return int(value["intValue"])
    if "arrayValue" in value:
        return [_read_value(one) for one in (value["arrayValue"] or {}).get("values") or ()]
    if "kvlistValue" in value:
        return {one["key"]: _read_value(one.get("value")) for one in (value["kvlistValue"] or {}).get("values") or ()}
    return None


def _write_record(record: Mapping[str, Any], scope: Mapping[str, Any], resource: Mapping[str, Any]) -> str:
    members: dict[str, Any] = _read_times(record)
    number, text = record.get("severityNumber") or 0, record.get("severityText") or ""
    severity = find_severity(text)
    if number and (severity is None or name_of_number(int(number)) != severity):
        members["severityNumber"] = number
    if text:
        members["severityText"] = text
    members |= _read_body(_read_value(record.get("body")))
    for key, name in (("traceId", "trace_id"), ("spanId", "span_id")):
        if str(record.get(key) or "").strip("0"):
            members[name] = record[key]
    for key, name in (("flags", "trace_flags"), ("eventName", "event_name")):
        if record.get(key):
            members[name] = record[key]
    for prefix, more in (("attributes.", _read_attributes(record)), ("scope.", scope), ("resource.", resource)):
        _add_free(members, more, prefix)
    return json.dumps(members, ensure_ascii=False)


def _read_times(record: Mapping[str, Any]) -> dict[str, int]:
    time_ns, observed_ns = (int(record.get(key) or 0) for key in ("timeUnixNano", "observedTimeUnixNano"))
    if time_ns and abs(observed_ns - time_ns) < _OBSERVED_LATER_NS:
        observed_ns = 0
    found = {"timeUnixNano": time_ns, "observedTimeUnixNano": observed_ns}
    return {key: value for key, value in found.items() if value}


def _read_body(body: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Return the message. Of a map with a text as its message, the rest is the member ``body``."""
    if isinstance(body, dict):
        key = next((key for key in _MESSAGE_KEYS if isinstance(body.get(key), str)), None)
        if key is not None:
            rest = {name: value for name, value in body.items() if name != key}
            return {"message": body[key]} | ({"body": rest} if rest else {})
    if body is None or isinstance(body, str):
        return {"message": body} if body else {}
    return {"message": json.dumps(body, ensure_ascii=False)}


def _add_free(members: dict[str, Any], more: Mapping[str, Any], prefix: str) -> None:
    """Add members; a key that is taken gets the prefix until it is free."""
    for key, value in more.items():
        name = key
        while name in members:
            name = prefix + name
        members[name] = value


def _on_one_line(written: str) -> str:
    return written.replace("\r", " ").replace("\n", " ")
