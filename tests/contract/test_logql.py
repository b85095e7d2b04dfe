"""Queries in LogQL give the same on every store: what plain Python gives."""

import itertools
import json
import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

import pytest

from puppylog.model.logql import parse_logql
from puppylog.model.logql.evaluation import Series
from puppylog.model.logql.tree import LogQuery, RangeAggregation, VectorAggregation
from puppylog.model.logql.windows import Steps
from puppylog.monitor.logql import browsing, sql
from puppylog.monitor.logql.asking import Asking, Within
from puppylog.monitor.logql.entries import find_entries
from puppylog.monitor.logql.patterns import find_entry_patterns
from puppylog.monitor.logql.ranges import evaluate
from puppylog.stores.base import Store
from support.lines import NOON, Source, rows
from support.logql_meaning import Stored, aggregate, choose
from support.server import StoreServer

pytestmark = pytest.mark.sampled

NOON_US: Final = int(NOON.timestamp()) * 1_000_000
WITHIN: Final = Within((NOON_US - 3_600_000_000) * 1000, (NOON_US + 3_600_000_000) * 1000)
STREAMS: Final = (
    ("file://web1/var/log/shop.log", "prod", {"filename": "/var/log/shop.log", "group": "prod", "hostname": "web1"}),
    ("loki:///cart", None, {"filename": "loki:///cart"}),
)

SELECTORS: Final = (
    "{}",
    '{service_name="shop"}',
    '{service_name!="shop", hostname=""}',
    '{filename=~"/var/.*|loki:.*"}',
    '{group!~"prod"}',
    '{level="error"}',
    '{status_code=~"5.."}',
    '{user=""}',
    '{user!="ann"}',
    '{host=~"(10.*)?"}',
    '{nothing=~".+"}',
)
STAGES: Final = (
    '|= "a"',
    '!= "a"',
    '|~ "[ab]{2}"',
    '!~ "^b"',
    '|= "GET /a" or "+0000"',
    '!= "b" or "c"',
    "| status_code >= 400",
    "| latency > 20ms",
    "| latency <= 1m1s",
    "| weight > 2KB",
    '| n < 5 or user="ann"',
    '| n != 3 and (level="error" or level="", host!="x")',
    '| user!~"a.*"',
    '| level=~"warn|error"',
    '| detected_level!="info"',
    '| http_code="200"',
    "| json",
    '| json code="http.code" | code="404"',
    '| __error__=""',
    "| drop user, level",
    "| keep service_name, user, n",
    '| label_format who=user | who="bob"',
    '| label_format what="{{.user}}-{{.n}}" | what=~".*-[0-4]"',
    '| line_format "{{.user}} says" |= "ann s"',
    '| filename="loki:///cart" or n=1',
)


@pytest.fixture(scope="module")
def server(kept_server: StoreServer) -> StoreServer:
    return kept_server


@pytest.fixture(scope="module")
def store(server: StoreServer) -> Store:
    return server.connect()


@pytest.fixture(scope="module")
def stored(store: Store) -> Sequence[Stored]:
    """Records with and without each column, at instants on the edges of ranges and beside them."""
    chooser = random.Random(7)
    found: list[Stored] = []
    for (uri, group, labels), count in zip(STREAMS, (70, 50), strict=True):
        records = [make_record(chooser, at) for at in range(count)]
        Source(store, uri, group=group).append(rows(records))
        service = {"service_name": uri.rpartition("/")[2].removesuffix(".log")}
        found += [Stored(record, {**labels, **service}) for record in records]
    return found


def make_record(chooser: random.Random, at: int) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "user": chooser.choice(["ann", "bob", "", "a b"]),
        "n": chooser.choice([0, 1, 3.5, 7, "x", "4"]),
        "latency": chooser.choice(["5ms", "21ms", "1.5s", "1m1s", "1m2.5s", "soon", "12"]),
        "weight": chooser.choice(["1KB", "2.5KB", "3KiB", "17", "big"]),
        "http": {"code": chooser.choice([200, 404])},
    }
    kept = {name: value for name, value in attributes.items() if chooser.random() < 0.7}
    record: dict[str, Any] = {
        "ts": NOON
        + timedelta(seconds=chooser.choice([at, at // 2, 30, 60]), microseconds=chooser.choice([0, 0, 1, 999_999])),
        "severity": chooser.choice([None, "info", "ERROR", "err", "warning", "odd"]),
        "host": chooser.choice([None, "10.0.0.1", "x"]),
        "status_code": chooser.choice([None, 200, 404, 503]),
        "response_bytes": chooser.choice([None, 12, 4096]),
        "attributes": json.dumps(kept) if kept else None,
    }
    if chooser.random() < 0.6:
        return {**record, "message": chooser.choice(["a", "b a", "ab ba", "c", "é ab"])}
    return {**record, "request_method": "GET", "request_route": chooser.choice(["/a", "/b"])}


def describe(query: LogQuery, stored: Sequence[Stored]) -> list[tuple[int, str]]:
    return sorted((entry.ts_us * 1000, entry.line) for entry in choose(query, stored))


def evaluate_text(store: Store, text: str, steps: Steps) -> Series:
    metric = parse_logql(text)
    assert not isinstance(metric, LogQuery)
    found = evaluate(Asking(store, text), metric, steps)
    assert isinstance(found, dict)
    return found


def make_queries() -> list[str]:
    chooser = random.Random(3)
    plain = [f"{selector} {stage}" for selector, stage in zip(itertools.cycle(SELECTORS), STAGES, strict=False)]
    chained = [f"{chooser.choice(SELECTORS)} {chooser.choice(STAGES[:16])} {chooser.choice(STAGES)}" for _ in range(10)]
    return [*SELECTORS, *plain, *chained]


def test_a_query_chooses_the_entries_that_pass_all_its_stages(store: Store, stored: Sequence[Stored]) -> None:
    for text in make_queries():
        query = parse_logql(text)
        assert isinstance(query, LogQuery)
        entries = find_entries(Asking(store, text), query, WITHIN, direction="backward", limit=1000)
        assert (text, sorted((entry.ts_ns, entry.line) for entry in entries)) == (text, describe(query, stored))


def test_entries_have_the_labels_behind_the_last_stage(store: Store, stored: Sequence[Stored]) -> None:
    for text in ("{}", *(f"{{}} {stage}" for stage in STAGES if "keep" in stage or "label_format" in stage)):
        query = parse_logql(text)
        assert isinstance(query, LogQuery)
        entries = find_entries(Asking(store, text), query, WITHIN, direction="forward", limit=1000)
        hidden = {"level", "code"} - ({"level"} if "keep" in text else set())
        found = [{**entry.metadata, **entry.parsed, **entry.stream} for entry in entries]
        expected = [dict(entry.labels) for entry in choose(query, stored)]
        for labels in expected:
            for name in [name for name, value in labels.items() if name in hidden or not value]:
                del labels[name]
        assert sorted(map(str, map(sorted, map(dict.items, found)))) == sorted(
            map(str, map(sorted, map(dict.items, expected)))
        )


def test_the_newest_and_the_oldest_entries_are_chosen_in_their_order(store: Store, stored: Sequence[Stored]) -> None:
    query = parse_logql("{}")
    assert isinstance(query, LogQuery)
    times = sorted(one.ts_us * 1000 for one in stored)
    newest = find_entries(Asking(store), query, WITHIN, direction="backward", limit=7)
    oldest = find_entries(Asking(store), query, WITHIN, direction="forward", limit=7)
    assert [entry.ts_ns for entry in newest] == times[::-1][:7]
    assert [entry.ts_ns for entry in oldest] == times[:7]
    assert find_entries(Asking(store), query, Within(0, 1000), direction="backward", limit=7) == []


def test_a_range_has_its_start_and_not_its_end(store: Store, stored: Sequence[Stored]) -> None:
    query = parse_logql("{}")
    assert isinstance(query, LogQuery)
    for start, end in ((NOON_US * 1000, NOON_US * 1000 + 30_000_000_000), (NOON_US * 1000 + 1, NOON_US * 1000 + 1001)):
        found = find_entries(Asking(store), query, Within(start, end), direction="forward", limit=1000)
        expected = sorted(one.ts_us * 1000 for one in stored if start <= one.ts_us * 1000 < end)
        assert [entry.ts_ns for entry in found] == expected


AGGREGATIONS: Final = (
    "count_over_time({} [RANGE])",
    'rate({service_name="shop"} |= "a" [RANGE])',
    "bytes_over_time({} [RANGE])",
    'bytes_rate({level="error"} [RANGE] offset 7s)',
    "sum_over_time({} | unwrap n [RANGE])",
    "sum_over_time({} | unwrap response_bytes [RANGE] offset -3s)",
    "rate({} | json | unwrap duration(latency) [RANGE])",
)
GROUPED: Final = (
    "avg_over_time({} | unwrap duration_seconds(latency) [RANGE]) by (user)",
    'min_over_time({} | unwrap n | user != "" [RANGE]) by (level, group)',
    "max_over_time({} | unwrap bytes(weight) [RANGE]) by (service_name)",
    "quantile_over_time(0.3, {} | unwrap n [RANGE]) by (service_name)",
    "quantile_over_time(0.99, {} | unwrap duration(latency) [RANGE]) by (hostname)",
)
GROUPINGS: Final[Sequence[tuple[str, ...]]] = ((), ("level",), ("user", "service_name"), ("nothing", "http_code"))
LENGTHS: Final = ((15, 30), (7, 20), (30, 10), (10, 10), (1, 61))
"""Steps and ranges, in seconds: multiples of each other or not, longer and shorter."""


def test_a_metric_is_evaluated_over_the_range_that_ends_at_each_step(store: Store, stored: Sequence[Stored]) -> None:
    cases = itertools.cycle([(grouping, lengths) for grouping in GROUPINGS for lengths in LENGTHS])
    for text in (*AGGREGATIONS * 4, *GROUPED * 2):
        by, (step_s, range_s) = next(cases)
        written = text.replace("RANGE", f"{range_s}s")
        written = written if text in GROUPED else f"sum by ({', '.join(by)}) ({written})"
        metric = parse_logql(written)
        assert isinstance(metric, VectorAggregation | RangeAggregation)
        part = metric.part if isinstance(metric, VectorAggregation) else metric
        assert isinstance(part, RangeAggregation)
        steps = Steps(NOON_US - 20_000_000, step_s * 1_000_000, 120 // step_s)
        found = evaluate_text(store, written, steps)
        expected = aggregate(part, stored, steps.instants_us, by)
        assert (written, step_s, found.keys()) == (written, step_s, expected.keys())
        for labels, points in expected.items():
            assert found[labels] == [None if point is None else pytest.approx(point) for point in points], written


def test_a_quantile_of_ranges_that_follow_one_another_is_the_same(store: Store, stored: Sequence[Stored]) -> None:
    for by in ("", " by (level)", " by (service_name)", " by (group)", " by (user, service_name)"):
        written = f'quantile_over_time(0.7, {{filename!=""}} | unwrap n [20s]){by}'
        metric = parse_logql(written)
        assert isinstance(metric, RangeAggregation)
        usual = ("filename", "group", "hostname", "service_name")
        names = metric.grouping.names if metric.grouping is not None else usual
        for steps in (Steps(NOON_US, 20_000_000, 5), Steps(NOON_US + 20_000_000, 1_000_000, 1)):
            found = evaluate_text(store, written, steps)
            expected = aggregate(metric, stored, steps.instants_us, names)
            assert (written, found.keys()) == (written, expected.keys())
            for labels, points in expected.items():
                wanted = [None if point is None else pytest.approx(point) for point in points]
                assert found[labels] == wanted, written


def test_many_streams_are_chosen_like_few(
    store: Store, stored: Sequence[Stored], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "_FEW", 0)
    text = '{service_name="shop"} | filename="/var/log/shop.log" or hostname="x"'
    query = parse_logql(text)
    assert isinstance(query, LogQuery)
    entries = find_entries(Asking(store, text), query, WITHIN, direction="backward", limit=1000)
    assert sorted((entry.ts_ns, entry.line) for entry in entries) == describe(query, stored)
    at = Steps(NOON_US + 200_000_000, 1_000_000, 1)
    assert evaluate_text(store, 'sum(count_over_time({service_name="shop"}[10m]))', at) == {(): [float(len(entries))]}
    assert find_entry_patterns(Asking(store, text), query, WITHIN)


def test_without_a_grouping_series_have_the_labels_of_streams_and_behind_a_parser_all(
    store: Store, stored: Sequence[Stored]
) -> None:
    at = Steps(NOON_US + 200_000_000, 1_000_000, 1)
    found = evaluate_text(store, "count_over_time({}[10m])", at)
    assert {tuple(labels for labels, _ in key) for key in found} == {
        ("filename", "group", "hostname", "service_name"),
        ("filename", "service_name"),
    }
    everything = evaluate_text(store, "sum without (n) (count_over_time({} | json [10m]))", at)
    assert sum(points[0] or 0 for points in everything.values()) == len(stored)
    assert any("latency" in dict(labels) and "http_code" in dict(labels) for labels in everything)


def test_labels_values_streams_and_amounts_are_told(store: Store, stored: Sequence[Stored]) -> None:
    every, shop = LogQuery(()), parse_logql('{service_name="shop"}')
    errors = parse_logql('{level="error"} | json')
    assert isinstance(shop, LogQuery)
    assert isinstance(errors, LogQuery)
    asking = Asking(store)
    assert browsing.list_labels(asking, every, WITHIN) == sorted(
        ["filename", "group", "hostname", "http_code", "latency", "level", "n", "service_name", "user", "weight"]
    )
    assert browsing.list_values(asking, every, WITHIN, "service_name") == ["cart", "shop"]
    assert browsing.list_values(asking, shop, WITHIN, "filename") == ["/var/log/shop.log"]
    assert browsing.list_values(asking, every, WITHIN, "level") == ["error", "info", "unknown", "warn"]
    assert browsing.list_values(asking, every, WITHIN, "user") == ["a b", "ann", "bob"]
    assert browsing.list_values(asking, every, WITHIN, "nothing") == []
    assert len(browsing.find_streams(asking, [shop], WITHIN)) == 1
    assert len(browsing.find_streams(asking, [shop, errors], WITHIN)) == 2
    amount = browsing.measure(asking, errors, WITHIN)
    expected = choose(errors, stored)
    assert (amount.streams, amount.entries) == (2, len(expected))
    assert amount.size_bytes == pytest.approx(sum(len(entry.line.encode()) for entry in expected), abs=1)
    fields = {field.name: field for field in browsing.detect_fields(asking, every, WITHIN, entries=1000, most=100)}
    assert (fields["status_code"].type, fields["status_code"].cardinality) == ("int", 3)
    assert (fields["host"].type, fields["http_code"].type) == ("string", "int")
    assert browsing.count_labels(asking, every, WITHIN)["service_name"] == 2
    patterns = dict(find_entry_patterns(asking, shop, WITHIN))
    assert patterns["ab ba"] == sum(entry.line == "ab ba" for entry in choose(shop, stored))
