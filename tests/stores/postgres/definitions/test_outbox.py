"""Evidence and the outbox in the database: the rule of the model, and failures that must not stop an evaluation."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from puppylog.model.alert import State
from puppylog.model.notification import NotificationKind
from puppylog.model.outbox import NewRow, Segment, Turn, list_new_rows
from support.alert_tables import (
    ALERT,
    NOON,
    Connection,
    Observations,
    at,
    clear,
    connect,
    create_alert,
    create_metric,
    errors,
    evaluate,
    history,
)
from support.examples import examples

BURST: Observations = {(NOON, None): 20.0, (NOON + 1, None): 20.0}
TOLD = replace(ALERT, contacts=("ops",))
FAILURE = "SELECT (NULL::puppylog.log_records).* FROM (SELECT 1 / 0 AS x) AS failing WHERE x > 0"
SLOW = "SELECT (NULL::puppylog.log_records).* FROM pg_sleep(0.3) WHERE random() > 2"


@dataclass(frozen=True)
class Call:
    """The transitions of one call of the evaluator: an evaluation's number, a segment and a state for each."""

    turns: Sequence[tuple[int, Segment, State]]
    contacts: Sequence[str]
    forgotten: frozenset[Segment]


segments = st.sampled_from([None, "", "a", "Z", "\u00e4"])
calls = st.builds(
    Call,
    turns=st.lists(st.tuples(st.integers(0, 2), segments, st.sampled_from(State)), max_size=8).map(
        lambda turns: sorted(turns, key=lambda turn: turn[0])
    ),
    contacts=st.lists(st.sampled_from(["ops", "night", "Zoe"]), unique=True, max_size=3),
    forgotten=st.frozensets(segments, max_size=2),
)


def make_call(store: Connection, alert_id: int, call: Call, began_at: datetime) -> list[Turn]:
    """Record the transitions of a call and let the database add the rows of the outbox; return the transitions."""
    turns = []
    for no, segment, state in call.turns:
        evaluated_at = began_at + timedelta(seconds=no)
        [row] = store.execute(
            "INSERT INTO puppylog.alert_history VALUES (nextval('puppylog.signal_ids'), %s, %s, %s, 'ok', %s, %s, '>', "
            "1, now(), now(), false, now()) RETURNING id",
            [alert_id, segment, evaluated_at, state.value, float(no)],
        ).fetchall()
        turns.append(Turn(row["id"], segment, evaluated_at, state, float(no)))
    store.execute("UPDATE puppylog.alerts SET contacts = %s WHERE id = %s", [json.dumps(list(call.contacts)), alert_id])
    store.execute(
        "SELECT puppylog.add_notifications(a, %s::bigint[], %s::text[], %s) FROM puppylog.alerts AS a WHERE id = %s",
        [[turn.history_id for turn in turns], list(call.forgotten), began_at + timedelta(seconds=2), alert_id],
    )
    return turns


def expect(calls: Sequence[tuple[Call, list[Turn], datetime]]) -> list[NewRow]:
    """Return the rows of the outbox after the calls, by the rule of the model."""
    rows: list[NewRow] = []
    for call, turns, began_at in calls:
        newest = {(row.segment, row.contact): row for row in rows}
        unresolved: dict[Segment, dict[str, datetime]] = {}
        for (segment, contact), row in newest.items():
            if row.kind.is_problem:
                unresolved.setdefault(segment, {})[contact] = row.episode_at
        last = began_at + timedelta(seconds=2)
        rows += list_new_rows(turns, call.contacts, unresolved, forgotten=call.forgotten, at=last)
    return rows


@settings(max_examples=examples(25, soak=60))
@given(made=st.lists(calls, min_size=1, max_size=4))
def test_the_rows_of_the_outbox_are_those_of_the_model(url: str, made: Sequence[Call]) -> None:
    with connect(url) as store, store.transaction(force_rollback=True):
        clear(store)
        create_metric(store, {})
        alert_id = create_alert(store, ALERT, at(NOON))
        done = []
        for no, call in enumerate(made):
            began_at = at(NOON + 10 * no)
            done.append((call, make_call(store, alert_id, call, began_at), began_at))
        stored = store.execute("SELECT * FROM puppylog.notifications WHERE alert_id = %s ORDER BY id", [alert_id])
        columns = ("history_id", "segment", "contact", "kind", "evaluated_at", "episode_at", "value", "reason")
        found = [NewRow(**{**{n: row[n] for n in columns}, "kind": NotificationKind(row["kind"])}) for row in stored]
        assert found == expect(done)


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        (FAILURE, "the search failed: division by zero"),
        (None, "the store has no query of the records of this metric"),
    ],
    ids=["failure", "none"],
)
def test_a_search_of_evidence_that_fails_does_not_stop_the_evaluation(
    store: Connection, samples: str | None, reason: str
) -> None:
    create_metric(store, BURST)
    store.execute("UPDATE puppylog.metrics SET samples = %s", [samples])
    alert_id = create_alert(store, TOLD, at(NOON))
    assert not evaluate(store, alert_id, at(NOON + 30))
    assert [(row["to_state"], row["evidence_omitted"]) for row in history(store)] == [
        ("firing", reason),
        ("no_data", None),
    ]
    told = store.execute("SELECT kind FROM puppylog.notifications WHERE alert_id = %s ORDER BY id", [alert_id])
    assert [row["kind"] for row in told] == ["firing", "no_data"]
    assert errors(store) == {"a": None}


def test_a_search_of_evidence_ends_after_a_time_and_says_what_it_has_not_searched(store: Connection) -> None:
    create_metric(store, BURST)
    store.execute("UPDATE puppylog.metrics SET samples = %s", [SLOW])
    hour = replace(TOLD, window_s=3600, keep_firing_for_s=86_400)
    alert_id = create_alert(store, hour, at(NOON))
    assert not evaluate(store, alert_id, at(NOON + 5))
    [fired] = history(store)
    omitted = r"records before 2023-11-15T11:5[89]:\d\dZ were not searched, to save time"
    assert re.fullmatch(omitted, fired["evidence_omitted"])


def test_an_evaluation_that_fails_adds_no_row_to_the_outbox(store: Connection) -> None:
    create_metric(store, BURST)
    alert_id = create_alert(store, TOLD, at(NOON))
    store.execute("UPDATE puppylog.alerts SET contacts = '[' WHERE id = %s", [alert_id])
    assert not evaluate(store, alert_id, at(NOON + 30))
    assert "json" in str(errors(store)["a"])
    assert history(store) == []
    for table in ("notifications WHERE alert_id = %s", "alert_evidence WHERE history_id <> %s"):
        assert store.execute(f"SELECT * FROM puppylog.{table}".encode(), [alert_id]).fetchall() == []


def tell(store: Connection) -> int:
    """Make an alert fire whose contact is told; return its id."""
    create_metric(store, BURST)
    alert_id = create_alert(store, replace(TOLD, keep_firing_for_s=86_400), at(NOON))
    evaluate(store, alert_id, at(NOON + 5))
    return alert_id


def read_rows(store: Connection, alert_id: int) -> list[dict[str, Any]]:
    sql = "SELECT * FROM puppylog.notifications WHERE alert_id = %s ORDER BY id"
    return store.execute(sql, [alert_id]).fetchall()


def test_a_notification_waits_as_long_as_before_after_the_clock_was_set_back(store: Connection) -> None:
    alert_id = tell(store)
    store.execute("SELECT puppylog.rebase_clock(now() - interval '1 hour')")
    [row] = read_rows(store, alert_id)
    assert row["due_at"] - row["created_at"] == timedelta(seconds=30)
    assert timedelta(hours=0.9) < datetime.now(UTC) - row["created_at"] < timedelta(hours=1.1)
    # A row that was tried an hour ahead, and is to be tried again after a minute.
    store.execute(
        "UPDATE puppylog.notifications SET tried_at = now() + interval '1 hour', due_at = now() + interval '61 minutes'"
    )
    store.execute("SELECT puppylog.rebase_clock()")
    [row] = read_rows(store, alert_id)
    assert row["due_at"] - row["tried_at"] == timedelta(minutes=1)
    assert abs(datetime.now(UTC) - row["tried_at"]) < timedelta(minutes=1)


def test_what_is_old_is_deleted_but_not_a_problem_that_a_resolved_row_must_follow(store: Connection) -> None:
    def clear_after(days: int) -> tuple[int, int]:
        store.execute("SELECT puppylog.clear_notifications(now() + %s * interval '1 day')", [days])
        evidence = store.execute("SELECT * FROM puppylog.alert_evidence").fetchall()
        return len(evidence), len(store.execute("SELECT * FROM puppylog.acknowledgements").fetchall())

    alert_id = tell(store)
    [history_id] = [row["history_id"] for row in read_rows(store, alert_id)]
    store.execute("INSERT INTO puppylog.alert_evidence VALUES (%s, 1, now(), 1, 1, 0, '{}', now())", [history_id])
    store.execute("SELECT puppylog.acknowledge_alert(%s, NULL, 'ada', '')", [alert_id])
    assert clear_after(days=89) == (1, 1)
    assert clear_after(days=91) == (0, 1)
    assert [row["kind"] for row in read_rows(store, alert_id)] == ["firing"]
    store.execute("UPDATE puppylog.alerts SET keep_firing_for_s = 0, no_data = 'ok' WHERE id = %s", [alert_id])
    evaluate(store, alert_id, at(NOON + 30))
    assert [row["kind"] for row in read_rows(store, alert_id)] == ["firing", "resolved"]
    assert clear_after(days=91) == (0, 0)
    assert read_rows(store, alert_id) == []
