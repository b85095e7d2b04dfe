"""The push API of Loki: what senders are answered, when, and what is then in the store."""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from puppylog.serve.limits import Limits
from support.loki import Entry, compress, write_push
from support.served import LOOPBACK, Answer, Served

PATH = "/loki/api/v1/push"
JSON = {"Content-Type": "application/json"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}
NS = 1_790_000_000_123_456_789


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    listen = replace(LOOPBACK, loki_format=None)
    with Served(tmp_path_factory.mktemp("loki"), listen=listen, limits=Limits(body_bytes=100_000)) as served:
        yield served


def push(served: Served, body: bytes, headers: Mapping[str, str] = JSON, path: str = PATH) -> Answer:
    return served.send("POST", path, body, headers)


def write(job: str, *lines: str) -> bytes:
    values = [[str(NS + number), line] for number, line in enumerate(lines)]
    return json.dumps({"streams": [{"stream": {"job": job, "level": "warn"}, "values": values}]}).encode()


def records(served: Served, source: str) -> list[dict[str, Any]]:
    return served.query(
        "SELECT records.* FROM puppylog.log_records AS records"
        " JOIN puppylog.log_streams AS streams ON streams.id = records.stream_id"
        f" WHERE source_uri = 'loki:///{source}' ORDER BY ts, line_offset"
    )


def test_a_push_is_answered_with_204_after_its_commit(served: Served) -> None:
    answer = push(served, write("web", "one", '{"msg": "two"}'))
    assert (answer.status, answer.body) == (204, b"")
    assert [(row["message"], row["severity"]) for row in records(served, "web")] == [
        ("one", "warning"),
        ("two", "warning"),
    ]


def test_protobuf_and_the_old_path_are_accepted(served: Served) -> None:
    body = compress(write_push({'{job="proto"}': [Entry(NS // 1000, b"x", {"trace_id": "7"})]}))
    assert push(served, body, PROTOBUF).status == 204
    assert push(served, body, {**PROTOBUF, "Content-Encoding": "snappy", "Idempotency-Key": "2"}).status == 204
    old = b'{"streams":[{"labels":"{job=\\"proto\\"}","entries":[{"ts":"2020-01-01T00:00:00Z","line":"old"}]}]}'
    assert push(served, old, JSON, "/api/prom/push").status == 204
    assert [row["message"] for row in records(served, "proto")] == ["old", "x", "x"]


def test_lines_out_of_order_and_from_other_centuries_are_accepted(served: Served) -> None:
    values = [[str(ns), str(ns)] for ns in (NS, 0, -(10**18), 9 * 10**18, NS - 1)]
    assert push(served, json.dumps({"streams": [{"stream": {"job": "old"}, "values": values}]}).encode()).status == 204
    assert [row["ts"].year for row in records(served, "old")] == [1938, 1970, 2026, 2026, 2255]


def test_an_identical_retry_is_stored_once(served: Served) -> None:
    body = write("retry", "one")
    assert "x-puppylog-repeated" not in push(served, body).headers
    retried = push(served, gzip.compress(body), {**JSON, "Content-Encoding": "gzip"})
    assert retried.status == 204
    assert "x-puppylog-repeated" in retried.headers
    assert len(records(served, "retry")) == 1


def test_what_is_decoded_of_a_damaged_body_is_stored_and_the_answer_has_the_place(served: Served) -> None:
    body = write("damaged", "one", "two")
    answer = push(served, body[: body.index(b"two")])
    assert (answer.status, answer.text) == (
        400,
        "the other entries are stored; line 1, column 129: not JSON: Unterminated string starting at\n",
    )
    assert [row["message"] for row in records(served, "damaged")] == ["one"]
    nothing = push(served, b'{"streams": 5}')
    assert (nothing.status, nothing.text) == (400, "streams: not an array\n")
    assert push(served, b"\xff" * 20, PROTOBUF).status == 400


def test_an_entry_that_cannot_be_read_does_not_refuse_the_others(served: Served) -> None:
    body = b'{"streams": [{"stream": {"job": "part"}, "values": [["1", "a"], ["1"], ["soon", "b"]]}]}'
    assert push(served, body).status == 204
    assert [row["message"] for row in records(served, "part")] == ["a", "b"]
    rejected = served.query("SELECT line FROM puppylog.rejected_lines WHERE reason LIKE 'not an entry%'")
    assert rejected == [{"line": b'["1"]'}]


def test_a_request_without_entries_is_accepted(served: Served) -> None:
    assert push(served, b'{"streams": []}').status == 204


def test_a_body_that_is_too_large_after_decompression_is_refused(served: Served) -> None:
    body = compress(write_push({'{job="large"}': [Entry(NS // 1000, b"x" * 200_000)]}))
    assert len(body) < 100_000
    assert push(served, body, PROTOBUF).status == 413
    assert records(served, "large") == []


def test_a_tenant_becomes_a_group_if_its_name_allows_it(served: Served) -> None:
    assert push(served, write("tenant", "a"), {**JSON, "X-Scope-OrgID": "Team-A"}).status == 204
    for _ in range(2):
        assert push(served, write("tenant", "b"), {**JSON, "X-Scope-OrgID": "-" * 60}).status == 204
    assert {"name": "team_a"} in served.query("SELECT name FROM puppylog.log_groups")
    said = [sentence for sentence in served.reported if "X-Scope-OrgID" in sentence]
    assert len(said) == 1
    assert "is not a valid name of a log group" in said[0]


def test_a_format_may_be_given(served: Served) -> None:
    line = '192.0.2.1 - - [10/Oct/2020:13:55:36 +0000] "GET / HTTP/1.1" 204 5'
    assert push(served, write("site", line, "none"), path=f"{PATH}?format=access").status == 204
    assert [row["status_code"] for row in records(served, "site")] == [204]
    wrong = push(served, write("site", line), path=f"{PATH}?format=nonesuch")
    assert (wrong.status, wrong.text[:30]) == (400, "cannot use format 'nonesuch': ")


def test_a_health_check_finds_loki(served: Served) -> None:
    assert served.send("GET", "/ready").status == 200
    build = served.send("GET", "/loki/api/v1/status/buildinfo")
    assert build.status == 200
    assert json.loads(build.body)["version"].startswith("3.")
    assert served.send("GET", PATH).status == 405
