"""Compares each level of a metric with the finer buckets from which it was made, for a limited time."""

import time
from collections.abc import Mapping
from typing import Any

from puppylog.errors import PuppylogError
from puppylog.model.finding import Finding, Health
from puppylog.model.period import format_period
from puppylog.stores.doctor import judge_level
from puppylog.stores.levels import records_sql
from puppylog.stores.postgres.definitions.server import CONTINUOUS
from puppylog.stores.postgres.sessions.session import Session
from puppylog.stores.queries import load_queries

_QUERIES = load_queries("puppylog.stores.postgres", "doctor.sql")


def find_wrong_level(session: Session, metric: Mapping[str, Any], limit_s: float) -> Finding | None:
    """Return the finding about the finest level that does not add up; None if all levels do.

    Args:
        session: the session.
        metric: a row of the query ``metrics``.
        limit_s: the seconds after which no further level is compared. The finding then is a note that says so.
    """
    deadline = time.monotonic() + limit_s
    finer_s = metric["period_s"]
    for level in session.rows(_QUERIES["levels"], {"id": metric["id"]}):
        sums = _compare(session, metric, level, finer_s, deadline)
        if sums is None:
            found = f"its level of {format_period(level['step_s'])} was not compared within {limit_s:g} s"
            return Finding(f"metric {metric['name']}", Health.NOTE, found)
        if sums["stored"] != sums["expected"] and not (sums["is_being_checked"] and metric["kind"] == CONTINUOUS):
            return _judge(metric, level["step_s"], sums)
        finer_s = level["step_s"]
    return None


def _compare(
    session: Session, metric: Mapping[str, Any], level: Mapping[str, Any], finer_s: int, deadline: float
) -> Mapping[str, Any] | None:
    """Return what a level and the finer buckets below its watermark hold; None if the time is over."""
    left_ms = int((deadline - time.monotonic()) * 1000)
    if left_ms <= 0:
        return None
    of_finer = "1" if level["is_finest"] else "buckets"
    sql = _QUERIES["compare_level"].format(
        id=metric["id"],
        step_s=level["step_s"],
        source=level["source"],
        in_level=records_sql(metric["statistic"], level["step_s"]) or "buckets",
        in_source=records_sql(metric["statistic"], finer_s) or of_finer,
    )
    try:
        with session.transaction():
            session.run(_QUERIES["limit_statement"], {"limit_ms": left_ms})
            return session.rows(sql)[0]
    except PuppylogError:
        if time.monotonic() < deadline:
            raise
        return None


def _judge(metric: Mapping[str, Any], step_s: int, sums: Mapping[str, Any]) -> Finding:
    what = "buckets" if records_sql(metric["statistic"], step_s) is None else "records"
    advice = (
        "as the owner of the store: "
        f"SELECT puppylog.rewrite_levels({metric['id']}, '{sums['since']}', '{sums['until']}'); "
        "it makes the levels again from the metric's own buckets"
    )
    return judge_level(metric["name"], step_s, sums, what, advice=advice)
