"""``/api/v1/sql``: rows in JSON, and all rows as a file."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from support.served import Answer, Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("sql")) as served:
        body = b'{"ts": "2026-03-01T10:00:00Z", "message": "=1+1", "n": 1}\n'
        assert served.send("POST", "/api/v1/lines?source=app&format=json", body).status == 200
        yield served


def post(served: Served, sql: str, query: str = "", **more: Any) -> Answer:
    return served.send("POST", f"/api/v1/sql{query}", json.dumps({"sql": sql, **more}).encode())


def make_request(query: str, body: bytes) -> bytes:
    head = f"POST /api/v1/sql{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def test_rows_have_their_types_and_all_digits_of_their_numbers(served: Served) -> None:
    answer = post(served, "select ts, 9007199254740993 as id, null as nothing, attributes from log_records")
    assert answer.status == 200, answer.text
    found = json.loads(answer.body)
    assert [column["name"] for column in found["columns"]] == ["ts", "id", "nothing", "attributes"]
    types = [column["type"] for column in found["columns"]]
    assert types[0] == "timestamp[us, tz=UTC]"
    assert found["rows"] == [["2026-03-01T10:00:00+00:00", 9007199254740993, None, '{"n": 1}']]
    assert found["has_more"] is False
    assert found["took_s"] > 0


def test_rows_beyond_the_limit_are_left_out_and_said(served: Served) -> None:
    found = json.loads(post(served, "select * from generate_series(1, 50000)", limit=3).body)
    assert (found["rows"], found["has_more"]) == ([[1], [2], [3]], True)
    found = json.loads(post(served, "select * from generate_series(1, 3)", limit=3).body)
    assert (len(found["rows"]), found["has_more"]) == (3, False)


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        (b'{"sql": "selct 1"}', "sql", "cannot run this SQL"),
        (b'{"sql": "delete from log_records"}', "sql", "cannot run this SQL"),
        (b'{"sql": "select 1", "limit": 0}', "body", "cannot read the body"),
        (b'{"sql": "select 1", "rows": 1}', "body", "cannot read the body"),
        (b"select 1", "body", "cannot read the body"),
    ],
)
@pytest.mark.parametrize("query", ["", "?format=csv"])
def test_a_wrong_statement_is_refused_with_the_words_of_the_database(
    served: Served, body: bytes, place: str, message: str, query: str
) -> None:
    answer = served.send("POST", f"/api/v1/sql{query}", body)
    assert answer.status == 400
    error = json.loads(answer.body)["error"]
    assert (error["place"] or "sql", error["is_transient"]) == (place, False)
    assert error["message"].startswith(message)


def test_all_rows_are_downloaded_as_csv_json_lines_and_arrow(served: Served) -> None:
    statement = "select x as n, 'a,b' as t from generate_series(1, 20000) as g(x)"
    answer = post(served, statement, "?format=csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="puppylog.csv"'
    lines = answer.text.splitlines()
    assert (lines[0], lines[1], len(lines)) == ("n,t", '1,"a,b"', 20_001)
    rows = [json.loads(line) for line in post(served, statement, "?format=jsonl").text.splitlines()]
    assert (rows[-1], len(rows)) == ({"n": 20_000, "t": "a,b"}, 20_000)
    with pa.ipc.open_stream(post(served, statement, "?format=arrow").body) as stream:
        assert stream.read_all().num_rows == 20_000
    assert post(served, "select message from log_records", "?format=csv").text == "message\n'=1+1\n"
    assert post(served, "select 1 as n where false", "?format=csv").text == "n\n"


def test_a_download_that_fails_is_no_whole_file(served: Served) -> None:
    statement = "select case when x < 300000 then x else error('broken') end as n from generate_series(1, 400000) g(x)"
    body = json.dumps({"sql": statement}).encode()
    with socket.create_connection(("127.0.0.1", served.port), 30) as connection:
        connection.sendall(make_request("?format=csv", body))
        with connection.makefile("rb") as answer:
            received = answer.read()
    if received.startswith(b"HTTP/1.1 200"):
        assert not received.endswith(b"0\r\n\r\n")
    else:
        assert received.startswith(b"HTTP/1.1 400")  # the store failed before its first row was sent


def test_a_statement_ends_when_its_client_goes_away(served: Served) -> None:
    slow = "select count(*) from generate_series(1, 1000000) a(x), generate_series(1, 1000000) b(x)"
    body = json.dumps({"sql": slow}).encode()
    for query in ("", "?format=csv", "", "?format=csv"):
        with socket.create_connection(("127.0.0.1", served.port), 30) as connection:
            connection.sendall(make_request(query, body))
    started = time.monotonic()
    assert [post(served, "select 1").status for _ in range(served.server.context.limits.queries)] == [200] * 4
    assert time.monotonic() - started < 10  # all threads of queries are free again
    answer = post(served, slow, timeout_s=0.2)
    assert answer.status == 504
    assert "took longer than 0.2 s" in answer.text
