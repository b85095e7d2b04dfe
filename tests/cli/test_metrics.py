import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from puppylog.cli import metrics
from puppylog.monitor.metrics import get_metric
from support.inprocess import InProcess
from support.lines import NOON

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(autouse=True)
def _sections(cli: InProcess) -> None:
    created = cli(
        *("monitor", "metrics", "create", "-i", "sections", "--period", "1m", "-q"),
        *("--segment", "split_part(request_route, '/', 2)", "--group", "shop"),
    )
    assert (created.code, created.err) == (0, "")
    cli("monitor", "metrics", "create", "-i", "failures", "--period", "10s", "--filter", "status_code >= 500")


FAILED = (
    "puppylog: metric failures may be out of date, because its last refresh failed: division by zero; "
    "'puppylog doctor' says more\n"
)


def golden(name: str) -> str:
    return (GOLDEN / name).read_text(encoding="utf-8")


def test_metrics_are_listed_with_and_without_the_command_list(cli: InProcess) -> None:
    listed = cli("monitor", "metrics", "list")
    assert (listed.code, listed.out) == (0, golden("metrics.list.txt"))
    assert cli("monitor", "metrics").out == listed.out


def test_a_list_can_be_limited_to_a_group(cli: InProcess) -> None:
    listed = json.loads(cli("monitor", "metrics", "list", "--group", "shop", "-o", "json").out)
    assert [metric["name"] for metric in listed] == ["sections"]


def test_a_segmented_metric_has_a_row_per_bucket_and_segment(cli: InProcess) -> None:
    assert cli.at(NOON)("monitor", "metrics", "get", "sections").out == golden("metrics.get.txt")


def test_a_metric_without_segments_has_a_row_per_bucket(cli: InProcess) -> None:
    got = cli("monitor", "metrics", "get", "failures", "-l", "2", "-o", "csv")
    assert got.out == "bucket,value\n2026-03-01T12:01:40+00:00,1\n2026-03-01T12:01:50+00:00,1\n"
    assert got.err == "puppylog: the newest 2 of 12 buckets; -l shows more\n"


def test_a_bucket_of_several_segments_counts_once(cli: InProcess) -> None:
    assert cli("monitor", "metrics", "get", "sections", "-l", "1").err == (
        "puppylog: the newest 1 of 2 buckets; -l shows more\n"
    )
    of_one = cli("monitor", "metrics", "get", "sections", "-l", "1", "--segment", "blog", "--from", "2026-03-01T12:01")
    assert of_one.err == ""


def test_rows_are_those_of_the_largest_segments_and_the_others_are_counted(cli: InProcess) -> None:
    get = ("monitor", "metrics", "get", "sections", "-o", "csv")
    whole = cli(*get)
    assert whole.err == ""
    for more in ((), ("--step", "1m", "--from", "2026-03-01T12:00", "--to", "2026-03-01T12:02")):
        rows = cli(*get, *more).out.splitlines()
        sizes: dict[str, float] = {}
        for row in rows[1:]:
            _, segment, value = row.split(",")
            sizes[segment] = sizes.get(segment, 0.0) + float(value)
        largest = sorted(sizes, key=lambda segment: (-sizes[segment], segment))
        assert len(largest) == 3
        for most in (1, 2, 3, 20):
            got = cli(*get, *more, "--segments", str(most))
            assert got.out.splitlines() == [row for row in rows if row.split(",")[1] in {"segment", *largest[:most]}]
            left_out = (
                f"puppylog: the largest {most} of 3 segments; --segments 3 shows all, and --segment VALUE one of them\n"
            )
            assert got.err == (left_out if most < 3 else "")
    assert cli(*get, "-l", "0", "--segments", "1").out == "bucket,segment,value\n"


def test_a_chart_draws_as_many_segments_as_are_asked_for(cli: InProcess) -> None:
    drawn = cli("monitor", "metrics", "get", "sections", "--chart", "--segments", "1")
    assert "and 2 more segments" in drawn.out
    assert drawn.err == ""


def test_steps_combine_buckets(cli: InProcess) -> None:
    whole = cli("monitor", "metrics", "get", "failures", "--step", "1m", "-o", "csv")
    assert (whole.out, whole.err) == ("bucket,value\n2026-03-01T12:00:00+00:00,6\n2026-03-01T12:01:00+00:00,6\n", "")
    newest = cli("monitor", "metrics", "get", "failures", "--step", "30s", "-l", "1", "-o", "csv")
    assert newest.out == "bucket,value\n2026-03-01T12:01:30+00:00,3\n"
    assert newest.err == "puppylog: the newest 1 of 4 steps; -l shows more\n"
    drawn = cli("monitor", "metrics", "get", "failures", "--step", "1m", "--chart").out.splitlines()
    assert drawn[0] == "failures: count of * every 10s, drawn in steps of 1m"
    wrong = cli("monitor", "metrics", "get", "failures", "--step", "25s")
    cause = "cannot use a step of 25s: it is not a multiple of the period of metric 'failures', 10s"
    assert (wrong.code, wrong.err) == (2, f"puppylog: {cause}\n")


def test_a_chart_of_a_range_covers_the_whole_range_in_steps(cli: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    cli = cli.at(NOON + timedelta(minutes=3)).wide(80)
    whole = cli("monitor", "metrics", "get", "failures", "--since", "12:00", "--chart")
    assert whole.err == ""
    assert whole.out.splitlines()[:2] == ["failures: count of * every 10s", "12:00:00 to 12:02:50"]
    day = cli("monitor", "metrics", "get", "failures", "--since", "2026-03-01", "--chart").out.splitlines()
    assert day[:2] == ["failures: count of * every 10s, drawn in steps of 15m", "00:00 to 12:00"]
    monkeypatch.setattr(metrics, "_CHART_MARGIN", 74)  # leaves six columns
    drawn = cli("monitor", "metrics", "get", "failures", "--since", "12:00", "--chart").out.splitlines()
    assert drawn[0] == "failures: count of * every 10s, drawn in steps of 1m"
    assert drawn[1] == "12:00 to 12:02"
    assert drawn[-1] == "last 0  min 0  mean 4  max 6"
    newest = cli("monitor", "metrics", "get", "failures", "--since", "12:00", "--chart", "-l", "5")
    assert newest.err == "puppylog: the newest 5 of 12 buckets; -l shows more\n"


def test_steps_cover_the_range_and_those_without_observations_are_rows(cli: InProcess) -> None:
    cli = cli.at(NOON + timedelta(minutes=3, seconds=30))
    got = cli("monitor", "metrics", "get", "failures", "--step", "1m", "--from", "11:59", "-o", "csv")
    assert got.out.splitlines()[1:] == [
        f"2026-03-01T{minute}:00+00:00,{value}"
        for minute, value in (("11:59", 0), ("12:00", 6), ("12:01", 6), ("12:02", 0), ("12:03", 0))
    ]
    ended = cli(*("monitor", "metrics", "get", "failures", "--step", "1m", "-o", "csv"), "--to", "12:03", "-l", "2")
    assert ended.out.splitlines()[1:] == ["2026-03-01T12:01:00+00:00,6", "2026-03-01T12:02:00+00:00,0"]
    assert ended.err == "puppylog: the newest 2 of 3 steps; -l shows more\n"
    by_segment = cli("monitor", "metrics", "get", "sections", "--step", "1m", "--since", "3m", "-o", "csv")
    assert by_segment.out.count(",0\n") == 6


def test_observations_can_be_limited_to_a_range_and_a_segment(cli: InProcess) -> None:
    got = cli(
        *("monitor", "metrics", "get", "sections", "--segment", "blog", "-o", "jsonl", "--tz", "Europe/Berlin"),
        *("--from", "2026-03-01T13:01", "--to", "2026-03-01T12:02:00Z"),
    )
    assert got.out == '{"bucket": "2026-03-01T13:01:00+01:00", "segment": "blog", "value": 15.0}\n'


def test_a_chart_can_be_requested_in_a_pipe(cli: InProcess) -> None:
    assert cli.at(NOON)("monitor", "metrics", "get", "sections", "--chart").out == golden("metrics.chart.txt")


def test_a_terminal_gets_a_chart_unless_another_output_is_requested(cli: InProcess) -> None:
    cli = cli.wide(60)
    assert "█" in cli("monitor", "metrics", "get", "failures").out
    assert cli("monitor", "metrics", "get", "failures", "-o", "jsonl").out.startswith("{")
    assert "█" not in cli("monitor", "metrics", "get", "failures", "--no-chart").out


def test_meta_has_the_definition_and_the_size_of_a_metric(cli: InProcess) -> None:
    [meta] = json.loads(cli("monitor", "metrics", "meta", "sections", "-o", "json").out)
    assert (meta["name"], meta["period_s"], meta["group"], meta["refresh_s"]) == ("sections", 60, "shop", 60)
    assert (meta["observations"], meta["buckets"], meta["segments"]) == (6, 2, 3)
    assert meta["first_bucket"] == "2026-03-01T12:00:00+00:00"
    shown = cli("monitor", "metrics", "meta", "sections").out
    assert "segment       SPLIT_PART(request_route, '/', 2)\n" in shown


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, ""),
        (
            {"error": "division by zero", "is_being_checked": True},
            FAILED,
        ),
        (
            {"error": None, "is_being_checked": True},
            "puppylog: metric failures does not include all late lines yet: values may change\n",
        ),
    ],
)
def test_values_that_are_out_of_date_or_may_change_are_reported(
    cli: InProcess, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], message: str
) -> None:
    monkeypatch.setattr(metrics, "get_metric", lambda store, name: replace(get_metric(store, name), **changes))
    got = cli("monitor", "metrics", "get", "failures", "-o", "csv")
    assert (got.code, got.err) == (0, message)
    assert len(got.out.splitlines()) == 13


def test_an_unknown_metric_is_a_usage_error(cli: InProcess) -> None:
    got = cli("monitor", "metrics", "get", "nope")
    assert (got.code, got.out) == (2, "")
    assert got.err == "puppylog: cannot find metric 'nope': see 'puppylog monitor metrics list'\n"


def test_people_see_the_query_that_became_a_pattern_and_programs_the_pattern(cli: InProcess) -> None:
    cli("monitor", "metrics", "create", "-i", "severe", "--filter", "severity>=error", "--period", "1m")
    listed = json.loads(cli("monitor", "metrics", "list", "-o", "json").out)
    [severe] = [row for row in listed if row["name"] == "severe"]
    assert severe["filter"].startswith("REGEXP_LIKE(severity, ")
    for command in (("list",), ("meta", "severe")):
        shown = cli("monitor", "metrics", *command).out
        assert "  severity>=error" in shown
        assert "REGEXP_LIKE" not in shown
