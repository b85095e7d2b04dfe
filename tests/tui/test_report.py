"""Golden files are in ``golden``. To write them again, run the test with PUPPYLOG_TEST_WRITE_GOLDEN=1 and read them."""

import os
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from puppylog.monitor.record_classes import Class
from puppylog.monitor.timeline import Timeline
from puppylog.tui.clean import width_of
from puppylog.tui.report import draw_report
from support.reports import REPORT, START, TINY

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("width", [40, 80, 160])
def test_a_report_reads_well_at_every_width(width: int) -> None:
    lines = draw_report(REPORT, title="/var/log/nginx", width=width, zone=UTC)
    golden = GOLDEN / f"report.{width}.txt"
    if os.environ.get("PUPPYLOG_TEST_WRITE_GOLDEN"):
        golden.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert "\n".join(lines) + "\n" == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 59, 60, 80, 119, 120, 160, 300])
@pytest.mark.parametrize("report", [REPORT, TINY], ids=["large", "tiny"])
def test_no_line_is_wider_than_the_terminal(report: object, width: int) -> None:
    chosen = REPORT if report is REPORT else TINY
    lines = draw_report(chosen, title="/a/very/long/path" * 20, width=width, zone=UTC)
    assert [line for line in lines if width_of(line) > width] == []


@pytest.mark.parametrize("width", [40, 80, 160])
def test_no_character_of_a_log_reaches_the_terminal_as_a_command(width: int) -> None:
    lines = draw_report(REPORT, title="a\x1b[2J.log", width=width, zone=UTC)
    assert [line for line in lines if not line.isprintable()] == []
    assert "\\x1b[2J" in "\n".join(lines)


def test_colours_change_nothing_but_the_colour() -> None:
    for width in (80, 160):
        plain = draw_report(REPORT, title="a.log", width=width, zone=UTC)
        colored = draw_report(REPORT, title="a.log", width=width, zone=UTC, color=True)
        stripped = [line.replace("\x1b[1m", "").replace("\x1b[0m", "") for line in colored]
        for code in (31, 32, 33):
            stripped = [line.replace(f"\x1b[{code}m", "") for line in stripped]
        assert stripped == plain
        assert any("\x1b[31m" in line for line in colored)


def test_a_report_on_a_few_lines_has_no_empty_sections() -> None:
    lines = draw_report(TINY, title="notes.txt", width=80, zone=UTC)
    assert lines[:5] == [
        "notes.txt",
        "3 records, plain",
        "2026-03-01 12:00:07 to 2026-03-01 12:00:07 UTC, 0 s",
        "3 records (100 %) have no time of their own: their time is when they were read",
        "",
    ]
    assert lines[5].startswith("Lines a second: 3 on average, 3 at most in 1 s")
    assert not any("Status" in line or "Top" in line for line in lines)


def test_the_axis_leaves_out_the_year_before_it_leaves_out_an_end() -> None:
    for cells, axis in ((40, "2026-03-01 12:00        2026-03-01 14:00"), (30, "03-01 12:00        03-01 14:00")):
        timeline = Timeline(START, 7200 // cells, cells)
        shown = replace(REPORT, timeline=timeline, classes=[Class("2xx", cells, [1] * cells)])
        assert axis in draw_report(shown, title="a.log", width=40, zone=UTC)
