import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from puppylog.collect.batch import Batch
from puppylog.collect.committer import Committer
from puppylog.collect.events import Committed, Event, FileFinished, StoreInterrupted, StoreResumed
from puppylog.collect.retry import call_with_retry
from puppylog.errors import BatchDropped, StoreError, StoreUnavailable
from puppylog.model.record import Parsed
from puppylog.model.request import ReceivedRequest
from puppylog.model.stream import EMPTY_FINGERPRINT, Move
from puppylog.stores.base import Appended


class FakeAppender:
    """Commits when the gate is open, after the given failures."""

    def __init__(self, failures: Sequence[Exception] = (), gate: threading.Event | None = None) -> None:
        self.failures = list(failures)
        self.gate = gate
        self.completed = threading.Event()
        self.discarded = False
        self.records = 0

    def write(self, stream_id: int, file_id: int, parsed: Parsed) -> None:
        raise NotImplementedError

    def complete(self) -> None:
        self.completed.set()

    def commit(
        self,
        moves: Sequence[Move],  # noqa: ARG002 - the signature of the protocol
        requests: Sequence[ReceivedRequest] = (),  # noqa: ARG002 - the signature of the protocol
    ) -> Appended:
        if self.gate is not None:
            assert self.gate.wait(10)
        if self.failures:
            raise self.failures.pop(0)
        return Appended(self.records, rejects=0)

    def discard(self) -> None:
        self.discarded = True


def batch(appender: FakeAppender, records: int = 1) -> Batch:
    moves = {7: Move(7, 0, 10, EMPTY_FINGERPRINT, finished=True)}
    appender.records = records
    return Batch(appender, 1000, moves=moves, records=records, finished=[("/a", 10)])


def test_a_transient_error_is_retried_and_reported() -> None:
    events: list[Event] = []
    failures = [StoreUnavailable("reach", "the store", "away"), StoreUnavailable("reach", "the store", "still away")]
    with Committer(threading.Event(), events.append) as committer:
        committer.hand_over(batch(FakeAppender(failures)))
        committer.wait()
    away = [event for event in events if isinstance(event, StoreInterrupted)]
    assert [event.cause for event in away] == ["cannot reach the store: away", "cannot reach the store: still away"]
    assert away[0].retry_in_s < away[1].retry_in_s
    assert events[2:] == [StoreResumed(), Committed(1, 0), FileFinished("/a", 10)]


def test_a_permanent_error_ends_the_run_and_discards_the_batch() -> None:
    appender = FakeAppender([StoreError("reach", "the store", "no")])
    with Committer(threading.Event(), lambda _: None) as committer:
        committer.hand_over(batch(appender))
        with pytest.raises(StoreError, match="no"):
            committer.wait()
    assert appender.discarded
    assert committer.totals.records == 0


def test_batches_queued_behind_a_failed_batch_are_discarded_and_later_ones_are_committed() -> None:
    gate = threading.Event()
    second, third, fourth = FakeAppender(), FakeAppender(), FakeAppender()
    with Committer(threading.Event(), lambda _: None) as committer:
        committer.hand_over(batch(FakeAppender([StoreError("reach", "the store", "no")], gate)))
        committer.hand_over(batch(second))
        gate.set()
        with pytest.raises(StoreError):
            committer.hand_over(batch(third))
        assert second.discarded
        assert third.discarded
        committer.hand_over(batch(fourth, records=4))
        committer.wait()
    assert not fourth.discarded
    assert committer.totals.records == 4


class FullAppender(FakeAppender):
    """Cannot keep its rows."""

    def complete(self) -> None:
        super().complete()
        raise BatchDropped("reach", "the store", "no room")


def test_a_batch_is_completed_before_its_turn_comes() -> None:
    gate = threading.Event()
    second, third = FakeAppender(), FakeAppender()
    with Committer(threading.Event(), lambda _: None) as committer, ThreadPoolExecutor(1) as other:
        committer.hand_over(batch(FakeAppender(gate=gate)))
        committer.hand_over(batch(second))
        assert second.completed.is_set()
        waiting = other.submit(committer.hand_over, batch(third))
        assert third.completed.wait(10)
        assert not waiting.done()
        gate.set()
        waiting.result(10)


def test_a_batch_that_cannot_be_kept_is_reported_after_the_earlier_batches_are_committed() -> None:
    gate = threading.Event()
    second = FullAppender()
    with Committer(threading.Event(), lambda _: None) as committer, ThreadPoolExecutor(1) as other:
        committer.hand_over(batch(FakeAppender(gate=gate), records=2))
        handed_over = other.submit(committer.hand_over, batch(second))
        assert second.completed.wait(10)
        assert not handed_over.done()
        gate.set()
        with pytest.raises(BatchDropped):
            handed_over.result(10)
        assert committer.is_idle
    assert committer.totals.records == 2
    assert second.discarded


def test_one_batch_is_committed_one_is_queued_and_the_next_has_to_wait() -> None:
    gate = threading.Event()
    with Committer(threading.Event(), lambda _: None) as committer, ThreadPoolExecutor(1) as other:
        committer.hand_over(batch(FakeAppender(gate=gate), records=2))
        committer.hand_over(batch(FakeAppender(), records=3))
        assert not committer.is_idle
        third = other.submit(committer.hand_over, batch(FakeAppender(), records=4))
        assert not third.done()
        gate.set()
        third.result(10)
        committer.wait()
    assert committer.totals.records == 9
    assert committer.totals.file_ids == {7}


def test_after_a_stop_a_call_to_an_unavailable_store_is_made_only_once_more() -> None:
    stop = threading.Event()
    calls: list[int] = []

    def call() -> None:
        calls.append(1)
        stop.set()
        raise StoreUnavailable("reach", "the store", "away")

    with pytest.raises(StoreUnavailable):
        call_with_retry(call, stop, lambda _: None)
    assert len(calls) == 2


def test_settling_waits_for_a_running_commit_and_discards_failed_batches() -> None:
    gate = threading.Event()
    failed, queued = FakeAppender([StoreError("reach", "the store", "broken")], gate), FakeAppender()
    with Committer(threading.Event(), lambda _: None) as committer:
        committer.hand_over(batch(failed))
        committer.hand_over(batch(queued))
        threading.Timer(0.1, gate.set).start()
        committer.settle()
        assert committer.is_idle
        assert failed.discarded
        assert queued.discarded
        committer.hand_over(batch(FakeAppender()))
        committer.wait()
    assert committer.totals.records == 1
