"""What each contact sends over HTTP. The golden files have the text, or the JSON, as the receiver gets it."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from puppylog.errors import DeliveryFailed
from puppylog.notify.contact import Contact, Delivery
from puppylog.notify.contacts.alertmanager import Alertmanager
from puppylog.notify.contacts.discord import Discord
from puppylog.notify.contacts.ntfy import Ntfy
from puppylog.notify.contacts.pagerduty import PagerDuty
from puppylog.notify.contacts.slack import Slack
from puppylog.notify.contacts.teams import Teams
from puppylog.notify.contacts.webhook import Webhook
from puppylog.notify.message import Kind, Message, SegmentReport
from puppylog.notify.render import SIZES, compose, format_plain
from support.http_receiver import HttpReceiver, Received, Reply
from support.messages import NOON, ONE, RESOLVED, SEVERAL

GOLDEN = Path(__file__).parent / "golden"
SECRET = "hunter2hunter2"  # noqa: S105 - a value for the tests


def golden(name: str) -> str:
    return (GOLDEN / name).read_text(encoding="utf-8")


def delivery() -> Delivery:
    return Delivery(time.monotonic() + 10, now=NOON)


def send(make: Any, message: Message = ONE, **fields: Any) -> list[Received]:
    """Send a message with a contact of this class to a server, and return its requests."""
    with HttpReceiver() as receiver:
        contact: Contact = make(name="ops", url=receiver.url + fields.pop("path", ""), **fields)
        assert contact.send(message, delivery()) == "200 ok"
    return receiver.received


def pretty(document: Any) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize(("name", "message"), [("firing", ONE), ("resolved", RESOLVED), ("several", SEVERAL)])
def test_a_message_as_plain_text(name: str, message: Message) -> None:
    assert format_plain(compose(message, SIZES[0])) + "\n" == golden(f"{name}.txt")


def test_slack_gets_mrkdwn() -> None:
    [received] = send(Slack, path="/services/T0/B0/x", channel="#ops")
    assert received.path == "/services/T0/B0/x"
    assert received.json["text"] + "\n" == golden("slack.txt")
    assert (received.json["channel"], received.json["unfurl_links"]) == ("#ops", False)


def test_discord_gets_markdown_that_notifies_nobody() -> None:
    [received] = send(Discord)
    assert received.json["content"] + "\n" == golden("discord.txt")
    assert received.json["allowed_mentions"] == {"parse": []}


def test_teams_gets_an_adaptive_card() -> None:
    [received] = send(Teams)
    assert pretty(received.json) == golden("teams.json")


def test_ntfy_gets_json_with_its_topic_and_a_token() -> None:
    [received] = send(Ntfy, path="/alerts/my%2Dtopic", token=SECRET)
    assert (received.path, received.headers["authorization"]) == ("/alerts", f"Bearer {SECRET}")
    assert pretty(received.json) == golden("ntfy.json")


def test_ntfy_without_a_topic_is_refused() -> None:
    with pytest.raises(DeliveryFailed, match="its URL names no topic") as caught:
        Ntfy(name="ops", url="http://127.0.0.1:1/").send(ONE, delivery())
    assert caught.value.is_final


def test_a_webhook_gets_the_payload_of_alertmanager_and_the_same_key_when_sent_again() -> None:
    [received] = send(Webhook, path="/hook", token=SECRET)
    [again] = send(Webhook)
    [resolved] = send(Webhook, RESOLVED)
    assert pretty(received.json) == golden("webhook.json")
    assert received.headers["authorization"] == f"Bearer {SECRET}"
    assert received.headers["idempotency-key"] == again.headers["idempotency-key"]
    assert received.headers["idempotency-key"] != resolved.headers["idempotency-key"]
    assert (
        received.headers["idempotency-key"] != send(Webhook, replace(ONE, occasion="17"))[0].headers["idempotency-key"]
    )
    assert received.json["alerts"][0]["fingerprint"] == resolved.json["alerts"][0]["fingerprint"]
    assert (resolved.json["status"], resolved.json["alerts"][0]["endsAt"]) == ("resolved", "2026-05-18T12:12:00Z")


def test_alertmanager_gets_an_end_some_repetitions_ahead_and_the_same_labels_when_resolved() -> None:
    [received] = send(Alertmanager, path="/am/", labels={"team": "shop"})
    [resolved] = send(Alertmanager, RESOLVED, labels={"team": "shop"})
    assert received.path == "/am/api/v2/alerts"
    assert pretty(received.json) == golden("alertmanager.json")
    assert received.json[0]["labels"] == resolved.json[0]["labels"]
    # The clock of the test is at NOON, when the alert has not ended yet: an end in the future would fire until then.
    assert resolved.json[0]["endsAt"] == "2026-05-18T12:00:00Z"


def test_each_segment_is_an_alert_with_labels_of_its_own() -> None:
    segments = tuple(
        SegmentReport(Kind.FIRING, segment, 1.0, NOON, f"key{segment}") for segment in (None, "", "/a", "/b", '""/c')
    )
    [received] = send(Alertmanager, replace(ONE, each_segment=True, segments=segments))
    labels = [frozenset(alert["labels"].items()) for alert in received.json]
    assert len(set(labels)) == 5
    assert [alert["labels"].get("segment") for alert in received.json] == [None, '""', "/a", "/b", '""/c']


def test_pagerduty_gets_an_event_for_each_segment_that_its_resolution_ends() -> None:
    [received] = send(PagerDuty, routing_key=SECRET)
    assert received.path == "/v2/enqueue"
    assert received.json["routing_key"] == SECRET
    document = {name: value for name, value in received.json.items() if name != "routing_key"}
    assert pretty(document) == golden("pagerduty.json")
    [resolved] = send(PagerDuty, RESOLVED, routing_key=SECRET)
    assert resolved.json == {"routing_key": SECRET, "event_action": "resolve", "dedup_key": document["dedup_key"]}
    acknowledged = replace(ONE, segments=(replace(ONE.segments[0], kind=Kind.ACKNOWLEDGED),))
    assert send(PagerDuty, acknowledged, routing_key=SECRET)[0].json["event_action"] == "acknowledge"
    few = replace(SEVERAL, segments=SEVERAL.segments[:3])
    events = [one.json for one in send(PagerDuty, few, routing_key=SECRET)]
    assert [event["dedup_key"] for event in events] == [report.key for report in few.segments]
    assert events[1]["payload"]["summary"] == "[FIRING] errors /section1: 11, above 10"


def test_an_error_between_two_events_says_how_many_were_taken() -> None:
    with HttpReceiver(Reply(202), Reply(202), Reply(429, "", {"Retry-After": "3"})) as receiver:
        contact = PagerDuty(name="ops", routing_key=SECRET, url=receiver.url)
        with pytest.raises(DeliveryFailed) as caught:
            contact.send(SEVERAL, delivery())
    assert caught.value.cause == "after 2 of 25 events, the receiver answered 429"
    assert (caught.value.is_final, caught.value.retry_after_s) == (False, 3.0)


@pytest.mark.parametrize(
    "contact",
    [
        Slack(name="ops", url=f"http://127.0.0.1:1/{SECRET}"),
        Discord(name="ops", url=f"http://127.0.0.1:1/{SECRET}"),
        Teams(name="ops", url=f"http://127.0.0.1:1/?sig={SECRET}"),
        Webhook(name="ops", url=f"http://ann:{SECRET}@127.0.0.1:1/"),
        Webhook(name="ops", url="http://127.0.0.1:1/", token=f"{SECRET}\n"),
        Alertmanager(name="ops", url="http://127.0.0.1:1/", token=SECRET),
        Ntfy(name="ops", url=f"http://127.0.0.1:1/{SECRET}"),
        PagerDuty(name="ops", url="http://127.0.0.1:1/", routing_key=SECRET),
    ],
    ids=lambda contact: contact.type,
)
def test_no_secret_is_in_an_error_or_a_repr(contact: Contact) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        contact.send(ONE, delivery())
    assert SECRET not in repr(contact)
    assert SECRET not in repr(caught.value) + str(caught.value)
    assert caught.value.message.startswith("cannot send the message to contact 'ops' at http://127.0.0.1:1: ")
