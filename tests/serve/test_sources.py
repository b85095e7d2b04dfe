"""Names of sources that senders choose: whatever they are, the receiver goes on."""

import json
from collections.abc import Iterator

import pytest

from support.served import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("sources")) as served:
        yield served


@pytest.mark.parametrize(
    ("index", "uri"),
    [
        ("half\ud800a", "elasticsearch:///halfa"),
        ("a\0b\x1b[31m\nc", "elasticsearch:///ab%5B31mc"),
        ("long" * 1000, "elasticsearch:///" + "long" * 50),
        ("../../etc", "elasticsearch:///../../etc"),
        ("", "elasticsearch:///"),
    ],
)
def test_any_name_of_an_index_becomes_a_stream(served: Served, index: str, uri: str) -> None:
    body = json.dumps({"create": {"_index": index}}) + '\n{"message": "x"}\n'
    answer = served.send("POST", "/_bulk", body.encode(), {"Content-Type": "application/x-ndjson"})
    assert (answer.status, json.loads(answer.body)["errors"]) == (200, False)
    streams = served.query("SELECT source_uri FROM puppylog.log_streams")
    assert uri in [row["source_uri"] for row in streams]


@pytest.mark.parametrize("name", ["half\ud800a", "a\0b\x1b"])
def test_any_name_of_a_label_or_a_service_becomes_a_record(served: Served, name: str) -> None:
    push = {"streams": [{"stream": {"job": name, name: "x"}, "values": [["1", "loki line"]]}]}
    answer = served.send("POST", "/loki/api/v1/push", json.dumps(push).encode(), {"Content-Type": "application/json"})
    assert answer.status == 204
    service = {"key": "service.name", "value": {"stringValue": name}}
    logs = [{"resource": {"attributes": [service]}, "scopeLogs": [{"logRecords": [{"body": {"stringValue": "x"}}]}]}]
    answer = served.send(
        "POST", "/v1/logs", json.dumps({"resourceLogs": logs}).encode(), {"Content-Type": "application/json"}
    )
    assert answer.status == 200
    assert served.reported == []
