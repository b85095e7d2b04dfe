"""Compares the number of records in a metric's buckets with the records: the newest day first, for a limited time."""

import time
from collections.abc import Mapping
from typing import Any

from puppylog.errors import PuppylogError
from puppylog.model.finding import Finding, Health
from puppylog.stores.doctor import COMPARED_S, ComparedDay, judge_difference
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.postgres", "doctor.sql")


def compare_sums(session: Session, metric: Mapping[str, Any], limit_s: float = COMPARED_S) -> Finding:
    """Return the finding about the comparison of a metric's buckets with the records.

    Args:
        session: the session.
        metric: a row of the query ``metrics``.
        limit_s: the seconds after which no further day is compared. The finding then says from when on days were.
    """
    subject = f"metric {metric['name']}"
    deadline = time.monotonic() + limit_s
    before, records = "infinity", 0
    while True:
        day = _count_day(session, metric["id"], before, deadline)
        if day is None:
            if records == 0:
                found = f"no bucket was compared with the records: one day takes more than {limit_s:g} s"
                return Finding(subject, Health.NOTE, found)
            found = (
                f"its buckets hold all {records} records since {before}; older records were not compared within "
                f"{limit_s:g} s"
            )
            return Finding(subject, Health.OK, found)
        if day["since"] is None:
            return Finding(subject, Health.OK, f"its buckets hold all {records} records")
        if day["held"] != day["there"]:
            return _judge(session, metric, day)
        before, records = day["since"], records + day["there"]


def _count_day(session: Session, metric_id: int, before: str, deadline: float) -> Mapping[str, Any] | None:
    """Return the comparison of the newest day before ``before``; None if the time is over."""
    left_ms = int((deadline - time.monotonic()) * 1000)
    if left_ms <= 0:
        return None
    try:
        with session.transaction():
            session.run(_QUERIES["limit_statement"], {"limit_ms": left_ms})
            return session.rows(_QUERIES["count_day"], {"id": metric_id, "before": before})[0]
    except PuppylogError:
        if time.monotonic() < deadline:
            raise
        return None


def _judge(session: Session, metric: Mapping[str, Any], day: Mapping[str, Any]) -> Finding:
    compared = ComparedDay(day["since"], day["until"], day["held"], day["there"])
    times = {"since": day["since"], "until": day["until"]}
    is_being_checked = bool(session.value(_QUERIES["is_being_checked"], {"id": metric["id"], **times}))
    advice = (
        "as the owner of the store: INSERT INTO puppylog.touched_ranges (metric_id, low, high) "
        f"VALUES ({metric['id']}, '{day['since']}', '{day['until']}'); the jobs then compute the range again"
    )
    return judge_difference(metric["name"], compared, "records", is_being_checked=is_being_checked, advice=advice)
