"""What a store promises to senders: one claim, outcomes, silences and acknowledgements."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from contract.test_notifications import ALERT, METRIC, World, failure
from puppylog.errors import NotFound, UsageError
from puppylog.model.notification import NotificationState, Outcome
from puppylog.model.silence import Silence
from puppylog.monitor.alerts import get_alert, read_alerts
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.server import StoreServer

pytestmark = pytest.mark.sampled

NOON = datetime.now(UTC).replace(microsecond=0)  # a silence that has ended long ago is deleted
SILENCE = Silence("upgrade", "fail*", "*", NOON, NOON + timedelta(hours=1), "ada", "new kernel")
CLAIMING = """
import sys, time
from puppylog.stores.connect import connect
with connect(sys.argv[1]) as store:
    print(store.claim_sending(), flush=True)
    time.sleep(60)
"""


@contextmanager
def claiming_process(url: str) -> Iterator[int]:
    """Yield the id of a process that has the claim."""
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen([sys.executable, "-c", CLAIMING, url], stdout=subprocess.PIPE, text=True)
        )
        stack.callback(process.kill)
        assert process.stdout is not None
        assert process.stdout.readline() == "True\n"
        yield process.pid


def test_one_client_at_a_time_has_the_claim_to_send(server: StoreServer) -> None:
    first, second = server.connect(), server.connect()
    assert first.claim_sending()
    assert first.claim_sending()
    assert not second.claim_sending()
    second.release_sending()
    assert not second.claim_sending()
    first.release_sending()
    wait_until(second.claim_sending, what="the claim of the second client")
    assert not first.claim_sending()
    second.close()
    wait_until(first.claim_sending, what="the claim of the first client")


def test_the_claim_of_a_killed_process_is_free(server: StoreServer, store: Store) -> None:
    with claiming_process(server.url) as pid:
        assert not store.claim_sending()
        os.kill(pid, signal.SIGKILL)
        wait_until(store.claim_sending, what="the claim")


def test_outcomes_are_stored_and_a_row_that_is_settled_stays_so(world: World) -> None:
    world.append(*((second, failure(route)) for second in (11, 12, 13) for route in ("/a", "/b")))
    world.judge(replace(ALERT, contacts=("ops", "night"), keep_firing_for_s=86_400))
    store = world.store
    columns = "id, state, attempts, error, sent_at, tried_at, due_at"

    def stored() -> list[tuple[object, ...]]:
        found = world.ask(f"SELECT {columns} FROM puppylog.notifications ORDER BY id")
        return [tuple(row[name] for name in columns.split(", ")[1:]) for row in found]

    ids = [row["id"] for row in world.ask("SELECT id FROM puppylog.notifications ORDER BY id")]
    due = stored()[3][5]
    outcomes = [
        Outcome(ids[0], NotificationState.SENT, NOON, 1),
        Outcome(ids[1], NotificationState.WAITING, NOON, 2, "it answers 503", NOON + timedelta(minutes=1)),
        Outcome(ids[2], NotificationState.DEAD, NOON, 3, "it answers 404"),
        Outcome(ids[3], NotificationState.DROPPED, NOON, 0, "it was silenced"),
    ]
    store.settle([])
    for _ in range(2):
        store.settle(outcomes)
        assert stored() == [
            ("sent", 1, None, NOON, NOON, stored()[0][5]),
            ("waiting", 2, "it answers 503", None, NOON, NOON + timedelta(minutes=1)),
            ("dead", 3, "it answers 404", None, NOON, stored()[2][5]),
            ("dropped", 0, "it was silenced", None, None, due),
        ]
    before, later = stored(), NOON + timedelta(hours=4)
    store.settle([Outcome(ids[0], NotificationState.SENT, later, 2)])  # a repeat
    store.settle([Outcome(id_, NotificationState.SENT, later, 9) for id_ in ids[2:]])
    store.settle([Outcome(id_, NotificationState.DEAD, later, 9, "too late") for id_ in (ids[0], ids[3])])
    assert stored() == [("sent", 2, None, later, later, before[0][5]), *before[1:]]
    store.settle([Outcome(ids[2], NotificationState.WAITING, later, 0, due_at=later)])  # a person wants it to be sent
    assert stored()[2] == ("waiting", 0, None, None, later, later)


def test_problems_are_acknowledged_until_they_end(world: World) -> None:
    world.append(*((second, failure(route)) for second in (11, 12, 13) for route in ("/a", "/b")))
    lasting = replace(ALERT, keep_firing_for_s=86_400)
    world.judge(lasting, replace(ALERT, name="calm"))
    acknowledged = (
        "SELECT known.segment, author, comment, history.to_state FROM puppylog.acknowledgements AS known "
        "JOIN puppylog.alert_history AS history ON history.id = history_id ORDER BY known.segment"
    )
    store = world.store
    assert store.acknowledge("calm", None, "ada", "") == 0
    assert store.acknowledge("failing", "/none", "ada", "") == 0
    with pytest.raises(NotFound, match="alert 'nope'"):
        store.acknowledge("nope", None, "ada", "")
    assert store.acknowledge("failing", None, "ada", "seen") == 2
    assert store.acknowledge("failing", "/b", "bob", "") == 1
    found = world.ask(acknowledged)
    assert [(row["segment"], row["author"], row["comment"], row["to_state"]) for row in found] == [
        ("/a", "ada", "seen", "firing"),
        ("/b", "bob", "", "firing"),
    ]
    assert [(state.segment, state.acknowledged_by) for state in get_alert(store, "failing").states] == [
        ("/a", "ada"),
        ("/b", "bob"),
    ]
    assert store.set_silence(
        replace(SILENCE, segment="/b*", starts_at=NOON - timedelta(days=1), ends_at=NOON + timedelta(days=900))
    )
    assert [state.silence and state.silence.name for state in read_alerts(store).states] == [None] * 3 + ["upgrade"]
    store.delete_alert("failing")
    assert world.ask("SELECT * FROM puppylog.acknowledgements") == []


def test_silences_are_stored_replaced_and_ended(store: Store) -> None:
    assert store.set_silence(SILENCE)
    assert not store.set_silence(SILENCE)
    assert list(store.list_silences()) == [SILENCE]
    longer = replace(SILENCE, ends_at=NOON + timedelta(hours=2), comment="it's “slow”", is_declared=True)
    assert store.set_silence(longer)
    later = replace(SILENCE, name="another", starts_at=NOON + timedelta(days=1), ends_at=NOON + timedelta(days=2))
    assert store.set_silence(later)
    assert list(store.list_silences()) == [later, longer]
    with pytest.raises(UsageError, match="does not end after its start"):
        store.set_silence(replace(SILENCE, ends_at=NOON))

    store.end_silence("upgrade", NOON + timedelta(minutes=5))
    store.end_silence("upgrade", NOON + timedelta(minutes=6))  # it has ended before
    store.end_silence("another", NOON)  # it has not begun
    assert list(store.list_silences()) == [replace(longer, ends_at=NOON + timedelta(minutes=5))]
    with pytest.raises(NotFound, match="silence 'another'"):
        store.end_silence("another", NOON)


@pytest.fixture
def world(server: StoreServer) -> World:
    made = World(server)
    made.store.create_metric(METRIC)
    return made
