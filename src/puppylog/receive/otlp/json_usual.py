"""Decodes requests in JSON that have no fault.

msgspec checks the types of all parts while it reads the JSON, and makes no dictionaries. If it finds a fault, or a
value without the form that it must have, ``json_request`` decodes the whole request again and tells where the fault is.
"""

from collections.abc import Callable, Iterable
from typing import Final

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
from puppylog.receive.otlp.lines import LineWriter, RequestLines
from puppylog.receive.otlp.members import (
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


class _AnyValue(msgspec.Struct, gc=False, rename="camel"):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: int | str | None = None
    double_value: float | str | None = None
    array_value: "_Array | None" = None
    kvlist_value: "_KeyValueList | None" = None
    bytes_value: str | None = None


class _Array(msgspec.Struct, gc=False):
    values: list[_AnyValue | None] = []


class _KeyValue(msgspec.Struct, gc=False):
    key: str = ""
    value: _AnyValue | None = None


class _KeyValueList(msgspec.Struct, gc=False):
    values: list[_KeyValue] = []


class _Record(msgspec.Struct, gc=False, rename="camel"):
    time_unix_nano: int | str | None = None
    observed_time_unix_nano: int | str | None = None
    severity_number: int | str | None = None
    severity_text: str = ""
    body: _AnyValue | None = None
    attributes: list[_KeyValue] = []
    trace_id: str = ""
    span_id: str = ""
    flags: int | str | None = None
    event_name: str = ""
    dropped_attributes_count: int | str | None = None


class _Scope(msgspec.Struct, gc=False, rename="camel"):
    name: str = ""
    version: str = ""
    attributes: list[_KeyValue] = []
    dropped_attributes_count: int | str | None = None


class _ScopeLogs(msgspec.Struct, gc=False, rename="camel"):
    scope: _Scope | None = None
    log_records: list[_Record] = []
    schema_url: str = ""


class _Resource(msgspec.Struct, gc=False, rename="camel"):
    attributes: list[_KeyValue] = []
    dropped_attributes_count: int | str | None = None


class _ResourceLogs(msgspec.Struct, gc=False, rename="camel"):
    resource: _Resource | None = None
    scope_logs: list[_ScopeLogs] = []
    schema_url: str = ""


class _Request(msgspec.Struct, gc=False, rename="camel"):
    resource_logs: list[_ResourceLogs] = []


_DECODER: Final = msgspec.json.Decoder(_Request)


class _Unusual(ValueError):
    """A value does not have the form that it must have."""


def write_usual(body: bytes) -> RequestLines | None:
    """Return the lines of a request; None if it has a fault.

    Raises:
        NotDecoded: the request has too many records.
    """
    gathered = RequestLines()
    try:
        for resource_logs in _DECODER.decode(body).resource_logs:
            _write_resource_logs(resource_logs, gathered)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, _Unusual):
        return None
    return gathered


def _write_resource_logs(resource_logs: _ResourceLogs, gathered: RequestLines) -> None:
    resource = resource_logs.resource or _Resource()
    members = join_members(
        _write_attributes(resource.attributes),
        write_dropped("resource.", _read_integer(resource.dropped_attributes_count)),
        write_text("otel.resource.schema_url", resource_logs.schema_url),
    )
    names = (one.value.string_value for one in resource.attributes if one.key == SOURCE_KEY and one.value is not None)
    lines = gathered.open_source(next(names, None) or "")
    for scope_logs in resource_logs.scope_logs:
        writer = LineWriter(_write_scope(scope_logs), members)
        for record in scope_logs.log_records:
            lines.add(writer.write(*_write_record(record)))


def _write_scope(scope_logs: _ScopeLogs) -> Members:
    scope = scope_logs.scope or _Scope()
    return join_members(
        write_text("otel.scope.name", scope.name),
        write_text("otel.scope.version", scope.version),
        _write_attributes(scope.attributes),
        write_dropped("scope.", _read_integer(scope.dropped_attributes_count)),
        write_text("otel.scope.schema_url", scope_logs.schema_url),
    )


def _write_record(record: _Record) -> tuple[list[str], list[str]]:
    """Return the keys and the values in JSON of a record's fields and attributes."""
    keys: list[str] = []
    values: list[str] = []
    for found_keys, found_values in _iter_fields(record):
        keys += found_keys
        values += found_values
    for attribute in record.attributes:
        keys.append(attribute.key)
        value = attribute.value
        if value is not None and (text := value.string_value) is not None:
            values.append(quote(text))
        else:
            values.append(_write_value(value))
    if record.dropped_attributes_count:
        found_keys, found_values = write_dropped("", _read_integer(record.dropped_attributes_count))
        keys += found_keys
        values += found_values
    return keys, values


def _iter_fields(record: _Record) -> Iterable[Members]:
    """Yield the members for the fields of a record, apart from its attributes."""
    time_ns, observed_ns = _read_integer(record.time_unix_nano), _read_integer(record.observed_time_unix_nano)
    if time_ns not in TIMES or observed_ns not in TIMES:
        raise _Unusual
    yield write_instants(time_ns, observed_ns)
    yield write_severity(read_severity_number(record.severity_number), record.severity_text)
    if record.body is not None:
        yield _write_body(record.body)
    if record.trace_id:
        yield write_id("trace_id", record.trace_id, TRACE_BYTES)
    if record.span_id:
        yield write_id("span_id", record.span_id, SPAN_BYTES)
    if flags := _read_integer(record.flags):
        yield ("trace_flags",), (str(flags),)
    if record.event_name:
        yield write_text("event_name", record.event_name)


def _write_body(body: _AnyValue) -> Members:
    if body.string_value is not None:
        return write_message(quote(body.string_value))
    if body.kvlist_value is not None:
        return write_map_body([(member.key, _write_value(member.value, 1)) for member in body.kvlist_value.values])
    return write_message(_write_value(body))


def _write_attributes(attributes: list[_KeyValue]) -> Members:
    return tuple(one.key for one in attributes), tuple(_write_value(one.value) for one in attributes)


def _write_value(value: _AnyValue | None, depth: int = 0) -> str:
    """Return a value as JSON. A value of no kind becomes null."""
    if depth > DEEPEST:
        raise _Unusual
    if value is None:
        return "null"
    for name, write in _WRITERS:
        found = getattr(value, name)
        if found is not None:
            return write(found, depth)
    return "null"


def _write_integer(value: int | str, _depth: int) -> str:
    return str(_read_integer(value))


def _write_double(value: float | str, _depth: int) -> str:
    try:
        return write_number(float(value))
    except (ValueError, OverflowError):
        raise _Unusual from None


def _write_array(array: _Array, depth: int) -> str:
    return write_list([_write_value(item, depth + 1) for item in array.values])


def _write_kvlist(members: _KeyValueList, depth: int) -> str:
    return write_map([(member.key, _write_value(member.value, depth + 1)) for member in members.values])


_WRITERS: Final[tuple[tuple[str, Callable[..., str]], ...]] = (
    ("string_value", lambda value, _depth: quote(value)),
    ("int_value", _write_integer),
    ("bool_value", lambda value, _depth: "true" if value else "false"),
    ("double_value", _write_double),
    ("array_value", _write_array),
    ("kvlist_value", _write_kvlist),
    ("bytes_value", lambda value, _depth: quote(value)),
)


def _read_integer(value: int | str | None) -> int:
    if value is None or value == "":
        return 0
    number = to_integer(value)
    if number is None:
        raise _Unusual
    return number
