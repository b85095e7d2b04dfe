"""What a store promises of evidence and of the outbox, which a transition writes in its own transaction."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.model.metric import Metric
from support.embedded import wait_until
from support.lines import Source, rows
from support.server import StoreServer

pytestmark = pytest.mark.sampled

ALERT = Alert(
    name="failing",
    metric="failures",
    statistic="sum",
    comparison=Comparison.AT_LEAST,
    threshold=3,
    window_s=10,
    period_s=5,
    for_s=0,
    keep_firing_for_s=0,
    delay_s=2,
    each_segment=True,
    no_data=NoData.ZERO,
    contacts=("ops", "night"),
    group_wait_s=5,
)
METRIC = Metric("failures", "count", "*", 5, segment="request_route", filter="status_code >= 500", refresh_s=1)
AGO_S = 120


class World:
    """A store with records of some minutes ago, whose alerts are then evaluated as if they had been missed."""

    def __init__(self, server: StoreServer) -> None:
        self.server = server
        self.store = server.connect()
        self.source = Source(self.store)
        now = datetime.now(UTC)
        self.began_at = now.replace(microsecond=0) - timedelta(seconds=AGO_S + now.second % 10)  # a multiple of 10 s

    def append(self, *values: tuple[float, dict[str, Any]]) -> None:
        """Store records, each so many seconds after `began_at`."""
        stored = [{"ts": self.began_at + timedelta(seconds=second), **columns} for second, columns in values]
        self.source.append(rows(stored, start=self.source.offset))

    def judge(self, *alerts: Alert) -> None:
        """Create the alerts, or update them, and evaluate them from `began_at` to now."""
        for alert in alerts:
            known = [alert.name for alert in self.store.list_alerts()]
            (self.store.update_alert if alert.name in known else self.store.create_alert)(alert)
        wait_until(lambda: self.server.is_settled(self.store), what="the buckets")
        self.server.pretend_last_evaluation(self.began_at)
        within_s = 20 + max(alert.period_s for alert in alerts)
        late = f"SELECT 1 AS one FROM puppylog.alerts WHERE evaluated_at < now() - INTERVAL '{within_s} seconds'"
        wait_until(lambda: not self.store.query(late), what="the evaluations")

    def ask(self, sql: str) -> list[dict[str, Any]]:
        return self.store.query(sql).to_pylist()

    def outbox(self) -> list[tuple[str | None, str, str]]:
        found = self.ask("SELECT segment, contact, kind FROM puppylog.notifications ORDER BY id")
        return [(row["segment"], row["contact"], row["kind"]) for row in found]

    def evidence(self) -> list[dict[str, Any]]:
        return self.ask(
            "SELECT alerts.name, history.segment, place, ts, line_offset, CAST(record AS TEXT) AS record, "
            "evidence_omitted, window_since, window_until "
            "FROM puppylog.alert_history AS history "
            "JOIN puppylog.alerts AS alerts ON alerts.id = history.alert_id "
            "LEFT JOIN puppylog.alert_evidence AS evidence ON evidence.history_id = history.id "
            "WHERE history.to_state = 'firing' ORDER BY history.id, place"
        )


@pytest.fixture
def world(server: StoreServer) -> World:
    made = World(server)
    made.store.create_metric(METRIC)
    return made


def failure(route: str | None = "/cart", status: int = 500, **columns: Any) -> dict[str, Any]:
    return {"request_route": route, "status_code": status, **columns}


def test_each_contact_gets_a_row_when_a_segment_fires_and_when_it_recovers(world: World) -> None:
    world.append(*((second, failure()) for second in (11, 12, 13)), (11, failure("/calm")))
    world.judge(ALERT, replace(ALERT, name="waits", for_s=3600), replace(ALERT, name="tells_nobody", contacts=()))
    states = world.ask(
        "SELECT to_state FROM puppylog.alert_history JOIN puppylog.alerts ON alerts.id = alert_id "
        "WHERE name = 'waits' ORDER BY alert_history.id"
    )
    assert [row["to_state"] for row in states] == ["pending", "ok"]
    assert [row["place"] for row in world.evidence() if row["name"] == "tells_nobody"] == [1, 2, 3]
    assert world.outbox() == [
        ("/cart", "ops", "firing"),
        ("/cart", "night", "firing"),
        ("/cart", "ops", "resolved"),
        ("/cart", "night", "resolved"),
    ]
    stored = world.ask(
        "SELECT outbox.*, history.recorded_at, history.evaluated_at AS at, history.value AS observed "
        "FROM puppylog.notifications AS outbox JOIN puppylog.alert_history AS history ON history.id = history_id "
        "JOIN puppylog.alerts ON alerts.id = outbox.alert_id ORDER BY outbox.id"
    )
    for row in stored:
        assert (row["alert"], row["state"], row["attempts"], row["reason"]) == ("failing", "waiting", 0, None)
        assert (row["evaluated_at"], row["value"]) == (row["at"], row["observed"])
        assert row["created_at"] == row["recorded_at"]
        assert row["due_at"] - row["recorded_at"] == timedelta(seconds=5)
        assert row["episode_at"] == stored[0]["at"]
        assert (row["tried_at"], row["sent_at"], row["error"]) == (None, None, None)


def test_evidence_is_the_newest_records_of_the_window_that_match_the_filter_and_the_segment(world: World) -> None:
    huge = json.dumps({"text": "x" * 20_000})
    world.append(
        (3, failure(message="before the window")),
        *((10 + number / 10, failure(message=f"no {number}", host=None)) for number in range(30)),
        *((13, failure("/other", message="of another segment")) for _ in range(2)),
        (13.5, failure(status=404, message="does not match")),
        (14, failure(message="the newest", attributes='{"user": null, "n": 1.50}', host=None)),
        *((second, failure("/long", message="\u00fc" * 5000, attributes=huge)) for second in (11, 12, 13)),
        *((second, failure(None, message="without a route")) for second in (11, 12, 13)),
        *((second, failure("", message="with an empty route")) for second in (11, 12, 13)),
    )
    world.judge(replace(ALERT, contacts=("ops",)))
    found: dict[str | None, list[dict[str, Any]]] = {}
    for row in world.evidence():
        assert row["window_since"] <= row["ts"] < row["window_until"]
        assert row["evidence_omitted"] is None
        found.setdefault(row["segment"], []).append({**row, "record": json.loads(row["record"])})
    assert sorted(found, key=str) == ["", "/cart", "/long", None]

    cart = found["/cart"]
    assert [row["place"] for row in cart] == list(range(1, 11))
    assert [row["record"]["message"] for row in cart] == [
        "the newest",
        *(f"no {number}" for number in range(29, 20, -1)),
    ]
    assert len({row["line_offset"] for row in cart}) == 10
    assert cart[0]["record"] == {
        "message": "the newest",
        "request_route": "/cart",
        "status_code": 500,
        "attributes": {"user": None, "n": 1.5},
    }
    assert [row["record"]["message"] for row in found[None]] == ["without a route"] * 3
    assert [row["record"]["message"] for row in found[""]] == ["with an empty route"] * 3
    assert sorted(segment for segment, _, kind in world.outbox() if kind == "firing" and segment is not None) == [
        "",
        "/cart",
        "/long",
    ]
    for row in found["/long"]:  # long texts are cut, and long attributes are left out
        assert row["record"]["message"] == "\u00fc" * 4096
        assert "attributes" not in row["record"]
        assert row["record"]["cut"] == ["attributes", "message"]


def test_evidence_of_each_kind_of_metric_is_the_records_that_it_counts(world: World) -> None:
    store, at = world.store, world.began_at
    share = Metric("share", "ratio", "*", 5, filter="status_code IS NOT NULL", of="status_code >= 500", refresh_s=1)
    slow = replace(METRIC, name="slow", filter="response_bytes > 10")
    store.create_group("shop")
    for metric in (share, slow, replace(METRIC, name="of_shop", group="shop")):
        store.create_metric(metric)
    store.create_metric(Metric("bad", "derived", "failures + slow", 5, segment="request_route", refresh_s=1))
    store.update_metric(replace(slow, filter="response_bytes > 100"))
    store.create_metric(Metric("size", "avg", "response_bytes", 5, refresh_s=1))
    Source(store, "file:///var/log/shop.log", group="shop").append(
        rows([{"ts": at + timedelta(seconds=14), **failure(message=f"shop {number}")} for number in range(3)])
    )
    world.append(
        (11, failure(message="a")),
        (12, failure(status=200, message="b")),
        (13, {"request_route": "/cart", "response_bytes": 1000, "message": "c"}),
        (14, {"request_route": "/cart", "response_bytes": 50, "message": "d"}),
    )
    together = replace(ALERT, each_segment=False, contacts=("ops",))
    world.judge(
        replace(together, name="by_share", metric="share", statistic="avg", threshold=0.5),
        replace(ALERT, name="by_formula", metric="bad", contacts=()),
        replace(ALERT, name="by_group", metric="of_shop", contacts=()),
        replace(together, name="by_size", metric="size", statistic="avg", no_data=NoData.NO_DATA),
    )

    def messages(name: str) -> list[str]:
        found = [row for row in world.evidence() if row["name"] == name]
        assert len({row["window_until"] for row in found}) == 1
        return sorted(json.loads(row["record"])["message"] for row in found)

    shop = ["shop 0", "shop 1", "shop 2"]
    assert messages("by_share") == ["a", *shop]  # those of the part
    assert messages("by_formula") == ["a", "c", *shop]  # those of the inputs as they are now
    assert messages("by_group") == shop
    assert messages("by_size") == ["c", "d"]  # those with the property

    told = world.ask("SELECT kind, segment, episode_at FROM puppylog.notifications WHERE alert = 'by_size' ORDER BY id")
    assert [(row["kind"], row["segment"]) for row in told] == [("no_data", None), ("firing", None), ("no_data", None)]
    assert len({row["episode_at"] for row in told}) == 1  # nothing was resolved in between


def test_only_some_transitions_of_an_evaluation_get_evidence_and_the_others_say_so(world: World) -> None:
    world.append(*((11, failure(f"/{number % 120:03}")) for number in range(360)))
    world.judge(ALERT)
    assert len(world.outbox()) == 4 * 120
    with_evidence = {row["segment"] for row in world.evidence() if row["place"] is not None}
    others = {row["segment"]: row["evidence_omitted"] for row in world.evidence() if row["place"] is None}
    assert len(with_evidence) <= 100
    assert len(with_evidence) + len(others) == 120
    reasons = set(others.values())
    assert "only the newest 100 transitions of an evaluation have sample records" in reasons
    assert all("were not searched, to save time" in reason for reason in reasons if "newest" not in reason)


def test_new_contacts_are_not_told_of_the_past_and_removed_ones_are_told_that_it_is_resolved(
    world: World,
) -> None:
    forever = replace(ALERT, keep_firing_for_s=86_400)
    world.append(*((second, failure()) for second in (11, 12, 13)))
    world.judge(forever)
    world.judge(replace(forever, keep_firing_for_s=0, contacts=("night", "new")))
    assert world.outbox() == [
        ("/cart", "ops", "firing"),
        ("/cart", "night", "firing"),
        ("/cart", "ops", "resolved"),
        ("/cart", "night", "resolved"),
    ]


def test_a_deleted_alert_that_fires_is_told_as_resolved(world: World) -> None:
    world.append(*((second, failure()) for second in (11, 12, 13)))
    world.judge(replace(ALERT, keep_firing_for_s=86_400), replace(ALERT, name="recovered"))
    world.store.delete_alert("recovered")
    assert len(world.outbox()) == 6
    world.store.delete_alert("failing")
    assert world.outbox()[6:] == [("/cart", "night", "resolved"), ("/cart", "ops", "resolved")]
    last = world.ask("SELECT * FROM puppylog.notifications ORDER BY id")[6:]
    for row in last:
        assert (row["history_id"], row["reason"]) == (None, "the alert was deleted")
        assert row["episode_at"] < row["evaluated_at"] == row["due_at"] == row["created_at"]
    assert world.ask("SELECT * FROM puppylog.alert_evidence") == []
    world.store.create_alert(ALERT)
    world.store.delete_alert("failing")
    assert len(world.outbox()) == 8


def test_a_segment_that_is_not_judged_any_more_is_told_as_resolved(world: World) -> None:
    world.began_at -= timedelta(hours=26)
    world.append(*((second, failure()) for second in (11, 12, 13)))
    silent = replace(ALERT, comparison=Comparison.AT_LEAST, threshold=0, window_s=3600, period_s=600, contacts=("ops",))
    world.judge(silent)
    assert world.outbox() == [("/cart", "ops", "firing"), ("/cart", "ops", "resolved")]
    last = world.ask("SELECT reason FROM puppylog.notifications ORDER BY id DESC")[0]
    assert last["reason"] == "it was not observed for 24 hours and is not judged any more"
