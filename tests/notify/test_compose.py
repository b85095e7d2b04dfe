"""What the message of a group says, from the answers of a store."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from puppylog.model.alert import Alert, State
from puppylog.model.metric import Metric
from puppylog.model.notification import Group, OutboxRow
from puppylog.notify.compose import Composer, Definitions, split_group
from puppylog.notify.message import Message
from puppylog.notify.outbox import Judged, Snapshot
from puppylog.notify.render import SIZES, compose, format_plain
from support.outbox import FIRING, RESOLVED, Outbox, at
from support.sending_store import ALERT, METRIC, SendingStoreInMemory


class AnsweringStore(SendingStoreInMemory):
    """Has one transition with two sample records, and observations of three buckets."""

    def __init__(self) -> None:
        super().__init__(Outbox())
        self.alerts: list[Alert] = [ALERT]
        self.metric: Metric = METRIC
        self.omitted: str | None = None
        self.is_caught_up = False
        self.asked: list[str] = []

    def _rows(self, name: str) -> Iterator[dict[str, Any]]:
        self.asked.append(name)
        match name:
            case "notified_transition":
                window = {"window_since": at(0), "window_until": at(60)}
                yield {**window, "made_up": self.is_caught_up, "evidence_omitted": self.omitted}
            case "evidence":
                for second, text in ((58, "no stock"), (51, "no more stock")):
                    uri = "file://web1/var/log/shop.log"
                    yield {"ts": at(second), "record": f'{{"message": "{text}"}}', "source_uri": uri}
            case "sources_of_streams":
                yield {"stream": "7", "source_uri": "file://web1/var/log/shop.log"}
            case "":  # the observations of the metric
                yield from ({"bucket": at(second), "value": value} for second, value in ((30, 2.0), (50, 12.0)))

    def list_alerts(self) -> list[Alert]:
        return self.alerts

    def list_metrics(self) -> list[Metric]:
        return [self.metric]


def row(number: int = 1, segment: str | None = "web-1", **changes: Any) -> OutboxRow:
    first = OutboxRow(number, number, "errors", segment, "ops", FIRING, at(90), at(60), at(60), value=12.0)
    return replace(first, **changes)


def compose_message(
    store: AnsweringStore, *rows: OutboxRow, definitions: Definitions | None = None, second: float = 90
) -> Message:
    judged = {("errors", one.segment): Judged(State.FIRING, 12.0) for one in rows}
    snapshot = Snapshot(at(second), "a1", rows, (), judged, ())
    composer = Composer(store, snapshot, definitions={} if definitions is None else definitions, store_name="pg")
    return composer.compose(Group("errors", "ops", rows[0].kind, rows))


@pytest.fixture
def store() -> AnsweringStore:
    return AnsweringStore()


def test_a_message_has_the_value_the_chart_the_lines_and_a_command(store: AnsweringStore) -> None:
    message = compose_message(store, row())
    [report] = message.segments
    assert (report.segment, report.value, report.since, report.ended_at) == ("web-1", 12.0, at(60), None)
    assert report.chart[-6:] == (0.0, 0.0, 0.0, 2.0, 0.0, 12.0)
    assert [(line.ts, line.text, line.source) for line in report.lines] == [
        (at(58), "no stock", "web1:/var/log/shop.log"),
        (at(51), "no more stock", "web1:/var/log/shop.log"),
    ]
    assert message.command == (
        "puppylog logs --store pg --from 2026-01-01T00:00:00Z --to 2026-01-01T00:01:00Z "
        "--where '(status_code >= 500) AND (host = '\"'\"'web-1'\"'\"')'"
    )
    assert (message.store, message.note, message.is_late) == ("pg", "", False)


def test_a_resolved_message_says_when_the_problem_began_and_ended(store: AnsweringStore) -> None:
    message = compose_message(store, row(kind=RESOLVED, evaluated_at=at(80)))
    [report] = message.segments
    assert report.ended_at == at(80)
    assert report.lines == ()
    assert message.command == "puppylog monitor alerts get errors --store pg"


def test_a_message_about_a_deleted_alert_has_its_last_definition(store: AnsweringStore) -> None:
    definitions: Definitions = {}
    compose_message(store, row(), definitions=definitions)
    store.alerts = []
    gone = row(kind=RESOLVED, history_id=None, reason="the alert was deleted")
    message = compose_message(store, gone, definitions=definitions)
    assert (message.metric, message.threshold, message.note) == ("failures", 10, "the alert was deleted")


def test_a_message_about_a_deleted_alert_that_nothing_knows_says_so(store: AnsweringStore) -> None:
    store.alerts = []
    message = compose_message(store, row(kind=RESOLVED, history_id=None, reason="the alert was deleted"))
    text = format_plain(compose(message, SIZES[0]))
    assert text.startswith("[RESOLVED] errors web-1: 12\nthe alert was deleted\n")
    assert "Rule" not in text


def test_a_message_says_that_it_is_late_and_that_lines_are_missing(store: AnsweringStore) -> None:
    store.omitted, store.is_caught_up = "the search took too long", True
    message = compose_message(store, row(), second=60 + 3600)
    assert message.note == "this message waited for 1 h; sample lines are missing: the search took too long"
    assert message.is_late


def test_segments_that_are_streams_have_the_names_of_their_sources(store: AnsweringStore) -> None:
    store.metric = replace(METRIC, segment="stream_id")
    [known, unknown] = compose_message(store, row(1, "7"), row(2, "8")).segments
    assert (known.segment, unknown.segment) == ("web1:/var/log/shop.log", "8")
    assert known.key != unknown.key


def test_a_message_of_many_segments_asks_for_the_details_of_ten(store: AnsweringStore) -> None:
    message = compose_message(store, *(row(number, f"web-{number}") for number in range(1, 31)))
    assert len(message.segments) == 30
    assert store.asked.count("evidence") == store.asked.count("notified_transition") == 10
    assert [bool(report.lines) for report in message.segments] == [True] * 10 + [False] * 20


def test_a_group_is_split_into_messages_of_a_limited_number_of_segments() -> None:
    rows = tuple(row(number, f"web-{number}") for number in range(5))
    group = Group("errors", "ops", FIRING, rows)
    assert [len(part.rows) for part in split_group(group, 2)] == [2, 2, 1]
    assert split_group(group, None) == [group]


def test_a_message_has_an_identity_of_its_own_also_if_it_tells_the_same_again(store: AnsweringStore) -> None:
    first, again, later = (compose_message(store, row(number)) for number in (1, 1, 2))
    assert first.segments[0].key == later.segments[0].key
    assert first.identity == again.identity != later.identity
