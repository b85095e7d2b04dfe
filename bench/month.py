"""Measure every read request of the server and every command of the README over a month of records.

    python -m bench.month --lines 100000000 --metrics 40

It makes an embedded store with 30 days of records (see `bench.month_store`), or takes the one in ``--store`` that an
earlier run has made, and keeps it. Of each answer the report has the median, the fastest and the slowest of 5 runs. A
command is a new process each time, and its time includes the start of Python. Server, engine and clients share the
machine. The target is one second. Searches, histograms and patterns are asked as the page asks: with a budget, after
which the answer may be of the newest part. The report then has the instant back to which that is.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import duckdb
import urllib3

from bench.ingest import write_log
from bench.month_store import fill
from bench.network import find_port, wait_for_port
from bench.processes import BenchBroken, Workspace
from bench.report import Figure, Section, Target, format_table, median_of, write_json
from puppylog import __version__
from puppylog.stores.connect import connect, stop

LINES: Final = 100_000_000
METRICS: Final = 40
RUNS: Final = 5

_TARGET: Final = Target(at_most=1000)
_SETTLED: Final = "SELECT count(*) AS ranges FROM puppylog.invalidations"
_TIMEOUT_S: Final = 600.0
_RANGES: Final = ("1h", "1d", "30d")
_BUDGET: Final = ("budget_s", "0.6")  # what the page asks with, see src/puppylog/serve/page/static/search/tasks.js
_QUERIES: Final = ("", "status_code>=500", "severity>=error", "zebra", "message:timeout")
_FIELDS: Final = ("severity", "status_code", "request_method", "request_route", "host", "user_agent", "source", "group")

# The commands of README.md that read or fill a store, and those that list what a store has. The collector stores 1,000
# lines at its first run and finds nothing new afterwards. `monitor alerts observe` and `logs -f` run until they are
# interrupted, and are not measured. Nor is `doctor` without --quick: it reads the database for some seconds, and
# compares each metric with the records for up to 2 s.
COMMANDS: Final = (
    "top request_route status_code>=500",
    "collector -s {log}",
    "collector status",
    "monitor metrics list",
    "monitor metrics meta m2",
    "monitor metrics get m0 --since 1h",
    "monitor metrics get m0",
    "monitor metrics get m2",
    "monitor metrics get m2 --since 30d",
    "monitor metrics get m7 --since 1h",
    "monitor alerts list",
    "logs --since yesterday severity>=error -C 3",
    "logs status_code>=500",
    "logs zebra",
    "hist --by status_code --since 2h",
    "hist --by status_code",
    "patterns --new-since today",
    "stats response_bytes",
    "sql|select host, count(*) from log_records group by host order by 2 desc limit 5",
    "rejects count",
    "rejects list",
    "streams list",
    "groups list",
    "tokens list",
    "retention",
    "doctor --quick",
    "open",
    "export",
)


def main() -> int:
    options = _parse_options()
    options.store.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix="puppylog-month-", dir=options.store.parent) as work:
            workspace = Workspace(Path(work) / "workspace", f"duckdb://{options.store.resolve()}")
            if not options.store.exists():
                _make_store(workspace.url, options)
            figures = measure_month(workspace, options.runs)
    except BenchBroken as broken:
        print(f"bench: {broken}", file=sys.stderr)
        return 1
    size_gb = sum(file.stat().st_size for file in options.store.rglob("*") if file.is_file()) / 1e9
    about = {
        "store": f"{options.store}, {size_gb:.2f} GB",
        "machine": f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}",
        "versions": f"puppylog {__version__}, duckdb {duckdb.__version__}",
    }
    print(format_table(about, figures))
    if options.json:
        write_json(options.json, [Section("duckdb", about, figures)])
    return 0


def measure_month(workspace: Workspace, runs: int) -> list[Figure]:
    """Measure all requests and commands over the store of the workspace, each ``runs`` times."""
    with serving_store(workspace) as url:
        figures = [_ask(url, path, parameters, runs) for path, parameters in iter_requests(url)]
    log = workspace.directory / "new.log"
    write_log(log, 1000)
    with connect(workspace.url):  # the engine runs, as it does while a server or a collector runs
        figures += [_run(workspace, command, log, runs) for command in COMMANDS]
    stop(workspace.url)
    return figures


def iter_requests(url: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield path and parameters of every kind of request by which the page and programs read, over several ranges."""
    for since in _RANGES:
        for query in _QUERIES:
            asked = [("q", query), ("since", since)]
            yield "records", [*asked, ("limit", "100"), _BUDGET]
            yield "histogram", [*asked, ("by", "auto"), _BUDGET]
            yield "top", [*asked, *(("field", field) for field in _FIELDS)]
        yield "patterns", [("since", since), _BUDGET]
        yield "rejects", [("since", since)]
        yield "rejects/reasons", [("since", since)]
    yield "fields", []
    yield "complete", [("q", "request_route:/sh")]
    yield "streams", []
    yield "metrics", []
    for metric in ("m0", "m1", "m2", "m5", "m6", "m7", "m9", "m20"):
        for since in _RANGES:
            yield f"metrics/{metric}", [("since", since)]
    yield "alerts", []
    yield "alerts/am0/history", []
    yield "alerts/am0/notifications", []
    yield "silences", []
    record = _get(url, "records", [("limit", "1"), ("since", "30d")])["records"][0]
    place = [("file_id", str(record["file_id"])), ("line_offset", str(record["line_offset"]))]
    yield "records/one", place
    yield "records/context", place
    yield "sql", [("sql", "SELECT status_code, count(*) FROM log_records GROUP BY ALL")]


@contextmanager
def serving_store(workspace: Workspace) -> Iterator[str]:
    """Serve the workspace's store until the end of the block; yield the URL of its read interface."""
    port = find_port()
    with connect(workspace.url), workspace.running("up", "--listen", f"127.0.0.1:{port}"):
        wait_for_port(port)
        yield f"http://127.0.0.1:{port}/api/v1"


def _make_store(url: str, options: argparse.Namespace) -> None:
    started = time.perf_counter()
    with connect(url) as store:
        fill(store, options.lines, options.metrics, _say)
        while store.query(_SETTLED).to_pylist()[0]["ranges"]:
            time.sleep(0.5)
    _say(f"{options.lines:,} lines and {options.metrics} metrics took {time.perf_counter() - started:.0f} s")


def _ask(url: str, path: str, parameters: Sequence[tuple[str, str]], runs: int) -> Figure:
    """Ask ``runs`` times; return the times in milliseconds."""
    taken = []
    answer: Any = None
    for _ in range(runs):
        started = time.perf_counter()
        answer = _get(url, path, parameters)
        taken.append((time.perf_counter() - started) * 1000)
    shown = " ".join(value for name, value in parameters if name not in {"field", "budget_s"} and value)
    reached = answer.get("searched_to") or answer.get("counted_since")
    shown += f", back to {reached[:16]}" if reached else ""
    _say(f"{path} {shown}: {max(taken):.0f} ms")
    return median_of(f"{path} {shown}", taken, "ms", _TARGET)


def _get(url: str, path: str, parameters: Sequence[tuple[str, str]]) -> Any:  # noqa: ANN401 - JSON
    with urllib3.PoolManager() as pool:
        if path == "sql":
            body = json.dumps(dict(parameters)).encode()
            headers = {"content-type": "application/json"}
            answer = pool.request("POST", f"{url}/sql", body=body, headers=headers, timeout=_TIMEOUT_S)
        else:
            answer = pool.request("GET", f"{url}/{path}", fields=parameters, timeout=_TIMEOUT_S)
    if answer.status != 200:
        raise BenchBroken(f"cannot ask for {path}: {answer.status} {answer.data[:500]!r}")
    return json.loads(answer.data)


def _run(workspace: Workspace, command: str, log: Path, runs: int) -> Figure:
    """Run a command ``runs`` times, each in a new process; return the times in milliseconds."""
    words, _, statement = command.format(log=log).partition("|")
    arguments = [*words.split(), *([statement] if statement else [])]
    taken = [_run_once(workspace, arguments) for _ in range(runs + 1)][1:]  # the first run compiles modules
    name = command.replace("{log}", "NEW.log").replace("|", " ")
    _say(f"puppylog {name}: {max(taken):.0f} ms")
    return median_of(f"puppylog {name}", taken, "ms", _TARGET)


def _run_once(workspace: Workspace, arguments: Sequence[str]) -> float:
    """Run a command; return how long it took, in milliseconds."""
    program = Path(sys.executable).with_name("puppylog")
    environ = {**workspace.environ, "PYTHONPYCACHEPREFIX": str(workspace.directory / "compiled")}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled once
    started = time.perf_counter()
    try:
        done = subprocess.run(
            [str(program), *arguments],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BenchBroken(f"puppylog {' '.join(arguments)} did not end within {_TIMEOUT_S:.0f} s") from error
    if done.returncode not in (0, 1):  # 1: nothing was found, or the doctor has found something
        raise BenchBroken(f"cannot run puppylog {' '.join(arguments)}: {done.returncode}: {done.stderr[-500:]}")
    return (time.perf_counter() - started) * 1000


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.month", description=__doc__)
    parser.add_argument("--lines", type=int, default=LINES, help="of a new store; default: %(default)s")
    parser.add_argument("--metrics", type=int, default=METRICS, help="of a new store; default: %(default)s")
    parser.add_argument("--runs", type=int, default=RUNS, help="of each request and command; default: %(default)s")
    parser.add_argument("--store", type=Path, required=True, help="the store's directory; it is kept")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser.parse_args()


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
