"""Senders that send lines or OTLP over HTTP."""

import gzip
import json
from typing import Final

from receive.otlp.requests import protobuf_of
from serve.sender_requests import (
    FLUENT_BIT,
    JSON,
    MS,
    NDJSON,
    PROTOBUF,
    TIME,
    US,
    Case,
    Sent,
    lines,
    otlp,
    zstd,
)

LINES: Final = (
    Case(
        "Fluent Bit, output http with format json_lines",
        (
            Sent(
                "POST",
                "/api/v1/lines?source=fluent-lines",
                zstd(lines({"date": US / 1e6, "log": "one"}, {"date": US / 1e6, "log": "two"})),
                {**NDJSON, **FLUENT_BIT, "Content-Encoding": "zstd"},
            ),
        ),
        "lines:///fluent-lines",
        ({"message": "one", "ts": TIME}, {"message": "two", "ts": TIME}),
    ),
    Case(
        "Fluent Bit, output http with format json",
        (
            Sent(
                "POST",
                "/api/v1/lines?source=fluent-array",
                json.dumps([{"date": US / 1e6, "log": "one"}, {"date": US / 1e6, "log": "two"}]).encode(),
                {**JSON, **FLUENT_BIT},
            ),
        ),
        "lines:///fluent-array",
        ({"message": "one", "ts": TIME}, {"message": "two", "ts": TIME}),
    ),
    Case(
        "Fluent Bit, output http with format gelf",
        (
            Sent(
                "POST",
                "/api/v1/lines?source=fluent-gelf",
                lines(
                    {"version": "1.1", "host": "web1", "short_message": "one", "timestamp": 1790000000.5, "level": 3}
                ),
                {**JSON, **FLUENT_BIT},
            ),
        ),
        "lines:///fluent-gelf",
        ({"message": "one", "severity": "error"},),
    ),
    Case(
        "Fluent Bit, output opentelemetry",
        (
            Sent(
                "POST",
                "/v1/logs",
                protobuf_of(otlp({"log": "GET /a", "stream": "stdout"}, **{"service.name": "fluent-otlp"})),
                {**PROTOBUF, **FLUENT_BIT},
            ),
        ),
        "otlp:///fluent-otlp",
        ({"message": "GET /a", "severity": "info", "ts": TIME},),
    ),
    Case(
        "Vector, sink http with the codec json",
        (
            Sent("HEAD", "/ready"),
            Sent(
                "POST",
                "/api/v1/lines?source=vector",
                b'[{"message":"one","timestamp":"2026-09-21T14:13:20.123456Z"},{"message":"two"}]',
                JSON,
            ),
            Sent("POST", "/api/v1/lines?source=vector", b'{"message":"three"}\n{"message":"four"}', NDJSON),
        ),
        "lines:///vector",
        ({"message": "one", "ts": TIME}, {"message": "two"}, {"message": "three"}, {"message": "four"}),
    ),
    Case(
        "Vector, sink opentelemetry with the codec otlp",
        (
            Sent(
                "POST",
                "/v1/logs",
                b"".join(protobuf_of(otlp(text, **{"service.name": "vector"})) for text in ("one", "two")),
                PROTOBUF,
            ),
        ),
        "otlp:///vector",
        ({"message": "one"}, {"message": "two"}),
    ),
    Case(
        "Logstash, output http with the format json_batch",
        (
            Sent(
                "POST",
                "/api/v1/lines?source=logstash",
                json.dumps(
                    [{"@timestamp": MS, "@version": "1", "message": "hello", "event": {"original": "hello"}}]
                ).encode(),
                JSON,
            ),
        ),
        "lines:///logstash",
        ({"message": "hello"},),
    ),
    Case(
        "OpenTelemetry Collector, exporter otlphttp",
        (
            Sent(
                "POST",
                "/v1/logs",
                gzip.compress(protobuf_of(otlp("one", **{"service.name": "collector"}))),
                {**PROTOBUF, "Content-Encoding": "gzip", "User-Agent": "OpenTelemetry Collector/0.130.0 (linux/amd64)"},
            ),
            Sent(
                "POST",
                "/otlp/v1/logs",
                json.dumps(otlp("two", **{"service.name": "collector"})).encode(),
                JSON,
                has=("{",),
            ),
        ),
        "otlp:///collector",
        ({"message": "one", "severity": "info"}, {"message": "two", "severity": "info"}),
    ),
    Case(
        "Fluentd, output http",
        (Sent("POST", "/api/v1/lines?source=fluentd", lines({"log": "one"}, {"log": "two"}), NDJSON),),
        "lines:///fluentd",
        ({"message": "one"}, {"message": "two"}),
    ),
)
