"""Random histories of an alert and its sender against statements about all messages."""

from collections import defaultdict
from datetime import datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from puppylog.model.alert import State
from puppylog.model.notification import NotificationKind
from support.examples import examples
from support.outbox import KIND_OF_STATE, RESOLVED, SENT, START, Outbox, at, silence_between


class Sending(RuleBasedStateMachine):
    """Transitions, silences, outages and acknowledgements in any order, while a sender runs every now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = Outbox(group_wait_s=30, repeat_s=300)
        self.second = 0.0

    @rule(seconds=st.sampled_from([1, 10, 31, 100, 400]))
    def time_passes(self, seconds: int) -> None:
        self.second += seconds

    @rule(segment=st.sampled_from(["a", "b"]), state=st.sampled_from(State))
    def the_alert_changes(self, segment: str, state: State) -> None:
        self.outbox.change(self.second, state, segment)

    @rule(seconds=st.sampled_from([5, 60, 500]), segment=st.sampled_from(["a", "b", "*"]))
    def a_silence_starts(self, seconds: int, segment: str) -> None:
        self.outbox.silences.append(silence_between(at(self.second), at(self.second + seconds), segment=segment))

    @rule(row=st.integers(1, 20))
    def a_person_acknowledges(self, row: int) -> None:
        self.outbox.acknowledged.add(row)

    @precondition(lambda self: self.outbox.down is None)
    @rule()
    def the_receiver_fails(self) -> None:
        self.outbox.down = "503"

    @precondition(lambda self: self.outbox.down is not None)
    @rule()
    def the_receiver_is_back(self) -> None:
        self.outbox.down = None

    @rule()
    def the_sender_runs(self) -> None:
        before = len(self.outbox.sent)
        self.outbox.run(self.second)
        for _, segment, *_ in self.outbox.sent[before:]:
            assert not any(one.matches("errors", segment, at(self.second)) for one in self.outbox.silences)

    @invariant()
    def a_resolved_message_follows_a_problem_and_ends_its_episode(self) -> None:
        told: dict[str | None, tuple[NotificationKind, datetime]] = {}
        for _, segment, kind, episode, _ in self.outbox.sent:
            before, key = told.get(segment, (RESOLVED, START))
            if kind is RESOLVED:
                assert before.is_problem
            if before.is_problem:
                assert episode == key, "the messages of an episode have one key"
            else:
                assert episode > key, "a new episode has a new key"
            told[segment] = (kind, episode)

    @invariant()
    def only_repeats_tell_a_transition_again(self) -> None:
        assert len([message for message in self.outbox.sent if not message[4]]) == sum(
            outcome.state is SENT for outcome in self.outbox.settled.values()
        )

    def teardown(self) -> None:
        """After all silences ended and all retries succeeded, the last message of each segment equals its state."""
        self.outbox.down = None
        for _ in range(3):
            self.second += 4000
            self.outbox.run(self.second)
        assert not self.outbox.rows
        last: defaultdict[str | None, NotificationKind] = defaultdict(lambda: RESOLVED)
        for _, segment, kind, *_ in self.outbox.sent:
            last[segment] = kind
        for (_, segment), state in self.outbox.states.items():
            if state is not State.PENDING:  # from no data, the last message stays until the alert is OK or fires
                assert last[segment] is KIND_OF_STATE.get(state, RESOLVED)


TestSending = Sending.TestCase
TestSending.settings = settings(max_examples=examples(60), stateful_step_count=40)
