"""``make bench``: measure everything that is promised about speed, size, latency and idle cost.

Takes some minutes and some gigabytes of temporary space. A target that is missed is a line that says so, not a failure:
the exit code is 0 unless the bench itself is broken.
"""

import argparse
import os
import platform
import sys
import tempfile
from pathlib import Path

import duckdb
import pyarrow as pa

from bench.idle import measure_idle
from bench.ingest import figures_of, measure_pairs, write_log
from bench.latency import measure_answers, measure_visibility
from bench.processes import BenchBroken
from bench.report import Figure, format_table, write_json
from puppylog import __version__

PARTS = ("ingest", "answers", "visibility", "idle")


def main() -> int:
    options = _parse_options()
    about = {
        "lines": f"{options.lines:,}",
        "machine": f"{os.cpu_count()} CPUs, {platform.machine()}, {platform.system()}",
        "versions": f"puppylog {__version__}, python {platform.python_version()}, "
        f"duckdb {duckdb.__version__}, pyarrow {pa.__version__}",
    }
    try:
        with tempfile.TemporaryDirectory(prefix="puppylog-bench-", dir=options.directory) as work:
            figures = _measure(Path(work), options)
    except BenchBroken as broken:
        print(f"bench: {broken}", file=sys.stderr)
        return 1
    print(format_table(about, figures), end="")
    if options.json:
        write_json(options.json, about, figures)
    return 0


def _measure(work: Path, options: argparse.Namespace) -> list[Figure]:
    figures: list[Figure] = []
    log = work / "access.log"
    if {"ingest", "answers"} & set(options.only):
        _say(f"writing {options.lines:,} lines")
        write_log(log, options.lines)
    if "ingest" in options.only:
        pairs = []
        for pair in measure_pairs(work, log, options.lines, options.pairs):
            pairs.append(pair)
            _say(f"ingest {len(pairs)} of {options.pairs}: {options.lines / pair.collector.wall_s:,.0f} lines/s")
        figures += figures_of(pairs, options.lines)
    if "answers" in options.only:
        _say("answers during a backfill")
        figures += measure_answers(work, log)
    if "visibility" in options.only:
        _say("from append to visible")
        figures += measure_visibility(work / "visibility", options.samples)
    if "idle" in options.only:
        _say("idle")
        figures += measure_idle(work / "idle", options.idle_s)
    return figures


def _parse_options() -> argparse.Namespace:
    environ = os.environ
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--lines", type=int, default=int(environ.get("BENCH_LINES", "3000000")), metavar="N")
    parser.add_argument("--pairs", type=int, default=3, metavar="N", help="floor and ingest, alternately")
    parser.add_argument("--samples", type=int, default=300, metavar="N", help="appended lines that are waited for")
    parser.add_argument("--idle-s", type=float, default=30.0, metavar="S")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--directory", metavar="DIR", help="where to work; default: the temporary directory")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    return parser.parse_args()


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
