from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from puppylog.model.alert import Alert, Comparison, NoData, State
from puppylog.model.silence import Silence
from puppylog.monitor.alerts import AlertState, Heartbeat, Transition
from puppylog.tui.alert import (
    describe_rule,
    draw_alerts,
    draw_summaries,
    explain_stale_states,
    line_for_state,
    line_for_transition,
    sort_by_urgency,
    word_for_state,
    word_for_transition,
)

AT = datetime(2015, 5, 17, 10, 5, 3, tzinfo=UTC)
LATER = AT.replace(minute=7)
ALERT = Alert("totaltraffic", "total_traffic", "avg", Comparison.ABOVE, 10.0, 120, 10, 0, 0, 2, False, NoData.ZERO)
OK = AlertState(ALERT, None, None, State.OK, AT, 3.25, None, AT, LATER, None)
TRANSITION = Transition(1, "totaltraffic", None, AT, State.OK, State.FIRING, 12.5, Comparison.ABOVE, 10.0)


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (OK, "All good"),
        (replace(OK, last_fired_at=AT), "Recovered"),
        (replace(OK, state=State.FIRING, last_fired_at=AT), "Ringing a bell"),
        (replace(OK, state=State.PENDING), "About to ring"),
        (replace(OK, state=State.NO_DATA), "No data"),
        (replace(OK, state=None), "Not judged yet"),
        (replace(OK, error="cannot divide"), "Cannot be judged"),
        (replace(OK, evaluated_age_s=60.0), "Not evaluated"),
    ],
)
def test_each_state_is_shown_as_its_word(state: AlertState, word: str) -> None:
    assert word_for_state(state) == word


@pytest.mark.parametrize(
    ("from_state", "to_state", "word"),
    [
        (State.OK, State.FIRING, "Ringing a bell"),
        (State.FIRING, State.OK, "Recovered"),
        (State.PENDING, State.OK, "All good"),
        (State.NO_DATA, State.OK, "All good"),
        (State.OK, State.PENDING, "About to ring"),
        (State.FIRING, State.NO_DATA, "No data"),
    ],
)
def test_each_transition_is_shown_as_its_word(from_state: State, to_state: State, word: str) -> None:
    assert word_for_transition(replace(TRANSITION, from_state=from_state, to_state=to_state)) == word


def test_firing_alerts_come_first_and_good_ones_last() -> None:
    firing, failing = replace(OK, state=State.FIRING), replace(OK, error="cannot divide")
    pending, overdue = replace(OK, state=State.PENDING), replace(OK, evaluated_age_s=60.0)
    assert sort_by_urgency([OK, pending, overdue, failing, firing]) == [firing, failing, overdue, pending, OK]


def test_a_state_is_described_on_one_line() -> None:
    assert line_for_state(OK, UTC) == "2015-05-17T10:05:03+00:00 totaltraffic: All good, value 3.25 (above 10)"


def test_an_alert_that_was_never_judged_is_described_without_a_value() -> None:
    state = replace(OK, state=None, since=None, value=None)
    assert line_for_state(state, UTC) == "2015-05-17T10:07:03+00:00 totaltraffic: Not judged yet, value - (above 10)"


def test_the_line_of_a_failing_alert_has_the_error() -> None:
    line = line_for_state(replace(OK, error="cannot read metric"), UTC)
    assert line.endswith("totaltraffic: Cannot be judged, value 3.25 (above 10), cannot read metric")


def test_a_transition_is_described_on_one_line_in_the_zone_of_the_reader() -> None:
    transition = replace(TRANSITION, segment="shop", comparison=Comparison.AT_MOST)
    assert (
        line_for_transition(transition, ZoneInfo("Europe/Berlin"))
        == "2015-05-17T12:05:03+02:00 totaltraffic[shop]: Ringing a bell, value 12.5 (at most 10)"
    )


def test_the_live_view_is_a_table_in_which_each_line_has_the_color_of_its_state() -> None:
    each = replace(ALERT, name="crowded", each_segment=True)
    states = [
        replace(OK, last_fired_at=LATER),
        replace(OK, alert=each, segment="shop\x1b", state=State.FIRING, value=1234.0, last_fired_at=LATER),
        replace(OK, alert=each, segment=None, state=State.PENDING),
    ]
    drawn = draw_alerts(states, zone=UTC, now=LATER, width=120)
    assert [line.color for line in drawn] == ["bold", "green", "red", "yellow"]
    assert [line.text for line in drawn] == [
        "alert              status          value  rings        since  last rang",
        "totaltraffic       Recovered        3.25  above 10  10:05:03   10:07:03",
        r"crowded[shop\x1b]  Ringing a bell  1,234  above 10  10:05:03   10:07:03",
        "crowded[-]         About to ring    3.25  above 10  10:05:03          -",
    ]
    narrow = draw_alerts(states, zone=UTC, now=LATER, width=50)
    assert [line.text for line in narrow][-2:] == [
        "crowded[-]         About to ring    3.25  10:05:03",
        "not shown: rings, last rang",
    ]


def test_the_summary_of_an_alert_that_rings_stands_below_the_table_once() -> None:
    firing = replace(OK, alert=replace(ALERT, summary="look at the balancer, and at crawlers"), state=State.FIRING)
    shown = draw_summaries([firing, replace(firing, segment="shop"), replace(firing, state=State.OK), OK], 40)
    assert [line.text for line in shown] == ["totaltraffic (warning): look at the", "balancer, and at crawlers"]


def test_a_problem_that_is_silenced_or_acknowledged_says_so_in_another_colour() -> None:
    night = Silence("night", "*", "*", AT, LATER, "ada", "")
    firing = replace(OK, state=State.FIRING)
    states = [replace(firing, acknowledged_by="ada\x1b"), replace(firing, silence=night), replace(OK, silence=night)]
    drawn = draw_alerts(states, zone=UTC, now=LATER, width=120)
    assert [line.color for line in drawn] == ["bold", "yellow", "yellow", "green"]
    words = ["Ringing a bell, seen by ada\\x1b", "Ringing a bell, silenced", "All good"]
    assert [line.text.split("  ")[1] for line in drawn[1:]] == words
    assert line_for_state(states[1], UTC).endswith("(above 10), silenced")


def test_a_rule_is_described_as_a_phrase() -> None:
    assert describe_rule(ALERT) == "avg of total_traffic over 2m above 10"
    rule = describe_rule(replace(ALERT, for_s=60, each_segment=True))
    assert rule == "avg of total_traffic over 2m above 10 for 1m, each segment by itself"


BEAT = Heartbeat("engine 7", AT, 1.0, None)


@pytest.mark.parametrize(
    ("heartbeat", "age_s", "flavour", "cause"),
    [
        (None, 1, "duckdb", "nothing evaluates the alerts, and nothing ever has; run 'puppylog up', which keeps the"),
        (
            replace(BEAT, age_s=200.0),
            1,
            "plain",
            "nothing evaluates the alerts: engine 7 last did so 3 min 20 s ago; run",
        ),
        (
            replace(BEAT, age_s=-4000.0),
            1,
            "citus",
            "nothing evaluates the alerts: engine 7 last did so at a time 1 h 6 min",
        ),
        (
            replace(BEAT, age_s=40.0),
            1,
            "timescaledb",
            "nothing evaluates the alerts: engine 7 last did so 40 s ago; 'puppy",
        ),
        (replace(BEAT, error="full"), 1, "duckdb", "the evaluator of alerts has a problem: full; 'puppylog doctor'"),
        (BEAT, 51, "duckdb", "alert totaltraffic is not evaluated when it is due, last 51 s ago; 'puppylog doctor'"),
        (BEAT, -60, "duckdb", "alert totaltraffic is not evaluated when it is due, last at a time 1 min 0 s ahead"),
        (BEAT, 49, "duckdb", None),
    ],
)
def test_states_that_are_out_of_date_are_explained(
    heartbeat: Heartbeat | None, age_s: float, flavour: str, cause: str | None
) -> None:
    explanation = explain_stale_states(heartbeat, [replace(OK, evaluated_age_s=age_s)], flavour)
    assert explanation is None if cause is None else str(explanation).startswith(cause)


def test_of_several_overdue_alerts_one_is_named() -> None:
    late = replace(OK, evaluated_age_s=99.0)
    other = replace(late, alert=replace(ALERT, name="a"))
    assert str(explain_stale_states(BEAT, [late, late, other], "duckdb")).startswith(
        "alert a (and 1 more) is not evaluated when"
    )
