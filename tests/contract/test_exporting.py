"""All rows of a store can be exported day by day, with the names of their sources, on every kind of store."""

from datetime import timedelta

import pyarrow as pa

from puppylog.monitor.export import list_days, open_day
from puppylog.stores.archive_columns import ARCHIVED
from puppylog.stores.base import Store
from support.lines import NOON, Source, rejects, rows


def export(store: Store, table: str) -> list[list[dict[str, object]]]:
    """Return the rows of each day, in the order of their offsets."""
    days = []
    for day in list_days(store, table):
        with open_day(store, day) as batches:
            found = pa.Table.from_batches(list(batches), ARCHIVED[table]).to_pylist()
        assert len(found) == day.rows
        days.append(sorted(found, key=lambda row: (str(row["source_uri"]), row["line_offset"])))
    return days


def test_every_record_is_exported_once_with_the_names_of_its_source(store: Store) -> None:
    shop = Source(store, "file:///var/log/shop.log", group="shop")
    other = Source(store, "file:///var/log/other.log")
    moments = [NOON, NOON + timedelta(days=1), NOON + timedelta(days=1, hours=1)]
    shop.append(rows([{"ts": ts, "message": "s", "attributes": '{"a": 1}'} for ts in moments]))
    other.append(rows([{"ts": NOON, "status_code": 200}]))
    first, second = export(store, "log_records")
    assert [row["ts"] for row in second] == moments[1:]
    assert [(row["source_uri"], row["group_name"]) for row in first] == [
        ("file:///var/log/other.log", None),
        ("file:///var/log/shop.log", "shop"),
    ]
    assert [(row["message"], row["status_code"]) for row in first] == [(None, 200), ("s", None)]
    assert str(first[1]["attributes"]).replace(" ", "") == '{"a":1}'
    assert {row["file_path"] for row in first} == {"/var/log/test.log"}
    assert len({row["store_id"] for row in [*first, *second]}) == 1


def test_rejected_lines_are_exported_with_their_bytes(store: Store) -> None:
    source = Source(store)
    source.append(rejects(b"\x16\x03", start=0))
    ((rejected,),) = export(store, "rejected_lines")
    assert (rejected["line"], rejected["source_uri"]) == (b"\x16\x03", "file:///var/log/test.log")


def test_an_empty_store_has_no_days(store: Store) -> None:
    assert list_days(store, "log_records") == []
