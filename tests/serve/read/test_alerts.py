"""Alerts, their history, silences and acknowledgements, as the read interface gives and takes them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from puppylog.model.alert import Comparison, define_alert
from puppylog.model.metric import Metric
from puppylog.model.silence import Silence
from support.embedded import wait_until
from support.read_interface import ask, get
from support.served import Served


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("alerts")) as served:
        with served.own.connect() as store:
            metric = Metric("errors", "count", "*", 1, segment="message", filter="severity = 'error'", refresh_s=1)
            store.create_metric(metric)
            for name, threshold, each in (("always", 0.0, False), ("web", 0.5, True)):
                alert = define_alert(
                    name,
                    metric,
                    comparison=Comparison.AT_LEAST,
                    threshold=threshold,
                    statistic="max",
                    window_s=60,
                    period_s=1,
                    delay_s=0,
                    each_segment=each,
                    contacts=("team",),
                    summary="Errors <b>everywhere</b>",
                )
                store.create_alert(alert)
        now = datetime.now(UTC).isoformat()
        lines = [{"ts": now, "severity": "error", "message": "web-1", "user": {"id": at}} for at in range(3)]
        body = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        assert served.send("POST", "/api/v1/lines?source=shop&format=json", body).status == 200
        wait_until(lambda: len(firing(served)) == 2, what="both alerts")
        yield served


def firing(served: Served) -> list[dict[str, Any]]:
    return [alert for alert in get(served, "alerts")["alerts"] if alert["state"] == "firing"]


def test_an_alert_has_its_rule_and_the_state_of_each_segment(served: Served) -> None:
    always, web = firing(served)
    assert (always["name"], always["segment"], always["metric"]) == ("always", None, "errors")
    assert (web["name"], web["segment"], web["segment_name"]) == ("web", "web-1", "web-1")
    assert (web["statistic"], web["comparison"], web["threshold"], web["window_s"]) == ("max", ">=", 0.5, 60)
    assert (web["severity"], web["contacts"]) == ("warning", ["team"])
    assert web["description"] == "Errors <b>everywhere</b>"
    assert web["value"] == 3
    assert web["since"].endswith("Z")
    assert web["is_overdue"] is False
    assert get(served, "alerts")["heartbeat"]["is_old"] is False
    assert get(served, "alerts", group="none")["alerts"] == []


def test_a_transition_has_its_evidence(served: Served) -> None:
    found = get(served, "alerts/web/history")
    transition = found["transitions"][0]
    assert (transition["to_state"], transition["segment"], transition["threshold"]) == ("firing", "web-1", 0.5)
    assert {record["attributes"]["user"]["id"] for record in transition["evidence"]} == {0, 1, 2}
    record = transition["evidence"][0]
    assert (record["message"], record["severity"], record["source"]) == ("web-1", "error", "lines:///shop")
    assert found["has_more"] is False
    assert get(served, "alerts/web/history", until="1h")["transitions"] == []
    assert get(served, "alerts/none/history", status=404)["error"]["message"] == "cannot find alert 'none'"


def test_the_notifications_of_an_alert_say_why_they_wait(served: Served) -> None:
    [notification] = get(served, "alerts/web/notifications")["notifications"]
    assert (notification["contact"], notification["kind"], notification["state"]) == ("team", "firing", "waiting")
    assert notification["reason"]
    assert notification["sent_at"] is None


def test_a_silence_holds_an_alert_until_it_is_ended(served: Served) -> None:
    body = {"alert": "web", "segment": "web-*", "for_s": 3600, "comment": "an upgrade"}
    made = ask(served, "POST", "silences", body, status=201)
    assert (made["name"], made["author"], made["state"]) == ("web/web-*", "page", "active")
    [listed] = get(served, "silences")["silences"]
    assert listed == {**made}
    silenced = [alert for alert in firing(served) if alert["silence"] is not None]
    assert [(alert["name"], alert["silence"]["name"]) for alert in silenced] == [("web", "web/web-*")]
    assert ask(served, "DELETE", "silences/web%2Fweb-*")["ended"] == "web/web-*"
    assert get(served, "silences")["silences"] == []
    assert [silence["state"] for silence in get(served, "silences", all="true")["silences"]] == ["ended"]
    assert ask(served, "DELETE", "silences/none", status=404)["error"]["message"].startswith("cannot ")


def test_a_planned_silence_has_the_times_and_the_author_that_were_given(served: Served) -> None:
    body = {"name": "night", "alert": "*", "starts_at": "2999-03-01T22:00Z", "ends_at": "2999-03-02T06:00:00+00:00"}
    made = ask(served, "POST", "silences", {**body, "author": "ada"}, status=201)
    assert (made["state"], made["author"], made["segment"]) == ("planned", "ada", "*")
    assert (made["starts_at"], made["ends_at"]) == ("2999-03-01T22:00:00.000000Z", "2999-03-02T06:00:00.000000Z")
    ask(served, "DELETE", "silences/night")


def test_a_silence_of_a_configuration_file_cannot_be_changed_here(served: Served) -> None:
    begin, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)
    with served.own.connect() as store:
        store.set_silence(Silence("kept", "none", "*", begin, end, "file", "", is_declared=True))
        error = ask(served, "DELETE", "silences/kept", status=409)["error"]
        assert error["message"] == "silence 'kept' is declared in a configuration file; change it there"
        ask(served, "POST", "silences", {"name": "kept", "alert": "a", "for_s": 1}, status=409)
        store.end_silence("kept", begin)


@pytest.mark.parametrize(
    ("body", "place", "message"),
    [
        (None, "body", "cannot read the body: "),
        ([], "body", "cannot read the body: "),
        ({}, "body", "cannot read the body: "),
        ({"alert": "a"}, "ends_at", "one of ends_at and for_s must be given"),
        ({"alert": "a", "for_s": 1, "ends_at": "1h"}, "ends_at", "one of ends_at and for_s must be given"),
        ({"alert": "a", "ends_at": "soon"}, "ends_at", "cannot read ends_at 'soon'"),
        ({"alert": "a", "ends_at": "1h"}, "body", "cannot define silence 'a': it does not end after its start"),
        ({"alert": "a", "for_s": -1}, "body", "cannot read the body: "),
        ({"alert": "a", "for_s": 1e300}, "body", "cannot read the body: "),
        ({"alert": "a", "for_s": 1, "starts_at": "9999-12-31T23:59:59Z"}, "for_s", "the silence ends too late"),
        ({"alert": "", "for_s": 1, "name": "x"}, "body", "cannot define silence 'x': its pattern of alerts is empty"),
        ({"alert": "a" * 600, "for_s": 1, "name": "x"}, "body", "cannot define silence 'x': "),
        ({"alert": "a\n", "for_s": 1, "name": "x"}, "body", "cannot define silence 'x': "),
        ({"alert": "a", "for_s": 1, "colour": "red"}, "body", "cannot read the body: "),
    ],
)
def test_a_wrong_silence_is_refused(served: Served, body: object, place: str, message: str) -> None:
    error = ask(served, "POST", "silences", body, status=400)["error"]
    assert error["place"] == place
    assert error["message"].startswith(message)


def test_an_alert_that_fires_can_be_acknowledged(served: Served) -> None:
    assert ask(served, "POST", "alerts/web/acknowledge", {"segment": "web-1", "author": "ada"})["acknowledged"] == 1
    assert [alert["acknowledged_by"] for alert in firing(served)] == [None, "ada"]
    assert ask(served, "POST", "alerts/web/acknowledge", {})["acknowledged"] == 1
    refused = ask(served, "POST", "alerts/web/acknowledge", {"segment": "none"}, status=409)
    assert refused["error"]["message"] == "cannot acknowledge segment 'none' of alert 'web': it does not fire"
    ask(served, "POST", "alerts/none/acknowledge", {}, status=404)
    ask(served, "POST", "alerts/web/acknowledge", {"segment": 1}, status=400)


@pytest.mark.parametrize("path", ["silences", "alerts/web/acknowledge"])
def test_a_page_of_another_site_cannot_change_anything(served: Served, path: str) -> None:
    for headers in ({"sec_fetch_site": "cross-site"}, {"origin": "https://evil.example"}):
        error = ask(served, "POST", path, {"alert": "web", "for_s": 60}, status=403, **headers)["error"]
        assert error["message"] == "a page of another site may not send this request"
    ask(served, "DELETE", "silences/web", status=403, sec_fetch_site="same-site")


@pytest.mark.parametrize(("method", "path"), [("POST", "alerts"), ("PUT", "silences"), ("GET", "silences/x")])
def test_other_methods_are_refused(served: Served, method: str, path: str) -> None:
    assert served.send(method, f"/api/v1/{path}").status == 405
