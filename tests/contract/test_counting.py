"""Counts are the same on every store: what plain Python counts."""

import json
import random
import re
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import pytest

from contract.differences import NO_SAMPLE, Difference
from puppylog.errors import NotFound, UsageError
from puppylog.model.query.fields import RECORDS
from puppylog.model.severity import find_severity
from puppylog.model.shape import shape_of
from puppylog.model.source import decode_uri
from puppylog.monitor.condition import dialect_of, join_conditions, read_query, translate_query
from puppylog.monitor.counting import (
    Statistics,
    count_histogram,
    count_top,
    count_tops,
    find_latest,
    find_patterns,
    get_field,
    measure_field,
)
from puppylog.monitor.range import Range
from puppylog.monitor.search import Search
from puppylog.stores.base import Store
from support.lines import NOON, Source, rows
from support.query_meaning import NOW, Origin
from support.stored_records import store_records

pytestmark = pytest.mark.sampled

Stored: TypeAlias = Sequence[tuple[dict[str, Any], Origin]]

NUMBER: Final = re.compile(r"[+-]?([0-9]{1,15}([.][0-9]{0,15})?|[.][0-9]{1,15})([eE]-[0-9]{1,2})?")
VALUES: Final[dict[str, Callable[[dict[str, Any], Origin], Any]]] = {
    "host": lambda record, _: record["host"],
    "status_code": lambda record, _: record["status_code"],
    "response_bsize": lambda record, _: record["response_bytes"],
    "severity": lambda record, _: find_severity(record["severity"] or "") or record["severity"],
    "ts": lambda record, _: record["ts"],
    "user": lambda record, _: as_text((record["attributes"] or {}).get("user")),
    "n": lambda record, _: as_text((record["attributes"] or {}).get("n")),
    "source": lambda _, origin: decode_uri(origin.source_uri),
    "stream": lambda _, origin: origin.stream_id,
    "group": lambda _, origin: origin.group,
    "file": lambda _, origin: origin.path,
}


def as_text(value: Any) -> Any:
    """Return a value as JSON writes it, a text as it is."""
    return value if value is None or isinstance(value, str) else json.dumps(value)


def in_order(counts: Counter[Any]) -> list[tuple[Any, int]]:
    """Return counts, the greatest first; of equal ones the smaller value first, and no value last."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0] is None, order_of(item[0])))


def order_of(value: Any) -> Any:
    return (value or "").encode() if value is None or isinstance(value, str) else value


@pytest.fixture(scope="module")
def stored(kept_store: Store) -> Stored:
    """Random records, which tests only count."""
    return list(store_records(kept_store, 150).values())


def test_the_most_frequent_values_are_those_that_python_counts(kept_store: Store, stored: Stored) -> None:
    dialect = dialect_of(kept_store)
    for name, value in VALUES.items():
        expected = in_order(Counter(value(*one) for one in stored))
        top = count_top(kept_store, get_field(kept_store, name, dialect), Search(), dialect=dialect, values=4)
        found = [(one.value, one.count) for one in top.values]
        assert (name, top.records, top.distinct, *found) == (name, len(stored), len(expected), *expected[:4])


def test_several_fields_are_counted_at_once_as_each_one_alone(kept_store: Store, stored: Stored) -> None:
    assert stored
    dialect, search = dialect_of(kept_store), Search("status_code >= 200")
    fields = [get_field(kept_store, name, dialect) for name in VALUES]
    expected = [count_top(kept_store, field, search, dialect=dialect, values=4) for field in fields]
    assert count_tops(kept_store, fields, search, dialect=dialect, values=4) == expected
    nothing = count_tops(kept_store, fields[:3], Search("status_code = 777"), dialect=dialect, values=4)
    assert [(top.values, top.records, top.distinct) for top in nothing] == [([], 0, 0)] * 3
    assert count_tops(kept_store, [], search, dialect=dialect, values=4) == []


def test_only_the_embedded_store_counts_a_sample_and_says_which_share_it_is(
    store: Store, differs: Callable[[Difference], bool]
) -> None:
    routes = ["/a", "/a", "/a", "/b"] * 400
    records = [{"request_route": route, "ts": NOON + timedelta(seconds=at)} for at, route in enumerate(routes)]
    Source(store).append(rows(records))
    fields = [RECORDS.fields["request_route"], RECORDS.fields["host"]]
    [top, _] = count_tops(
        store, fields, Search(), dialect=dialect_of(store), values=1, budget_s=0, sample_records=400, clock=lambda: 1.0
    )
    assert (top.records, top.share) == (1600, None)  # by this clock, the sample took no time
    ticks = iter(range(100))
    [top, _] = count_tops(
        store,
        fields,
        Search(),
        dialect=dialect_of(store),
        values=1,
        budget_s=1,
        sample_records=400,
        clock=lambda: next(ticks),
    )
    if differs(NO_SAMPLE):
        assert (top.records, top.share) == (1600, None)
    else:
        assert top.share == 0.25
        assert 380 <= top.records <= 420
        assert top.values[0].value == "/a"
        assert 0.73 < top.values[0].count / top.records < 0.77


def test_attributes_that_many_records_have_alike_are_counted_like_others(store: Store) -> None:
    attributes = ['{"n": 1}'] * 5 + ['{"n": "x"}', '{"n": 1.0}', None, "{}"] + ['{"n": "2", "other": 1}'] * 9
    Source(store).append(rows([{"attributes": text, "status_code": 200} for text in attributes]))
    dialect = dialect_of(store)
    field = get_field(store, "n", dialect)
    top = count_top(store, field, Search("status_code = 200"), dialect=dialect, values=9)
    assert [(one.value, one.count) for one in top.values] == [("2", 9), ("1", 5), (None, 2), ("1.0", 1), ("x", 1)]
    found = measure_field(store, field, Search("status_code = 200"), dialect=dialect)
    assert (found.records, found.count, found.missing, found.not_numbers) == (18, 15, 2, 1)
    assert (found.least, found.p50, found.greatest) == (1.0, 2.0, 2.0)


def test_a_source_is_counted_under_the_name_that_was_sent_and_found_by_it(store: Store) -> None:
    Source(store, "syslog://web1/x%3Cb%3E%20y").append(rows([{"ts": NOON, "message": "a"}]))
    Source(store, "syslog://web1/x").append(rows([{"ts": NOON, "message": "b"}]))
    dialect = dialect_of(store)
    field = get_field(store, "source", dialect)
    query = read_query('source:"syslog://web1/x<b> y"')
    assert query is not None
    found = translate_query(store, query, now=NOON, zone=None)
    for search, names in (
        (Search(), ["syslog://web1/x", "syslog://web1/x<b> y"]),
        (Search(join_conditions(store, found)), ["syslog://web1/x<b> y"]),
    ):
        top = count_top(store, field, search, dialect=dialect, values=9)
        assert [(value.value, value.count) for value in top.values] == [(name, 1) for name in names]


def test_only_the_records_of_a_search_are_counted(kept_store: Store, stored: Stored) -> None:
    dialect = dialect_of(kept_store)
    search = Search("status_code >= 400", Range(NOW - timedelta(minutes=61), NOW))
    top = count_top(kept_store, RECORDS.fields["host"], search, dialect=dialect, values=1000)
    expected = Counter(
        record["host"]
        for record, _ in stored
        if (record["status_code"] or 0) >= 400 and NOW - timedelta(minutes=61) <= record["ts"] < NOW
    )
    assert {one.value: one.count for one in top.values} == dict(expected)
    nothing = count_top(kept_store, RECORDS.fields["host"], Search("status_code = 777"), dialect=dialect, values=5)
    assert (nothing.values, nothing.records, nothing.distinct) == ([], 0, 0)


def test_a_histogram_has_the_counts_that_python_counts(kept_store: Store, stored: Stored) -> None:
    for by in (None, "status_code", "user", "group", "host"):
        check_histogram(kept_store, stored, by)


def check_histogram(store: Store, stored: Stored, by: str | None) -> None:
    dialect, step_s = dialect_of(store), random.choice([7, 60, 600, 3600])
    within = Range(NOW - timedelta(minutes=777), None)
    chosen = [one for one in stored if within.since is not None and one[0]["ts"] >= within.since]
    field = None if by is None else get_field(store, by, dialect)
    histogram = count_histogram(
        store, Search(within=within), dialect=dialect, steps=20, by=field, step_s=step_s, series=2
    )
    assert histogram is not None
    value = (lambda _, __: "records") if by is None else VALUES[by]

    def steps_of(name: str | None) -> Counter[int]:
        return Counter(
            (record["ts"] - histogram.start) // timedelta(seconds=step_s)
            for record, origin in chosen
            if as_text(value(record, origin)) == name
        )

    totals = in_order(Counter(value(*one) for one in chosen))
    assert [one.name for one in histogram.series] == [as_text(name) for name, _ in totals[:2]]
    assert histogram.other_values == max(0, len(totals) - 2)
    for one in histogram.series:
        assert {at: n for at, n in enumerate(one.counts) if n} == dict(steps_of(one.name))
    assert histogram.records == sum(histogram.totals) == len(chosen)
    assert int(histogram.start.timestamp()) % step_s == 0
    assert within.since is not None
    assert histogram.start <= within.since < histogram.start + timedelta(seconds=step_s)


def test_a_record_far_ahead_does_not_stretch_the_histogram_of_the_last_hour(store: Store) -> None:
    hour, dialect = timedelta(hours=1), dialect_of(store)
    ahead = [NOON + 30 * timedelta(days=365), NOON + 31 * timedelta(days=365)]
    Source(store).append(rows([{"ts": NOON - hour / 2}, {"ts": NOON + hour / 2}, *({"ts": ts} for ts in ahead)]))
    within = Range(NOON - hour, None)
    found = count_histogram(
        store, Search(within=within), dialect=dialect, steps=9, step_s=1800, latest=find_latest(within, NOON)
    )
    assert found is not None
    assert (found.totals, found.later) == ([0, 1, 0, 1], 2)
    only_ahead = Search(within=Range(NOON + hour, None))
    whole = count_histogram(store, only_ahead, dialect=dialect, steps=9, latest=NOON + 2 * hour)
    assert whole is not None
    assert (whole.records, whole.later) == (2, 0)


def test_steps_go_on_beyond_the_present_as_far_as_the_range_goes_back() -> None:
    hour = timedelta(hours=1)
    assert find_latest(Range(NOON - hour, None), NOON) == NOON + hour
    for within in (Range(None, None), Range(None, NOON), Range(NOON - hour, NOON), Range(NOON + hour, None)):
        assert find_latest(within, NOON) is None


def test_a_histogram_by_values_that_are_mostly_different_is_counted_alike(store: Store) -> None:
    hosts: list[str | None] = [*(f"h{number:02}" for number in range(40)), *["h07"] * 3, None, None, "h08", "h39"]
    Source(store).append(rows([{"host": host, "ts": NOON + timedelta(seconds=at)} for at, host in enumerate(hosts)]))
    found = count_histogram(
        store, Search(), dialect=dialect_of(store), steps=9, by=RECORDS.fields["host"], step_s=20, series=4
    )
    assert found is not None
    assert [(one.name, one.counts) for one in found.series] == [
        ("h07", [1, 0, 3]),
        ("h08", [1, 0, 1]),
        ("h39", [0, 1, 1]),
        (None, [0, 0, 2]),
    ]
    assert (found.other_values, found.other and found.other.counts) == (37, [18, 19, 0])


def test_a_histogram_has_its_empty_steps_and_goes_on_as_far_as_asked(store: Store) -> None:
    Source(store).append(rows([{"ts": NOON}, {"ts": NOON + timedelta(seconds=185)}]))
    dialect = dialect_of(store)
    histogram = count_histogram(store, Search(), dialect=dialect, steps=5)
    assert histogram is not None
    assert (histogram.step_s, histogram.start, histogram.totals) == (60, NOON, [1, 0, 0, 1])
    later = NOON + timedelta(seconds=300)
    histogram = count_histogram(store, Search(), dialect=dialect, steps=5, step_s=60, reach=later)
    assert histogram is not None
    assert histogram.totals == [1, 0, 0, 1, 0, 0]
    within = Range(NOON - timedelta(seconds=60), NOON + timedelta(seconds=60))
    histogram = count_histogram(store, Search(within=within), dialect=dialect, steps=5, step_s=60)
    assert histogram is not None
    assert histogram.totals == [0, 1]


def test_steps_before_1970_begin_below_their_records(store: Store) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    seconds = (-61, -60, -0.5, 0, 59.5, 60)
    Source(store).append(rows([{"ts": epoch + timedelta(seconds=at), "host": "a"} for at in seconds]))
    for by in (None, RECORDS.fields["host"]):
        histogram = count_histogram(store, Search(), dialect=dialect_of(store), steps=9, step_s=60, by=by)
        assert histogram is not None
        assert (histogram.start, histogram.totals) == (epoch - timedelta(seconds=120), [1, 2, 2, 1])


def test_a_histogram_of_nothing_is_none_and_one_of_too_many_steps_is_refused(store: Store) -> None:
    dialect = dialect_of(store)
    assert count_histogram(store, Search(), dialect=dialect, steps=5) is None
    Source(store).append(rows([{"ts": NOON - timedelta(days=40)}, {"ts": NOON}]))
    with pytest.raises(UsageError, match="choose a longer step"):
        count_histogram(store, Search(), dialect=dialect, steps=5, step_s=1)


def test_statistics_are_those_that_python_computes(kept_store: Store, stored: Stored) -> None:
    for name in ("n", "status_code"):
        check_statistics(kept_store, stored, name, max_numbers=100_000)  # from the groups
        check_statistics(kept_store, stored, name, max_numbers=0)  # by the kept_store


def check_statistics(store: Store, stored: Stored, name: str, *, max_numbers: int) -> None:
    dialect = dialect_of(store)
    found = measure_field(store, get_field(store, name, dialect), Search(), dialect=dialect, max_numbers=max_numbers)
    values = [as_text(VALUES[name](*one)) for one in stored]
    numbers = [float(value) for value in values if value is not None and NUMBER.fullmatch(value)]
    cuts = statistics.quantiles(numbers, n=100, method="inclusive")
    expected = Statistics(
        records=len(values),
        count=len(numbers),
        missing=values.count(None),
        not_numbers=len(values) - len(numbers) - values.count(None),
        least=min(numbers),
        p50=cuts[49],
        p90=cuts[89],
        p99=cuts[98],
        greatest=max(numbers),
        mean=statistics.fmean(numbers),
    )
    assert [*astuple(replace(found, bins=()))[:-1]] == pytest.approx([*astuple(expected)[:-1]])
    assert [one.count for one in found.bins] == [
        sum(one.start <= number < one.end for number in numbers) for one in found.bins
    ]
    assert sum(one.count for one in found.bins) == len(numbers)


def test_a_field_that_is_no_number_has_no_statistics(store: Store) -> None:
    dialect = dialect_of(store)
    Source(store).append(rows([{"attributes": '{"user": "ann"}'}, {"attributes": '{"user": "bob"}'}]))
    for name, cause in {"host": "it is text", "ts": "it is a time", "user": "none of its 2 values is a number"}.items():
        with pytest.raises(UsageError, match=cause):
            measure_field(store, get_field(store, name, dialect), Search(), dialect=dialect)
    empty = measure_field(store, RECORDS.fields["status_code"], Search(), dialect=dialect)
    assert empty == Statistics(records=2, count=0, missing=2, not_numbers=0)


def test_a_field_that_no_record_has_is_refused_with_the_nearest_names_and_an_example(store: Store) -> None:
    Source(store).append(rows([{"attributes": '{"duration_ms": 12}'}]))
    with pytest.raises(NotFound) as refusal:
        get_field(store, "durtion_ms", dialect_of(store))
    assert refusal.value.message == (
        'cannot find the field "durtion_ms": the nearest is duration_ms; the store has, for example, duration_ms:12'
    )


MESSAGES: Final = (
    *("user 17 logged in", "user 4 logged in", "user bob logged in", "", "10.0.0.1:80 10:05:03.123 v1.2.3 [9]", "é 5"),
    *(
        "7b0f9a52-3c1d-4e5f-8a9b-0c1d2e3f4a5b.5",
        "7b0f9a52-3c1d-4e5f-8a9b-0c1d2e3f4a5b0",
        "0xff 0xfg 0x12345678 0xab1cdeg",
    ),
    *(
        "2001:db8::7 fe80::1ff:fe23:4567:890a ::1 std::deque 1:2:3:4:5:6:7:8 1:2:3:4:5:6:7::",
        "abcdef12abcdef.5 deadbeef",
    ),
    *("abc12defgh.5", "zab1c2d.7.8x", "12345678.5 12345678ab", "sha256sum e2e web1 77ms a1b2c3d facade decade"),
    *('say "hi" and "ho', "'a b' it's ('c') ='d'", "can't open 'x', won't", "x\n5 lines\n  more", "x\nfive", "a\\1*b"),
    *("1" * 600, "a" * 499 + "12", '{["\'"]}', "'1''2'", "fc00::abcdef feed::1", "12:30:45:error", "1.2.3.", "1e-5"),
)
PIECES: Final = (*"0159abcdefgxzF:.-_'\" x[(=", "::", "0x", "fe80", "12345678", "abcdef", "é", "\n")


def test_messages_are_grouped_by_the_shape_that_python_gives_them(store: Store) -> None:
    messages: list[str | None] = [*MESSAGES, None, None]
    messages += ["".join(random.choices(PIECES, k=random.randrange(1, 24))) for _ in range(400)]
    source = Source(store)
    source.append(
        rows([{"message": message, "ts": NOON + timedelta(seconds=at)} for at, message in enumerate(messages)])
    )
    found = find_patterns(store, Search(), dialect=dialect_of(store), patterns=100_000)
    expected: dict[str, list[int]] = {}
    for at, message in enumerate(messages):
        if message is not None:
            expected.setdefault(shape_of(message), []).append(at)
    assert (found.records, found.missing) == (len(messages) - 2, 2)
    assert found.distinct == found.new == len(expected) == len(found.patterns)
    for one in found.patterns:
        places = expected[one.shape]
        first, last = places[0], places[-1]
        assert (one.count, one.example) == (len(places), messages[last])
        assert (one.first_at, one.last_at) == (NOON + timedelta(seconds=first), NOON + timedelta(seconds=last))
    assert [one.count for one in found.patterns] == sorted((one.count for one in found.patterns), reverse=True)


def test_patterns_that_are_new_since_a_time_have_no_record_before_it(store: Store) -> None:
    texts = ["old 1", "old 2", "new 3", "old 4", "new 5", "newer 6"] + ["old 7"] * 20
    Source(store).append(rows([{"message": text, "ts": NOON + timedelta(seconds=at)} for at, text in enumerate(texts)]))
    dialect = dialect_of(store)
    found = find_patterns(
        store, Search(), dialect=dialect, patterns=1, new_since=(NOON + timedelta(seconds=2)).astimezone(UTC)
    )
    assert [(one.shape, one.count, one.example) for one in found.patterns] == [("new *", 2, "new 5")]
    assert (found.records, found.distinct, found.new) == (26, 3, 2)
    none = find_patterns(store, Search(), dialect=dialect, patterns=5, new_since=datetime(2030, 1, 1, tzinfo=UTC))
    assert (none.patterns, none.records, none.distinct, none.new) == ([], 26, 3, 0)
