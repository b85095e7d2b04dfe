"""What a sender sends, drops and holds, case by case."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from puppylog.model.alert import State
from puppylog.model.notification import NotificationKind, OutboxRow, Told
from puppylog.model.notification_rule import (
    GIVE_UP_AFTER,
    MAX_ATTEMPTS,
    decide,
    failed,
    fires,
    retry_delay_s,
)
from support.outbox import DEAD, DROPPED, FIRING, NO_DATA, RESOLVED, START, Outbox, at, silence_between

ROW: Final = OutboxRow(1, 1, "errors", None, "ops", FIRING, at(0), at(0), at(0))

# Transitions as (second, state), the silence as (start, end), and what is sent, as (second, kind).
SILENCE_CASES: Final = {
    "starts firing within the silence and still fires": ([(15, State.FIRING)], (10, 20), [(20, FIRING)]),
    "resolves within the silence": ([(5, State.FIRING), (15, State.OK)], (10, 20), [(5, FIRING), (20, RESOLVED)]),
    "starts firing and resolves within the silence": ([(12, State.FIRING), (15, State.OK)], (10, 20), []),
    "neither within the silence": ([(5, State.FIRING), (25, State.OK)], (10, 20), [(5, FIRING), (25, RESOLVED)]),
    "fires on when the silence ends": ([(5, State.FIRING)], (10, 20), [(5, FIRING)]),
    "resolves and fires again within the silence": (
        [(5, State.FIRING), (12, State.OK), (15, State.FIRING)],
        (10, 20),
        [(5, FIRING), (20, FIRING)],
    ),
    "fires, resolves and fires again within the silence": (
        [(11, State.FIRING), (12, State.OK), (15, State.FIRING)],
        (10, 20),
        [(20, FIRING)],
    ),
    "fires within the silence and resolves after it": (
        [(15, State.FIRING), (25, State.OK)],
        (10, 20),
        [(20, FIRING), (25, RESOLVED)],
    ),
    "loses its data within the silence": (
        [(5, State.FIRING), (15, State.NO_DATA)],
        (10, 20),
        [(5, FIRING), (20, NO_DATA)],
    ),
    "is pending again when the silence ends": ([(12, State.NO_DATA), (15, State.PENDING)], (10, 20), []),
    "changes before the silence starts": ([(2, State.FIRING), (5, State.OK)], (10, 20), [(2, FIRING), (5, RESOLVED)]),
}


@pytest.mark.parametrize(("transitions", "silence", "expected"), SILENCE_CASES.values(), ids=SILENCE_CASES.keys())
def test_a_silence_holds_messages_and_then_what_is_true_is_sent(
    transitions: Sequence[tuple[int, State]],
    silence: tuple[int, int],
    expected: Sequence[tuple[int, NotificationKind]],
) -> None:
    outbox = Outbox(silences=[silence_between(at(silence[0]), at(silence[1]))])
    for second in range(40):
        for changes_at, state in transitions:
            if changes_at == second:
                outbox.change(second, state)
        outbox.run(second)
    assert [(second, kind) for second, _, kind in outbox.kinds()] == expected
    assert not outbox.rows


def test_a_silence_of_a_segment_leaves_other_segments_alone() -> None:
    outbox = Outbox(silences=[silence_between(at(0), at(20), segment="checkout*")])
    for segment in ("checkout-1", "cart"):
        outbox.change(1, State.FIRING, segment)
    for second in range(30):
        outbox.run(second)
    assert outbox.kinds() == [(1, "cart", FIRING), (20, "checkout-1", FIRING)]


def test_a_row_that_a_silence_holds_says_which_and_until_when() -> None:
    outbox = Outbox(silences=[silence_between(at(0), at(20)), silence_between(at(0), at(50), name="weekend")])
    outbox.change(1, State.FIRING)
    held = outbox.decide(2).held[1]
    assert (held.until, held.reason) == (at(50), "silence 'weekend'")


def test_a_silence_that_is_ended_early_holds_no_longer() -> None:
    outbox = Outbox(silences=[silence_between(at(0), at(2000))])
    outbox.change(1, State.FIRING)
    outbox.run(100)
    outbox.silences[0] = silence_between(at(0), at(150))
    outbox.run(150)
    assert outbox.kinds() == [(150, None, FIRING)]


def test_a_silence_holds_one_row_of_a_segment_however_often_its_state_changes() -> None:
    outbox = Outbox(silences=[silence_between(at(0), at(100))])
    for second in range(0, 100, 2):
        outbox.change(second, State.FIRING)
        outbox.change(second + 1, State.OK)
        outbox.run(second + 1)
        assert len(outbox.rows) == 1


def test_the_end_of_one_of_two_silences_sends_nothing() -> None:
    outbox = Outbox(silences=[silence_between(at(0), at(20)), silence_between(at(15), at(30))])
    outbox.change(1, State.FIRING)
    for second in range(40):
        outbox.run(second)
    assert outbox.kinds() == [(30, None, FIRING)]


def test_segments_that_fire_within_the_group_wait_are_one_message() -> None:
    outbox = Outbox(group_wait_s=30)
    for second, segment in ((0, "a"), (10, "b"), (29, "c")):
        outbox.change(second, State.FIRING, segment)
    assert outbox.run(29) == 0
    assert outbox.run(30) == 1
    assert [segment for _, segment, _ in outbox.kinds()] == ["a", "b", "c"]


def test_firing_and_resolved_segments_are_two_messages() -> None:
    outbox = Outbox(group_wait_s=30)
    outbox.change(0, State.FIRING, "a")
    outbox.run(30)
    outbox.change(40, State.OK, "a")
    outbox.change(41, State.FIRING, "b")
    assert outbox.run(71) == 2


def test_a_row_whose_attempt_failed_does_not_join_a_message_before_it_is_due() -> None:
    outbox = Outbox(down="503")
    outbox.change(0, State.FIRING, "a")
    outbox.run(0)
    outbox.down = None
    outbox.change(1, State.FIRING, "b")
    outbox.run(1)
    outbox.run(5)
    assert outbox.kinds() == [(1, "b", FIRING), (5, "a", FIRING)]


def test_a_resolved_message_waits_for_the_firing_one() -> None:
    outbox = Outbox(down="503")
    outbox.change(0, State.FIRING)
    outbox.run(0)
    outbox.change(1, State.OK)
    assert outbox.run(2) == 0
    assert outbox.decide(2).held[2].reason == "an earlier message about it is not sent yet"
    outbox.down = None
    outbox.run(5)
    assert outbox.kinds() == [(5, None, FIRING), (5, None, RESOLVED)]


def test_a_resolved_message_is_dropped_if_the_firing_one_is_dead() -> None:
    outbox = Outbox()
    outbox.change(0, State.FIRING)
    outbox.settle(failed(outbox.rows[1], at(0), "404: no_team", share=1.0, is_final=True))
    outbox.change(1, State.OK)
    outbox.run(1)
    assert not outbox.sent
    assert (outbox.settled[2].state, outbox.settled[2].error) == (DROPPED, "no message said that there was a problem")


def test_a_firing_alert_is_repeated_until_it_resolves() -> None:
    outbox = Outbox(repeat_s=60)
    outbox.change(0, State.FIRING)
    for second in range(150):
        outbox.run(second)
    outbox.change(150, State.OK)
    for second in range(150, 400):
        outbox.run(second)
    assert outbox.kinds() == [(0, None, FIRING), (60, None, FIRING), (120, None, FIRING), (150, None, RESOLVED)]
    assert len({message[3] for message in outbox.sent}) == 1, "messages of one episode have different keys"


def test_a_firing_alert_that_was_acknowledged_is_not_repeated() -> None:
    outbox = Outbox(repeat_s=60)
    outbox.change(0, State.FIRING)
    outbox.run(0)
    outbox.acknowledged.add(1)
    for second in range(200):
        outbox.run(second)
    assert outbox.kinds() == [(0, None, FIRING)]


def test_a_silenced_alert_is_not_repeated() -> None:
    outbox = Outbox(repeat_s=60, silences=[silence_between(at(30), at(100))])
    outbox.change(0, State.FIRING)
    for second in range(140):
        outbox.run(second)
    assert outbox.kinds() == [(0, None, FIRING), (100, None, FIRING)]


def test_an_alert_that_fires_again_within_a_silence_keeps_its_episode() -> None:
    outbox = Outbox(silences=[silence_between(at(10), at(20))])
    changes = {5: State.FIRING, 12: State.OK, 15: State.FIRING, 30: State.OK}
    for second in range(31):
        if second in changes:
            outbox.change(second, changes[second])
        outbox.run(second)
    assert [kind for _, _, kind in outbox.kinds()] == [FIRING, FIRING, RESOLVED]
    assert {episode_at.replace(microsecond=0) for *_, episode_at, _ in outbox.sent} == {at(5)}


def test_a_row_of_an_unknown_contact_is_left_to_another_process_and_dead_after_three_days() -> None:
    outbox = Outbox()
    outbox.change(0, State.FIRING)
    decision = outbox.decide(10, contacts=["other"])
    assert not decision.groups
    assert decision.held[1].reason == "this process has no contact 'ops' in its configuration"
    after = GIVE_UP_AFTER.total_seconds()
    [outcome] = outbox.decide(after, contacts=["other"]).outcomes
    assert outcome.state is DEAD
    assert outcome.error == "in 3 days, no process with contact 'ops' in its configuration has sent it"


def test_a_row_of_an_unknown_contact_that_was_silenced_has_three_days_from_the_end() -> None:
    silenced_s = GIVE_UP_AFTER.total_seconds() + 10
    outbox = Outbox(silences=[silence_between(at(0), at(silenced_s))])
    outbox.change(1, State.FIRING)
    assert outbox.decide(silenced_s + 5, contacts=[]).held[1].until == at(silenced_s) + GIVE_UP_AFTER


def test_a_contact_that_asked_to_wait_gets_nothing_until_then() -> None:
    arguments = {"told": (), "silences": (), "states": {("errors", None): State.FIRING}, "contacts": ["ops"]}
    paused = decide([ROW], **arguments, now=at(5), paused={"ops": at(60)})  # type: ignore[arg-type] # one dict of all
    assert not paused.groups
    assert (paused.held[1].until, paused.held[1].reason) == (at(60), "the receiver asked to wait")
    assert decide([ROW], **arguments, now=at(60), paused={"ops": at(60)}).groups  # type: ignore[arg-type] # as above


def test_delays_grow_from_5_s_to_an_hour_and_end_after_three_days() -> None:
    row, now = ROW, at(0)
    delays = []
    while True:
        outcome = failed(row, now, "503", share=1.0)
        if outcome.state is DEAD:
            break
        assert outcome.due_at is not None
        delays.append((outcome.due_at - now).total_seconds())
        row, now = replace(row, attempts=outcome.attempts), outcome.due_at
    assert delays[0] == 5
    assert delays == sorted(delays)
    assert delays[-1] == 3600
    assert GIVE_UP_AFTER - timedelta(hours=1) <= now - START <= GIVE_UP_AFTER + timedelta(hours=1)
    assert outcome.attempts == MAX_ATTEMPTS
    assert outcome.error == "given up after 3 days: 503"
    assert retry_delay_s(1, share=0.0) == 3.75


@pytest.mark.parametrize(("asks_s", "waits_s"), [(None, 5), (1, 5), (90, 90), (86_400, 3600)])
def test_a_retry_waits_as_long_as_the_receiver_asks_and_at_most_an_hour(asks_s: float | None, waits_s: float) -> None:
    assert failed(ROW, at(0), "429", share=1.0, retry_after_s=asks_s).due_at == at(waits_s)


def test_a_problem_lasts_only_in_the_state_that_was_told() -> None:
    told = Told(1, 1, "errors", None, "ops", FIRING, sent_at=at(0), episode_at=at(0))
    assert fires(told, {("errors", None): State.FIRING})
    assert not fires(told, {("errors", None): State.NO_DATA})
    assert not fires(told, {})
