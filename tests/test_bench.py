"""The bench goes on working. How fast anything is, no test says."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.report import Figure, Target, format_table, median_of, percentile, single

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(("percent", "expected"), [(50, 2.0), (75, 3.0), (76, 4.0), (99, 4.0), (100, 4.0), (1, 1.0)])
def test_a_percentile_is_a_value_that_was_measured(percent: float, expected: float) -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], percent) == expected


@pytest.mark.parametrize(
    ("target", "value", "verdict"),
    [
        (Target(at_least=0.35), 0.35, "met"),
        (Target(at_least=0.35), 0.34, "MISSED"),
        (Target(at_most=16), 16.0, "met"),
        (Target(at_most=16), 16.1, "MISSED"),
        (None, 1.0, ""),
    ],
)
def test_a_target_is_met_at_its_very_limit(target: Target | None, value: float, verdict: str) -> None:
    assert single("figure", value, "unit", target).verdict == verdict


def test_a_figure_of_several_runs_is_their_median_and_shows_how_far_they_lie_apart() -> None:
    assert median_of("speed", [3.0, 1.0, 2.0], "lines/s") == Figure("speed", 2.0, "lines/s", 1.0, 3.0)


def test_the_table_has_a_line_per_figure_and_none_for_what_did_not_vary() -> None:
    figures = [median_of("speed", [1234.0, 5678.0, 2345.0], "lines/s"), single("size", 3.0, "bytes", Target(at_most=2))]
    assert format_table({"machine": "a small one"}, figures).splitlines() == [
        "machine: a small one",
        "       median            from     to  target",
        "speed   2,345  lines/s  1,234  5,678",
        "size     3.00  bytes                  <= 2    MISSED",
    ]


def test_a_small_bench_measures_everything_and_ends_well(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    small = ["--lines", "20000", "--pairs", "1", "--samples", "3", "--idle-s", "0.5", "--directory", str(tmp_path)]
    command = [sys.executable, "-m", "bench", *small, "--json", str(report)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    figures = {figure["name"].strip(): figure for figure in json.loads(report.read_text(encoding="utf-8"))["figures"]}
    for name in ("file to committed rows", "ratio to the floor", "on disk", "from append to visible, p99"):
        assert figures[name]["value"] > 0
        assert name in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
