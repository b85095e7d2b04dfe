"""Requests of OTLP for tests, as JSON and as the same message of protobuf."""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict  # type: ignore[import-untyped] # protobuf ships no types
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from puppylog.receive.otlp import decode_json, decode_protobuf, json_request, native
from puppylog.receive.received import Received

RECEIVED_AT_US = 1_795_514_400_000_000
TIME_NS = 1_711_972_800_123_456_789  # 2024-04-01T12:00:00.123456789Z


def any_of(value: Any) -> dict[str, Any]:
    """Return a value as an AnyValue in JSON."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return {"kvlistValue": {"values": attributes_of(value)}}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_of(item) for item in value]}}
    return {_KINDS[type(value)]: _TEXTS.get(type(value), lambda same: same)(value)}


_KINDS = {bool: "boolValue", int: "intValue", float: "doubleValue", str: "stringValue", bytes: "bytesValue"}
_TEXTS: dict[type, Callable[[Any], Any]] = {
    int: str,
    float: lambda number: number if isfinite(number) else str(number).replace("inf", "Infinity"),
    bytes: lambda data: b64encode(data).decode(),
}


def attributes_of(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": any_of(value)} for key, value in attributes.items()]


def request_of(
    *records: Mapping[str, Any], resource: Mapping[str, Any] | None = None, scope: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return a request in JSON, with records of one scope and one resource."""
    scope_logs = {"scope": scope or {}, "logRecords": list(records)}
    return {"resourceLogs": [{"resource": {"attributes": attributes_of(resource or {})}, "scopeLogs": [scope_logs]}]}


def protobuf_of(request: Mapping[str, Any]) -> bytes:
    """Return a request in JSON as protobuf."""
    message = ParseDict(_with_base64_ids(request), ExportLogsServiceRequest())
    return bytes(message.SerializeToString())


def decode_both(request: Mapping[str, Any]) -> Received:
    """Return what both encodings of a request decode to. It must be the same, also without the module in C."""
    body = protobuf_of(request)
    in_json = json.dumps(request).encode()
    from_json = decode_json(in_json, RECEIVED_AT_US)
    assert rows_of(from_json) == rows_of(decode_with_care(in_json))
    from_protobuf = decode_protobuf(body, RECEIVED_AT_US)
    in_python = decode_in_python(body)
    assert [(lines.source, lines.parsed.data) for lines in from_protobuf.lines] == [
        (lines.source, lines.parsed.data) for lines in in_python.lines
    ]
    assert [lines.source for lines in from_json.lines] == [lines.source for lines in from_protobuf.lines]
    assert rows_of(from_json) == rows_of(from_protobuf)
    return from_protobuf


def decode_in_python(body: bytes, received_at_us: int = RECEIVED_AT_US) -> Received:
    """Return what a body in protobuf decodes to without the module in C."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "records", None)
        return decode_protobuf(body, received_at_us)


def decode_with_care(body: bytes) -> Received:
    """Return what a body in JSON decodes to as if it had a fault."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_request, "write_usual", lambda _: None)
        return decode_json(body, RECEIVED_AT_US)


def rows_of(received: Received) -> list[dict[str, Any]]:
    """Return the columns of the records that have a value; attributes as a dict without ``ts_source``; no offsets."""
    rows = []
    for lines in received.lines:
        for record in lines.parsed.records.to_pylist():
            row = {name: value for name, value in record.items() if value is not None and name != "line_offset"}
            if "attributes" in row:
                row["attributes"] = json.loads(row["attributes"])
                if row["attributes"].pop("ts_source", None) is not None and not row["attributes"]:
                    del row["attributes"]
            rows.append(row)
    return rows


def row_of(record: Mapping[str, Any], **others: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of one record, without its time."""
    [row] = rows_of(decode_both(request_of(record, **others)))
    del row["ts"]
    return row


def _with_base64_ids(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: b64encode(bytes.fromhex(inner)).decode() if key in {"traceId", "spanId"} else _with_base64_ids(inner)
            for key, inner in value.items()
        }
    return [_with_base64_ids(item) for item in value] if isinstance(value, list) else value
