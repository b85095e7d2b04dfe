from datetime import datetime

import pytest

from puppylog.errors import NotFound
from puppylog.model.alert import Alert, Comparison, NoData, State
from puppylog.monitor.alerts import (
    OLD_HEARTBEAT_S,
    Heartbeat,
    find_heartbeat,
    get_alert,
    list_transitions_after,
    read_alerts,
    read_transitions,
)
from puppylog.monitor.range import Range
from support.memory import MemoryReader


def at(second: int) -> str:
    return f"2015-05-17T10:00:{second:02}+00:00"


def when(second: int) -> datetime:
    return datetime.fromisoformat(at(second))


@pytest.fixture
def alerted(reader: MemoryReader) -> MemoryReader:
    """Two alerts: one judges all segments together, the other judges each segment of a metric limited to a group."""
    reader.insert("log_groups", id=7, name="shop")
    reader.insert("metrics", id=1, name="hits", statistic="count", property="*", period_s=10)
    reader.insert("metrics", id=2, name="sections", statistic="count", property="*", period_s=10, group_id=7)
    rule = {"statistic": "avg", "comparison": ">", "level": 10.0, "window_s": 120, "period_s": 10, "no_data": "zero"}
    reader.insert("alerts", id=10, name="busy", metric_id=1, **rule)
    reader.insert("alerts", id=11, name="crowded", metric_id=2, **{**rule, "each_segment": True})
    return reader


def record_transition(reader: MemoryReader, number: int, alert: int, to: str, segment: str | None = None) -> None:
    states = {"from_state": "ok", "to_state": to, "comparison": ">", "level": 10.0, "value": 12.0}
    reader.insert("alert_history", id=number, alert_id=alert, evaluated_at=at(number), segment=segment, **states)


def test_an_alert_that_was_never_judged_has_no_state(alerted: MemoryReader) -> None:
    [state] = get_alert(alerted, "busy").states
    assert state.alert == Alert("busy", "hits", "avg", Comparison.ABOVE, 10.0, 120, 10, 0, 0, 0, False, NoData.ZERO)
    assert (state.subject, state.state, state.last_fired_at) == (("busy", None), None, None)


def test_each_segment_has_its_state_and_its_last_firing(alerted: MemoryReader) -> None:
    for segment in ("a", None):
        alerted.insert("segment_states", alert_id=11, segment=segment, state="firing", since=at(30), value=12.5)
    record_transition(alerted, 1, 11, "firing", "a")
    record_transition(alerted, 2, 11, "firing")
    record_transition(alerted, 3, 11, "firing")
    record_transition(alerted, 4, 11, "ok")
    snapshot = read_alerts(alerted, name="crowded")
    assert [(state.segment, state.state, state.last_fired_at) for state in snapshot.states] == [
        ("a", State.FIRING, when(1)),
        (None, State.FIRING, when(3)),
    ]
    assert snapshot.last_transition == 4


def test_alerts_can_be_limited_to_the_group_of_their_metric(alerted: MemoryReader) -> None:
    assert [state.alert.name for state in read_alerts(alerted).states] == ["busy", "crowded"]
    assert [state.alert.name for state in read_alerts(alerted, group="shop").states] == ["crowded"]


def test_an_unknown_alert_is_not_found(alerted: MemoryReader) -> None:
    with pytest.raises(NotFound, match="cannot find alert 'bus'"):
        get_alert(alerted, "bus")


def test_transitions_after_a_given_one_are_listed_in_their_order(alerted: MemoryReader) -> None:
    record_transition(alerted, 3, 11, "ok", "a")
    record_transition(alerted, 1, 10, "firing")
    record_transition(alerted, 2, 11, "firing", "a")
    assert [(each.id, each.alert, each.segment, each.to_state) for each in list_transitions_after(alerted, 1)] == [
        (2, "crowded", "a", State.FIRING),
        (3, "crowded", "a", State.OK),
    ]
    assert [each.id for each in list_transitions_after(alerted, 0, group="shop")] == [2, 3]
    assert list_transitions_after(alerted, 3) == []


def test_the_newest_transitions_of_one_alert_come_oldest_first(alerted: MemoryReader) -> None:
    for number in (1, 2, 3, 4):
        record_transition(alerted, number, 10, "firing")
    record_transition(alerted, 5, 11, "firing")
    assert read_transitions(alerted, "busy", transitions=2)["evaluated_at"].to_pylist() == [when(3), when(4)]
    within = Range(when(2), when(4))
    assert read_transitions(alerted, "busy", within=within, transitions=9)["evaluated_at"].to_pylist() == [
        when(2),
        when(3),
    ]


def test_without_an_evaluator_there_is_no_heartbeat(reader: MemoryReader) -> None:
    assert find_heartbeat(reader) is None


def test_a_heartbeat_ages_by_the_clock_of_the_store(reader: MemoryReader) -> None:
    reader.insert("heartbeat", evaluator="engine 7", error="full")
    reader.connection.execute("UPDATE puppylog.heartbeat SET beat_at = now() - INTERVAL '90 seconds'")
    beat = find_heartbeat(reader)
    assert beat is not None
    assert beat.age_s == pytest.approx(90, abs=5)
    assert (beat.evaluator, beat.error, beat.is_old) == ("engine 7", "full", True)


@pytest.mark.parametrize(
    ("age_s", "is_old"), [(OLD_HEARTBEAT_S, False), (OLD_HEARTBEAT_S + 1, True), (-2, False), (-60, True)]
)
def test_a_heartbeat_is_old_after_a_while_or_if_the_clock_was_set_back(age_s: float, is_old: bool) -> None:
    assert Heartbeat("engine", when(0), age_s, None).is_old is is_old
