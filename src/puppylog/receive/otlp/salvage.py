"""Decodes what can be decoded of a damaged request in protobuf: one that is cut, or has texts that are not UTF-8.

It reads the containers field by field, and each log record by itself. U+FFFD replaces invalid bytes in a text, and the
record gets the attribute ``invalid_utf8``, as in all formats.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor  # type: ignore[import-untyped] # protobuf ships no types
from google.protobuf.message import DecodeError, Message  # type: ignore[import-untyped] # protobuf ships no types
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs

from puppylog.receive.received import Problem

_VARINT: Final = 0  # the types of fields on the wire; only groups, which OTLP has not, are missing here
_FIXED64: Final = 1
_LENGTH: Final = 2
_FIXED32: Final = 5
_FIXED_BYTES: Final = {_FIXED64: 8, _FIXED32: 4}
_MAX_VARINT_LENGTH: Final = 10
_NO_MESSAGE: Final = "not a message of protobuf"
_DEEPEST: Final = 100  # of messages in messages, as in protobuf itself


@dataclass(slots=True)
class Salvaged:
    """The decodable part of the logs of one resource."""

    resource_logs: ResourceLogs
    rejected: list[tuple[str, bytes]] = field(default_factory=list)  # causes, and the bytes of records


@dataclass(frozen=True, slots=True)
class _Field:
    number: int
    wire_type: int
    start: int  # the offset of the field's tag in the body, in bytes
    value_start: int  # the offset of its value, after tag and length
    encoded: bytes  # the whole field
    value: bytes
    is_cut: bool = False  # the bytes end before the value does


class _Malformed(ValueError):
    """Bytes that are not the fields of a message. Arguments: the offset in the body, and the cause."""

    @property
    def cause(self) -> str:
        return str(self.args[1])

    def as_problem(self, place: str) -> Problem:
        return Problem(place or "the request", f"{self.cause} at byte {self.args[0]}", 0)


def salvage(body: bytes, problems: list[Problem]) -> list[Salvaged]:
    """Return the decodable parts of a request's body, and add what could not be decoded to ``problems``."""
    found = []
    whole = _Field(0, _LENGTH, 0, 0, body, body)
    for place, part in _split(whole, ExportLogsServiceRequest(), "resource_logs", "", problems):
        salvaged = Salvaged(ResourceLogs())
        for scope_place, scope in _split(part, salvaged.resource_logs, "scope_logs", place, problems):
            scope_logs = salvaged.resource_logs.scope_logs.add()
            for record_place, record in _split(scope, scope_logs, "log_records", scope_place, problems):
                try:
                    scope_logs.log_records.append(_read_record(record))
                except _Malformed as error:
                    salvaged.rejected.append((error.cause, record.value))
                    problems.append(error.as_problem(record_place))
        found.append(salvaged)
    return found


def _split(
    whole: _Field, message: Message, repeated: str, place: str, problems: list[Problem]
) -> list[tuple[str, _Field]]:
    """Return the fields of the name ``repeated`` with their places, and merge all other fields into ``message``."""
    number = message.DESCRIPTOR.fields_by_name[repeated].number
    inner: list[tuple[str, _Field]] = []
    try:
        for found in _iter_fields(whole.value, whole.value_start):
            if found.number == number and found.wire_type == _LENGTH:
                inner.append((f"{place}{'.' if place else ''}{repeated}[{len(inner)}]", found))
            else:
                _merge(message, found, place, problems)
    except _Malformed as error:
        problems.append(error.as_problem(place))
    return inner


def _merge(message: Message, found: _Field, place: str, problems: list[Problem]) -> None:
    """Set a field of a message. A field that cannot be decoded becomes a problem, and the message does not change."""
    part = type(message)()
    try:
        part.ParseFromString(_repair_field(found, message.DESCRIPTOR))
    except _Malformed as error:
        problems.append(error.as_problem(place))
    except DecodeError:
        problems.append(_Malformed(found.start, _NO_MESSAGE).as_problem(place))
    else:
        message.MergeFrom(part)


def _read_record(found: _Field) -> LogRecord:
    if found.is_cut:
        raise _Malformed(found.start, "the message is cut")
    record = LogRecord()
    try:
        record.ParseFromString(found.value)
    except DecodeError:
        record.Clear()
    else:
        return record
    try:
        record.ParseFromString(_repair(found.value, LogRecord.DESCRIPTOR, found.value_start))
    except DecodeError as error:
        raise _Malformed(found.start, _NO_MESSAGE) from error
    flag = record.attributes.add(key="invalid_utf8")
    flag.value.bool_value = True
    return record


def _repair(data: bytes, descriptor: Descriptor, start: int, depth: int = 0) -> bytes:
    """Return the fields of a message that starts at the offset ``start`` of the body. U+FFFD replaces invalid bytes."""
    return b"".join(_repair_field(found, descriptor, depth) for found in _iter_fields(data, start))


def _repair_field(found: _Field, descriptor: Descriptor, depth: int = 0) -> bytes:
    if found.is_cut:
        raise _Malformed(found.start, "the message is cut")
    if depth > _DEEPEST:
        raise _Malformed(found.start, "nested too deeply")
    known = descriptor.fields_by_number.get(found.number)
    if known is None or found.wire_type != _LENGTH:
        return found.encoded
    value = found.value
    if known.type == FieldDescriptor.TYPE_STRING:
        value = value.decode("utf-8", "replace").encode()
    elif known.type == FieldDescriptor.TYPE_MESSAGE:
        value = _repair(value, known.message_type, found.value_start, depth + 1)
    return _write_varint(found.number << 3 | _LENGTH) + _write_varint(len(value)) + value


def _iter_fields(data: bytes, start: int) -> Iterator[_Field]:
    """Yield the fields of a message that starts at the offset ``start`` of the body.

    Raises:
        _Malformed: the bytes are not a field.
    """
    at = 0
    while at < len(data):
        tag, value_at = _read_varint(data, at, start)
        number, wire_type = tag >> 3, tag & 7
        if not number:
            raise _Malformed(start + at, _NO_MESSAGE)
        if wire_type == _VARINT:
            _, end = _read_varint(data, value_at, start)
        elif wire_type == _LENGTH:
            length, value_at = _read_varint(data, value_at, start)
            end = value_at + length
        elif wire_type in _FIXED_BYTES:
            end = value_at + _FIXED_BYTES[wire_type]
        else:
            raise _Malformed(start + at, _NO_MESSAGE)
        is_cut = end > len(data)
        yield _Field(number, wire_type, start + at, start + value_at, data[at:end], data[value_at:end], is_cut)
        at = end


def _read_varint(data: bytes, at: int, start: int) -> tuple[int, int]:
    """Return a number at the offset ``at``, and the offset after it."""
    number = 0
    for place in range(_MAX_VARINT_LENGTH):
        if at + place == len(data):
            raise _Malformed(start + at, "the message is cut")
        byte = data[at + place]
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return number, at + place + 1
    raise _Malformed(start + at, _NO_MESSAGE)


def _write_varint(number: int) -> bytes:
    written = bytearray()
    while number >= 0x80:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)
