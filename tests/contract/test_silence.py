"""The default alert on a stream that has gone silent, with shorter times than the default ones."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from puppylog.model.alert import State
from puppylog.model.defaults import ORIGINAL
from puppylog.model.stream import StreamReport
from puppylog.monitor.alerts import list_transitions_after, read_alerts
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.lines import Source, records

pytestmark = pytest.mark.sampled

METRIC = replace(next(m for m in ORIGINAL.metrics if m.name == "lines_per_stream"), period_s=1, refresh_s=1)
ALERT = replace(next(a for a in ORIGINAL.alerts if a.name == "silent_stream"), window_s=3, period_s=2, delay_s=2)
WITHIN_S = 60


def states(store: Store) -> dict[str | None, State | None]:
    return {state.segment_name: state.state for state in read_alerts(store, name=ALERT.name).states}


def test_the_alert_on_a_silent_stream_fires_until_lines_come_again(store: Store) -> None:
    store.create_metric(METRIC)
    store.create_alert(ALERT)
    silent, busy = Source(store, "file:///var/log/silent.log"), Source(store, "file://web1/var/log/busy.log")
    silent.append(records(1, ts=datetime.now(UTC)))
    busy.append(records(600, ts=datetime.now(UTC)))  # as if it went on for ten minutes
    rings = {"/var/log/silent.log": State.FIRING, "web1:/var/log/busy.log": State.OK}
    wait_until(lambda: states(store) == rings, within_s=WITHIN_S, what="the alert")
    silent.append(records(600, start=silent.offset, ts=datetime.now(UTC)))
    wait_until(lambda: states(store)["/var/log/silent.log"] is State.OK, within_s=WITHIN_S, what="the recovery")
    news = [(signal.segment_name, signal.to_state) for signal in list_transitions_after(store, 0)]
    assert news == [("/var/log/silent.log", State.FIRING), ("/var/log/silent.log", State.OK)]


def test_the_alert_does_not_fire_for_a_stream_whose_file_is_gone(store: Store) -> None:
    store.create_metric(METRIC)
    # A busy server evaluates several seconds at once. The state of the stream is deleted before, not between them.
    store.create_alert(replace(ALERT, window_s=12))
    gone, silent = Source(store, "file:///var/log/gone.log"), Source(store, "file:///var/log/silent.log")
    store.report(
        [
            StreamReport(
                gone.stream_id,
                backlog_bytes=0,
                behind_s=None,
                stored_ago_s=None,
                lines_per_s=0.0,
                records=1,
                rejects=0,
                finished=True,
            )
        ]
    )
    for source in (gone, silent):
        source.append(records(3, ts=datetime.now(UTC)))
    rings = {"/var/log/silent.log": State.FIRING}
    wait_until(lambda: states(store) == rings, within_s=WITHIN_S, what="the alert on the other stream")
    news = [(signal.segment_name, signal.to_state) for signal in list_transitions_after(store, 0)]
    assert news == [("/var/log/silent.log", State.FIRING)]


def test_a_stream_that_has_only_old_lines_is_not_judged(store: Store) -> None:
    store.create_metric(METRIC)
    store.create_alert(ALERT)
    Source(store, "file:///old").append(records(10))
    busy = Source(store, "file:///busy")
    busy.append(records(600, ts=datetime.now(UTC)))
    wait_until(lambda: states(store) == {"/busy": State.OK}, within_s=WITHIN_S, what="the first evaluation")
    assert list_transitions_after(store, 0) == []
