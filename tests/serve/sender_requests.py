"""What a sender sends, and what it needs to be answered."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import pyarrow as pa

from receive.otlp.requests import any_of, attributes_of

NS: Final = 1_790_000_000_123_456_789
US: Final = NS // 1000
TIME: Final = "2026-09-21T14:13:20.123456+00:00"
MS: Final = "2026-09-21T14:13:20.123Z"

JSON: Final = {"Content-Type": "application/json"}
NDJSON: Final = {"Content-Type": "application/x-ndjson"}
PROTOBUF: Final = {"Content-Type": "application/x-protobuf"}
FLUENT_BIT: Final = {"User-Agent": "Fluent-Bit"}
FILTER: Final = "filter_path=errors%2Citems.%2A.error%2Citems.%2A.status"


@dataclass(frozen=True)
class Sent:
    """A request, and the answer that the sender needs."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    has: tuple[str, ...] = ()  # parts of the answer's body
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """A sender: what it sends, and the records that are then in a stream."""

    sender: str
    sent: tuple[Sent, ...]
    stream: str
    records: tuple[Mapping[str, Any], ...]  # some columns of each record; "attributes" as JSON that is read


def push(stream: Mapping[str, str], *values: list[object]) -> bytes:
    return json.dumps({"streams": [{"stream": stream, "values": list(values)}]}).encode()


def lines(*objects: Mapping[str, Any]) -> bytes:
    return b"".join(json.dumps(each, separators=(",", ":")).encode() + b"\n" for each in objects)


def otlp(body: Any, **resource: str) -> dict[str, Any]:
    record = {"timeUnixNano": str(NS), "severityNumber": 9, "body": any_of(body)}
    scope_logs = {"scope": {}, "logRecords": [record]}
    return {"resourceLogs": [{"resource": {"attributes": attributes_of(resource)}, "scopeLogs": [scope_logs]}]}


def zstd(body: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(body, asbytes=True))
