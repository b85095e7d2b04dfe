"""The sender's thread, with an outbox in memory and contacts that record."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from puppylog.errors import DeliveryFailed, StoreUnavailable
from puppylog.model.alert import State
from puppylog.notify.events import (
    DeliveryDelayed,
    DeliveryGivenUp,
    MessageSent,
    SendingEvent,
    SendingInterrupted,
    SendingResumed,
)
from puppylog.notify.sender import Sender
from support.embedded import wait_until
from support.outbox import DEAD, Outbox
from support.sending_store import Acknowledging, Forgetful, OneByOne, RecordingContact, SendingStoreInMemory


@pytest.fixture
def store() -> SendingStoreInMemory:
    return SendingStoreInMemory(Outbox())


@contextmanager
def sending(
    store: SendingStoreInMemory, contacts: Sequence[RecordingContact], events: list[SendingEvent] | None = None
) -> Iterator[Sender]:
    seen = [] if events is None else events
    with Sender(store, contacts, on_event=seen.append, round_s=0.05) as sender:
        yield sender


def test_a_firing_and_a_resolved_message_are_sent_and_settled(store: SendingStoreInMemory) -> None:
    ops, events = RecordingContact(), list[SendingEvent]()
    with sending(store, [ops], events):
        store.change(State.FIRING, "web")
        wait_until(lambda: ops.kinds == ["firing"], what="the message")
        store.change(State.OK, "web")
        wait_until(lambda: ops.kinds == ["firing", "resolved"], what="the second message")
        wait_until(lambda: not store.outbox.rows, what="the end of the rows")
    firing, resolved = ops.messages
    assert (firing.alert, firing.metric, firing.threshold, firing.severity) == ("errors", "failures", 10, "warning")
    assert firing.segments[0].segment == "web"
    assert firing.segments[0].key == resolved.segments[0].key
    assert resolved.segments[0].ended_at is not None
    assert [type(event) for event in events] == [MessageSent, MessageSent]
    assert store.claim.acquire(blocking=False), "the claim was not released"


def test_a_slow_contact_does_not_delay_another(store: SendingStoreInMemory) -> None:
    slow, fast = RecordingContact("ops"), RecordingContact("chat")
    store.outbox.contacts = ["ops", "chat"]
    slow.gate.clear()
    with sending(store, [slow, fast]):
        store.change(State.FIRING)
        wait_until(lambda: len(slow.attempts) == 1, what="the slow attempt")
        wait_until(lambda: fast.kinds == ["firing"], what="the message of the other contact")
        store.change(State.OK)
        wait_until(lambda: fast.kinds == ["firing", "resolved"], what="the next message of the other contact")
        assert not slow.messages
        slow.gate.set()
        wait_until(lambda: slow.kinds == ["firing", "resolved"], what="the messages of the slow contact")
    assert len(slow.attempts) == 2


def test_a_message_that_fails_is_tried_again(store: SendingStoreInMemory) -> None:
    ops, events = RecordingContact(), list[SendingEvent]()
    ops.faults.append(DeliveryFailed("send", "to ops", "it answers 503"))
    with sending(store, [ops], events):
        store.change(State.FIRING)
        wait_until(lambda: bool(store.settled), what="the failure")
        assert not ops.messages
        store.ahead_s += 6
        wait_until(lambda: ops.kinds == ["firing"], what="the message")
    assert ops.attempts[0].segments[0].key == ops.attempts[1].segments[0].key
    assert isinstance(events[0], DeliveryDelayed)
    assert events[0].cause == "cannot send to ops: it answers 503"


def test_messages_behind_one_that_failed_wait_with_it(store: SendingStoreInMemory) -> None:
    ops = OneByOne()
    ops.faults.append(DeliveryFailed("send", "to ops", "it answers 503"))
    for segment in ("a", "b", "c"):
        store.change(State.FIRING, segment)
    with sending(store, [ops]):
        wait_until(lambda: bool(store.settled), what="the failure")
        assert len(ops.attempts) == 1
        assert len({row.due_at for row in store.outbox.rows.values()}) == 1
        store.ahead_s += 6
        wait_until(lambda: len(ops.messages) == 3, what="the messages")


def test_a_message_that_is_refused_is_dead_and_holds_up_no_other(store: SendingStoreInMemory) -> None:
    ops, events = OneByOne(), list[SendingEvent]()
    ops.faults.append(DeliveryFailed("send", "to ops", "it answers 404: no_team", is_final=True))
    for segment in ("a", "b"):
        store.change(State.FIRING, segment)
    with sending(store, [ops], events):
        wait_until(lambda: len(ops.messages) == 1, what="the other message")
        wait_until(lambda: not store.outbox.rows, what="the end of the rows")
    assert [outcome.state for outcome in store.outbox.settled.values()].count(DEAD) == 1
    assert any(isinstance(event, DeliveryGivenUp) for event in events)


def test_a_receiver_that_asks_to_wait_gets_no_other_message_before(store: SendingStoreInMemory) -> None:
    ops = RecordingContact()
    ops.faults.append(DeliveryFailed("send", "to ops", "it answers 429", retry_after_s=120))
    with sending(store, [ops]):
        store.change(State.FIRING, "a")
        wait_until(lambda: bool(store.settled), what="the failure")
        store.change(State.FIRING, "b")
        store.ahead_s += 60
        time.sleep(0.2)  # some rounds
        assert len(ops.attempts) == 1
        store.ahead_s += 61
        wait_until(lambda: len(ops.messages) == 1, what="the message")
    assert {report.segment for report in ops.messages[0].segments} == {"a", "b"}


def test_a_defect_of_a_contact_is_a_failure_without_its_text(store: SendingStoreInMemory) -> None:
    ops, events = RecordingContact(), list[SendingEvent]()
    ops.faults.append(ValueError("https://hooks.example/secret"))
    with sending(store, [ops], events):
        store.change(State.FIRING)
        wait_until(lambda: bool(events), what="the failure")
        wait_until(lambda: bool(store.settled), what="the outcome")
    assert isinstance(events[0], DeliveryDelayed)
    assert events[0].cause == "cannot send to contact 'ops': ValueError in Puppylog"
    assert store.settled[0][0].error == events[0].cause


def test_a_message_is_not_sent_again_because_the_store_could_not_settle_it(store: SendingStoreInMemory) -> None:
    ops, events = RecordingContact(), list[SendingEvent]()
    store.settle_error = StoreUnavailable("settle", "notifications", "the server is gone")
    with sending(store, [ops], events):
        store.change(State.FIRING)
        wait_until(lambda: any(isinstance(event, SendingInterrupted) for event in events), what="the report")
        store.settle_error = None
        wait_until(lambda: not store.outbox.rows, what="the settlement")
        wait_until(lambda: any(isinstance(event, SendingResumed) for event in events), what="the other report")
    assert len(ops.attempts) == 1


def test_a_sender_waits_for_a_store_that_does_not_answer(store: SendingStoreInMemory) -> None:
    ops, events = RecordingContact(), list[SendingEvent]()
    store.error = StoreUnavailable("query", "the store", "it is gone")
    with sending(store, [ops], events):
        wait_until(lambda: events == [SendingInterrupted("cannot query the store: it is gone")], what="the report")
        store.error = None
        store.change(State.FIRING)
        wait_until(lambda: ops.kinds == ["firing"], what="the message")
    assert events[1] == SendingResumed()


def test_a_sender_stops_within_two_seconds_and_the_next_one_sends_the_message_again(
    store: SendingStoreInMemory,
) -> None:
    hanging = RecordingContact()
    hanging.gate.clear()
    with sending(store, [hanging]):
        store.change(State.FIRING)
        wait_until(lambda: len(hanging.attempts) == 1, what="the attempt")
        began = time.monotonic()
    assert time.monotonic() - began < 3
    ops = RecordingContact()
    with sending(store, [ops]):
        wait_until(lambda: ops.kinds == ["firing"], what="the message")
    hanging.gate.set()
    assert ops.messages[0].segments[0].key == hanging.attempts[0].segments[0].key


def test_two_senders_send_each_message_once() -> None:
    outbox, claim = Outbox(), threading.Semaphore()
    first, second = SendingStoreInMemory(outbox, claim), SendingStoreInMemory(outbox, claim)
    second.began_at = first.began_at
    ops = OneByOne()
    with sending(first, [ops]), sending(second, [ops]):
        for number in range(30):
            first.change(State.FIRING, f"host-{number}")
        wait_until(lambda: not outbox.rows, what="the end of the rows")
    assert sorted(message.segments[0].segment or "" for message in ops.messages) == sorted(
        f"host-{number}" for number in range(30)
    )


def test_the_sender_that_knows_a_contact_gets_its_turn() -> None:
    outbox, claim = Outbox(), threading.Semaphore()
    outbox.contacts = ["ops", "chat"]
    first, second = SendingStoreInMemory(outbox, claim), SendingStoreInMemory(outbox, claim)
    second.began_at = first.began_at
    ops, chat = RecordingContact("ops"), RecordingContact("chat")
    with sending(first, [ops]), sending(second, [chat]):
        first.change(State.FIRING)
        wait_until(lambda: not outbox.rows, what="the end of the rows")
    assert (ops.kinds, chat.kinds) == (["firing"], ["firing"])


def test_a_receiver_that_forgets_is_sent_the_firing_alert_again_also_after_a_restart(
    store: SendingStoreInMemory,
) -> None:
    ops, events = Forgetful(), list[SendingEvent]()
    with sending(store, [ops], events):
        store.change(State.FIRING)
        wait_until(lambda: len(ops.messages) >= 3, what="the message, again")
    settled = len(store.settled)
    count = len(ops.messages)
    with sending(store, [ops], events):
        wait_until(lambda: len(ops.messages) > count, what="the message after a restart")
        store.change(State.OK)
        wait_until(lambda: ops.kinds[-1] == "resolved", what="the resolved message")
        count = len(ops.messages)
        time.sleep(2)  # two resends
        assert len(ops.messages) == count
    assert len({message.segments[0].key for message in ops.messages}) == 1
    assert len({message.segments[0].since for message in ops.messages}) == 1
    assert len(store.settled) == settled + 1, "a message that is only sent again was settled"
    assert sum(isinstance(event, MessageSent) for event in events) == 2


def test_a_receiver_with_a_state_for_it_is_told_once_that_a_person_knows(store: SendingStoreInMemory) -> None:
    ops, chat = Acknowledging("ops"), RecordingContact("chat")
    store.outbox.contacts = ["ops", "chat"]
    with sending(store, [ops, chat]):
        store.change(State.FIRING)
        wait_until(lambda: ops.kinds == chat.kinds == ["firing"], what="the messages")
        ops.faults.append(DeliveryFailed("send", "to ops", "it answers 503"))
        store.outbox.acknowledged.update({1, 2})
        wait_until(lambda: ops.kinds == ["firing", "acknowledged"], what="the acknowledgement, after a failure")
        store.change(State.OK)
        wait_until(lambda: ops.kinds == ["firing", "acknowledged", "resolved"], what="the resolved message")
        wait_until(lambda: chat.kinds == ["firing", "resolved"], what="the other resolved message")
    assert len({message.segments[0].key for message in ops.messages}) == 1
    assert ops.messages[1].note == "acknowledged by ada"


def test_contacts_may_be_replaced_while_the_sender_runs(store: SendingStoreInMemory) -> None:
    ops = RecordingContact()
    with sending(store, []) as sender:
        store.change(State.FIRING)
        time.sleep(0.2)  # some rounds
        assert store.outbox.rows
        sender.use_contacts([ops])
        wait_until(lambda: ops.kinds == ["firing"], what="the message")
