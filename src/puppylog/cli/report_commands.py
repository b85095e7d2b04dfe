"""The three commands that go on from a report. They can be copied to a shell as they are."""

import shlex
from collections.abc import Sequence

from puppylog.monitor.report import Report

# A query for the worst records of a class, by the class's name; the worst class first.
_WORST = (("5xx", "status_code>=500"), ("error", "severity>=error"), ("4xx", "status_code>=400"))


def list_commands(report: Report, url: str | None) -> Sequence[str]:
    """Return three commands: for the records that went wrong, for what they have in common, and for times.

    Args:
        report: decides which commands make sense.
        url: the store of the report; None if commands find it without ``--store``.
    """
    suffix = [] if url is None else ["--store", url]
    names = {one.name for one in report.classes}
    query = [query for name, query in _WORST if name in names][:1]
    commands = (["logs", *query], _count(report, query), _measure(report))
    return [shlex.join(["puppylog", *command, *suffix]) for command in commands]


def _count(report: Report, query: Sequence[str]) -> Sequence[str]:
    if report.rejects > report.records // 100:
        return ["rejects", "list"]
    if report.routes is not None:
        return ["top", "request_route", *query]
    if report.patterns is not None:
        return ["patterns", *query]
    return ["rejects", "list"] if report.rejects else ["top", "host" if report.clients is not None else "source"]


def _measure(report: Report) -> Sequence[str]:
    if report.slowest is not None:
        return ["stats", report.slowest.attribute]
    return ["hist", "--by", {"status": "status_code", "severity": "severity", "": "source"}[report.kind]]
