"""Silences, acknowledgements and the list of notifications. One alert, ``quiet``, has no data from its creation on."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.model.metric import Metric
from puppylog.model.notification import NotificationState, Outcome
from puppylog.stores.base import Store
from support.embedded import EmbeddedStore, wait_until
from support.inprocess import InProcess

QUIET = Alert(
    name="quiet",
    metric="sizes",
    statistic="avg",
    comparison=Comparison.ABOVE,
    threshold=1e9,
    window_s=600,
    period_s=1,
    for_s=0,
    keep_firing_for_s=0,
    delay_s=2,
    each_segment=False,
    no_data=NoData.NO_DATA,
    contacts=("ops",),
    group_wait_s=0,
)


@pytest.fixture
def store(server: EmbeddedStore) -> Store:
    """The store, with the alert and the notification that it has no data."""
    store = server.connect()
    store.create_metric(Metric("sizes", "avg", "response_bytes", 1))
    store.create_alert(QUIET)
    wait_until(lambda: bool(store.query("SELECT id FROM puppylog.notifications")), what="the notification")
    return store


def notifications(cli: InProcess, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(cli("monitor", "alerts", "notifications", *arguments, "-o", "json").out)
    return found


def silences(cli: InProcess, name: str, *arguments: str) -> list[dict[str, Any]]:
    """Return the silences of a name; the store has others of other tests."""
    found = json.loads(cli("monitor", "alerts", "silences", *arguments, "-o", "json").out)
    return [silence for silence in found if silence["name"] == name]


def test_a_silence_is_listed_while_it_lasts(cli: InProcess, store: Store) -> None:
    made = cli("monitor", "alerts", "silence", "qu*", "--for", "2h", "--author", "ada", "--comment", "an upgrade")
    assert made.code == 0
    assert made.err.startswith("puppylog: silenced qu* until ")
    assert made.err.endswith(": alert quiet\n")
    [row] = silences(cli, "qu*")
    assert (row["name"], row["state"], row["author"], row["comment"]) == ("qu*", "active", "ada", "an upgrade")
    lasts = datetime.fromisoformat(row["ends_at"]) - datetime.fromisoformat(row["starts_at"])
    assert lasts == timedelta(hours=2)
    [waiting] = notifications(cli, "--state", "waiting")
    assert waiting["error"].startswith("silence 'qu*' until ")
    assert cli("monitor", "alerts", "unsilence", "qu*").err == "puppylog: ended silence qu*\n"
    assert silences(cli, "qu*") == []
    ended = silences(cli, "qu*", "--all")
    assert [(one["name"], one["state"]) for one in ended] == [("qu*", "ended")]
    assert store.list_silences()


def test_a_silence_from_and_until_times_of_day_is_that_of_the_next_night(cli: InProcess, store: Store) -> None:
    del store
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    made = cli.at(noon)(
        "monitor", "alerts", "silence", "quiet", "--from", "22:00", "--until", "06:00", "--name", "night", "--tz", "UTC"
    )
    assert made.err == "puppylog: silenced night until 2026-03-02 06:00:00 UTC: alert quiet\n"
    [row] = silences(cli, "night", "--all")
    assert (row["starts_at"], row["ends_at"]) == ("2026-03-01T22:00:00+00:00", "2026-03-02T06:00:00+00:00")


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ((), "one of --for and --until must be given"),
        (("--for", "2h", "--until", "tomorrow"), "one of --for and --until must be given"),
        (("--until", "2h"), "it does not end after its start"),
        (("--for", "long"), "'long'"),
    ],
)
def test_a_silence_that_makes_no_sense_is_refused(cli: InProcess, options: tuple[str, ...], cause: str) -> None:
    refused = cli("monitor", "alerts", "silence", "quiet", *options)
    assert refused.code == 2
    assert cause in refused.err
    assert refused.err.count("\n") == 1


def test_an_unknown_silence_cannot_be_ended(cli: InProcess) -> None:
    refused = cli("monitor", "alerts", "unsilence", "nothing")
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert "nothing" in refused.err


def test_an_alert_that_fires_or_has_no_data_is_acknowledged(cli: InProcess, store: Store) -> None:
    assert cli("monitor", "alerts", "ack", "quiet", "--comment", "known").err == "puppylog: acknowledged quiet\n"
    assert len(store.query("SELECT * FROM puppylog.acknowledgements")) == 1
    refused = cli("monitor", "alerts", "ack", "quiet", "--segment", "web-1")
    assert (refused.code, refused.err) == (
        2,
        "puppylog: cannot acknowledge segment 'web-1' of alert 'quiet': it does not fire\n",
    )
    assert cli("monitor", "alerts", "ack", "unknown").code == 2


def test_a_dead_notification_is_shown_reported_and_sent_again(cli: InProcess, store: Store) -> None:
    [row] = notifications(cli, "quiet")
    assert (row["contact"], row["kind"], row["state"], row["attempts"]) == ("ops", "no_data", "waiting", 0)
    dead = Outcome(row["id"], NotificationState.DEAD, datetime.now(UTC), 1, "it answers 404: no_team")
    store.settle([dead])
    [row] = notifications(cli, "--state", "dead")
    assert row["error"] == "it answers 404: no_team"
    reported = "contact ops: 1 notification was given up, the last one 0 s ago: it answers 404: no_team; see"
    assert reported in cli("monitor", "alerts", "check", "quiet").err
    assert "it answers 404: no_team" in cli("doctor").out
    assert cli("monitor", "alerts", "retry", str(row["id"])).code == 0
    [row] = notifications(cli)
    assert (row["state"], row["attempts"]) == ("waiting", 0)
    refused = cli("monitor", "alerts", "retry", str(row["id"]))
    assert (refused.code, refused.err.count("\n")) == (2, 1)


def test_notifications_are_filtered_and_counted(cli: InProcess, store: Store) -> None:
    del store
    assert notifications(cli, "--contact", "other") == []
    assert notifications(cli, "unknown") == []
    none = cli("monitor", "alerts", "notifications", "-l", "0")
    assert none.err.startswith("puppylog: ")
