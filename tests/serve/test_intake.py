"""Received requests are stored once each, several in one transaction, although stores and servers fail."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from puppylog.errors import StoreUnavailable
from puppylog.model.record import Parsed
from puppylog.model.stream import EMPTY_FINGERPRINT, Move
from puppylog.monitor.collectors import StreamState
from puppylog.receive.received import Received
from puppylog.serve.intake import IntakeLimits
from puppylog.serve.refusal import Refusal
from support.embedded import EmbeddedStore, wait_until
from support.intake import Answer, IntakeTrial, receive

SHORT = IntakeLimits(wait_s=0.3)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedStore]:
    with EmbeddedStore(tmp_path_factory.mktemp("intake") / "store") as server:
        yield server


@pytest.fixture
def trial(server: EmbeddedStore) -> IntakeTrial:
    return IntakeTrial(server)


def test_a_request_is_answered_after_its_commit_with_its_numbers(trial: IntakeTrial) -> None:
    with trial.intake() as intake:
        stored = trial.send(intake, receive("one", "!", "two"), "a", '{"records":2}').stored()
        assert (stored.records, stored.rejects, stored.repeated_s, stored.answer) == (2, 1, None, '{"records":2}')
        assert trial.messages() == ["one", "two"]
    assert trial.count("records") == 2
    assert trial.count("rejected_lines") == 1


def test_requests_that_arrive_during_a_commit_share_the_next_one(trial: IntakeTrial) -> None:
    with trial.intake() as intake:
        trial.send(intake, receive("first"), "0").stored()
        trial.fault.gate.clear()
        trial.fault.entered.clear()
        running = trial.send(intake, receive("running"), "1")
        assert trial.fault.entered.wait(10)
        waiting = [trial.send(intake, receive(f"m{n}", source=f"s{n % 3}"), f"{n}") for n in range(2, 42)]
        trial.fault.gate.set()
        assert running.stored().records == 1
        assert sum(answer.stored().records for answer in waiting) == 40
    assert trial.fault.commits == [1, 1, 40]
    assert sorted(trial.messages()) == sorted(["first", "running", *(f"m{n}" for n in range(2, 42))])
    places = trial.rows("log_records", "file_id, line_offset")
    assert len({tuple(place.values()) for place in places}) == len(places) == 42


def test_an_identical_request_is_answered_as_before_and_stores_nothing(trial: IntakeTrial) -> None:
    with trial.intake() as intake:
        trial.fault.gate.clear()
        first = trial.send(intake, receive("once"), "d", "first answer")
        at_the_same_time = trial.send(intake, receive("once"), "d", "another answer")
        trial.fault.gate.set()
        assert first.stored().repeated_s is None
        assert at_the_same_time.stored().repeated_s == 0
        later = trial.send(intake, receive("once"), "d", "another answer").stored()
        assert later.repeated_s is not None
        assert later.answer == "first answer"
    with trial.intake() as restarted:
        other = trial.send(restarted, receive("twice"), "e")
        after_restart = trial.send(restarted, receive("once"), "d", "another answer").stored()
        assert after_restart.repeated_s is not None
        assert after_restart.answer == "first answer"
        other.stored()
    assert trial.messages() == ["once", "twice"]


def test_a_request_that_the_store_has_leaves_the_others_of_its_batch(trial: IntakeTrial) -> None:
    with trial.intake() as intake:
        trial.send(intake, receive("old"), "a", "old answer").stored()
    with trial.intake() as restarted:
        trial.fault.gate.clear()
        trial.fault.entered.clear()
        blocking = trial.send(restarted, receive("blocking"), "b")
        assert trial.fault.entered.wait(10)
        answers = [trial.send(restarted, receive("new"), "c"), trial.send(restarted, receive("old"), "a")]
        answers.append(trial.send(restarted, receive("without digest")))
        trial.fault.gate.set()
        blocking.stored()
        assert [answer.stored().repeated_s is None for answer in answers] == [True, False, True]
    assert trial.messages() == ["old", "blocking", "new", "without digest"]


def test_a_commit_that_fails_is_repeated_and_stores_once(trial: IntakeTrial) -> None:
    with trial.intake() as intake:
        trial.fault.failures, trial.fault.lost_answers = 1, 1
        assert trial.send(intake, receive("once"), "a").stored().records == 1
        assert trial.send(intake, receive("next"), "b").stored().records == 1
    assert trial.messages() == ["once", "next"]
    assert trial.said[0].startswith("received lines wait: cannot write to the store")
    assert trial.said[-1] == "received lines are stored again"


def test_a_sender_is_refused_after_a_while_and_its_retry_is_stored_once(trial: IntakeTrial) -> None:
    with trial.intake(SHORT) as intake:
        trial.send(intake, receive("before"), "0").stored()
        trial.fault.lost_answers, trial.fault.failures = 1, 0
        trial.fault.gate.clear()
        trial.fault.entered.clear()
        refused = trial.send(intake, receive("late"), "a")
        assert trial.fault.entered.wait(10)
        queued = trial.send(intake, receive("queued"), "b")
        trial.fault.gate.set()
        trial.fault.failures = 3  # of the repeated commits, whose answers are all lost
        first = refused.wait()
        assert isinstance(first, Refusal)
        assert first.status == 503
        assert first.retry_after_s
        retried = [trial.send(intake, receive("late"), "a"), trial.send(intake, receive("queued"), "b")]
        queued.wait()
        for answer in retried:
            answer.wait()
        trial.fault.failures = 0
        trial.send(intake, receive("late"), "a").stored()
        trial.send(intake, receive("queued"), "b").stored()
    assert sorted(trial.messages()) == ["before", "late", "queued"]


def test_a_store_that_cannot_be_reached_refuses_after_a_while_and_stores_when_it_is_back(trial: IntakeTrial) -> None:
    away = [True]

    def connect() -> Any:
        if away[0]:
            raise StoreUnavailable("connect to", "the store", "it is away")
        return trial.connect()

    with trial.intake(SHORT, connect) as intake:
        refusal = trial.send(intake, receive("one"), "a").wait()
        assert isinstance(refusal, Refusal)
        assert refusal.status == 503
        away[0] = False
        wait_until(lambda: not isinstance(trial.send(intake, receive("one"), "a").wait(), Refusal), what="the commit")
    assert trial.messages() == ["one"]
    assert trial.count("refused_requests") >= 1


@pytest.mark.parametrize("limits", [IntakeLimits(queue_rows=3), IntakeLimits(queue_bytes=5_000)])
def test_a_full_queue_refuses_and_takes_requests_again_later(trial: IntakeTrial, limits: IntakeLimits) -> None:
    with trial.intake(limits) as intake:
        trial.fault.gate.clear()
        taken: list[Answer] = []
        refusal = None
        while refusal is None:
            try:
                taken.append(trial.send(intake, receive("m", "x" * 500), f"{len(taken)}"))
            except Refusal as error:
                refusal = error
        assert str(refusal).startswith("503: the store is behind")
        trial.fault.gate.set()
        assert [answer.stored().records for answer in taken] == [2] * len(taken)
        trial.send(intake, receive("again"), "f").stored()
        assert intake.waiting == (0, 0)
    assert len(trial.messages()) == 2 * len(taken) + 1


def test_a_stream_that_another_server_follows_is_refused_alone(trial: IntakeTrial) -> None:
    other = trial.connect()
    (stream,) = other.open_streams([f"{trial.receiver}:///taken"])
    with trial.intake() as intake:
        refused = trial.send(intake, receive("one", source="taken"), "a")
        stored = trial.send(intake, receive("two", source="free"), "b")
        refusal = refused.wait()
        assert isinstance(refusal, Refusal)
        assert refusal.status == 503
        assert "follows it already" in refusal.cause
        stored.stored()
        other.close_stream(stream.stream_id)
        trial.send(intake, receive("one", source="taken"), "a").stored()
    other.close()
    assert trial.messages() == ["two", "one"]


def test_a_position_that_another_server_has_moved_is_read_again(trial: IntakeTrial) -> None:
    with trial.intake() as intake:
        trial.send(intake, receive("one"), "a").stored()
        position = trial.rows("log_files", "id, byte_offset")[0]
        mover = trial.connect()
        start = position["byte_offset"]
        mover.appender().commit([Move(position["id"], start, start + 100, EMPTY_FINGERPRINT, finished=False)])
        mover.close()
        trial.send(intake, receive("two"), "b").stored()
    assert trial.messages() == ["one", "two"]
    assert trial.rows("log_records", "line_offset")[-1]["line_offset"] == start + 100


def test_a_store_that_does_not_answer_holds_a_sender_for_a_limited_time(trial: IntakeTrial) -> None:
    async def main() -> None:
        with trial.intake(SHORT) as intake:
            trial.fault.gate.clear()
            with pytest.raises(Refusal, match="503: the store does not answer"):
                await intake.store(trial.receiver, receive("one"), digest=trial.digest("a"), answer="{}")
            trial.fault.gate.set()
            stored = await intake.store(trial.receiver, receive("one"), digest=trial.digest("a"), answer="{}")
            assert stored.repeated_s is not None

    asyncio.run(main())
    assert trial.messages() == ["one"]


def test_what_waits_is_committed_at_the_end(trial: IntakeTrial) -> None:
    with trial.intake() as intake:
        answers = [trial.send(intake, receive(f"m{number}"), f"{number}") for number in range(50)]
    assert all(answer.stored() for answer in answers)
    with pytest.raises(Refusal, match="the server ends"):
        trial.send(intake, receive("late"), "f")
    assert len(trial.messages()) == 50


def test_the_streams_are_shown_as_followed_until_the_server_ends(trial: IntakeTrial) -> None:
    with trial.intake() as intake:
        trial.send(intake, receive("one", "!", source="shop cart"), "a").stored()
        wait_until(lambda: bool(trial.followed()), what="the report")
        (stream,) = trial.followed()
        assert (stream.name, stream.state, stream.format) == (f"{trial.receiver}:///shop cart", StreamState.OK, "json")
        assert (stream.records, stream.rejects) == (1, 1)
    wait_until(lambda: trial.followed()[0].state is StreamState.ENDED, what="the last report")


def test_a_coroutine_waits_for_its_commit_and_may_be_cancelled(trial: IntakeTrial) -> None:
    async def main() -> None:
        with trial.intake() as intake:
            stored = await intake.store(
                trial.receiver, receive("one", context="json\n"), digest=trial.digest("a"), answer="{}"
            )
            assert stored.records == 1
            assert await intake.find_context(trial.receiver, "app") == "json\n"
            assert await intake.find_context(trial.receiver, "other") == ""
            trial.fault.gate.clear()
            task = asyncio.create_task(
                intake.store(trial.receiver, receive("two"), digest=trial.digest("b"), answer="{}")
            )
            await asyncio.sleep(0)
            task.cancel()
            trial.fault.gate.set()
            assert (
                await intake.store(trial.receiver, receive("two"), digest=trial.digest("b"), answer="")
            ).repeated_s is not None

    asyncio.run(main())
    assert trial.messages() == ["one", "two"]


def test_a_request_that_shows_a_defect_costs_no_other_request(trial: IntakeTrial) -> None:
    wrong = receive("wrong")
    broken = Parsed(wrong.lines[0].parsed.records.select(["ts"]), wrong.lines[0].parsed.rejects)
    wrong = Received((replace(wrong.lines[0], parsed=broken),))
    with trial.intake() as intake:
        trial.fault.gate.clear()
        answers = [trial.send(intake, receive("one"), "a"), trial.send(intake, wrong, "b")]
        answers += [trial.send(intake, receive("two"), "c")]
        trial.fault.gate.set()
        assert answers[0].stored().records == 1
        refusal = answers[1].wait()
        assert isinstance(refusal, Refusal)
        assert refusal.status == 500
        assert answers[2].stored().records == 1
        trial.send(intake, receive("three"), "d").stored()
    assert trial.messages() == ["one", "two", "three"]
    assert any(sentence.startswith("internal error: received lines are not stored") for sentence in trial.said)
