"""Lines by POST: stored once, in any format, and answered with their numbers."""

import gzip
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from puppylog.serve.endpoints.lines import MAX_LINES
from support.served import Answer, Served

JSON = b'{"level": "info", "message": "one"}\nno object\n{"message": "two"}'


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("lines")) as served:
        yield served


def post(served: Served, query: str, body: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    return served.send("POST", f"/api/v1/lines?{query}", body, headers)


def records(served: Served, source: str) -> list[dict[str, Any]]:
    return served.query(
        "SELECT records.* FROM puppylog.log_records AS records"
        " JOIN puppylog.log_streams AS streams ON streams.id = records.stream_id"
        f" WHERE source_uri = 'lines:///{source}' ORDER BY line_offset"
    )


def test_lines_are_stored_and_the_answer_has_their_numbers(served: Served) -> None:
    answer = post(served, "source=app&format=json", JSON)
    assert (answer.status, json.loads(answer.body)) == (200, {"records": 2, "rejects": 1, "repeated": False})
    assert [row["message"] for row in records(served, "app")] == ["one", "two"]
    rejected = served.query(
        "SELECT line_offset, reason, line FROM puppylog.rejected_lines"
        " WHERE stream_id = (SELECT id FROM puppylog.log_streams WHERE source_uri LIKE '%/app')"
    )
    assert rejected == [{"line_offset": 36, "reason": "not a JSON object", "line": b"no object"}]


def test_an_identical_retry_is_answered_as_before_also_by_another_server(served: Served) -> None:
    assert json.loads(post(served, "source=retry", JSON).body)["repeated"] is False
    retried = post(served, "source=retry", gzip.compress(JSON), {"Content-Encoding": "gzip"})
    assert json.loads(retried.body) == {"records": 2, "rejects": 1, "repeated": True}
    assert float(retried.headers["x-puppylog-repeated"]) >= 0
    served.server.close()
    served.start()
    assert json.loads(post(served, "source=retry", JSON).body) == {"records": 2, "rejects": 1, "repeated": True}
    on_purpose = post(served, "source=retry", JSON, {"Idempotency-Key": "again"})
    assert json.loads(on_purpose.body)["repeated"] is False
    assert len(records(served, "retry")) == 4


def test_the_format_is_recognized_and_remembered(served: Served) -> None:
    line = b'10.0.0.1 - - [10/Oct/2025:13:55:36 +0000] "GET /a HTTP/1.1" 200 12\n'
    post(served, "source=site&group=shop", line)
    assert json.loads(post(served, "source=site&group=shop", b"a line of text\n").body)["rejects"] == 1
    (row,) = records(served, "site")
    assert (row["request_route"], row["status_code"]) == ("/a", 200)
    assert served.query("SELECT name FROM puppylog.log_groups") == [{"name": "shop"}]


def test_a_zone_is_that_of_stamps_without_one(served: Served) -> None:
    post(served, "source=zone&format=json&tz=Europe/Berlin", b'{"time": "2025-07-01 12:00:00", "message": "m"}\n')
    assert records(served, "zone")[0]["ts"].isoformat() == "2025-07-01T10:00:00+00:00"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("sorce=app", "there is no parameter 'sorce'; known are source, format, group, tz"),
        ("source=a&source=b", "the parameter source is given twice"),
        ("format=no", "cannot use format 'no': there is no such format"),
        ("tz=Mars", "cannot use time zone 'Mars': write it as Area/City"),
        ("tz=../../etc/passwd", "cannot use time zone '../../etc/passwd'"),
        ("group=A", "cannot name group 'A'"),
    ],
)
def test_a_wrong_parameter_is_an_error_that_names_it(served: Served, query: str, message: str) -> None:
    answer = post(served, query, JSON)
    assert answer.status == 400
    assert answer.text.startswith(message)


def test_an_empty_body_stores_nothing(served: Served) -> None:
    answer = post(served, "source=empty", b"")
    assert (answer.status, json.loads(answer.body)) == (200, {"records": 0, "rejects": 0, "repeated": False})
    assert records(served, "empty") == []


def test_a_body_that_is_not_what_its_header_says_is_refused(served: Served) -> None:
    answer = post(served, "source=bad", b"no gzip", {"Content-Encoding": "gzip"})
    assert answer.status == 400
    assert records(served, "bad") == []


@pytest.mark.parametrize("content_type", ["application/msgpack", "multipart/form-data; boundary=x"])
def test_a_body_that_cannot_be_lines_is_refused_with_an_advice(served: Served, content_type: str) -> None:
    answer = post(served, "source=kind", b"\x82\xa3log", {"Content-Type": content_type})
    assert answer.status == 415
    assert "is not lines: " in answer.text
    assert records(served, "kind") == []


def test_a_request_of_too_many_lines_is_refused(served: Served) -> None:
    answer = post(served, "source=many&format=plain", b"\n" * (MAX_LINES + 1))
    assert (answer.status, answer.text) == (413, "the request has 2,000,001 lines, more than 2,000,000; divide it\n")
    assert records(served, "many") == []
