"""Tallies: answers are those of the records, whatever was stored, late or deleted since the tallies were made."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from puppylog.model.query.fields import RECORDS as FIELDS
from puppylog.model.record import RECORDS
from puppylog.model.retention import Retention
from puppylog.monitor.budget import Budget
from puppylog.monitor.counting import count_histogram, count_top, find_patterns, measure_field
from puppylog.monitor.counting.newest_part import count_newest_part, is_tallied
from puppylog.monitor.counting.tallied import find_tallies
from puppylog.monitor.range import ALWAYS, Range
from puppylog.monitor.report import make_report
from puppylog.monitor.search import Search
from puppylog.stores.duckdb.engine import tallies
from puppylog.stores.duckdb.engine.connection import Connection
from puppylog.stores.duckdb.engine.ingest import append_records
from puppylog.stores.duckdb.engine.rewriting import delete_stream
from puppylog.stores.duckdb.engine.tally_thread import TallyThread
from puppylog.stores.tallies import DAY_S, HOUR_S
from support.retaining_store import NOW, SOURCES, RetainingStore, open_store
from support.tallied_store import LATER_US, Reader, make

pytestmark = pytest.mark.sampled

DAY = timedelta(days=1)
FIELDS_AND_STEPS = [
    *((field, HOUR_S) for field in ("severity", "status_code", "source", "file", "response_bytes", "ident")),
    *(("severity", 1800), ("status_code", 6 * HOUR_S), ("source", DAY_S), ("response_bytes", DAY_S)),
]
PART = Range(NOW - 2.3 * DAY, NOW - 0.7 * DAY)
"""A day that tallies have as a whole, and parts of the days around it, of which records are counted."""

RANGES = {
    "always": ALWAYS,
    "part": PART,
    "hour": Range(NOW - timedelta(hours=30, minutes=20), NOW - timedelta(hours=28)),
}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RetainingStore]:
    monkeypatch.setattr(tallies, "MIN_RECORDS", 1)
    with open_store(tmp_path) as store:
        yield store


def append(store: RetainingStore, seed: int, records: int, days: float = 2) -> None:
    """Store records of the last days, of three streams."""
    chance = random.Random(seed)
    rows = []
    for number in range(records):
        is_request = chance.random() < 0.7
        row: dict[str, Any] = {
            "ts": NOW - timedelta(seconds=chance.random() * days * DAY_S),
            "line_offset": number,
            "stream_id": chance.randrange(1, 4),
            "file_id": chance.randrange(1, 3),
        }
        if is_request:
            row |= {
                "host": chance.choice(["a", "b", None]),
                "request_route": chance.choice(["/", "/shop?x=1", "/shop?x=2", None]),
                "status_code": chance.choice([200, 404, 500, 503, None]),
                "response_bytes": chance.choice([None, 7, 100, 2**40]),
            }
        else:
            row |= {
                "severity": chance.choice(["error", "ERR", "info", None]),
                "message": chance.choice([f"order {number} was paid", "cannot connect to 'x'", None]),
            }
        rows.append(row)
    table = pa.Table.from_pylist(rows, pa.schema([*SOURCES, *RECORDS]))
    store.engine.write(lambda connection: append_records(connection, table))


def answers(
    store: RetainingStore, ranges: Mapping[str, Range], *, has_tallies: bool, is_whole: bool = True
) -> dict[str, Any]:
    """Return what is counted in each of the ranges: all that has tallies, or by each second field and no report."""
    reader = Reader(store, has_tallies=has_tallies)
    found: dict[str, Any] = {}
    for name, within in ranges.items():
        search = Search(within=within)
        for field, step_s in FIELDS_AND_STEPS if is_whole else FIELDS_AND_STEPS[::2]:
            by = FIELDS.fields[field]
            if step_s == HOUR_S:
                found[f"{name} top {field}"] = count_top(reader, by, search, dialect="duckdb", values=9)
            else:
                found[f"{name} hist {field} {step_s}"] = count_histogram(
                    reader, search, dialect="duckdb", steps=99, by=by, step_s=step_s
                )
        found[f"{name} hist"] = count_histogram(reader, search, dialect="duckdb", steps=9, step_s=HOUR_S)
        bytes_ = FIELDS.fields["response_bytes"]
        found[f"{name} stats"] = measure_field(reader, bytes_, search, dialect="duckdb")
        found[f"{name} patterns"] = find_patterns(reader, search, dialect="duckdb", patterns=9, new_since=NOW - DAY)
        if is_whole:
            report = asdict(make_report(reader, search, "duckdb"))
            report["sources"].sort(key=lambda source: source["records"])
            found[f"{name} report"] = report
    return found


def assert_answers_are_right(store: RetainingStore, *ranges: str) -> None:
    """Assert that tallies change no answer in these ranges.

    By default in the range with both tallies and records, by each second field and without the report: all fields are
    counted alike, and a report consists of such counts.
    """
    asked = {name: RANGES[name] for name in ranges or ("part",)}
    with_tallies, without = (
        answers(store, asked, has_tallies=has_tallies, is_whole=bool(ranges)) for has_tallies in (True, False)
    )
    assert with_tallies == without


def count_tallies(store: RetainingStore) -> int:
    return int(
        store.rows("SELECT count(DISTINCT starts_at) AS days FROM puppylog.tallies WHERE is_complete")[0]["days"]
    )


def test_answers_by_tallies_are_those_of_the_records(store: RetainingStore) -> None:
    append(store, 1, 3000, days=3)
    make(store)
    assert count_tallies(store) == 4
    reader = Reader(store, has_tallies=True)
    assert find_tallies(reader, Search(), "severity", dialect="duckdb", step_s=HOUR_S) is not None
    assert_answers_are_right(store, *RANGES)


def test_a_field_with_many_values_is_counted_by_days(store: RetainingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "_HOURS", (HOUR_S, 60))
    monkeypatch.setattr(tallies, "_DAY", (DAY_S, 60))
    append(store, 2, 3000)
    make(store)
    kept = store.rows("SELECT field, min(step_s) AS step_s FROM puppylog.tallies GROUP BY field")
    assert {row["step_s"] for row in kept} == {HOUR_S, DAY_S} or {row["step_s"] for row in kept} == {DAY_S}
    assert_answers_are_right(store)


def test_late_records_delete_the_tallies_of_their_days_only(store: RetainingStore) -> None:
    append(store, 3, 2000)
    make(store)
    before = count_tallies(store)
    store.add([2 * DAY_S + 5], severity="error", message="late")
    assert count_tallies(store) == before - 1
    assert_answers_are_right(store)
    make(store)
    assert count_tallies(store) == before
    assert_answers_are_right(store)


def test_records_that_were_deleted_or_dropped_are_not_counted(store: RetainingStore) -> None:
    append(store, 4, 2000)
    make(store)
    store.engine.write(lambda connection: delete_stream(connection, 2))
    assert_answers_are_right(store)
    make(store)
    store.keep(Retention(keep_s=DAY_S))
    assert count_tallies(store) < 3
    assert_answers_are_right(store)


def test_a_record_that_comes_while_its_day_is_counted_is_not_lost(
    store: RetainingStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(store, 5, 500)
    with store.engine.read() as connection:
        [start_us, *_] = tallies.list_due(connection, LATER_US)
    count, is_late = tallies._count, True

    def count_slowly(connection: Connection, tally: tallies._Tally) -> Any:
        nonlocal is_late
        if is_late:
            is_late = False
            store.add([(NOW.timestamp() * 1_000_000 - start_us) / 1_000_000 - 60])
        return count(connection, tally)

    monkeypatch.setattr(tallies, "_count", count_slowly)
    assert not tallies.make_tallies(store.engine, start_us)
    assert count_tallies(store) == 0
    with store.engine.read() as connection:
        assert start_us in tallies.list_due(connection, LATER_US)


def test_tallies_of_an_engine_that_was_killed_are_made_again(store: RetainingStore) -> None:
    append(store, 6, 500)
    with store.engine.read() as connection:
        due = tallies.list_due(connection, LATER_US)
    store.engine.write(lambda connection: tallies._begin(connection, due[0]))
    with TallyThread(store.engine, lambda: False), store.engine.read() as connection:
        assert tallies.list_due(connection, LATER_US) == due


def test_an_engine_that_ends_does_not_count_to_the_end_of_a_day(store: RetainingStore) -> None:
    append(store, 16, 500)
    with store.engine.read() as connection:
        due = tallies.list_due(connection, LATER_US)
    assert not tallies.make_tallies(store.engine, due[0], lambda: True)
    assert count_tallies(store) == 0
    with TallyThread(store.engine, lambda: False), store.engine.read() as connection:
        assert tallies.list_due(connection, LATER_US) == due


def test_a_day_that_changes_all_the_time_waits(store: RetainingStore) -> None:
    append(store, 7, 500)
    now_us = int(store.rows("SELECT epoch_us(now()) AS us")[0]["us"])
    with store.engine.read() as connection:
        assert tallies.list_due(connection, now_us + (tallies.SETTLE_S - 5) * 1_000_000) == []
        assert tallies.list_due(connection, now_us + (tallies.SETTLE_S + 5) * 1_000_000) != []


def test_a_query_that_has_chosen_a_tally_counts_on_after_the_tally_is_deleted(store: RetainingStore) -> None:
    append(store, 8, 500)
    make(store)
    reader = Reader(store, has_tallies=True)
    chosen = find_tallies(reader, Search(), "stream_id", dialect="duckdb")
    assert chosen is not None
    store.add([2 * DAY_S])
    sql = chosen.render("tallied_presence")
    assert sum(row["records"] for row in reader.query(sql).to_pylist()) == 500
    with store.engine.read() as connection:
        orphans = tallies.list_orphans(connection)
    assert orphans
    store.engine.write(lambda connection: tallies.delete_counts(connection, orphans))
    with store.engine.read() as connection:
        assert not tallies.list_orphans(connection)


def test_records_before_1970_have_days(store: RetainingStore) -> None:
    append(store, 9, 50)
    store.add([(NOW - datetime(1969, 12, 31, 23, tzinfo=UTC)).total_seconds()], severity="info")
    make(store)
    assert count_tallies(store) == 4
    severity = FIELDS.fields["severity"]
    by_tallies, by_records = (
        count_top(Reader(store, has_tallies=has_tallies), severity, Search(), dialect="duckdb", values=9)
        for has_tallies in (True, False)
    )
    assert by_tallies == by_records


def test_a_whole_is_counted_at_once_if_tallies_have_most_of_it(store: RetainingStore) -> None:
    append(store, 14, 500)
    reader = Reader(store, has_tallies=True)
    whole, counted = Search(), list[Search]()

    def count(part: Search) -> None:
        counted.append(part)

    assert not is_tallied(reader, whole, "severity", dialect="duckdb")
    make(store)
    assert is_tallied(reader, whole, "severity", dialect="duckdb", steps=40)
    assert not is_tallied(reader, whole, "severity", dialect="duckdb", steps=2000)  # steps of less than an hour
    assert not is_tallied(reader, Search("host = 'a'"), "severity", dialect="duckdb")
    assert not is_tallied(reader, whole, "severity", dialect="postgres")
    assert count_newest_part(reader, whole, Budget(0.0), count, is_tallied=True) == (None, None)
    assert counted == [whole]


def test_a_small_store_has_no_tallies(store: RetainingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "MIN_RECORDS", 1000)
    append(store, 10, 500)
    with store.engine.read() as connection:
        assert tallies.list_due(connection, LATER_US) == []


def test_a_failed_write_makes_no_day_look_noted(store: RetainingStore) -> None:
    append(store, 11, 500)
    make(store)
    late = pa.Table.from_pylist(
        [{"ts": NOW - 2 * DAY, "line_offset": 0, "stream_id": 1, "file_id": 1}], pa.schema([*SOURCES, *RECORDS])
    )

    def fail(connection: Connection) -> None:
        append_records(connection, late)
        append_records(connection, late)  # finds the day noted
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.engine.write(fail)
    store.engine.write(lambda connection: append_records(connection, late))
    assert count_tallies(store) == 2
    assert_answers_are_right(store)


def test_a_day_is_noted_again_after_its_tallies_were_made(store: RetainingStore) -> None:
    for _ in range(2):
        append(store, 12, 20, days=1)
        append(store, 13, 20, days=1)
        make(store)
        assert count_tallies(store) == 2
    store.add([DAY_S])
    assert count_tallies(store) == 1
