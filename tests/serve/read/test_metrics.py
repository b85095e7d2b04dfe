"""``/api/v1/metrics`` and ``/api/v1/streams``: what the store counts, and where its lines are from."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from puppylog.model.metric import Metric
from support.embedded import wait_until
from support.read_interface import get
from support.served import Served

RANGE: dict[str, Any] = {"since": "2026-03-01T10:00:00Z", "until": "2026-03-01T11:00:00Z"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("metrics")) as served:
        lines = [
            {"ts": f"2026-03-01T10:{at % 40:02}:00Z", "message": f"web-{at % 5}", "status_code": 200}
            for at in range(80)
        ]
        body = b"".join(json.dumps(line).encode() + b"\n" for line in lines) + b"no record\n"
        assert served.send("POST", "/api/v1/lines?source=shop&format=json&group=web", body).status == 200
        with served.own.connect() as store:
            store.create_metric(Metric("all_lines", "count", "*", 60))
            store.create_metric(Metric("by_shop", "count", "*", 60, segment="message", filter="status_code = 200"))
            store.create_metric(Metric("slowest", "max", "response_bytes", 60, group="web"))
        yield served


def test_metrics_have_their_definition_and_how_far_they_are(served: Served) -> None:
    found = {metric["name"]: metric for metric in get(served, "metrics")["metrics"]}
    assert list(found) == ["all_lines", "by_shop", "slowest"]
    by_shop = found["by_shop"]
    assert (by_shop["statistic"], by_shop["property"], by_shop["period_s"]) == ("count", "*", 60)
    assert (by_shop["segment"], by_shop["filter"], by_shop["formula"]) == (
        "message",
        "status_code = 200",
        None,
    )
    assert (by_shop["query"], by_shop["of_query"], by_shop["segment_field"]) == ("status_code=200", None, "message")
    assert (by_shop["state"], by_shop["error"]) == ("ok", None)
    assert [metric["name"] for metric in get(served, "metrics", group="web")["metrics"]] == ["slowest"]


def test_the_observations_of_a_metric_cover_the_range_in_round_steps(served: Served) -> None:
    found = get(served, "metrics/all_lines", steps=12, **RANGE)
    assert (found["start"], found["step_s"]) == ("2026-03-01T10:00:00.000000Z", 600)
    [series] = found["series"]
    assert series == {"segment": None, "values": [20, 20, 20, 20, 0, 0]}
    assert found["metric"]["name"] == "all_lines"
    day_before = get(served, "metrics/all_lines", steps=12, since="2026-02-28T10:00:00Z", until="2026-02-28T11:00:00Z")
    assert day_before["series"] == [{"segment": None, "values": [0] * 6}]
    assert day_before["step_s"] == found["step_s"]


def test_the_largest_segments_have_series_and_the_others_are_counted(served: Served) -> None:
    found = get(served, "metrics/by_shop", steps=2, series=2, **RANGE)
    assert [series["segment"] for series in found["series"]] == ["web-0", "web-1"]
    assert sum(found["series"][0]["values"]) == 16
    assert found["left_out_segments"] == 3
    one = get(served, "metrics/by_shop", segment="web-4", **RANGE)
    assert [series["segment"] for series in one["series"]] == ["web-4"]
    assert one["left_out_segments"] == 0


def test_a_metric_without_observations_has_no_value(served: Served) -> None:
    empty = get(served, "metrics/by_shop", segment="none")
    assert (empty["start"], empty["series"]) == (None, [])
    found = get(served, "metrics/slowest", steps=3, **RANGE)
    assert found["series"] == [{"segment": None, "values": [None, None]}]


@pytest.mark.parametrize(
    ("path", "parameters", "status", "place"),
    [
        ("metrics/none", {}, 404, None),
        ("metrics/all_lines", {"steps": 0}, 400, "steps"),
        ("metrics/all_lines", {"series": 10**30}, 400, "series"),
        ("metrics/all_lines", {"since": "x"}, 400, "since"),
        ("metrics/all_lines", {"name": "by_shop"}, 400, "name"),
        ("metrics/all_lines'; drop table x", {}, 404, None),
        ("metrics", {"q": "x"}, 400, "q"),
        ("streams", {"limit": 1}, 400, "limit"),
    ],
)
def test_a_wrong_request_is_refused(
    served: Served, path: str, parameters: dict[str, Any], status: int, place: str | None
) -> None:
    assert get(served, path.replace(" ", "%20"), status=status, **parameters)["error"]["place"] == place


def test_all_streams_are_listed_with_what_is_stored_of_them(served: Served) -> None:
    def find() -> dict[str, Any]:
        [stream] = [one for one in get(served, "streams")["streams"] if one["source"] == "lines:///shop"]
        return dict(stream)

    wait_until(lambda: find()["state"] == "ok", what="the report of the stream")
    stream = find()  # another test stores a stream, too
    assert (stream["source"], stream["source_uri"]) == ("lines:///shop", "lines:///shop")
    assert (stream["host"], stream["group"], stream["format"]) == (None, "web", "json")
    assert (stream["rejected_lines"], stream["files"], stream["problem"]) == (1, 1, None)
    assert stream["stored_bytes"] > 80 * 50
    assert stream["stored_at"].endswith("Z")
    assert get(served, "streams", group="other")["streams"] == []


def test_a_stream_without_a_report_is_listed_too(served: Served) -> None:
    with served.own.connect() as store:
        store.open_streams(["file://web2/var/log/quiet.log"])
        streams = {stream["source"]: stream for stream in get(served, "streams")["streams"]}
    quiet = streams["web2:/var/log/quiet.log"]
    assert (quiet["state"], quiet["stored_bytes"], quiet["lag_bytes"]) == ("unreported", 0, None)
    assert (quiet["host"], quiet["stored_at"]) == ("web2", None)
