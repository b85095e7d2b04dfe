"""``/api/v1/records``: which records it finds, and in what order."""

import csv
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from support.read_interface import get
from support.served import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("records")) as served:
        lines = [
            {"ts": f"2026-03-01T10:00:{at // 3:02}Z", "message": f"line {at}", "number": at, "severity": "error"}
            for at in range(20)
        ]
        body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        assert served.send("POST", "/api/v1/lines?source=shop&format=json&group=web", body).status == 200
        yield served


def test_the_newest_records_come_first(served: Served) -> None:
    found = get(served, "records", limit=3)
    assert [record["message"] for record in found["records"]] == ["line 19", "line 18", "line 17"]
    assert found["has_more"] is True
    newest = found["records"][0]
    assert newest["ts"] == "2026-03-01T10:00:06.000000Z"
    assert (newest["severity"], newest["source"], newest["group"]) == ("error", "lines:///shop", "web")
    assert newest["attributes"] == {"number": 19}
    assert "host" not in newest
    assert found["took_s"] > 0


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_pages_repeat_and_lose_no_record_although_several_have_one_time(served: Served, order: str) -> None:
    seen: list[str] = []
    after: dict[str, Any] = {}
    while True:
        page = get(served, "records", limit=2, order=order, q="number>=1", **after)
        seen += [record["message"] for record in page["records"]]
        if not page["has_more"]:
            break
        after = {"cursor": page["cursor"]}
    expected = [f"line {at}" for at in range(1, 20)]
    assert seen == (expected if order == "oldest" else expected[::-1])


def test_the_header_link_leads_to_the_next_page_in_every_format(served: Served) -> None:
    for format_ in ("json", "jsonl", "csv", "arrow"):
        path, pages = f"/api/v1/records?limit=7&format={format_}&q=line+1", 0
        while path:
            answer = served.send("GET", path)
            assert answer.status == 200
            pages += 1
            path = answer.headers.get("link", "").partition(">")[0].removeprefix("<")
        assert pages == 2  # of 11 records


@pytest.mark.parametrize(
    ("parameters", "place", "message"),
    [
        ({"q": "no_such:1"}, "q", 'cannot read the query: there is no field "no_such"'),
        ({"since": "soon"}, "since", "cannot read since 'soon'"),
        ({"since": "1h", "until": "2h"}, "until", "the range ends before it begins"),
        ({"tz": "Mars"}, "tz", "cannot use time zone 'Mars'"),
        ({"group": "nobody"}, "group", "cannot find group 'nobody'"),
        ({"limit": "0"}, "limit", "'0' is not a whole number from 1 to 10000"),
        ({"limit": ["1", "2"]}, "limit", "it is given twice"),
        ({"order": "any"}, "order", "'any' is not newest or oldest"),
        ({"cursor": "x"}, "cursor", "it is not the cursor of an answer"),
        ({"colour": "red"}, "colour", "there is no such parameter; known are "),
        ({"format": "xml"}, "format", "'xml' is not json or jsonl or csv or arrow"),
        ({"timeout_s": "nan"}, "timeout_s", "'nan' is not a number above 0"),
    ],
)
def test_a_wrong_parameter_is_named(served: Served, parameters: dict[str, Any], place: str, message: str) -> None:
    error = get(served, "records", status=400, **parameters)["error"]
    assert error["place"] == place
    assert error["message"].startswith(message)
    assert error["is_transient"] is False


def test_the_error_of_a_query_says_where_it_is_as_javascript_counts(served: Served) -> None:
    error = get(served, "records", status=400, q=' "🐶" no_such:1')["error"]
    assert error["column"] == len(' "') + 2 + len('" ')
    assert error["advice"]
    assert error["advice"] not in error["message"]


def test_records_are_also_lines_of_json(served: Served) -> None:
    answer = served.send("GET", "/api/v1/records?limit=2", headers={"accept": "application/x-ndjson"})
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["message"] for line in answer.text.splitlines()] == ["line 19", "line 18"]


def test_records_are_also_cells_of_csv(served: Served) -> None:
    answer = served.send("GET", "/api/v1/records?limit=1&format=csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    [row] = csv.DictReader(answer.text.splitlines())
    assert (row["ts"], row["message"], row["host"]) == ("2026-03-01T10:00:06+00:00", "line 19", "")
    assert json.loads(row["attributes"]) == {"number": 19}


def test_records_are_also_columns_of_arrow(served: Served) -> None:
    answer = served.send("GET", "/api/v1/records?limit=2&format=arrow")
    assert answer.headers["content-type"] == "application/vnd.apache.arrow.stream"
    table = pa.ipc.open_stream(answer.body).read_all()
    assert table.column("ts").to_pylist() == [datetime(2026, 3, 1, 10, 0, 6, tzinfo=UTC)] * 2
    assert table.schema.field("file_id").type == pa.int64()
    empty = served.send("GET", "/api/v1/records?q=none&format=arrow")
    assert pa.ipc.open_stream(empty.body).read_all().num_rows == 0


def test_a_search_that_ends_early_says_how_far_it_came_and_goes_on_there(served: Served) -> None:
    line = b'{"ts": "2026-01-01T00:00:00Z"}\n'
    assert served.send("POST", "/api/v1/lines?source=old&format=json", line).status == 200
    found = get(served, "records", q="source:old", budget_s=1e-6)
    assert (found["records"], found["has_more"], found["searched_to"]) == ([], True, "2026-03-01T09:55:06.000000Z")
    rest = get(served, "records", q="source:old", cursor=found["cursor"])
    assert [record["ts"] for record in rest["records"]] == ["2026-01-01T00:00:00.000000Z"]
    assert (rest["has_more"], rest["searched_to"]) == (False, None)
