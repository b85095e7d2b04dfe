"""``/metrics`` and ``/api/v1/status``: what they tell, to whom, and that they wait for nothing."""

import asyncio
import gc
import json
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from puppylog.errors import StoreUnavailable
from puppylog.model.alert import Comparison, define_alert
from puppylog.model.metric import Metric
from puppylog.model.token import NewToken, Scope, hash_token, make_token
from puppylog.monitor.closed_buckets import ClosedBucket
from puppylog.monitor.collectors import FollowedStream, StreamState
from puppylog.monitor.watching import AlertCount
from puppylog.serve import exposition, watch
from puppylog.serve.exposition import choose_alerts, choose_streams, limit_values
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.served import Served

PAGE = Path(__file__).parents[2] / "docs" / "server.md"
STREAM = FollowedStream(1, "file:///a", None, StreamState.OK, None, 0.0, 0, 0.0, 0.0, None, 0, 0, 0, "")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with pytest.MonkeyPatch.context() as patch, Served(tmp_path_factory.mktemp("watching")) as served:
        patch.setattr(watch, "_FRESH_S", 0.0)
        yield served


def scrape(served: Served, accept: str = "") -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Return the samples of each name by their labels."""
    answer = served.send("GET", "/metrics", headers={"Accept": accept})
    assert answer.status == 200
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


def status(served: Served) -> dict[str, Any]:
    answer = served.send("GET", "/api/v1/status")
    assert answer.status == 200
    return dict(json.loads(answer.body))


def post_lines(served: Served, source: str, body: bytes) -> None:
    assert served.send("POST", f"/api/v1/lines?source={source}&format=json", body).status == 200


def test_received_lines_their_commits_and_answers_are_counted(served: Served) -> None:
    lines, ok = (("receiver", "lines"),), (("receiver", "lines"), ("status", "200"))
    post_lines(served, "counted", b'{"message": "one"}\nno object\n')
    before = scrape(served)
    post_lines(served, "counted", b'{"message": "two"}\nno object\n')
    post_lines(served, "counted", b'{"message": "two"}\nno object\n')
    found = scrape(served)

    def grown(name: str, labels: tuple[tuple[str, str], ...]) -> float:
        return found[name][labels] - before.get(name, {}).get(labels, 0.0)

    assert grown("puppylog_records_total", lines) == 1
    assert grown("puppylog_rejected_lines_total", lines) == 1
    assert grown("puppylog_requests_total", lines) == 1
    assert grown("puppylog_repeated_requests_total", lines) == 1
    assert grown("puppylog_http_responses_total", ok) == 2
    assert grown("puppylog_commit_seconds_count", (("origin", "receivers"),)) == 1
    assert found["puppylog_store_up"][()] == 1
    assert found["puppylog_queue_rows"][()] == 0
    assert found["puppylog_store_file_bytes"][()] > 0
    assert "process_cpu_seconds_total" in found


def test_a_request_that_no_route_answers_is_counted_without_its_path(served: Served) -> None:
    served.send("GET", "/no/such/page")
    assert scrape(served)["puppylog_http_responses_total"][("receiver", "none"), ("status", "404")] >= 1


def test_the_stream_of_received_lines_and_its_lag_are_told(served: Served) -> None:
    post_lines(served, "lag", b'{"message": "one"}\n')
    source = ("source", "lines:///lag")
    wait_until(
        lambda: (("group", ""), source) in scrape(served).get("puppylog_stream_lag_seconds", {}), what="the report"
    )
    assert scrape(served)["puppylog_stream_records_total"][("group", ""), source] == 1
    [told] = [stream for stream in status(served)["streams"]["list"] if stream["source"] == "lines:///lag"]
    assert (told["state"], told["records"], told["problem"]) == ("ok", 1, None)


def test_metrics_and_alerts_of_the_store_are_told(served: Served) -> None:
    with served.own.connect() as store:
        metric = Metric("lines_in", "count", "*", 1, refresh_s=1)
        store.create_metric(metric)
        always = define_alert("always", metric, comparison=Comparison.AT_LEAST, threshold=0, window_s=1, delay_s=0)
        store.create_alert(always)
    key = (("alert", "always"), ("severity", "warning"), ("state", "firing"))
    wait_until(lambda: key in scrape(served).get("puppylog_alert_segments", {}), what="the alert")
    wait_until(lambda: "puppylog_metric_value" in scrape(served), what="a closed bucket")
    found = scrape(served)
    assert (("metric", "lines_in"), ("segment", "")) in found["puppylog_metric_value"]
    started = found["puppylog_metric_bucket_start_seconds"][("metric", "lines_in"),]
    assert abs(datetime.now(UTC).timestamp() - started) < 120
    [firing] = status(served)["alerts"]["firing"]
    assert (firing["name"], firing["severity"], firing["segments"]) == ("always", "warning", 1)


def test_the_status_names_versions_sizes_and_what_waits(served: Served) -> None:
    told = status(served)
    assert set(told) == {
        *("version", "uptime_s", "store", "received", "streams", "alerts", "outbox", "evaluator_age_s", "problems")
    }
    assert told["store"]["is_up"] is True
    assert told["store"]["kind"] == "duckdb"
    assert told["store"]["disk_free_bytes"] > 0
    assert told["outbox"] == {"waiting": 0, "dead": 0}
    assert told["received"]["waiting_rows"] == 0


def test_prometheus_may_ask_for_open_metrics(served: Served) -> None:
    answer = served.send("GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


def test_a_scrape_does_not_wait_for_the_queries_of_others(served: Served) -> None:
    release = threading.Event()

    def occupy(_store: Store) -> None:
        release.wait(30)

    async def call_all() -> None:
        stores = served.server.context.stores
        await asyncio.gather(*(stores.call(occupy) for _ in range(4)), *(stores.write(occupy) for _ in range(2)))

    assert served.server._loop is not None
    running = asyncio.run_coroutine_threadsafe(call_all(), served.server._loop)
    try:
        assert scrape(served)["puppylog_store_up"][()] == 1
    finally:
        release.set()
    running.result(30)


def test_a_store_that_does_not_answer_is_told_at_once(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise StoreUnavailable("reach", "the store", "it is away")

    monkeypatch.setattr(watch, "read_snapshot", fail)
    found = scrape(served)
    assert found["puppylog_store_up"][()] == 0
    assert "puppylog_queue_rows" in found
    assert "puppylog_streams" not in found
    told = status(served)
    assert told["store"]["is_up"] is False
    assert told["store"]["problem"] == "cannot reach the store: it is away"


def test_a_store_that_is_slow_does_not_hold_a_scrape(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    release, has_failed = threading.Event(), threading.Event()

    def fail_late(*_: object) -> None:
        release.wait(30)
        has_failed.set()
        raise StoreUnavailable("reach", "the store", "it is away")

    monkeypatch.setattr(watch, "read_snapshot", fail_late)
    monkeypatch.setattr(served.server.context.watch, "_answer_s", 0.05)
    try:
        assert scrape(served)["puppylog_store_up"][()] == 0
    finally:
        release.set()
    assert has_failed.wait(30)
    monkeypatch.undo()
    wait_until(lambda: scrape(served)["puppylog_store_up"][()] == 1, what="the store")
    gc.collect()
    assert served.reported == []


def test_a_token_to_read_is_needed_once_there_are_tokens(tmp_path: Path) -> None:
    with Served(tmp_path) as served:
        tokens = {scope: make_token() for scope in (Scope.READ, Scope.INGEST)}
        with served.own.connect() as store:
            for scope, token in tokens.items():
                store.create_token(NewToken(scope.value, scope, hash_token(token), None))
        for path in ("/metrics", "/api/v1/status"):
            wait_until(lambda path=path: served.send("GET", path).status == 401, what="the tokens")  # type: ignore[misc] # mypy#12557
            ingest, read = (
                served.send("GET", path, headers={"Authorization": f"Bearer {tokens[scope]}"}).status
                for scope in (Scope.INGEST, Scope.READ)
            )
            assert (ingest, read) == (403, 200)


def test_of_too_many_streams_those_have_series_that_stalled_or_are_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition, "MAX_STREAMS", 3)
    streams = [replace(STREAM, source_uri=f"file:///{number}", lag_s=float(number % 4)) for number in range(8)]
    streams[5] = replace(streams[5], state=StreamState.STALLED)
    assert [stream.source_uri[-1] for stream in choose_streams(streams)] == ["3", "5", "7"]
    assert choose_streams(streams[:3]) == streams[:3]


def test_of_too_many_alerts_those_have_series_that_fire_or_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition, "MAX_ALERTS", 3)
    alerts = [AlertCount(f"a{number}", "warning", "ok", 1, None, has_failed=False) for number in range(6)]
    alerts[4] = replace(alerts[4], state="firing")
    alerts[5] = replace(alerts[5], has_failed=True)
    assert [alert.name for alert in choose_alerts(alerts)] == ["a0", "a4", "a5"]
    assert choose_alerts(alerts[:3]) == alerts[:3]


def test_of_too_many_values_each_metric_keeps_its_largest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exposition, "MAX_VALUES", 5)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    many = ClosedBucket(Metric("many", "count", "*", 60), at, tuple((f"s{n}", 9.0 - n) for n in range(9)), 3)
    few = ClosedBucket(Metric("few", "count", "*", 60), at, (("", 1.0),), 0)
    assert limit_values([many, few]) == [("many", "s0", 9.0), ("many", "s1", 8.0), ("few", "", 1.0)]
    assert limit_values([few]) == [("few", "", 1.0)]


def test_the_page_on_the_server_has_every_series(served: Served) -> None:
    answer = served.send("GET", "/metrics")
    names = set(re.findall(r"^# TYPE (puppylog_\w+) ", answer.text, re.MULTILINE))
    assert len(names) > 25
    page = PAGE.read_text(encoding="utf-8")
    assert {name for name in names if f"`{name}`" not in page and f"`{name}{{" not in page} == set()
