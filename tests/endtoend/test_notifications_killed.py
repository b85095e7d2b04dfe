"""Every transition is told to every contact, whatever is killed: the sender, the engine or server, the receivers."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Final, Protocol

import pytest

from puppylog.errors import PuppylogError
from puppylog.model.alert import Comparison, define_alert
from puppylog.model.metric import Metric
from puppylog.stores.base import Store
from puppylog.stores.connect import connect
from puppylog.stores.postgres.schema.bootstrap import bootstrap
from support.commands import Puppylog
from support.embedded import EmbeddedStore, wait_until
from support.examples import IS_SOAK
from support.notification_trial import (
    ALERTMANAGER,
    Alertmanager,
    SenderProcess,
    Writer,
    check_told,
    count_repeats,
    list_expected,
    read_mails,
    read_payloads,
)
from support.postgres import PostgresServer
from support.receivers import Receivers

KILLS: Final = int(os.environ.get("PUPPYLOG_TEST_NOTIFICATIONS_KILLS", "2"))
TRANSITIONS: Final = int(os.environ.get("PUPPYLOG_TEST_NOTIFICATIONS_TRANSITIONS", "4"))
HOSTS: Final = [f"web-{number}" for number in range(15 if IS_SOAK else 6)]  # an e-mail names up to 20 segments


class Trial(Protocol):
    """A store whose server can be killed."""

    url: str

    def kill(self) -> None:
        """Kill the engine or the server, and start it again if no client does."""


class EmbeddedTrial:
    def __init__(self, server: EmbeddedStore) -> None:
        self.url = server.url
        self._server = server

    def kill(self) -> None:
        for pid in self._server.engine_pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


class PostgresTrial:
    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        database = server.create_database()
        self.url = server.url(database)
        bootstrap(self.url)

    def kill(self) -> None:
        self._server.kill()
        self._server.start()


@pytest.fixture(params=["duckdb", "postgresql"])
def trial(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Trial]:
    with ExitStack() as stack:
        if request.param == "duckdb":
            yield EmbeddedTrial(stack.enter_context(EmbeddedStore(tmp_path / "store")))
        else:
            yield PostgresTrial(stack.enter_context(PostgresServer()))


def define(store: Store, contacts: tuple[str, ...]) -> None:
    failures = Metric("failures", "count", "*", period_s=1, segment="host", filter="status_code >= 500", refresh_s=5)
    store.create_metric(failures)
    store.create_alert(
        define_alert(
            "failing",
            failures,
            comparison=Comparison.ABOVE,
            threshold=0,
            window_s=2,
            statistic="sum",
            period_s=1,
            each_segment=True,
            contacts=contacts,
            group_wait_s=0,
        )
    )


def ask(url: str, question: Callable[[Store], int]) -> int | None:
    """Return the answer; None if the store was killed before."""
    try:
        with connect(url) as store:
            return question(store)
    except PuppylogError:
        return None


def count_transitions(store: Store) -> int:
    return len(list_expected(store))


def count_unsettled(store: Store) -> int:
    """Return the number of alerts that fire, and of notifications that are not sent."""
    states = store.query("SELECT count(*) AS n FROM puppylog.alert_states WHERE state <> 'ok'")
    rows = store.query("SELECT count(*) AS n FROM puppylog.notifications WHERE state <> 'sent'")
    return int(states["n"][0].as_py() + rows["n"][0].as_py())


@pytest.mark.sampled
@pytest.mark.long
@pytest.mark.timeout(7200)
def test_every_transition_is_told_whatever_is_killed(
    trial: Trial, tmp_path: Path, puppylog_at: Callable[[str], Puppylog]
) -> None:
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - shown when the test fails
    chance = random.Random(seed)
    log = tmp_path / "access.log"
    log.touch()
    with ExitStack() as stack:
        receivers = stack.enter_context(Receivers(tmp_path))
        contacts: list[Mapping[str, object]] = [
            {"type": "webhook", "name": "hook", "url": f"http://127.0.0.1:{receivers.http_port}/"},
            {"type": "exec", "name": "script", "command": receivers.command},
            {
                "type": "email",
                "name": "mail",
                "host": "127.0.0.1",
                "port": receivers.smtp_port,
                "security": "none",
                "to": ["ops@example.org"],
                "sender": "puppylog@example.org",
            },
        ]
        manager = None if ALERTMANAGER is None else stack.enter_context(Alertmanager(tmp_path / "alertmanager"))
        if manager is not None:
            contacts.append({"type": "alertmanager", "name": "prom", "url": f"http://127.0.0.1:{manager.port}"})
        with connect(trial.url) as store:
            define(store, tuple(str(contact["name"]) for contact in contacts))
        puppylog = puppylog_at(trial.url)
        collector = puppylog.start("collector", "-s", str(log), "--watch", "-q")
        stack.callback(end, collector)
        sender = stack.enter_context(SenderProcess(puppylog, contacts, tmp_path))
        kills = act(trial, sender, receivers, Writer(log, HOSTS, period_s=6), chance)
        wait_until(lambda: ask(trial.url, count_unsettled) == 0, within_s=900, what=f"settling; {sender.said}")
        with connect(trial.url) as store:
            expected = list_expected(store)
        told = {
            "the HTTP server": read_payloads(receivers.webhooks()),
            "the command": read_payloads(receivers.commands()),
            "the SMTP server": read_mails(receivers.mails()),
        }
        for receiver, heard in told.items():
            check_told(heard, expected, receiver)
        repeats = {receiver: count_repeats(heard) for receiver, heard in told.items()}
        print(f"{len(expected)} transitions, {kills} kills; told again: {repeats}")  # noqa: T201 - for a soak
        assert len(expected) >= TRANSITIONS
        if manager is not None:
            check_manager(manager)


def act(trial: Trial, sender: SenderProcess, receivers: Receivers, writer: Writer, chance: random.Random) -> int:
    """Let hosts fail and recover, and kill, until there were enough kills and transitions; return the kills."""
    kills = 0
    with writer:
        while kills < KILLS or (ask(trial.url, count_transitions) or 0) < TRANSITIONS:
            time.sleep(chance.random() * 1.5)  # not a wait for anything: the moment of a kill is left to chance
            if kills >= KILLS:
                continue
            match chance.randrange(4):
                case 0 | 1:
                    sender.kill()
                    sender.start()
                case 2:
                    trial.kill()
                case _:
                    receivers.kill()
                    time.sleep(chance.random())
                    receivers.start()
            kills += 1
    return kills


def check_manager(manager: Alertmanager) -> None:
    """Check that no alert fires any more, and that none is there twice."""
    alerts = manager.alerts()
    labels = [tuple(sorted(alert["labels"].items())) for alert in alerts]
    assert len(labels) == len(set(labels))
    assert not [alert for alert in alerts if alert["status"]["state"] == "active"]


def end(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.communicate(timeout=60)
