"""Searches that tallies narrow: they find the same records as without tallies."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from puppylog.model.query.fields import RECORDS as FIELDS
from puppylog.model.query.fields import resolve
from puppylog.model.query.tree import Name
from puppylog.model.record import RECORDS
from puppylog.model.retention import Retention
from puppylog.monitor.condition import join_conditions, read_query, translate_query
from puppylog.monitor.condition_sql import ConditionSql, Part
from puppylog.monitor.counting import count_histogram, count_top, count_tops
from puppylog.monitor.counting.sample import plan_sample
from puppylog.monitor.pages import Order, find_page
from puppylog.monitor.range import ALWAYS, Range
from puppylog.monitor.search import Search, count_records, find_records, narrow_search
from puppylog.stores.duckdb.engine import tallies
from puppylog.stores.duckdb.engine.ingest import append_records
from puppylog.stores.duckdb.engine.rewriting import delete_stream
from puppylog.stores.duckdb.engine.schema import list_migrations
from puppylog.stores.tallies import DAY_S, HOUR_S
from support.examples import examples
from support.retaining_store import NOW, SOURCES, RetainingStore, open_store
from support.tallied_store import Reader, make

DAY = timedelta(days=1)
DAYS = 4
RANGES = [ALWAYS, Range(NOW - 3.3 * DAY, NOW - 0.7 * DAY), Range(NOW - 2 * DAY, None)]
TEXTS = [
    *("zebra", "Zebra crossing", "xZEBRAx", "a disk is full", "disk_full", "100% of 7", "c:\\dir\\new", "{'a' \"b\"}"),
    *("\u00fcber zebra", "di\u017fk", "\u212aelvin", "kelvin", "na\u00efve \U0001f993", "zeb ra", "order 4711", "4711"),
    "",
]
QUERIES = [
    *("zebra", "ZEBRA", "disk", "kelvin", "4711", "100%", "disk_full", '"c:\\\\dir"', "zeb", "\u00fcber", '"disk is"'),
    *("nothing", "/di.k/", "/(?-i)Zebra/", "/zebra|kelvin/", "/^zebra$/", "/[Kk]elvin/", "/dir.new/", "zebra disk"),
    *("zebra or kelvin", "-zebra", "-zebra disk", "not (zebra or disk)", "message:*zebra*", "message:zebra"),
    *("host:*disk*", "host:kelvin zebra", "(zebra or disk) status_code>=500", "zebra stream_id:2"),
    *("message~/full/ or host~/full/", "has:message zebra"),
    *("user:zebra", "user:*disk*", 'user="a disk is full"', "user~/zebra|kelvin/", "user:*zebra* or zebra"),
    *("-user:zebra", "user:4711", "user:nothing", 'user="\u00fcber zebra"', "a.b:*disk*"),
]
USER = resolve(Name("user"), FIELDS, {"user": "ann"}, "user")
COLUMNS = ["host", "ident", "ruser", "request_method", "request_route", "referer", "user_agent", "severity", "message"]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RetainingStore]:
    monkeypatch.setattr(tallies, "MIN_RECORDS", 1)
    with open_store(tmp_path) as store:
        yield store


def append(store: RetainingStore, chance: random.Random, records: int) -> None:
    """Store records of some of the last days, which have only a few texts in a few columns on each day."""
    rows: list[dict[str, Any]] = []
    days = {day: (chance.sample(TEXTS, 2), chance.sample([*COLUMNS, "attributes"], 3)) for day in range(DAYS)}
    for number in range(records):
        day = chance.randrange(DAYS)
        texts, columns = days[day]
        row: dict[str, Any] = {
            "ts": NOW - timedelta(days=day, seconds=chance.randrange(DAY_S)),
            "line_offset": number,
            "stream_id": chance.randrange(1, 4),
            "file_id": chance.randrange(1, 3),
            "status_code": chance.choice([200, 500, None]),
        }
        for column in columns:
            if chance.random() < 0.3:
                text = chance.choice(texts)
                row[column] = make_attributes(chance, text) if column == "attributes" else text
        rows.append(row)
    rows[0]["attributes"] = '{"user": "known", "a": {"b": "known"}}'  # so that queries may name these
    table = pa.Table.from_pylist(rows, pa.schema([*SOURCES, *RECORDS]))
    store.engine.write(lambda connection: append_records(connection, table))


def make_attributes(chance: random.Random, text: str) -> str:
    """Return a JSON object with a text as a value or as a key, some letters perhaps as escapes."""
    value = chance.choice([{"user": text}, {text or "x": 1}, {"a": {"b": ["x", text]}}, {"user": None, "n": 4711}])
    written = json.dumps(value, ensure_ascii=chance.random() < 0.5)
    return written.replace("z", "\\u007a").replace("K", "\\u004B") if chance.random() < 0.2 else written


def search(reader: Reader, text: str, within: Range) -> Search:
    written = read_query(text)
    assert written is not None
    expression = translate_query(reader, written, now=NOW, zone=None)
    return Search(join_conditions(reader, expression), within)


def ask(reader: Reader, question: str, text: str, within: Range) -> Any:
    """Return what a command or the page finds or counts for a query."""
    asked = search(reader, text, within)
    match question:
        case "records":
            return find_records(reader, asked, records=10_000).to_pylist()
        case "pages":
            return list_pages(reader, asked)
        case "number":
            return count_records(reader, narrow_search(reader, asked), 10_000)
        case "histogram":
            status = FIELDS.fields["status_code"]
            return count_histogram(
                reader, narrow_search(reader, asked), dialect="duckdb", steps=99, by=status, step_s=6 * HOUR_S
            )
        case "top":
            by = USER if len(text) % 2 else FIELDS.fields["host"]
            return count_top(reader, by, narrow_search(reader, asked), dialect="duckdb", values=9)
    return count_tops(
        reader,
        [FIELDS.fields["host"], FIELDS.fields["severity"], USER],
        narrow_search(reader, asked),
        dialect="duckdb",
        values=9,
        budget_s=0.0 if question == "tops of a sample" else None,
        sample_records=160,
    )


def list_pages(reader: Reader, asked: Search) -> list[Any]:
    found = []
    orders: tuple[Order, ...] = ("newest", "oldest")
    for order in orders:
        cursor = None
        for _ in range(2):
            page = find_page(reader, asked, records=30, order=order, after=cursor)
            cursor = page.cursor
            found.append((page.records.to_pylist(), page.has_more))
            if not page.has_more:
                break
    return found


def assert_answers_are_right(
    store: RetainingStore, queries: Sequence[str], chance: random.Random, within: Range = ALWAYS
) -> None:
    """Assert that tallies change no answer to a question about each query."""
    with_tallies, without = (Reader(store, has_tallies=has_tallies) for has_tallies in (True, False))
    for text in queries:
        question = chance.choice(["records", "pages", "number", "histogram", "top", "tops", "tops of a sample"])
        expected = ask(without, question, text, within)
        assert ask(with_tallies, question, text, within) == expected, (question, text, within)


@pytest.mark.parametrize("seed", range(examples(2, soak=4)))
def test_a_narrowed_search_finds_the_same_records(store: RetainingStore, seed: int) -> None:
    chance = random.Random(seed)
    within = RANGES[seed % len(RANGES)]
    append(store, chance, 120)
    make(store)
    assert_answers_are_right(store, chance.sample(QUERIES, 8), chance, within)
    append(store, chance, 3)  # their days have no tallies now
    assert_answers_are_right(store, chance.sample(QUERIES, 3), chance, within)
    if seed % 2:
        store.engine.write(lambda connection: delete_stream(connection, 2))
    else:
        store.keep(Retention(keep_s=3 * DAY_S))
    assert_answers_are_right(store, chance.sample(QUERIES, 3), chance, within)
    make(store)
    assert_answers_are_right(store, chance.sample(QUERIES, 3), chance, RANGES[-1])


def parts_of(store: RetainingStore, text: str, within: Range = ALWAYS) -> Sequence[Part]:
    reader = Reader(store, has_tallies=True)
    condition = narrow_search(reader, search(reader, text, within)).condition
    assert isinstance(condition, ConditionSql)
    return condition.parts


def test_only_columns_and_days_that_may_have_a_text_are_read(store: RetainingStore) -> None:
    for day in range(4):
        store.add([day * DAY_S + 60], host=f"web-{day}", message=f"{['zebra', 'lion', 'order 4711', 'x'][day]} came")
    assert parts_of(store, "zebra") == ()
    make(store)
    assert len(parts_of(store, "nothing")) == 1  # of the days before and after all tallies
    [_, in_message] = parts_of(store, "zebra")
    assert "message ILIKE" in in_message.first
    assert in_message.first.count("make_timestamptz") == 2  # on one day
    [_, in_host] = parts_of(store, "host:web-2")
    assert in_host.first.count("make_timestamptz") == 2
    assert len(parts_of(store, "4711")) == 3  # numbers are no words, so messages and attributes may have them
    assert len(parts_of(store, "zebra or lion")) == 3
    assert len(parts_of(store, "zebra lion")) == 2
    assert len(parts_of(store, "/tiger|puma/")) == 1
    assert len(parts_of(store, "/tiger|[0-9]{4}/")) == 3
    assert parts_of(store, "zebra", Range(NOW - timedelta(hours=3), NOW)) == ()


def test_only_days_whose_attributes_may_have_the_value_of_a_field_are_read(store: RetainingStore) -> None:
    for day, user in enumerate(["zebra", "lion", "4711", "x"]):
        store.add([day * DAY_S + 60], attributes=json.dumps({"user": user}))
    make(store)
    for query in ("user:zebra", "user=zebra", "user:*zebra*", "user~/tiger|zebra/"):
        [_, in_attributes] = parts_of(store, query)
        assert in_attributes.first.count("make_timestamptz") == 2, query  # on one day
    assert len(parts_of(store, "user:tiger")) == 1  # of the days before and after all tallies
    assert parts_of(store, "user:4711") == ()  # a number is no word
    assert parts_of(store, "-user:zebra") == ()


def test_a_sample_is_of_the_columns_and_days_that_may_have_a_text(store: RetainingStore) -> None:
    for day in range(4):
        store.add([day * DAY_S + 60 + second for second in range(40)], message="zebra" if day == 2 else "lion")
    make(store)
    reader = Reader(store, has_tallies=True)
    narrowed = narrow_search(reader, search(reader, "zebra", ALWAYS))
    sample = plan_sample(reader, narrowed, dialect="duckdb", records=40)
    assert sample is not None
    condition = sample.search.condition
    assert isinstance(condition, ConditionSql)
    assert [part.then for part in condition.parts] == [part.then for part in parts_of(store, "zebra")]
    assert all("TIMESTAMPTZ" in part.first for part in condition.parts)


def test_a_text_is_found_on_a_day_that_has_nothing_else(store: RetainingStore) -> None:
    escaped = [json.dumps({"a": text}).replace("z", "\\u007a").replace("K", "\\u004B") for text in TEXTS[:10]]
    for day, text in enumerate(TEXTS[:-1]):
        store.add([day * DAY_S], message=text)
    for day, attributes in enumerate(reversed(escaped)):
        store.add([day * DAY_S], attributes=attributes)
    queries = ["zebra", "disk", "kelvin", "/(?-i)Zebra/", "/[Kk]elvin/", "zeb", "/di.k/", '"disk is"', "/zebra|disk/"]
    with_tallies, without = (Reader(store, has_tallies=has_tallies) for has_tallies in (True, False))
    expected = {text: ask(without, "number", text, ALWAYS) for text in queries}
    make(store)
    assert {text: ask(with_tallies, "number", text, ALWAYS) for text in queries} == expected
    assert expected["zebra"] == 8
    assert expected["kelvin"] == 2


def test_a_column_with_very_many_words_is_read(store: RetainingStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies, "_DAY", (DAY_S, 2))
    store.add([60], message="one two three four")
    make(store)
    [_, in_message] = parts_of(store, "zebra")
    assert "message ILIKE" in in_message.first
    assert_answers_are_right(store, ["zebra", "two"], random.Random(1))


def test_a_text_that_is_made_of_a_condition_forgets_its_parts(store: RetainingStore) -> None:
    store.add([60], message="zebra")
    make(store)
    reader = Reader(store, has_tallies=True)
    condition = narrow_search(reader, search(reader, "zebra", ALWAYS)).condition
    narrower = Search(f"({condition}) AND status_code = 200")
    assert count_records(reader, narrower, 9) == 0


def test_the_tallies_of_an_older_version_are_made_again(store: RetainingStore) -> None:
    store.add([60, 61 + DAY_S], message="zebra")
    make(store)
    before = store.rows("SELECT field, starts_at FROM puppylog.tallies ORDER BY ALL")
    store.engine.write(lambda connection: connection.run("DELETE FROM puppylog.tallies WHERE field LIKE 'words%'"))
    assert parts_of(store, "message:*lion*") == ()
    store.engine.write(lambda connection: connection.run(list_migrations()[10]))
    assert len(parts_of(store, "host:lion")) == 1  # the older tallies are read until then
    make(store)
    assert store.rows("SELECT field, starts_at FROM puppylog.tallies ORDER BY ALL") == before
    assert len(parts_of(store, "message:*lion*")) == 1
