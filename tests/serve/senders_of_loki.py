"""Senders that send to Loki's push API."""

import gzip
from typing import Final

from serve.sender_requests import (
    FLUENT_BIT,
    JSON,
    NS,
    PROTOBUF,
    TIME,
    US,
    Case,
    Sent,
    push,
)
from support.loki import Entry, compress, write_push

LOKI: Final = (
    Case(
        "Fluent Bit, output loki",
        (
            Sent(
                "POST",
                "/loki/api/v1/push",
                push({"job": "fluent-bit"}, [str(NS), '{"log":"GET /a","stream":"stdout"}', {"pod": "p1"}]),
                {**JSON, **FLUENT_BIT, "X-Scope-OrgID": "team-a"},
                204,
            ),
        ),
        "loki:///fluent-bit",
        ({"message": "GET /a", "ts": TIME, "attributes": {"stream": "stdout", "job": "fluent-bit", "pod": "p1"}},),
    ),
    Case(
        "Fluent Bit, output loki with line_format key_value and compress gzip",
        (
            Sent(
                "POST",
                "/loki/api/v1/push?format=logfmt",
                gzip.compress(push({"job": "fluent-bit-kv"}, [str(NS), 'msg="GET /a" code=200'])),
                {**JSON, **FLUENT_BIT, "Content-Encoding": "gzip"},
                204,
            ),
        ),
        "loki:///fluent-bit-kv",
        ({"message": "GET /a", "attributes": {"code": 200, "job": "fluent-bit-kv"}},),
    ),
    Case(
        "Vector, sink loki",
        (
            Sent("GET", "/ready"),
            Sent(
                "POST",
                "/loki/api/v1/push",
                compress(write_push({'{app="vector",host="web1"}': [Entry(US, b"hello", {"trace_id": "7"})]})),
                {**PROTOBUF, "Content-Encoding": "snappy", "X-Scope-OrgID": "default"},
                204,
            ),
            Sent(
                "POST",
                "/loki/api/v1/push",
                push({"app": "vector"}, [str(NS), '{"message":"in JSON"}', {}]),
                JSON,
                204,
            ),
        ),
        "loki:///vector",
        (
            {"message": "hello", "ts": TIME, "attributes": {"app": "vector", "host": "web1", "trace_id": "7"}},
            {"message": "in JSON", "attributes": {"app": "vector"}},
        ),
    ),
    Case(
        "Promtail",
        (
            Sent(
                "POST",
                "/loki/api/v1/push",
                compress(
                    write_push({'{filename="/a.log", job="varlogs"}': [Entry(US, b"one"), Entry(US - 5, b"two")]})
                ),
                {**PROTOBUF, "User-Agent": "promtail/3.4.0", "X-Scope-OrgID": "tenant1"},
                204,
            ),
        ),
        "loki:///varlogs",
        (
            {"message": "one", "attributes": {"filename": "/a.log", "job": "varlogs"}},
            {"message": "two", "attributes": {"filename": "/a.log", "job": "varlogs"}},
        ),
    ),
    Case(
        "Grafana Alloy, loki.write",
        (
            Sent(
                "POST",
                "/loki/api/v1/push",
                compress(write_push({'{service_name="shop", level="info"}': [Entry(US, b"one", {"pod": "p1"})]})),
                {**PROTOBUF, "Content-Encoding": "snappy", "User-Agent": "Alloy/v1.9.0 (linux; docker)"},
                204,
            ),
        ),
        "loki:///shop",
        ({"message": "one", "severity": "info", "attributes": {"service_name": "shop", "pod": "p1"}},),
    ),
    Case(
        "OpenTelemetry Collector, exporter loki",
        (
            Sent(
                "POST",
                "/loki/api/v1/push",
                compress(
                    write_push(
                        {
                            '{exporter="OTLP", job="ns/checkout", level="INFO"}': [
                                Entry(US, b'{"body":"paid","severity":"INFO","resources":{"k":"v"}}')
                            ]
                        }
                    )
                ),
                PROTOBUF,
                204,
            ),
        ),
        "loki:///ns/checkout",
        (
            {
                "message": "paid",
                "severity": "info",
                "attributes": {
                    "resources": {"k": "v"},
                    "exporter": "OTLP",
                    "job": "ns/checkout",
                },
            },
        ),
    ),
    Case(
        "Docker, driver loki",
        (
            Sent(
                "POST",
                "/loki/api/v1/push",
                compress(write_push({'{container_name="web", job="docker", source="stdout"}': [Entry(US, b"hi")]})),
                {**PROTOBUF, "User-Agent": "promtail/"},
                204,
            ),
        ),
        "loki:///docker",
        (
            {
                "message": "hi",
                "attributes": {"container_name": "web", "job": "docker", "source": "stdout"},
            },
        ),
    ),
)
