import shlex
from dataclasses import replace

import pytest

from puppylog.cli.report_commands import list_commands
from puppylog.monitor.record_classes import Class
from puppylog.monitor.report import Report
from support.inprocess import InProcess
from support.reports import REPORT, TINY

MESSAGES = replace(
    TINY, kind="severity", classes=[Class("error", 1, [1]), Class("info", 2, [2])], patterns=REPORT.patterns
)


@pytest.mark.parametrize(
    ("report", "commands"),
    [
        (
            REPORT,
            [
                "puppylog logs 'status_code>=500'",
                "puppylog top request_route 'status_code>=500'",
                "puppylog stats request_time",
            ],
        ),
        (
            replace(REPORT, rejects=9999),
            ["puppylog logs 'status_code>=500'", "puppylog rejects list", "puppylog stats request_time"],
        ),
        (
            MESSAGES,
            ["puppylog logs 'severity>=error'", "puppylog patterns 'severity>=error'", "puppylog hist --by severity"],
        ),
        (TINY, ["puppylog logs", "puppylog top source", "puppylog hist --by source"]),
    ],
)
def test_the_commands_fit_what_is_in_the_report(report: Report, commands: list[str]) -> None:
    assert list_commands(report, None) == commands


def test_a_store_is_named_so_that_a_shell_reads_it() -> None:
    for command in list_commands(REPORT, "duckdb:///home/a b/$x"):
        assert shlex.split(command)[-2:] == ["--store", "duckdb:///home/a b/$x"]


@pytest.mark.parametrize("report", [REPORT, MESSAGES, TINY], ids=["requests", "messages", "text"])
def test_every_command_can_be_run(cli: InProcess, report: Report) -> None:
    for command in list_commands(replace(report, slowest=None), None):
        ran = cli(*shlex.split(command)[1:])
        assert (ran.code, "cannot" in ran.err) == (0, False), command
