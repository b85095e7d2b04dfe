"""The three commands that go on from a report. They can be copied to a shell as they are."""

import shlex
from collections.abc import Sequence

from puppylog.monitor.report import Report


def list_commands(report: Report, url: str | None) -> Sequence[str]:
    """Return three commands: to the records that went wrong, to counts, and to a query of one's own.

    Args:
        report: decides which commands make sense.
        url: the store of the report; None if commands find it without ``--store``.
    """
    suffix = "" if url is None else f" --store {shlex.quote(url)}"
    return [f"puppylog {command}{suffix}" for command in (_find_problem(report), _count(report), _ask(report))]


def _find_problem(report: Report) -> str:
    names = {one.name for one in report.classes}
    for name, query in (("5xx", "status_code>=500"), ("error", "severity>=error"), ("4xx", "status_code>=400")):
        if name in names:
            return f"logs '{query}'"
    return "logs"


def _count(report: Report) -> str:
    if report.rejects:
        return "rejects list"
    if report.routes is not None:
        return "sql 'select request_route, count(*) from log_records group by all order by 2 desc limit 20'"
    return "sql 'select severity, count(*) from log_records group by 1'"


def _ask(report: Report) -> str:
    column = "status_code" if report.kind == "status" else "host" if report.clients is not None else "stream_id"
    return f"sql 'select {column}, count(*), max(ts) from log_records group by 1 order by 2 desc limit 20'"
