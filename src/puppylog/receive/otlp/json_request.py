"""Decodes requests in JSON: keys in lowerCamelCase, ids in hex, 64-bit numbers as numbers or as texts.

Unknown keys are ignored, as OTLP demands. A record whose parts have the wrong types becomes a rejected line. A request
without such faults is decoded in another way, which takes a third of the time: see ``json_usual``.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from puppylog.receive.otlp.json_fields import (
    DEEPEST,
    SPAN_BYTES,
    TIMES,
    TRACE_BYTES,
    read_severity_number,
    to_integer,
    write_id,
)
from puppylog.receive.otlp.json_usual import write_usual
from puppylog.receive.otlp.lines import LineWriter, RequestLines
from puppylog.receive.otlp.members import (
    NONE,
    SOURCE_KEY,
    Members,
    join_members,
    quote,
    write_dropped,
    write_instants,
    write_list,
    write_map,
    write_map_body,
    write_message,
    write_number,
    write_text,
)
from puppylog.receive.otlp.severity import write_severity
from puppylog.receive.received import NotDecoded, Problem, Received

Object: TypeAlias = Mapping[str, Any]


class _Malformed(ValueError):
    """A part does not have the form that OTLP describes. The only argument is the cause."""


def decode_json(body: bytes, received_at_us: int) -> Received:
    """Return the rows of an ``ExportLogsServiceRequest`` in JSON.

    Args:
        body: the JSON, not compressed.
        received_at_us: the time of records that have none, in microseconds since the epoch.

    Raises:
        NotDecoded: the body is not a JSON object, or it has too many records.
    """
    usual = write_usual(body)
    return (_write_any(body) if usual is None else usual).build(received_at_us)


def _write_any(body: bytes) -> RequestLines:
    """Return the lines of a request that may have faults."""
    request = _read_json(body)
    gathered = RequestLines()
    for place, resource_logs in _iter_objects(request, "resourceLogs", "", gathered.problems):
        source, resource = _read_resource(resource_logs, place, gathered.problems)
        for scope_place, scope_logs in _iter_objects(resource_logs, "scopeLogs", place, gathered.problems):
            scope = _read_scope(scope_logs, scope_place, gathered.problems)
            _read_records(scope_logs, scope_place, LineWriter(scope, resource), source, gathered)
    return gathered


def _read_json(body: bytes) -> Object:
    try:
        request = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        request = _read_doubtful_json(body)
    if not isinstance(request, dict):
        raise NotDecoded("", "the JSON is not an object")
    return request


def _read_doubtful_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Read JSON that the fast decoder refuses: it has text that is not UTF-8, or halves of surrogate pairs."""
    try:
        return json.loads(body.decode("utf-8", "replace"))
    except json.JSONDecodeError as error:
        raise NotDecoded(f"character {error.pos}", f"not JSON: {error.msg}") from None
    except RecursionError:
        raise NotDecoded("", "the JSON is nested too deeply") from None
    except ValueError:
        raise NotDecoded("", "not JSON: a number has too many digits") from None


def _iter_objects(holder: Object, key: str, place: str, problems: list[Problem]) -> Iterator[tuple[str, Object]]:
    """Yield the objects of a list with their places. What is not an object becomes a problem."""
    list_place = f"{place}.{key}" if place else key
    try:
        items = _get_list(holder, key)
    except _Malformed as error:
        problems.append(Problem(list_place, str(error)))
        return
    for number, item in enumerate(items):
        if isinstance(item, dict):
            yield f"{list_place}[{number}]", item
        else:
            problems.append(Problem(f"{list_place}[{number}]", "not an object"))


def _read_resource(resource_logs: Object, place: str, problems: list[Problem]) -> tuple[str, Members]:
    """Return the source that a resource names, and the members of its records that describe it."""
    try:
        resource = _get_object(resource_logs, "resource")
        keys, values = _read_attributes(resource)
        members = join_members(
            (keys, values),
            write_dropped("resource.", _get_integer(resource, "droppedAttributesCount")),
            write_text("otel.resource.schema_url", _get_text(resource_logs, "schemaUrl")),
        )
    except _Malformed as error:
        problems.append(Problem(f"{place}.resource", str(error), 0))
        return "", NONE
    names = (value for key, value in zip(keys, values, strict=True) if key == SOURCE_KEY and value.startswith('"'))
    return json.loads(next(names, '""')), members


def _read_scope(scope_logs: Object, place: str, problems: list[Problem]) -> Members:
    try:
        scope = _get_object(scope_logs, "scope")
        return join_members(
            write_text("otel.scope.name", _get_text(scope, "name")),
            write_text("otel.scope.version", _get_text(scope, "version")),
            _read_attributes(scope),
            write_dropped("scope.", _get_integer(scope, "droppedAttributesCount")),
            write_text("otel.scope.schema_url", _get_text(scope_logs, "schemaUrl")),
        )
    except _Malformed as error:
        problems.append(Problem(f"{place}.scope", str(error), 0))
        return NONE


def _read_records(scope_logs: Object, place: str, writer: LineWriter, source: str, gathered: RequestLines) -> None:
    lines = gathered.open_source(source)
    for record_place, record in _iter_objects(scope_logs, "logRecords", place, gathered.problems):
        try:
            lines.add(writer.write(*_read_record(record)))
        except _Malformed as error:
            gathered.problems.append(Problem(record_place, str(error), 0))
            lines.reject(str(error), json.dumps(record).encode())


def _read_record(record: Object) -> Members:
    """Return the members of a line for a record's fields and attributes."""
    return join_members(
        _read_instants(record),
        write_severity(read_severity_number(record.get("severityNumber")), _get_text(record, "severityText")),
        _read_body(record.get("body")),
        write_id("trace_id", _get_text(record, "traceId"), TRACE_BYTES),
        write_id("span_id", _get_text(record, "spanId"), SPAN_BYTES),
        (("trace_flags",), (str(flags),)) if (flags := _get_integer(record, "flags")) else NONE,
        write_text("event_name", _get_text(record, "eventName")),
        _read_attributes(record),
        write_dropped("", _get_integer(record, "droppedAttributesCount")),
    )


def _read_instants(record: Object) -> Members:
    time_ns, observed_ns = _get_integer(record, "timeUnixNano"), _get_integer(record, "observedTimeUnixNano")
    if time_ns not in TIMES or observed_ns not in TIMES:
        raise _Malformed("a time is not a number of 64 bits")
    return write_instants(time_ns, observed_ns)


def _read_body(body: object) -> Members:
    if body is None or body == {}:
        return NONE
    if isinstance(body, dict):
        if isinstance(text := body.get("stringValue"), str):
            return write_message(quote(text)) if text else NONE
        if isinstance(body.get("kvlistValue"), dict):
            members = _get_list(body["kvlistValue"], "values")
            return write_map_body([_read_member(member, 1) for member in members])
    return write_message(_write_value(body))


def _read_attributes(holder: Object) -> Members:
    keys, values = [], []
    for attribute in _get_list(holder, "attributes"):
        key, value = _read_member(attribute, 0)
        keys.append(key)
        values.append(value)
    return tuple(keys), tuple(values)


def _read_member(member: object, depth: int) -> tuple[str, str]:
    """Return the key and the value in JSON of an object with ``key`` and ``value``."""
    if not isinstance(member, dict):
        raise _Malformed("an attribute is not an object")
    value = member.get("value")
    if isinstance(value, dict) and isinstance(text := value.get("stringValue"), str):
        return _get_text(member, "key"), quote(text)
    return _get_text(member, "key"), _write_value(value, depth)


def _write_value(value: object, depth: int = 0) -> str:
    """Return a value as JSON. A value of no kind that OTLP describes becomes null."""
    if depth > DEEPEST:
        raise _Malformed("a value is nested too deeply")
    if value is None:
        return "null"
    if not isinstance(value, dict):
        raise _Malformed("a value is not an object")
    return next((_WRITERS[kind](value, depth) for kind in value if kind in _WRITERS), "null")


def _write_bool(value: Object, _depth: int) -> str:
    found = value["boolValue"]
    if not isinstance(found, bool):
        raise _Malformed("boolValue is not true or false")
    return "true" if found else "false"


def _write_integer(value: Object, _depth: int) -> str:
    return str(_get_integer(value, "intValue"))


def _write_double(value: Object, _depth: int) -> str:
    found = value["doubleValue"]
    try:
        if isinstance(found, int | float | str) and not isinstance(found, bool):
            return write_number(float(found))  # infinity is a text
    except (ValueError, OverflowError):
        pass
    raise _Malformed("doubleValue is not a number")


def _write_array(value: Object, depth: int) -> str:
    items = _get_list(_get_object(value, "arrayValue"), "values")
    return write_list([_write_value(item, depth + 1) for item in items])


def _write_kvlist(value: Object, depth: int) -> str:
    items = _get_list(_get_object(value, "kvlistValue"), "values")
    return write_map([_read_member(item, depth + 1) for item in items])


_WRITERS: Final[Mapping[str, Callable[[Object, int], str]]] = {
    "stringValue": lambda value, _depth: quote(_get_text(value, "stringValue")),
    "bytesValue": lambda value, _depth: quote(_get_text(value, "bytesValue")),
    "boolValue": _write_bool,
    "intValue": _write_integer,
    "doubleValue": _write_double,
    "arrayValue": _write_array,
    "kvlistValue": _write_kvlist,
}


def _get_integer(holder: Object, key: str) -> int:
    """Return an integer; 0 if there is none."""
    value = holder.get(key)
    if value is None or value == "":
        return 0
    number = to_integer(value)
    if number is None:
        raise _Malformed(f"{key} is not an integer")
    return number


def _get_text(holder: Object, key: str) -> str:
    value = holder.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _Malformed(f"{key} is not a text")
    return value


def _get_object(holder: Object, key: str) -> Object:
    value = holder.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _Malformed(f"{key} is not an object")
    return value


def _get_list(holder: Object, key: str) -> Sequence[Any]:
    value = holder.get(key)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _Malformed(f"{key} is not a list")
    return value
