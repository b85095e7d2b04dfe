"""What happens on TimescaleDB while no process of Puppylog runs is told later, with the lines that caused it."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from support.commands import Puppylog
from support.database_elsewhere import database_elsewhere, server_of
from support.embedded import wait_until
from support.receivers import Receivers

SERVER = "PUPPYLOG_TEST_TIMESCALEDB"
INSERT = """
    INSERT INTO puppylog.log_records (ts, stream_id, file_id, line_offset, host, request_method, request_route,
                                      status_code)
    SELECT now(), 0, 0, n, 'web-1', 'GET', '/by/hand/' || n, 502 FROM generate_series(1, 30) AS n
"""
OURS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""
CONFIGURATION = """
store = "{url}"
[[metric]]
name = "failures"
statistic = "count"
period = "1s"
filter = "status_code >= 500"
[[alert]]
name = "failing"
metric = "failures"
comparison = ">"
threshold = 5
statistic = "sum"
window = "10s"
keep_firing_for = "10m"
contacts = ["hook"]
group_wait = "1s"
[[contact]]
name = "hook"
type = "webhook"
url = "http://127.0.0.1:{port}/"
"""


@pytest.fixture
def url() -> Iterator[str]:
    with database_elsewhere(server_of(SERVER, "TimescaleDB")) as url:
        yield url


def test_lines_that_were_inserted_by_hand_are_told_when_up_starts(
    url: str, puppylog_at: Callable[[str], Puppylog], tmp_path: Path
) -> None:
    puppylog = puppylog_at(url)
    assert puppylog("bootstrap").code == 0
    with Receivers(tmp_path) as receivers, psycopg.connect(url, autocommit=True) as connection:
        file = tmp_path / "config.toml"
        file.write_text(CONFIGURATION.format(url=url, port=receivers.http_port))
        applied = puppylog("apply", "-c", str(file))
        assert applied.code == 0, applied
        wait_until(lambda: connection.execute(OURS).fetchall() == [(0,)], what="the end of every client")
        connection.execute(INSERT)
        waiting = "SELECT kind, state FROM puppylog.notifications"
        wait_until(
            lambda: connection.execute(waiting).fetchall() == [("firing", "waiting")], what="the row", within_s=120
        )
        with puppylog.start("up", "-c", str(file)) as up:
            try:
                wait_until(lambda: bool(receivers.webhooks()), what="the message")
                sent = [("firing", "sent")]
                wait_until(lambda: connection.execute(waiting).fetchall() == sent, what="the settlement")
                up.send_signal(signal.SIGTERM)
                assert up.wait(60) == 0
            finally:
                up.kill()
        [payload] = receivers.webhooks()
    [alert] = payload["alerts"]
    assert (alert["status"], alert["labels"]["alertname"], alert["annotations"]["value"]) == ("firing", "failing", "30")
    lines = alert["annotations"]["lines"].splitlines()
    assert len(lines) >= 10
    assert all('web-1 "GET /by/hand/' in line for line in lines[:10])
