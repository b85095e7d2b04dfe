"""The quick start on TimescaleDB, until the alert fires; and the jobs that run without any process of Puppylog."""

import json
import signal
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from support.commands import Puppylog
from support.database_elsewhere import database_elsewhere, server_of
from support.embedded import wait_until

SERVER = "PUPPYLOG_TEST_TIMESCALEDB"
BURST = 3000
LINE = '10.0.0.1 - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET /shop/1 HTTP/1.1" 200 5 "-" "-"\n'
RUSH = ("-i", "rush", "-m", "total_traffic", "--when", "> 10", "--window", "10s")

INSERT = """
    INSERT INTO puppylog.log_records (ts, stream_id, file_id, line_offset, host, request_method, request_route)
    SELECT now(), 0, 0, n, 'h', 'GET', '/by/hand' FROM generate_series(1, %s) AS n
"""
OURS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
FIRED = """
    SELECT h.value, h.to_state, h.made_up, h.recorded_at FROM puppylog.alert_history AS h
    JOIN puppylog.alerts AS a ON a.id = h.alert_id WHERE a.name = %s ORDER BY h.evaluated_at
"""


@pytest.fixture
def url() -> Iterator[str]:
    with database_elsewhere(server_of(SERVER, "TimescaleDB")) as url:
        yield url


def history(puppylog: Puppylog, name: str) -> list[dict[str, Any]]:
    ran = puppylog("monitor", "alerts", "get", name, "-o", "json")
    assert ran.code == 0, ran
    found: list[dict[str, Any]] = json.loads(ran.out)
    return sorted(found, key=lambda signal_: str(signal_["evaluated_at"]))


def test_the_alert_fires_and_recovers_while_it_is_watched(
    url: str, puppylog_at: Callable[[str], Puppylog], tmp_path: Path
) -> None:
    path = tmp_path / "access.log"
    path.write_text("")
    puppylog = puppylog_at(url)
    installed = puppylog("bootstrap", "-o", "csv")
    assert installed.code == 0, installed
    assert "\nflavour,timescaledb," in installed.out
    assert puppylog("monitor", "metrics", "create", "--default", "original").code == 0
    assert puppylog("monitor", "alerts", "create", *RUSH).code == 0
    with (
        puppylog.start("collector", "-s", str(path), "--watch") as collector,
        puppylog.start("monitor", "alerts", "observe", "--refresh-rate", "1", "-o", "jsonl") as observer,
    ):
        try:
            burst_at = datetime.now(UTC)
            with path.open("a") as log:
                log.write(LINE.format(at=burst_at) * BURST)
            wait_until(lambda: len(history(puppylog, "rush")) == 2, within_s=90, what="ringing and recovering")
            collector.send_signal(signal.SIGTERM)
            assert collector.wait(60) == 0
            observer.send_signal(signal.SIGINT)
            seen, _ = observer.communicate(timeout=60)
        finally:
            collector.kill()
            observer.kill()
    (rang,) = history(puppylog, "totaltraffic")
    assert (rang["from_state"], rang["to_state"], rang["value"]) == ("ok", "firing", BURST / 120)
    assert datetime.fromisoformat(rang["recorded_at"]) - burst_at < timedelta(seconds=30)
    fired, recovered = history(puppylog, "rush")
    assert (fired["to_state"], fired["value"], fired["made_up"]) == ("firing", BURST / 10, False)
    assert (recovered["from_state"], recovered["to_state"], recovered["value"]) == ("firing", "ok", 0)
    assert b'"to_state": "firing"' in seen, seen


def test_metrics_and_alerts_are_up_to_date_without_any_process_of_puppylog(
    url: str, puppylog_at: Callable[[str], Puppylog]
) -> None:
    puppylog = puppylog_at(url)
    assert puppylog("bootstrap").code == 0
    assert puppylog("monitor", "metrics", "create", "--default", "original").code == 0
    assert puppylog("monitor", "alerts", "create", *RUSH).code == 0
    with psycopg.connect(url, autocommit=True) as plain:
        assert plain.execute(OURS.encode()).fetchall() == [(0,)]
        plain.execute(INSERT.encode(), [BURST])
        ((inserted_at,),) = plain.execute("SELECT max(ts) FROM puppylog.log_records").fetchall()

        def has_recovered() -> bool:
            return len(plain.execute(FIRED.encode(), ["rush"]).fetchall()) == 2

        assert plain.execute("SELECT sum(value) FROM metrics.total_traffic").fetchall() == [(BURST,)]
        wait_until(has_recovered, within_s=90, what="ringing and recovering")
        fired, recovered = plain.execute(FIRED.encode(), ["rush"]).fetchall()
        assert fired[:3] == (BURST / 10, "firing", False)
        assert fired[3] - inserted_at < timedelta(seconds=30)
        assert recovered[:3] == (0, "ok", False)
        ((value, state, *_),) = plain.execute(FIRED.encode(), ["totaltraffic"]).fetchall()
        assert (value, state) == (BURST / 120, "firing")

        def is_materialized() -> bool:
            sql = "SELECT watermark > %s FROM puppylog.metrics WHERE name = 'total_traffic'"
            return plain.execute(sql.encode(), [inserted_at]).fetchall() == [(True,)]

        wait_until(is_materialized, within_s=90, what="the refresh")
        assert plain.execute("SELECT sum(value) FROM metrics.total_traffic").fetchall() == [(BURST,)]
        assert plain.execute(OURS.encode()).fetchall() == [(0,)]
