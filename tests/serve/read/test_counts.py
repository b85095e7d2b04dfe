"""``/api/v1/histogram``, ``top`` and ``patterns``."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from support.read_interface import get
from support.served import Served


def log(start: str, at: int) -> bytes:
    time = f"{start}T{at // 60:02}:{at % 60:02}:00Z"
    severity = "error" if at % 4 == 0 else "info"
    return json.dumps({"ts": time, "message": f"user {at} came", "severity": severity, "shop": f"s{at % 3}"}).encode()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("counts")) as served:
        bodies = {
            "shop": b"".join(log("2026-03-01", at) + b"\n" for at in range(120)),
            "old": b"".join(log("1931-03-01", at) + b"\n" for at in range(8)) + log("2191-03-01", 0) + b"\n",
            "many": b"".join(b'{"ts": "2025-01-01T00:00:00Z", "id": "v%d"}\n' % at for at in range(20_000)),
        }
        for source, body in bodies.items():
            answer = served.send("POST", f"/api/v1/lines?source={source}&format=json", body)
            assert answer.status == 200
        requests = b"".join(
            b'1.2.3.4 - - [01/Mar/2026:10:00:00 +0000] "GET /%d HTTP/1.1" %d 5 "-" "-"\n'
            % (at, (200, 404, 503, 700)[at % 4])
            for at in range(40)
        )
        assert served.send("POST", "/api/v1/lines?source=web&format=combined", requests).status == 200
        yield served


def test_a_histogram_counts_the_records_of_each_step_by_the_values_of_a_field(served: Served) -> None:
    found = get(served, "histogram", q="source:shop", by="severity", steps=4)
    assert (found["start"], found["step_s"]) == (
        "2026-03-01T00:00:00.000000Z",
        3600,
    )
    assert [(series["name"], sum(series["counts"])) for series in found["series"]] == [("info", 90), ("error", 30)]
    assert (found["records"], found["other"], found["by"]) == (120, None, "severity")


def test_a_histogram_covers_its_range_and_counts_the_other_values_together(served: Served) -> None:
    found = get(
        served, "histogram", q="source:shop", since="2026-03-01T00:00Z", until="2026-03-01T04:00Z", by="shop", series=1
    )
    assert found["step_s"] * len(found["series"][0]["counts"]) >= 4 * 3600
    assert found["other"]["values"] == 2
    assert sum(found["other"]["counts"]) == 80


def test_a_histogram_in_time_is_that_of_all_records(served: Served) -> None:
    asked: dict[str, Any] = {"q": "user", "since": "2026-02-01T00:00Z", "until": "2026-04-01T00:00Z"}
    whole = get(served, "histogram", **asked)
    found = get(served, "histogram", **asked, budget_s=60)
    assert {**found, "took_s": 0} == {**whole, "took_s": 0}
    patterns = get(served, "patterns", **asked)
    assert {**get(served, "patterns", **asked, budget_s=60), "took_s": 0} == {**patterns, "took_s": 0}


def test_counts_that_end_early_say_since_when_they_count(served: Served) -> None:
    asked: dict[str, Any] = {"q": "user", "since": "2026-02-28T12:00Z", "until": "2026-04-01T00:00Z", "budget_s": 1e-6}
    found = get(served, "histogram", **asked)
    assert found["counted_since"] > "2026-03-01"
    assert found["records"] < 120
    patterns = get(served, "patterns", **asked)
    assert patterns["counted_since"] > "2026-03-01"
    assert patterns["records"] < 120
    assert get(served, "patterns", **asked, new_since="2026-03-01T00:00Z")["counted_since"] is None


def test_a_histogram_without_records_says_so(served: Served) -> None:
    found = get(served, "histogram", q="nothing")
    del found["took_s"]
    assert (found.pop("records"), found.pop("later"), found.pop("series")) == (0, 0, [])
    assert set(found.values()) == {None}


@pytest.mark.parametrize(("source", "by"), [("shop", "severity"), ("web", "status_class"), ("many", None)])
def test_a_histogram_chooses_by_what_most_records_have(served: Served, source: str, by: str | None) -> None:
    found = get(served, "histogram", q=f"source:{source}", by="auto")
    assert found["by"] == by
    names = [series["name"] for series in found["series"]]
    assert set(names) == {"shop": {"info", "error"}, "web": {"2xx", "4xx", "5xx", "other"}, "many": {None}}[source]


def test_a_histogram_reaches_from_before_1970_to_after_2100(served: Served) -> None:
    found = get(served, "histogram", q="source:old", by="severity", steps=300)
    assert found["records"] == 9
    assert found["start"] < "1931-03-02"
    assert len(found["series"][0]["counts"]) <= 300
    first = get(served, "records", q="source:old", order="oldest", limit=1)["records"][0]
    last = get(served, "records", q="source:old", order="newest", limit=1)["records"][0]
    assert (first["ts"], last["ts"]) == ("1931-03-01T00:00:00.000000Z", "2191-03-01T00:00:00.000000Z")


def test_the_values_of_several_fields_are_counted_at_once(served: Served) -> None:
    fields = ["severity", "shop", "no_such", "status_code", "source"]
    found = get(served, "top", q="source:shop", field=fields, limit=2)["fields"]
    assert [one["field"] for one in found] == fields
    assert found[0]["values"] == [{"value": "info", "count": 90}, {"value": "error", "count": 30}]
    assert (found[0]["kind"], found[0]["records"], found[0]["distinct"]) == ("severity", 120, 2)
    assert (found[1]["kind"], found[1]["distinct"], len(found[1]["values"])) == ("attribute", 3, 2)
    assert found[2]["error"].startswith('cannot find the field "no_such"')
    assert found[3]["values"] == [{"value": None, "count": 120}]
    assert found[4]["values"] == [{"value": "lines:///shop", "count": 120}]
    assert not any(one["is_sample"] for one in found)


def test_many_different_values_are_counted(served: Served) -> None:
    [found] = get(served, "top", q="source:many", field="id", limit=3)["fields"]
    assert (found["records"], found["distinct"], len(found["values"])) == (20_000, 20_000, 3)


def test_a_long_value_is_cut(served: Served) -> None:
    line = json.dumps({"long": "z" * 5000}).encode()
    assert served.send("POST", "/api/v1/lines?source=long&format=json", line).status == 200
    [found] = get(served, "top", q="source:long", field="long")["fields"]
    assert found["values"] == [{"value": "z" * 1000, "count": 1, "is_cut": True}]


def test_a_wrong_field_is_named(served: Served) -> None:
    assert get(served, "top", status=400)["error"]["place"] == "field"
    assert get(served, "histogram", status=400, by="no_such")["error"]["place"] == "by"
    assert get(served, "patterns", status=400, field="status_code")["error"]["place"] == "field"


def test_patterns_are_the_shapes_of_messages(served: Served) -> None:
    found = get(served, "patterns", q="source:shop or source:web")
    [pattern] = found["patterns"]
    assert (pattern["shape"], pattern["count"]) == ("user * came", 120)
    assert (pattern["first_at"], pattern["last_at"]) == ("2026-03-01T00:00:00.000000Z", "2026-03-01T01:59:00.000000Z")
    assert pattern["example"] == "user 119 came"
    assert (found["records"], found["missing"], found["distinct"], found["new"]) == (120, 40, 1, 1)
    assert get(served, "patterns", q="source:shop", new_since="2026-03-01T01:00Z")["patterns"] == []
