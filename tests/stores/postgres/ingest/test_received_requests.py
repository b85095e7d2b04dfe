"""Senders' requests on PostgreSQL: recognized for an hour by the server's clock, and deleted afterwards."""

import threading
from collections.abc import Iterator

import pytest

from support.alert_tables import Connection, connect

A, B = "a" * 64, "b" * 64


@pytest.fixture
def requests(store: Connection) -> Iterator[Connection]:
    """A connection to a store without requests."""
    store.execute("DELETE FROM puppylog.received_requests")
    store.execute("DELETE FROM puppylog.clock_steps")
    yield store
    store.execute("DELETE FROM puppylog.received_requests")
    store.execute("DELETE FROM puppylog.clock_steps")


def add(store: Connection, *digests: str, ago_s: float = 0) -> str | None:
    """Store requests; return what the store answers."""
    sql = "SELECT puppylog.add_requests(%s, %s, 3600) AS repeated"
    (row,) = store.execute(sql, [list(digests), ["{}"] * len(digests)]).fetchall()
    store.execute(
        "UPDATE puppylog.received_requests SET received_at = now() - make_interval(secs => %s) WHERE digest = ANY (%s)",
        [ago_s, list(digests)],
    )
    repeated: str | None = row["repeated"]
    return repeated


def find(store: Connection, *digests: str) -> dict[str, float]:
    """Return the ages of the requests that the store recognizes."""
    rows = store.execute("SELECT * FROM puppylog.find_requests(%s, 3600)", [list(digests)]).fetchall()
    return {row["digest"]: row["age_s"] for row in rows}


def count(store: Connection) -> int:
    (row,) = store.execute("SELECT count(*) AS n FROM puppylog.received_requests").fetchall()
    return int(row["n"])


def test_a_request_is_stored_again_after_an_hour(requests: Connection) -> None:
    assert add(requests, A, ago_s=3590) is None
    assert add(requests, B, ago_s=3601) is None
    assert set(find(requests, A, B)) == {A}
    assert 3590 <= find(requests, A)[A] < 3600
    assert add(requests, B) is None
    assert set(find(requests, A, B)) == {A, B}


def test_the_jobs_delete_requests_after_an_hour(requests: Connection) -> None:
    add(requests, A, ago_s=3590)
    add(requests, B, ago_s=3601)
    requests.execute("CALL puppylog.evaluate_alerts()")
    assert count(requests) == 1
    assert set(find(requests, A, B)) == {A}


def test_deleting_leaves_a_row_that_another_transaction_deletes(url: str, requests: Connection) -> None:
    add(requests, A, ago_s=3601)
    with connect(url) as other, other.transaction():
        other.execute("DELETE FROM puppylog.received_requests")
        requests.execute("SET lock_timeout = '5s'")
        requests.execute("SELECT puppylog.clear_requests()")
        assert count(requests) == 1
    assert count(requests) == 0


@pytest.mark.parametrize("back_s", [3600, 365 * 86400])
def test_a_request_of_the_future_is_recognized_and_moved_to_now(requests: Connection, back_s: int) -> None:
    add(requests, A, ago_s=-back_s)
    assert find(requests, A) == {A: 0}
    requests.execute("SELECT puppylog.rebase_clock()")
    (row,) = requests.execute("SELECT received_at <= now() AS is_past FROM puppylog.received_requests").fetchall()
    assert row["is_past"]
    (step,) = requests.execute(
        "SELECT part, round(back_s::numeric, -1)::int AS back_s FROM puppylog.clock_steps"
    ).fetchall()
    assert step == {"part": "requests", "back_s": back_s}


def test_a_request_that_another_session_rolls_back_is_stored(url: str, requests: Connection) -> None:
    answers: list[str | None] = []
    with connect(url) as other:
        other.execute("BEGIN")
        assert add(other, A) is None
        waiting = threading.Thread(target=lambda: answers.append(add(requests, A)))
        waiting.start()
        other.execute("ROLLBACK")
        waiting.join(30)
    assert answers == [None]
    assert set(find(requests, A)) == {A}
