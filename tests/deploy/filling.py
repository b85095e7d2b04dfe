"""Fills a store, through its own interface, with some of everything that the dashboards show."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg

from deploy.dashboards import GRAFANA
from puppylog.config.reading import read_configuration
from puppylog.model.alert import Alert, Comparison, NoData
from puppylog.stores.base import Store
from support.embedded import wait_until
from support.lines import Source, rejects, rows

# Text that ends quotes and contains SQL, markup, macros, variables and a pattern.
HOSTILE = "'\"; DROP TABLE puppylog.alerts; -- <img src=x onerror=alert(1)> $__timeFrom() $__nothing(x) ${group} %s \\"

_BURST = Alert(
    name="burst",
    metric="total_traffic",
    statistic="avg",
    comparison=Comparison.ABOVE,
    threshold=10,
    window_s=3,
    period_s=1,
    for_s=0,
    keep_firing_for_s=0,
    delay_s=2,
    each_segment=False,
    no_data=NoData.ZERO,
)
_TRANSITIONS = "SELECT name, to_state FROM puppylog.alert_history AS h JOIN puppylog.alerts AS a ON a.id = h.alert_id"
_UNREFRESHED = "SELECT 1 AS one FROM puppylog.metrics WHERE watermark < now() - INTERVAL '1 hour'"


def fill(store: Store, at: datetime) -> None:
    """Store 127 records of two streams, 3 rejected lines, and two alerts: one fires for a moment, the other one longer.

    Returns when both have fired, and all metrics are refreshed.
    """
    for metric in read_configuration([GRAFANA / "metrics.toml"]).define_metrics({}):
        store.create_metric(replace(metric, refresh_s=10))  # with that of a minute, the test would wait longer
    store.create_alert(_BURST)
    busy = _changed(_BURST, name="busy", metric="total_traffic_per_route", statistic="sum", threshold=55, window_s=60)
    store.create_alert(_changed(busy, each_segment=True))
    store.create_alert(_changed(_BURST, name="seldom", period_s=2**31 - 1))  # not due again before 2038
    web = Source(store, "file:///var/log/web.log", group="web")
    requests: list[dict[str, Any]] = [
        *[{"request_route": f"/{HOSTILE}/1", "status_code": 500, "response_bytes": 10}] * 60,
        *[{"request_route": "/api/1", "status_code": 200, "response_bytes": 1000 + i} for i in range(40)],
        *[{"request_route": "/", "status_code": 404, "response_bytes": 5}] * 10,
        *[{"message": "no request at all"}] * 5,
    ]
    web.append(rows([{"ts": at, **request} for request in requests]), rejects(b"?", b"??", b"<b>", start=10**6))
    other = Source(store, "file:///var/log/o'brien.log")
    other.append(rows([{"ts": at, "request_route": "/api/2", "status_code": 200}] * 12))
    wanted = {("burst", "firing"), ("burst", "ok"), ("busy", "firing")}
    wait_until(lambda: wanted <= _list_transitions(store), within_s=60, what="the transitions")
    # TimescaleDB materializes a bucket of a minute when it has been over for a minute.
    wait_until(lambda: not store.query(_UNREFRESHED), within_s=240, what="the first refresh")


def note_error(url: str) -> None:
    """Record a failed evaluation of the alert that is never due."""
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE puppylog.alerts SET error = '<b>no luck</b>' WHERE name = 'seldom'")


def _list_transitions(store: Store) -> set[tuple[str, str]]:
    return {(row["name"], row["to_state"]) for row in store.query(_TRANSITIONS).to_pylist()}


def _changed(alert: Alert, **changes: Any) -> Alert:
    return Alert(**{**{name: getattr(alert, name) for name in Alert.__slots__}, **changes})
