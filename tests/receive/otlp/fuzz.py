"""Decodes damaged requests: ``python -m receive.otlp.fuzz --inputs N``, in the folder ``tests``.

Each request is a sample in which something was cut, doubled or replaced. The module in C must read nothing outside the
request, and what it decodes must be what the decoder in Python does. A request may be refused with the decoder's own
error, and with no other one.
"""

import argparse
import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from formats.native_builds import load_module
from puppylog.receive.otlp import decode_json, decode_protobuf, native
from puppylog.receive.received import NotDecoded, Received
from receive.otlp.requests import (
    RECEIVED_AT_US,
    TIME_NS,
    any_of,
    attributes_of,
    decode_in_python,
    protobuf_of,
    request_of,
)


def main() -> int:
    parser = argparse.ArgumentParser(description="Decode damaged requests.")
    parser.add_argument("--inputs", type=int, default=100_000, help="how many requests")
    parser.add_argument("--module", type=Path, help="the file of the module in C to use instead of the installed one")
    parser.add_argument("--compare", type=int, default=5, metavar="N", help="decode every Nth request in Python, too")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if asked.module:
        native.records = load_module("_records", asked.module)
    decoded = 0
    for number, body in enumerate(iter_damaged(list_samples(), asked.seed, asked.inputs)):
        received = decode_or_refuse(body)
        decoded += received is not None
        if number % asked.compare == 0 and received is not None and not body.startswith(b"{"):
            in_python = decode_or_refuse(body, decode_in_python)
            # The module in C does not look at the attributes of a resource that has no records.
            assert in_python is not None or received.records == 0, body.hex()
            assert in_python is None or summarize(received) == summarize(in_python), body.hex()
    sys.stdout.write(f"{asked.inputs} requests, of which {decoded} were decoded\n")
    return 0


def list_samples() -> Sequence[bytes]:
    """Return requests in both encodings that have every field and every kind of value."""
    record = {
        "timeUnixNano": str(TIME_NS),
        "observedTimeUnixNano": str(TIME_NS + 10**9),
        "severityNumber": 9,
        "severityText": "Info",
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "flags": 1,
        "eventName": "event",
        "droppedAttributesCount": 3,
    }
    values = {"a": [1, {"b": "ü"}], "c": None, "d": 0.5, "e": -7, "f": True, "g": b"\x00\xff\x01", "http.route": "/x"}
    bodies: list[Any] = ["text", {"message": "paid", "order": 7}, {"other": [1]}, 5, b"bytes"]
    records = [{**record, "body": any_of(body), "attributes": attributes_of(values)} for body in bodies]
    scope = {"name": "cart", "version": "1", "attributes": attributes_of({"zone": "a"}), "droppedAttributesCount": 1}
    request = request_of(*records, resource={"service.name": "shop", "zone": "b", "n": 1.25}, scope=scope)
    small = request_of({"body": any_of("x")})
    return [protobuf_of(request), protobuf_of(small), json.dumps(request).encode(), json.dumps(small).encode()]


def iter_damaged(samples: Sequence[bytes], seed: int, inputs: int) -> Iterator[bytes]:
    """Yield samples with a few changes each."""
    chance = random.Random(seed)
    for _ in range(inputs):
        damaged = bytearray(chance.choice(samples))
        for _ in range(chance.randrange(1, 5)):
            at = chance.randrange(len(damaged) + 1)
            end = at + chance.randrange(9)
            new = (b"", chance.randbytes(chance.randrange(5)), damaged[at:end] * 2, b"\x80", b"\x00", b"\x7f", b"\xff")
            damaged[at:end] = chance.choice(new)
        yield bytes(damaged)


def decode_or_refuse(body: bytes, decode: Callable[[bytes, int], Received] | None = None) -> Received | None:
    """Return what a request decodes to; None if it is refused."""
    if decode is None:
        decode = decode_json if body.startswith(b"{") else decode_protobuf
    try:
        received = decode(body, RECEIVED_AT_US)
    except NotDecoded:
        return None
    for lines in received.lines:
        parsed = lines.parsed
        assert lines.size == len(parsed.data)
        offsets = [*parsed.records["line_offset"].to_pylist(), *parsed.rejects["line_offset"].to_pylist()]
        assert offsets == sorted(set(offsets))
        assert not offsets or offsets[-1] < lines.size
    return received


def summarize(received: Received) -> list[tuple[str, list[Any]]]:
    """Return the sources and the rows of a request. Bytes that are not UTF-8 are marked in one way by both decoders."""
    found = []
    for lines in received.lines:
        rows = []
        for row in lines.parsed.records.drop_columns(["line_offset"]).to_pylist():
            attributes = json.loads(row["attributes"] or "{}")
            attributes.pop("invalid_utf8", None)
            rows.append({**row, "attributes": attributes})
        found.append((lines.source, rows))
    return found


if __name__ == "__main__":
    sys.exit(main())
