"""The bench works. No test depends on a measured speed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.month_store import fill
from bench.report import Figure, Target, format_table, median_of, percentile, single
from bench.scale.capacity import Costs, Prices, disk_bytes, format_model
from bench.shop import Shop
from puppylog.formats.registry import find_format
from support.embedded import EmbeddedStore
from support.examples import IS_SOAK

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(("percent", "expected"), [(50, 2.0), (75, 3.0), (76, 4.0), (99, 4.0), (100, 4.0), (1, 1.0)])
def test_a_percentile_is_one_of_the_measured_values(percent: float, expected: float) -> None:
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
def test_a_value_equal_to_the_limit_meets_the_target(target: Target | None, value: float, verdict: str) -> None:
    assert single("figure", value, "unit", target).verdict == verdict


def test_a_figure_of_several_runs_is_their_median_with_the_lowest_and_the_highest() -> None:
    assert median_of("speed", [3.0, 1.0, 2.0], "lines/s") == Figure("speed", 2.0, "lines/s", 1.0, 3.0)


def test_the_table_has_a_line_per_figure_and_a_range_only_if_values_differ() -> None:
    figures = [median_of("speed", [1234.0, 5678.0, 2345.0], "lines/s"), single("size", 3.0, "bytes", Target(at_most=2))]
    assert format_table({"machine": "a small one"}, figures).splitlines() == [
        "machine: a small one",
        "       median            from     to  target",
        "speed   2,345  lines/s  1,234  5,678",
        "size     3.00  bytes                  <= 2    MISSED",
    ]


@pytest.mark.thorough
@pytest.mark.long
@pytest.mark.timeout(900)  # it starts 50 processes in turn, which takes minutes on a busy machine
def test_a_small_bench_measures_every_figure_and_exits_with_0(tmp_path: Path) -> None:
    """In `make soak` it measures PostgreSQL, too: the bench finds the server in the wheel that other tests use."""
    stores = ["duckdb", "postgresql"] if IS_SOAK else ["duckdb"]
    report = tmp_path / "report.json"
    small = ["--lines", "20000", "--pairs", "1", "--samples", "1", "--idle-s", "0.5", "--settle-s", "0.2"]
    small += ["--idle-files", "3", "--starts", "1", "--flat", "--flat-lines", "500", "--flat-sizes", "1", "3"]
    small += ["--load-alerts", "3", "--load-hosts", "50", "--load-records", "20", "--load-queries", "1"]
    small += ["--load-period-s", "1", "--load-periods", "2", "--network-collectors", "1", "--page-records", "1000"]
    small += ["--stores", *stores, *(["timescaledb"] if IS_SOAK else [])]
    command = [sys.executable, "-m", "bench", *small, "--directory", str(tmp_path), "--json", str(report)]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("BENCH_", "PG"))}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=800)
    assert done.returncode == 0, done.stderr
    figures = json.loads(report.read_text(encoding="utf-8"))["figures"]
    for store in stores:
        found = {figure["name"].strip(): figure for figure in figures if figure["store"] == store}
        for name in ("file to committed rows", "ratio to the floor", "from append to visible, p99"):
            assert found[name]["value"] > 0
            assert name in done.stdout
        assert any(name.startswith("on disk") for name in found)
    embedded = {figure["name"].strip(): figure["value"] for figure in figures if figure["store"] == "duckdb"}
    for name in (
        "times the one-liner",
        "as Parquet, with zstd",
        "parsing alone, lines per CPU second",
        "parsing the mixed corpus, lines per CPU second",
        "1,500 lines in one file",
        "cost of a line, 3 times as many to 1",
        "host states that the alerts keep",
        "CPU of logs -l 5",
        "records exported as csv, per CPU second",
        "search for everything, 1,000 records",
        "slowed by the tails",
    ):
        assert embedded[name] > 0
    assert "ClickHouse" in done.stdout
    assert ("no timescaledb" in done.stderr) == IS_SOAK
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_the_log_of_a_shop_is_the_same_in_each_run_and_every_line_of_it_is_parsed() -> None:
    lines = list(Shop().iter_lines(3000))
    assert lines == list(Shop().iter_lines(3000))
    parsed = find_format("combined").open().parse("".join(lines).encode(), 0, 0)
    records = parsed.records
    assert (records.num_rows, parsed.rejects.num_rows) == (3000, 0)
    assert records["ts"].to_pylist() == sorted(records["ts"].to_pylist())
    routes, hosts = records["request_route"].unique(), records["host"].unique()
    assert len(routes) > 1000
    assert len(hosts) < 1000
    pages = {referer for referer in records["referer"].to_pylist() if referer and "/filter/" in referer}
    assert len(pages) > 20


@pytest.mark.thorough
def test_a_month_has_the_lines_metrics_and_alerts_that_were_asked_for(tmp_path: Path) -> None:
    with EmbeddedStore(tmp_path / "store") as server:
        store = server.connect()
        fill(store, 3000, 12, print)
        (found,) = store.query("""
            SELECT count(*) AS records, count(DISTINCT file_id) AS files, count(severity) AS of_application,
                   max(ts) - min(ts) > INTERVAL 29 DAY AS is_month FROM puppylog.log_records
        """).to_pylist()
        assert found == {"records": 3000, "files": 60, "of_application": 300, "is_month": True}
        assert len(store.list_metrics()) == 12
        assert len(store.list_alerts()) == 10
        assert store.query("SELECT count(*) AS lines FROM puppylog.rejected_lines").to_pylist() == [{"lines": 60}]


@pytest.mark.thorough
@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_small_month_is_asked_by_every_request_and_command(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    small = ["--lines", "20000", "--metrics", "21", "--runs", "1", "--store", str(tmp_path / "store")]
    command = [sys.executable, "-m", "bench.month", *small, "--json", str(report)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=800)
    assert done.returncode == 0, done.stderr
    names = [figure["name"] for figure in json.loads(report.read_text(encoding="utf-8"))["figures"]]
    assert len(names) == len(set(names))
    for name in (
        "records 1h 100",
        "metrics/m20 30d",
        "alerts ",
        "records/context",
        "puppylog doctor",
        "puppylog export",
    ):
        assert any(found.startswith(name) for found in names), name
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.json", "store"]


COSTS = Costs(collector_s=1.5, front_s=1.0, nodes_s=5.0, rows_bytes=240, columns_bytes=30)
PRICES = Prices(cores=32, core_month=20, terabyte_month=80)


def test_the_capacity_model_grows_with_the_rate_and_never_needs_less_than_one_node() -> None:
    rows = [line.strip("| \n").split(" | ") for line in format_model(COSTS, PRICES).splitlines()[2:]]
    rates, fronts, nodes = zip(*((row[0], row[3], row[5]) for row in rows), strict=True)
    assert rates == ("1,000", "10,000", "100,000", "1,000,000", "10,000,000")
    assert fronts == ("0.00", "0.02", "0.20", "2.00", "20.00")
    assert nodes == ("1", "1", "1", "1", "4")


def test_a_month_on_disk_is_two_days_of_rows_and_the_rest_in_columns() -> None:
    assert disk_bytes(1.0, COSTS) == 86_400 * (2 * 240 + 28 * 30)
