"""``_bulk`` as Elasticsearch's clients use it, and what they ask before they send documents."""

import gzip
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from support.served import Answer, Served

PAIRS = b"".join(b'{"create":{}}\n{"message":"m%d"}\n' % number for number in range(3))
NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("elasticsearch")) as served:
        yield served


def bulk(served: Served, index: str, body: bytes, headers: Mapping[str, str] = NDJSON, query: str = "") -> Answer:
    return served.send("POST", f"/{index}/_bulk{query}", body, headers)


def messages(served: Served, index: str) -> list[str]:
    rows = served.query(
        "SELECT records.message FROM puppylog.log_records AS records"
        " JOIN puppylog.log_streams AS streams ON streams.id = records.stream_id"
        f" WHERE source_uri = 'elasticsearch:///{index}' ORDER BY line_offset"
    )
    return [row["message"] for row in rows]


def test_documents_are_stored_and_the_answer_is_compact(served: Served) -> None:
    answer = bulk(served, "web", PAIRS)
    assert answer.status == 200
    assert answer.headers["x-elastic-product"] == "Elasticsearch"
    assert answer.headers["content-type"] == "application/json"
    head, _, items = answer.text.partition(',"errors":false,"items":[')
    assert head.startswith('{"took":')
    assert items == ",".join(['{"create":{"status":201}}'] * 3) + "]}"
    assert messages(served, "web") == ["m0", "m1", "m2"]


def test_an_identical_retry_is_answered_as_before_and_stores_nothing(served: Served) -> None:
    body = PAIRS + b'{"index":{}}\nnope\n'
    first = json.loads(bulk(served, "retry", body).body)
    served.server.close()
    served.start()
    retried = bulk(served, "retry", gzip.compress(body), {**NDJSON, "Content-Encoding": "gzip"})
    assert json.loads(retried.body)["items"] == first["items"]
    assert first["items"][3]["index"]["status"] == 400
    assert "x-puppylog-repeated" in retried.headers
    assert messages(served, "retry") == ["m0", "m1", "m2"]
    assert served.query("SELECT count(*) AS n FROM puppylog.rejected_lines") == [{"n": 1}]


def test_a_retry_with_another_count_of_attempts_is_the_same_request(served: Served) -> None:
    body = b'{"index":{"pipeline":null},"attempts":%d}\n{"message":"m"}\n'
    assert "x-puppylog-repeated" not in bulk(served, "attempts", body % 3).headers
    assert "x-puppylog-repeated" in bulk(served, "attempts", body % 2).headers
    assert "x-puppylog-repeated" not in bulk(served, "others", body % 3).headers
    assert messages(served, "attempts") == messages(served, "others") == ["m"]


def test_a_sender_may_ask_for_parts_of_the_answer(served: Served) -> None:
    answer = bulk(served, "parts", PAIRS, query="?filter_path=errors,items.*.error")
    assert answer.text == '{"errors":false,"items":[]}'


def test_an_error_is_written_as_elasticsearch_writes_it(served: Served) -> None:
    answer = bulk(served, "bad", b"no action\n")
    error = json.loads(answer.body)
    assert (answer.status, error["status"]) == (400, 400)
    assert error["error"]["type"] == "illegal_argument_exception"
    assert error["error"]["reason"].startswith("line 1: it is not an action")
    assert bulk(served, "bad", b"").status == 400
    assert bulk(served, "bad", b"x", {"Content-Encoding": "gzip"}).status == 400


@pytest.mark.sampled
@pytest.mark.parametrize("prefix", ["", "/elasticsearch"])
@pytest.mark.parametrize(
    ("method", "path", "part"),
    [
        ("GET", "/", {"tagline": "You Know, for Search"}),
        ("HEAD", "/", {}),
        ("GET", "/_license", {}),
        ("GET", "/_license?human=false", {}),
        ("GET", "/_xpack", {}),
        ("GET", "/_cluster/health", {"status": "green"}),
        ("GET", "/_cluster/health/web?timeout=1s", {"status": "green"}),
        ("GET", "/_nodes/http", {"nodes": {}}),
        ("GET", "/_ilm/policy/filebeat", {}),
        ("PUT", "/_ilm/policy/filebeat", {"acknowledged": True}),
        ("HEAD", "/_index_template/filebeat-9.0", {}),
        ("PUT", "/_index_template/logs-otel", {"acknowledged": True}),
        ("PUT", "/_component_template/ecs-logstash", {"acknowledged": True}),
        ("GET", "/_template/logstash", {}),
        ("GET", "/_ingest/pipeline/filebeat", {}),
        ("PUT", "/_ingest/pipeline/filebeat", {"acknowledged": True}),
        ("GET", "/_data_stream/filebeat", {}),
        ("PUT", "/_data_stream/filebeat", {"acknowledged": True}),
        ("GET", "/web/_refresh", {}),
        ("POST", "/_refresh", {}),
        ("HEAD", "/logstash", {}),
        ("PUT", "/logstash-000001", {"acknowledged": True}),
    ],
)
def test_what_senders_ask_first_is_answered(
    served: Served, prefix: str, method: str, path: str, part: dict[str, Any]
) -> None:
    answer = served.send(method, prefix + path)
    assert answer.status == 200
    assert answer.headers["x-elastic-product"] == "Elasticsearch"
    if method != "HEAD":
        assert part.items() <= json.loads(answer.body).items()


def test_other_parts_of_elasticsearch_are_not_there(served: Served) -> None:
    answer = served.send("GET", "/_search")
    assert answer.status == 404
    assert json.loads(answer.body)["error"]["reason"] == "Puppylog has no /_search"
    assert served.send("GET", "/favicon.ico").status == 404


def test_the_python_client_stores_documents_and_learns_which_failed(served: Served) -> None:
    from elasticsearch import Elasticsearch, helpers  # noqa: PLC0415 - only here, because it has 100 modules

    with Elasticsearch(served.url) as client:
        assert client.ping()
        assert client.info()["version"]["build_flavor"] == "default"
        actions = [{"_index": "py", "message": f"m{number}", "log.level": "info"} for number in range(2500)]
        assert helpers.bulk(client, actions, chunk_size=1000) == (2500, [])
        with pytest.raises(helpers.BulkIndexError) as raised:
            helpers.bulk(client, [{"_op_type": "delete", "_index": "py", "_id": "1"}])
        assert "stored once and never changed" in str(raised.value.errors)
        created = client.index(index="py-one", document={"message": "alone"})
        assert created["result"] == "created"
        assert client.indices.exists(index="py")
    assert sorted(messages(served, "py")) == sorted(f"m{number}" for number in range(2500))
    assert messages(served, "py-one") == ["alone"]
