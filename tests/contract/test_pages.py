"""Pages of records, the fields of records and what a chart divides them by are the same on every store."""

import json
from collections import Counter
from typing import Any, Final

import pytest

from puppylog.monitor import pages
from puppylog.monitor.condition import dialect_of
from puppylog.monitor.context import Extent, find_lines_around
from puppylog.monitor.counting.classes import choose_class, name_status_class
from puppylog.monitor.counting.field import get_field
from puppylog.monitor.counting.histogram import count_histogram
from puppylog.monitor.field_sample import sample_fields
from puppylog.monitor.pages import Order, PageCursor, find_page, read_cut_records
from puppylog.monitor.search import Search, get_group_id
from puppylog.stores.base import Store
from support.lines import Source, records, rejects, rows
from support.query_meaning import Origin
from support.stored_records import store_records

pytestmark = pytest.mark.sampled

ORDERS: Final[tuple[Order, ...]] = ("newest", "oldest")


def test_pages_give_every_record_once_and_in_order(store: Store) -> None:
    stored = store_records(store, 90)
    for order in ORDERS:
        check_pages(store, stored, order)


def check_pages(store: Store, stored: dict[tuple[int, int], tuple[dict[str, Any], Origin]], order: Order) -> None:
    expected = sorted(stored, key=lambda place: (stored[place][0]["ts"], *place), reverse=order == "newest")
    seen: list[tuple[int, int]] = []
    after: PageCursor | None = None
    while True:
        page = find_page(store, Search(), records=7, order=order, after=after)
        seen += zip(page.records["file_id"].to_pylist(), page.records["line_offset"].to_pylist(), strict=True)
        if not page.has_more:
            break
        after = page.cursor
    assert seen == expected
    nothing = find_page(store, Search("false"), records=7, order=order, after=None)
    assert (nothing.records.num_rows, nothing.has_more, nothing.cursor) == (0, False, None)


def test_pages_of_much_text_are_shorter_and_lose_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_PART_RECORDS", 3)
    monkeypatch.setattr(pages, "MAX_BYTES", 20_000)
    Source(store, "file:///var/log/a.log").append(records(20, message="x" * 3000, step_s=0))
    for order in ORDERS:
        check_short_pages(store, order)


def check_short_pages(store: Store, order: Order) -> None:
    sizes, seen = [], []
    after: PageCursor | None = None
    while True:
        page = find_page(store, Search(), records=15, order=order, after=after)
        sizes.append(page.records.num_rows)
        seen += page.records["line_offset"].to_pylist()
        if not page.has_more:
            break
        after = page.cursor
    assert seen == sorted(range(0, 2000, 100), reverse=order == "newest")
    assert max(sizes) < 15


def test_long_texts_are_cut_in_the_store(store: Store) -> None:
    long = "é" * 10_000
    source = Source(store, "file:///var/log/a.log")
    attributes = [json.dumps({"trace": long}), json.dumps({"trace": "x" * 70_000})]
    source.append(rows([{"message": long, "host": "h", "attributes": text} for text in attributes]))
    page = find_page(store, Search(), records=2, order="oldest", after=None).records
    assert page.equals(read_cut_records(store, [(source.file_id, 0), (source.file_id, 100)]))
    for row, whole in zip(page.to_pylist(), (True, False), strict=True):
        assert (row["message"], row["message_length"], row["host_length"]) == (long[:8192], 10_000, None)
        assert (row["attributes"] is not None) is whole
        assert (row["attributes_length"] is None) is whole


def test_the_surroundings_of_a_record_have_its_rejected_lines(store: Store) -> None:
    source = Source(store, "file:///var/log/a.log")
    source.append(records(5, message="m"))
    source.append(rejects(b"no record", start=150), rejects(b"behind all", start=450))
    found = find_lines_around(store, (source.file_id, 200), Extent(1, 1))
    assert found is not None
    assert [offset for _, offset in found.locations] == [100, 200, 300]
    assert [line.line for line in found.rejected] == [b"no record"]
    assert (found.has_before, found.has_after) == (True, True)
    last = find_lines_around(store, (source.file_id, 400), Extent(0, 9))
    assert last is not None
    assert [line.line for line in last.rejected] == [b"behind all"]
    assert (last.has_before, last.has_after) == (True, False)
    assert find_lines_around(store, (source.file_id, 50), Extent(1, 1)) is None


def test_a_sample_of_records_tells_their_fields(store: Store) -> None:
    stored = store_records(store, 60)
    found = sample_fields(store, Search())
    assert found.records == 60
    hosts = Counter(record["host"] for record, _ in stored.values() if record["host"] is not None)
    known = found.find("host")
    assert known is not None
    assert (known.records, known.values) == (hosts.total(), hosts)
    origins = found.find("source")
    assert origins is not None
    assert origins.values == {"/var/log/access.log": 20, "web1:/var/log/my app.log": 20, "/srv/shop": 20}
    in_group = sample_fields(store, Search(group_id=get_group_id(store, "shop")))
    assert in_group.records == 20


def test_a_chart_divides_records_by_what_most_of_them_have(store: Store) -> None:
    source = Source(store, "file:///var/log/a.log")
    source.append(rows([{"status_code": status} for status in (200, 503, 503, 700)]))
    assert choose_class(store, Search()) == "status_class"
    by: dict[str, Any] = {"by": get_field(store, "status_code", dialect_of(store)), "name_value": name_status_class}
    found = count_histogram(store, Search(), dialect=dialect_of(store), steps=10, series=2, **by)
    assert found is not None
    assert [(series.name, series.total) for series in found.series] == [("5xx", 2), ("2xx", 1)]
    assert (found.other_values, found.records) == (1, 4)
    source.append(records(9, start=source.offset, severity="info"))
    assert choose_class(store, Search()) == "severity"
    assert choose_class(store, Search("status_code IS NULL AND severity IS NULL")) is None
