"""Run 1, 2, 4 collectors against 1, 2, 3 nodes; print the CPU seconds per million lines of each role of the store.

All servers and collectors run on this machine, so the lines per second cannot grow with the number of nodes. CPU
seconds per line show which roles scale. A capacity model is made of them. The servers' processes must be visible
(Linux).

For each store, give URLs of superusers: first that of the server that collectors connect to, then those of its nodes.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.ingest import write_log
from bench.processes import BenchBroken
from bench.scale.capacity import Prices, costs_of, format_model
from bench.scale.clusters import Citus, Cluster, MultiNode, OneServer
from bench.scale.run import Aftermath, Run, measure_run
from bench.scale.table import format_aftermath, format_runs


def main() -> int:
    options = _parse_options()
    try:
        with tempfile.TemporaryDirectory(prefix="puppylog-scale-", dir=options.directory) as directory:
            work = Path(directory)
            logs = _write_logs(work, options.lines, options.streams)
            for cluster in _open_clusters(options):
                _measure(cluster, work, logs, options)
    except BenchBroken as broken:
        print(f"bench.scale: {broken}", file=sys.stderr)
        return 1
    return 0


def _measure(cluster: Cluster, work: Path, logs: Sequence[Path], options: argparse.Namespace) -> None:
    runs: list[Run] = []
    aftermaths: list[Aftermath] = []
    lines = options.lines // options.streams * options.streams
    for nodes in [count for count in options.nodes if count <= cluster.max_nodes]:
        for collectors in options.collectors:
            is_last = collectors == options.collectors[-1]
            directory = work / f"run-{len(list(work.iterdir()))}"
            run, aftermath = measure_run(
                cluster, directory, logs, lines, nodes=nodes, collectors=collectors, is_last=is_last
            )
            runs.append(run)
            aftermaths += [aftermath] if aftermath is not None else []
            _say(f"{cluster.name}, {nodes} nodes, {collectors} collectors: {lines / run.spent.wall_s:,.0f} lines/s")
    print(f"{cluster.name}: {cluster.version}, {lines:,} lines in {len(logs)} files, ", end="")
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}. CPU seconds per million lines.\n")
    print(format_runs(runs))
    print(format_aftermath(aftermaths))
    prices = Prices(cores=options.cores, core_month=options.price_core, terabyte_month=options.price_terabyte)
    print(format_model(costs_of(runs[-1], aftermaths[-1]), prices), flush=True)


def _open_clusters(options: argparse.Namespace) -> list[Cluster]:
    makers: list[tuple[list[str] | None, Callable[[Sequence[str]], Cluster]]] = [
        (options.server, OneServer),
        (options.citus, Citus),
        (options.timescaledb, MultiNode),
    ]
    clusters = [make(urls) for urls, make in makers if urls]
    if not clusters:
        raise BenchBroken("name servers: --server, --citus or --timescaledb")
    return clusters


def _write_logs(work: Path, lines: int, streams: int) -> list[Path]:
    """Write one file per stream. All files cover the same time, like the logs of several machines."""
    _say(f"writing {lines:,} lines into {streams} files")
    logs = [work / f"access-{number:02}.log" for number in range(streams)]
    for log in logs:
        write_log(log, lines // streams)
    return logs


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.scale", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--server", nargs=1, metavar="URL", help="one server, for comparison")
    parser.add_argument("--citus", nargs="+", metavar="URL", help="a coordinator, then workers")
    parser.add_argument("--timescaledb", nargs="+", metavar="URL", help="an access node, then data nodes (2.5 to 2.13)")
    parser.add_argument("--lines", type=int, default=1_000_000, metavar="N", help="lines in all files together")
    parser.add_argument("--streams", type=int, default=16, metavar="N", help="files that the collectors share")
    parser.add_argument("--collectors", type=int, nargs="+", default=[1, 2, 4], metavar="N")
    parser.add_argument(
        "--nodes", type=int, nargs="+", default=[1, 2, 3], metavar="N", help="numbers of nodes that hold records"
    )
    parser.add_argument("--cores", type=int, default=32, metavar="N", help="cores of a machine in the model")
    parser.add_argument(
        "--price-core", type=float, default=20.0, metavar="P", help="price of a core per month, in any currency"
    )
    parser.add_argument("--price-terabyte", type=float, default=80.0, metavar="P", help="price of a terabyte per month")
    parser.add_argument("--directory", metavar="DIR", help="directory for the files; default: the temporary directory")
    options = parser.parse_args()
    if max(options.collectors) > options.streams:
        parser.error("there must be a stream for each collector")
    return options


def _say(text: str) -> None:
    print(f"bench.scale: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
