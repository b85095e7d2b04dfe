"""Values of commands that show ages, processes and machines, such as a stream that has stalled."""

import sys
from datetime import datetime, timedelta
from typing import Final

from puppylog.cli.alerts import write_states
from puppylog.cli.collector_status import write_streams
from puppylog.cli.doctor import write_findings
from puppylog.cli.observe import draw_view
from puppylog.model.alert import Alert, Comparison, NoData, State
from puppylog.model.finding import Finding, Health
from puppylog.monitor.alerts import AlertSnapshot, AlertState
from puppylog.monitor.collectors import FollowedStream, StreamState
from puppylog.settings import Settings
from screens.traffic import NOON

_RULE: Final = Alert("checkout_errors", "errors", "sum", Comparison.ABOVE, 5, 600, 60, 0, 0, 10, False, NoData.ZERO)
_SILENT: Final = Alert("silent_stream", "lines", "sum", Comparison.BELOW, 1, 300, 60, 120, 0, 60, True, NoData.NO_DATA)
_BEGAN: Final = NOON - timedelta(days=3, minutes=17)


def write_status(settings: Settings) -> None:
    """Show the streams of two machines as ``collector status`` does."""
    write_streams(
        [
            _stream("web1", "/var/log/nginx/access.log", StreamState.OK, lines_per_s=1834.21, records=8_123_456),
            _stream("web1", "/srv/shop/releases/current/log/production.log", StreamState.BEHIND, lag_bytes=48_123_904),
            _stream(
                *("web2", "/var/log/nginx/access.log", StreamState.STALLED),
                problem="cannot read /var/log/nginx/access.log: permission denied",
                lag_bytes=1830,
                lag_s=75.0,
                report_age_s=75.0,
            ),
            _stream("web2", "/var/log/syslog", StreamState.FINISHED, records=31_207),
        ],
        settings,
    )


def _stream(
    host: str,
    path: str,
    state: StreamState,
    *,
    problem: str | None = None,
    report_age_s: float = 2.0,
    lag_bytes: int = 0,
    lag_s: float | None = None,
    lines_per_s: float = 0.0,
    records: int = 402_118,
) -> FollowedStream:
    return FollowedStream(
        stream_id=1,
        source_uri=f"file://{host}{path}",
        group="shop",
        state=state,
        problem=problem,
        report_age_s=report_age_s,
        lag_bytes=lag_bytes,
        lag_s=lag_bytes / 200_000 if lag_s is None else lag_s,
        lines_per_s=lines_per_s,
        stored_at=NOON - timedelta(seconds=3 + lag_bytes // 200_000),
        records=records,
        rejects=records // 100_000,
        waiting_lines=lag_bytes // 400,
        format="access",
    )


def write_doctor(settings: Settings) -> None:
    """Show findings as ``doctor`` does."""
    write_findings(
        [
            Finding("server", Health.OK, "PostgreSQL 17.10 at postgresql://db1/logs, schema version 3"),
            Finding(
                "capability several machines",
                Health.NOTE,
                "no: the server has neither Citus nor data nodes",
                "install Citus 12 or later to spread records over machines",
            ),
            Finding(
                "stream web2:/var/log/nginx/access.log",
                Health.WARNING,
                "its collector cannot read /var/log/nginx/access.log: permission denied",
                "let the collector's user read the file",
            ),
            Finding("metric requests_per_route", Health.OK, "refreshed 1 s ago; its buckets hold all records"),
            Finding("alert checkout_errors", Health.WRONG, "its last evaluation failed: division by zero"),
        ],
        settings,
    )


def write_alerts(settings: Settings) -> None:
    """Show states as ``alerts list`` does."""
    write_states(_states(), settings)


def draw_observe(settings: Settings) -> None:
    """Show one view of ``alerts observe``."""
    view = draw_view(AlertSnapshot(_states(), 0), settings, 2, None)
    sys.stdout.writelines(f"{line.text}\n" for line in view)


def _states() -> tuple[AlertState, ...]:
    at = NOON - timedelta(minutes=3, seconds=20)
    rang = NOON - timedelta(days=1, hours=4)
    return (
        _state(_RULE, State.FIRING, since=at, value=14.0, last_fired_at=at),
        _state(_SILENT, State.OK, since=_BEGAN, value=1203.5, segment="1", source="file://web1/var/log/syslog"),
        _state(_SILENT, State.PENDING, since=at, value=0.0, segment="2", source="file://web2/srv/shop/production.log"),
        _state(
            _SILENT, State.NO_DATA, since=rang, segment="3", source="file://web2/var/log/mail.log", last_fired_at=rang
        ),
    )


def _state(
    alert: Alert,
    state: State,
    *,
    since: datetime,
    value: float | None = None,
    segment: str | None = None,
    source: str | None = None,
    last_fired_at: datetime | None = None,
) -> AlertState:
    return AlertState(alert, None, segment, state, since, value, last_fired_at, _BEGAN, NOON, None, source)
