"""`puppylog.Connection` gives the same answers on every kind of store."""

from datetime import timedelta

import pytest

from puppylog.api import Connection
from puppylog.stores.base import Store
from support.lines import NOON, Source, records, rejects

pytestmark = pytest.mark.sampled

# Braces, a dollar, a percent sign and an apostrophe mean something to Python, to Puppylog's queries or to SQL.
HOSTILE = "{it's} $since %s \\"


def test_records_are_streamed_and_limited_alike(store: Store) -> None:
    source = Source(store, group="shop")
    source.append(records(50, message=HOSTILE, attributes='{"zone": "a"}'))
    source.append(records(50, start=source.offset, ts=NOON + timedelta(minutes=1), attributes='{"zone": "b"}'))
    source.append(rejects(b"what is this", start=source.offset))
    connection = Connection(store)
    for query, group, found in [
        ("", None, 100),
        ("", "shop", 100),
        ("zone:a", "shop", 50),
        ('message="{it\'s} $since %s \\\\"', None, 50),
        ("zone:c", None, 0),
    ]:
        streamed = connection.records(query, group=group).to_arrow().sort_by("line_offset")
        assert streamed.num_rows == found
        limited = connection.records(query, group=group, limit=1000).to_arrow().sort_by("line_offset")
        assert streamed.to_pylist() == limited.to_pylist()
    assert len(connection.records(since=NOON + timedelta(seconds=40), until=NOON + timedelta(minutes=1))) == 10
    assert [row["line"] for row in connection.rejects("what", group="shop").to_pylist()] == [b"what is this"]


def test_streams_are_listed_with_their_groups(store: Store) -> None:
    Source(store, "file:///var/log/b.log").append(records(1))
    Source(store, "file:///var/log/a.log", group="shop").append(records(2))
    listed = [(row["source_uri"], row["group"], row["files"]) for row in Connection(store).streams().to_pylist()]
    assert listed == [("file:///var/log/a.log", "shop", 1), ("file:///var/log/b.log", None, 1)]
