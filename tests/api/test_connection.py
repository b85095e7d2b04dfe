"""`puppylog.connect` gives typed answers, and only the errors of Puppylog."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

import puppylog
from puppylog.errors import NotFound, PuppylogError, QueryError, SearchError, UsageError

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def db(shop: str) -> Iterator[puppylog.Connection]:
    with puppylog.connect(shop) as connection:
        yield connection


def test_importing_the_package_loads_nothing_of_it() -> None:
    code = "import puppylog, sys; print([m for m in sys.modules if 'arrow' in m or m.startswith('puppylog.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_package_has_just_the_names_that_it_promises() -> None:
    assert {getattr(puppylog, name).__name__ for name in puppylog.__all__ if name != "__version__"} == {
        "Answer",
        "Connection",
        "connect",
    }
    assert dir(puppylog) == ["Answer", "Connection", "__version__", "connect"]
    with pytest.raises(AttributeError, match="no attribute 'disconnect'"):
        puppylog.disconnect  # noqa: B018 - there is none


@pytest.mark.parametrize(
    ("since", "until", "found"),
    [
        (None, None, 8),
        (NOON + timedelta(minutes=1), None, 4),
        (NOON, NOON + timedelta(seconds=9), 2),
        ("2026-03-01T12:01:00Z", None, 4),
        (timedelta(days=1), "2026-02-01", None),
        (timedelta(days=0), None, 0),
    ],
)
def test_records_are_limited_to_a_range_of_time(
    db: puppylog.Connection, since: Any, until: Any, found: int | None
) -> None:
    if found is None:
        with pytest.raises(UsageError, match="the range ends before it begins"):
            db.records(since=since, until=until)
    else:
        assert len(db.records(since=since, until=until)) == found


def test_a_query_finds_the_same_records_with_a_limit_and_without(db: puppylog.Connection) -> None:
    query = "request_method:POST -status_code:200"
    streamed, limited = db.records(query), db.records(query, limit=100)
    assert streamed.to_arrow().sort_by("line_offset").equals(limited.to_arrow().sort_by("line_offset"))
    assert len(db.records(query, limit=1)) == 1
    assert len(db.records(query, group="shop")) == 2


def test_text_in_a_query_is_a_value_and_never_sql(db: puppylog.Connection) -> None:
    assert len(db.records("host:\"x' OR true OR host = '\"")) == 0
    assert len(db.records("referer:'{braces} $since %s'")) == 0


def test_columns_are_chosen_by_name_and_by_the_names_of_the_original(db: puppylog.Connection) -> None:
    assert db.records(columns=["response_bsize", "ts"]).arrow.column_names == ["response_bytes", "ts"]
    with pytest.raises(UsageError, match="cannot show column 'size': the columns are ts, "):
        db.records(columns=["size"])


def test_an_answer_without_rows_has_its_columns(db: puppylog.Connection) -> None:
    answers = [
        db.records("host:nobody"),
        db.records(limit=0),
        db.rejects("nobody"),
        db.sql("select 1 as a where false"),
    ]
    assert [(len(answer), bool(answer.arrow.column_names)) for answer in answers] == [(0, True)] * 4
    assert [batch.num_rows for batch in db.records("host:nobody")] == [0]


def test_an_answer_is_read_again_or_kept(db: puppylog.Connection) -> None:
    answer = db.records()
    assert [sum(batch.num_rows for batch in answer) for _ in range(2)] == [8, 8]
    assert answer.arrow is answer.arrow
    assert sum(batch.num_rows for batch in answer) == 8


@pytest.mark.parametrize(
    ("ask", "error", "text"),
    [
        (lambda db: db.records("nofield:1"), SearchError, "there is no field"),
        (lambda db: db.records('"open'), SearchError, "cannot read the query"),
        (lambda db: db.records(since="soon"), UsageError, "cannot read since 'soon': write 2h"),
        (lambda db: db.records(group="none"), NotFound, "cannot find group 'none'"),
        (lambda db: db.metric("none"), NotFound, "cannot find metric 'none'"),
        (lambda db: db.alert_history("none"), NotFound, "cannot find alert 'none'"),
        (lambda db: db.sql(" "), UsageError, "the query is empty"),
        (lambda db: db.sql("select nothing from log_records").arrow, QueryError, "cannot run this SQL"),
        (lambda db: list(db.sql("drop table log_records")), QueryError, "cannot run this SQL"),
    ],
)
def test_what_is_wrong_is_an_error_of_puppylog(
    db: puppylog.Connection, ask: Callable[[puppylog.Connection], object], error: type[PuppylogError], text: str
) -> None:
    with pytest.raises(error, match=text):
        ask(db)


def test_data_frames_need_a_package_that_may_be_missing(
    db: puppylog.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, convert in [("pandas", puppylog.Answer.to_pandas), ("polars", puppylog.Answer.to_polars)]:
        monkeypatch.setitem(sys.modules, name, None)
        with pytest.raises(
            UsageError, match=f"cannot convert the rows to {name}: {name} is not installed; pip install {name}"
        ):
            convert(db.records())
    monkeypatch.setitem(sys.modules, "polars", SimpleNamespace(from_arrow=lambda table: table.num_rows))
    assert db.records().to_polars() == 8


def test_a_connection_says_what_it_is_and_is_closed_twice(shop: str) -> None:
    connection = puppylog.connect(shop)
    assert repr(connection) == f"<Connection to {shop.removeprefix('duckdb://')}>"
    connection.close()
    connection.close()
