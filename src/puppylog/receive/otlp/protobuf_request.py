"""Decodes requests in protobuf, by the module in ``native``, which is written in C, or by OpenTelemetry's own classes.

The module in C reads the requests of real senders. It leaves to the classes what is rare: two attributes of one key,
deep nesting, times before 1973, and everything damaged.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from google.protobuf.message import DecodeError  # type: ignore[import-untyped] # protobuf ships no types
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs

from puppylog.receive.otlp import native
from puppylog.receive.otlp.lines import MAX_BYTES, MAX_RECORDS, LineWriter, RequestLines, SourceLines
from puppylog.receive.otlp.members import (
    SOURCE_KEY,
    Members,
    join_members,
    quote,
    write_bytes,
    write_dropped,
    write_instants,
    write_list,
    write_map,
    write_map_body,
    write_message,
    write_number,
    write_text,
)
from puppylog.receive.otlp.salvage import salvage
from puppylog.receive.otlp.severity import write_severity
from puppylog.receive.received import Received

_NO_TRACE: Final = bytes(16)
_NO_SPAN: Final = bytes(8)


def decode_protobuf(body: bytes, received_at_us: int) -> Received:
    """Return the rows of an ``ExportLogsServiceRequest``.

    Args:
        body: the message, not compressed.
        received_at_us: the time of records that have none, in microseconds since the epoch.

    Raises:
        NotDecoded: no part of the body can be decoded, or it has too many records.
    """
    gathered = RequestLines()
    if (written := _write_lines(body)) is not None:
        for name, lines in written:
            gathered.open_source(name.decode("utf-8", "replace")).add_written(lines)
        return gathered.build(received_at_us)
    request = ExportLogsServiceRequest()
    try:
        request.ParseFromString(body)
    except DecodeError:
        for damaged in salvage(body, gathered.problems):
            source = _read_resource_logs(damaged.resource_logs, gathered)
            for cause, record in damaged.rejected:
                source.reject(cause, record)
        return gathered.build(received_at_us)
    for resource_logs in request.resource_logs:
        _read_resource_logs(resource_logs, gathered)
    return gathered.build(received_at_us)


def _write_lines(body: bytes) -> Sequence[tuple[bytes, bytes]] | None:
    """Return the lines of a request by source, written in C; None if it must be decoded in Python."""
    if native.records is None:
        return None
    for _ in range(_MAX_NEW_SEVERITIES):  # each one lets the request begin again
        written = native.records.write_lines(body, _SEVERITIES.table, MAX_RECORDS, MAX_BYTES)
        if not isinstance(written, tuple):
            return written
        if not _SEVERITIES.add(*written):
            return None
    return None


class _Severities:
    """The severities that senders have used lately, written once. See ``Severities`` in ``native/record.h``."""

    def __init__(self) -> None:
        self.table = b""  # replaced as a whole, because several threads decode

    def add(self, number: int, text: bytes) -> bool:
        """Add a severity to the table; return whether it has a place there."""
        try:
            keys, values = write_severity(number, text.decode())
        except UnicodeError:
            return False
        members = ", ".join(f"{quote(key)}: {value}" for key, value in zip(keys, values, strict=True)).encode()
        if len(members) > _LONGEST:
            return False
        before = self.table if len(self.table) < _MAX_TABLE else b""
        self.table = before + bytes([number, len(text)]) + text + bytes([len(members)]) + members
        return True


_MAX_NEW_SEVERITIES: Final = 30
_MAX_TABLE: Final = 4096
_LONGEST: Final = 255
_SEVERITIES: Final = _Severities()


def _read_resource_logs(resource_logs: ResourceLogs, gathered: RequestLines) -> SourceLines:
    """Add the records of a resource, and return the lines of their source."""
    resource = resource_logs.resource
    keys, values = _read_attributes(resource.attributes)
    members = join_members(
        (keys, values),
        write_dropped("resource.", resource.dropped_attributes_count),
        write_text("otel.resource.schema_url", resource_logs.schema_url),
    )
    names = (attribute.value.string_value for attribute in resource.attributes if attribute.key == SOURCE_KEY)
    lines = gathered.open_source(next(names, ""))
    for scope_logs in resource_logs.scope_logs:
        writer = LineWriter(_read_scope(scope_logs), members)
        for record in scope_logs.log_records:
            lines.add(writer.write(*_read_record(record)))
    return lines


def _read_scope(scope_logs: ScopeLogs) -> Members:
    scope = scope_logs.scope
    return join_members(
        write_text("otel.scope.name", scope.name),
        write_text("otel.scope.version", scope.version),
        _read_attributes(scope.attributes),
        write_dropped("scope.", scope.dropped_attributes_count),
        write_text("otel.scope.schema_url", scope_logs.schema_url),
    )


def _read_record(record: LogRecord) -> tuple[list[str], list[str]]:
    """Return the keys and the values in JSON of a record's fields and attributes."""
    keys: list[str] = []
    values: list[str] = []
    for found_keys, found_values in (
        write_instants(record.time_unix_nano, record.observed_time_unix_nano),
        write_severity(record.severity_number, record.severity_text),
    ):
        keys += found_keys
        values += found_values
    body = record.body
    if text := body.string_value:
        keys.append("message")
        values.append(quote(text))
    elif body.WhichOneof("value") is not None:
        found_keys, found_values = _read_body(body)
        keys += found_keys
        values += found_values
    if (trace_id := record.trace_id) and trace_id != _NO_TRACE:
        keys.append("trace_id")
        values.append(f'"{trace_id.hex()}"')
    if (span_id := record.span_id) and span_id != _NO_SPAN:
        keys.append("span_id")
        values.append(f'"{span_id.hex()}"')
    if flags := record.flags:
        keys.append("trace_flags")
        values.append(str(flags))
    if event_name := record.event_name:
        keys.append("event_name")
        values.append(quote(event_name))
    for attribute in record.attributes:
        keys.append(attribute.key)
        value = attribute.value
        values.append(quote(text) if (text := value.string_value) else _write_value(value))
    if dropped := record.dropped_attributes_count:
        keys.append("otel.dropped_attributes_count")
        values.append(str(dropped))
    return keys, values


def _read_body(body: AnyValue) -> Members:
    """Return the members of a body that is not text, or an empty one."""
    kind = body.WhichOneof("value")
    if kind != "kvlist_value":
        return write_message(_write_value(body))
    return write_map_body([(member.key, _write_value(member.value)) for member in body.kvlist_value.values])


def _read_attributes(attributes: Iterable[KeyValue]) -> Members:
    return (
        tuple(attribute.key for attribute in attributes),
        tuple(_write_value(attribute.value) for attribute in attributes),
    )


def _write_value(value: AnyValue) -> str:
    """Return a value as JSON. A value of no kind becomes null."""
    kind = value.WhichOneof("value")
    return _WRITERS[kind](value) if kind in _WRITERS else "null"


_WRITERS: Final[Mapping[str | None, Callable[[AnyValue], str]]] = {
    "string_value": lambda value: quote(value.string_value),
    "int_value": lambda value: str(value.int_value),
    "bool_value": lambda value: "true" if value.bool_value else "false",
    "double_value": lambda value: write_number(value.double_value),
    "array_value": lambda value: write_list([_write_value(item) for item in value.array_value.values]),
    "kvlist_value": lambda value: write_map(
        [(item.key, _write_value(item.value)) for item in value.kvlist_value.values]
    ),
    "bytes_value": lambda value: write_bytes(value.bytes_value),
}
