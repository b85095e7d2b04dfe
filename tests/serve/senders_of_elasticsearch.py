"""Senders that take the server for Elasticsearch: what they ask first, and a batch."""

import gzip
from typing import Final

from serve.sender_requests import (
    FILTER,
    FLUENT_BIT,
    JSON,
    MS,
    NDJSON,
    TIME,
    Case,
    Sent,
    lines,
)


def exchange(index: str, *setups: Sent) -> tuple[Sent, ...]:
    """Return what clients of Elasticsearch ask, then a batch with the action ``create``."""
    batch = lines({"create": {"_index": index}}, {"@timestamp": MS, "message": "hello", "log": {"level": "warn"}})
    return (*setups, Sent("POST", f"/_bulk?{FILTER}", batch, NDJSON, has=('"errors":false', '"status":201')))


ROOT: Final = Sent("GET", "/", headers={"Accept": "application/json"}, has=('"number":"', '"build_flavor":"default"'))
LICENSE: Final = Sent("GET", "/_license", has=('"status":"active"',))
HELLO: Final = ({"message": "hello", "severity": "warning", "ts": "2026-09-21T14:13:20.123000+00:00"},)

ELASTICSEARCH: Final = (
    Case(
        "Fluent Bit, output es",
        (
            Sent(
                "POST",
                "/_bulk",
                lines({"create": {"_index": "fluent-bit", "_type": "_doc"}}, {"@timestamp": MS, "log": "GET /a"}),
                {**NDJSON, **FLUENT_BIT},
                has=('"errors":false,"items":[{"create":{', '"status":201'),
            ),
            Sent(
                "POST",
                "/_bulk/?pipeline=p",
                lines(
                    {"index": {"_index": "fluent-bit", "_type": "_doc", "_id": "4711"}},
                    {"@timestamp": MS, "log": "GET /b"},
                ),
                {**NDJSON, **FLUENT_BIT},
                has=('"errors":false,"items":[{"index":{',),
            ),
        ),
        "elasticsearch:///fluent-bit",
        ({"message": "GET /a"}, {"message": "GET /b"}),
    ),
    Case(
        "Vector, sink elasticsearch",
        (
            Sent("GET", "/_cluster/health", has=('"status":"green"',)),
            ROOT,
            Sent(
                "POST",
                "/_bulk?timeout=60s",
                gzip.compress(
                    lines(
                        {"create": {"_index": "vector-2026.09.21", "_type": "_doc"}},
                        {
                            "host": "web1",
                            "message": "hello",
                            "source_type": "file",
                            "timestamp": "2026-09-21T14:13:20.123456789Z",
                        },
                    )
                ),
                {**NDJSON, "Content-Encoding": "gzip", "Accept-Encoding": "gzip"},
                lacks=('"errors":true',),
            ),
        ),
        "elasticsearch:///vector",
        ({"message": "hello", "ts": TIME, "attributes": {"host": "web1", "source_type": "file"}},),
    ),
    Case(
        "Filebeat, output elasticsearch",
        exchange(
            "filebeat-9.1.0",
            ROOT,
            LICENSE,
            Sent("GET", "/_ilm/policy/filebeat"),
            Sent("PUT", "/_ilm/policy/filebeat", b'{"policy":{}}', JSON),
            Sent("HEAD", "/_index_template/filebeat-9.1.0"),
            Sent("PUT", "/_index_template/filebeat-9.1.0", b'{"data_stream":{}}', JSON),
            Sent("HEAD", "/_data_stream/filebeat-9.1.0"),
            Sent("PUT", "/_data_stream/filebeat-9.1.0"),
            Sent("GET", "/_ingest/pipeline/filebeat-9.1.0-nginx-access-pipeline"),
            Sent("PUT", "/_ingest/pipeline/filebeat-9.1.0-nginx-access-pipeline", b"{}", JSON),
            Sent("GET", "/_nodes/ingest"),
        ),
        "elasticsearch:///filebeat-9.1.0",
        HELLO,
    ),
    Case(
        "Logstash, output elasticsearch",
        exchange(
            "logs-generic-default",
            Sent("HEAD", "/"),
            ROOT,
            LICENSE,
            Sent("HEAD", "/_index_template/ecs-logstash"),
            Sent("PUT", "/_index_template/ecs-logstash", b"{}", JSON),
            Sent("HEAD", "/_ilm/policy/logstash-policy"),
            Sent("PUT", "/_ilm/policy/logstash-policy", b"{}", JSON),
            Sent("HEAD", "/logstash"),
            Sent(
                "PUT", "/%3Clogstash-%7Bnow%2Fd%7D-000001%3E", b'{"aliases":{"logstash":{"is_write_index":true}}}', JSON
            ),
        ),
        "elasticsearch:///logs-generic-default",
        HELLO,
    ),
    Case(
        "Fluentd, output elasticsearch",
        (
            ROOT,
            Sent(
                "POST",
                "/_bulk",
                lines({"index": {"_index": "fluentd"}}, {"@timestamp": MS, "message": "hello"}),
                {"Content-Type": "application/vnd.elasticsearch+x-ndjson; compatible-with=9"},
                has=('"errors":false', '"items":[{"index":{'),
            ),
        ),
        "elasticsearch:///fluentd",
        ({"message": "hello"},),
    ),
)
