"""What a sender sends from every kind of store: with sample lines, held by silences, in order, again after outages."""

import threading
import time
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

import pytest

from puppylog.errors import DeliveryFailed
from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.model.metric import Metric
from puppylog.model.silence import Silence
from puppylog.notify.message import Message, SegmentReport
from puppylog.notify.sender import Sender
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.lines import Source, records, rows
from support.sending_store import RecordingContact
from support.server import StoreServer

pytestmark = pytest.mark.sampled

FAILURES = Metric("failures", "count", "*", 1, segment="host", filter="status_code >= 500", refresh_s=1)
FAILING = Alert(
    name="failing",
    metric="failures",
    statistic="sum",
    comparison=Comparison.ABOVE,
    threshold=0,
    window_s=2,
    period_s=2,
    for_s=0,
    keep_firing_for_s=0,
    delay_s=2,
    each_segment=True,
    no_data=NoData.ZERO,
    contacts=("ops",),
    group_wait_s=0,
    severity="error",
    summary="a host fails",
)
# It has no data from its first evaluation on, until a record comes.
QUIET = Alert(
    name="quiet",
    metric="size",
    statistic="avg",
    comparison=Comparison.ABOVE,
    threshold=1e9,
    window_s=600,
    period_s=2,
    for_s=0,
    keep_firing_for_s=0,
    delay_s=2,
    each_segment=False,
    no_data=NoData.NO_DATA,
    contacts=("ops", "gone"),
    group_wait_s=0,
)


class FailingHosts:
    """A thread that stores a record of each failing host a little more often than once a second."""

    def __init__(self, store: Store) -> None:
        self._source = Source(store)
        self._hosts: Collection[str] = ()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.wait(0.8):
            row = {"ts": datetime.now(UTC), "status_code": 502, "request_method": "GET", "request_route": "/cart"}
            if hosts := sorted(self._hosts):
                self._source.append(rows([{**row, "host": host} for host in hosts], start=self._source.offset))

    def be(self, store: Store, hosts: Collection[str]) -> None:
        """Let exactly these hosts fail; return when the alert fires for them and for no other host."""
        self._hosts = hosts
        sql = "SELECT segment FROM puppylog.alert_states WHERE state = 'firing'"
        wait_until(lambda: set(store.query(sql)["segment"].to_pylist()) == set(hosts), what="the change of states")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()


def kinds(messages: Sequence[Message]) -> dict[str | None, list[str]]:
    """Return by segment the kinds of what was told, in order."""
    told: defaultdict[str | None, list[str]] = defaultdict(list)
    for message in messages:
        for report in message.segments:
            told[report.segment].append(report.kind.value)
    return dict(told)


def states_of_rows(store: Store) -> list[tuple[str, str, str]]:
    found = store.query("SELECT contact, kind, state FROM puppylog.notifications ORDER BY contact, id").to_pylist()
    return [(row["contact"], row["kind"], row["state"]) for row in found]


@pytest.mark.long
def test_a_silence_holds_messages_and_then_what_is_true_is_sent(store: Store) -> None:
    ops = RecordingContact()
    store.create_metric(FAILURES)
    store.create_alert(FAILING)
    start = datetime.now(UTC)
    with FailingHosts(store) as failing, Sender(store, [ops], on_event=print, round_s=0.5):
        failing.be(store, {"s-resolves", "s-again", "s-fires-on", "s-neither"})
        before = {host: ["firing"] for host in ("s-resolves", "s-again", "s-fires-on", "s-neither")}
        wait_until(lambda: kinds(ops.messages) == before, what="the messages before the silence")

        silence = Silence("night", "fail*", "s-*", start, datetime.now(UTC) + timedelta(hours=1), "ada", "")
        store.set_silence(silence)
        failing.be(store, {"s-starts", "s-both", "s-fires-on", "s-neither", "free"})
        failing.be(store, {"s-starts", "s-again", "s-fires-on", "s-neither"})
        within = {**before, "free": ["firing", "resolved"]}
        wait_until(lambda: kinds(ops.messages) == within, what="the messages of a segment that is not silenced")

        store.end_silence("night", datetime.now(UTC))
        after = {**within, "s-starts": ["firing"], "s-resolves": ["firing", "resolved"], "s-again": ["firing"] * 2}
        wait_until(lambda: kinds(ops.messages) == after, what="the messages after the silence")

        failing.be(store, ())
        end = {host: ["firing", "resolved"] for host in ("s-starts", "s-resolves", "s-fires-on", "s-neither", "free")}
        end["s-again"] = ["firing", "firing", "resolved"]
        wait_until(lambda: kinds(ops.messages) == end, what="the last messages")
        wait_until(lambda: "waiting" not in {state for *_, state in states_of_rows(store)}, what="the settlement")
    check_message(ops.messages[0])
    reports = [report for message in ops.messages for report in message.segments]
    check_keys(reports)


def check_message(message: Message) -> None:
    """Check the first message about failing hosts."""
    assert (message.alert, message.metric, message.severity) == ("failing", "failures", "error")
    assert (message.summary, message.threshold, message.window_s) == ("a host fails", 0, 2)
    for report in message.segments:
        assert report.value
        assert {line.text for line in report.lines} == {f'{report.segment} "GET /cart" 502'}
        assert {line.source for line in report.lines} == {"/var/log/test.log"}
        assert max(value or 0 for value in report.chart) > 0
    assert message.command.startswith("puppylog logs --store ")
    assert "status_code >= 500" in message.command


def check_keys(reports: Sequence[SegmentReport]) -> None:
    """Check that all messages about a segment, which are of one episode, have one key, and two segments two."""
    keys: defaultdict[str | None, set[str]] = defaultdict(set)
    for report in reports:
        keys[report.segment].add(report.key)
    assert all(len(of_segment) == 1 for of_segment in keys.values())
    assert len(set.union(*keys.values())) == len(keys)


def test_messages_survive_an_outage_and_are_dead_after_a_refusal(store: Store, server: StoreServer) -> None:
    store.create_metric(Metric("size", "avg", "response_bytes", 1, refresh_s=1))
    ops, gone = RecordingContact("ops"), RecordingContact("gone")
    ops.faults.append(DeliveryFailed("send", "to ops", "it answers 503: try later"))
    gone.faults.append(DeliveryFailed("send", "to gone", "it answers 404: no_team", is_final=True))
    other = server.connect()
    with (
        Sender(store, [ops, gone], on_event=print, round_s=0.5),
        Sender(other, [ops, gone], on_event=print, round_s=0.5),
    ):
        store.create_alert(QUIET)
        dead, tried = ("gone", "no_data", "dead"), ("ops", "no_data", "waiting")
        wait_until(lambda: states_of_rows(store) == [dead, tried], what="the rows")
        wait_until(lambda: bool(ops.attempts), what="the first attempt")
        wait_until(lambda: ops.kinds == ["no_data"], what="the message after the outage")
        Source(store).append(records(1, ts=datetime.now(UTC), response_bytes=5))
        wait_until(lambda: ops.kinds == ["no_data", "resolved"], what="the resolved message")
        sent = [("ops", "no_data", "sent"), ("ops", "resolved", "sent")]
        wait_until(lambda: states_of_rows(store) == [dead, ("gone", "resolved", "dropped"), *sent], what="the end")
    assert len(ops.attempts) == 3
    assert len(gone.attempts) == 1
    errors = store.query("SELECT error FROM puppylog.notifications WHERE state = 'dead'")["error"].to_pylist()
    assert errors == ["cannot send to gone: it answers 404: no_team"]


@pytest.mark.long
def test_a_message_is_repeated_until_a_person_acknowledges_the_alert(store: Store) -> None:
    store.create_metric(Metric("size", "avg", "response_bytes", 1, refresh_s=1))
    store.create_alert(replace(QUIET, contacts=("ops",), repeat_s=1))
    ops = RecordingContact()
    with Sender(store, [ops], on_event=print, round_s=0.3):
        wait_until(lambda: len(ops.messages) >= 3, what="two repeats")
        assert store.acknowledge("quiet", None, "ada", "looking into it") == 1
        wait_until(lambda: is_quiet(ops, seconds=3), what="the end of the repeats")
        Source(store).append(records(1, ts=datetime.now(UTC), response_bytes=5))
        wait_until(lambda: ops.kinds[-1] == "resolved", what="the resolved message")
    assert set(ops.kinds[:-1]) == {"no_data"}
    assert len({message.segments[0].key for message in ops.messages}) == 1
    assert states_of_rows(store) == [("ops", "no_data", "sent"), ("ops", "resolved", "sent")]


def is_quiet(contact: RecordingContact, *, seconds: float) -> bool:
    """Return whether the contact gets no message for some seconds."""
    before = len(contact.messages)
    time.sleep(seconds)  # the absence of a message is what is tested
    return len(contact.messages) == before
