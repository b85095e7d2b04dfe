"""Ingest over the network, in front of an embedded store: a remote collector, JSON lines by POST, many collectors.

Sender, server and engine run on one machine and share its cores.
"""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bench.ingest import COUNTS, LINES_PER_S, Cost, engine_pid
from bench.processes import BenchBroken, Usage, Workspace, read_cpu_s, read_peak_bytes, read_resident_bytes, run_json
from bench.report import Figure, Target, single
from puppylog.cli.demo.traffic import Traffic
from puppylog.stores.connect import connect, stop

COLLECTORS: Final = 100
FILES: Final = 10  # of each collector
SECONDS: Final = 30.0

_PEER_JSON_LINES_PER_S: Final = Target(at_least=387_000)  # VictoriaLogs, ready JSON, 2 cores
_WITHIN_S: Final = 180.0


@dataclass(frozen=True, slots=True)
class Served:
    """A server that listens, and its processes."""

    url: str
    server_pid: int
    engine_pid: int

    def read_cpu_s(self) -> dict[str, float]:
        return {"server": read_cpu_s(self.server_pid), "engine": read_cpu_s(self.engine_pid)}


def measure_network(work: Path, log: Path, lines: int, local: Cost) -> list[Figure]:
    """Measure a collector that writes to a server, compared with one that writes to the store itself.

    Args:
        work: a directory that does not exist.
        log: the log that is collected.
        lines: how many lines it has.
        local: the cost of the same lines without a server.
    """
    with serving(work) as (workspace, served):
        before = served.read_cpu_s()
        usage = _collect(workspace, served.url, log)
        spent = {name: cpu_s - before[name] for name, cpu_s in served.read_cpu_s().items()}
        peak_bytes = read_peak_bytes(served.server_pid)
        _check_counts(workspace, lines)
    millions = lines / 1e6
    unit = "s per million lines"
    return [
        single("remote collector, file to committed rows", lines / usage.wall_s, "lines/s"),
        single("  ratio to the local store", local.collector.wall_s / usage.wall_s, ""),
        single("  CPU of the collector", usage.cpu_s / millions, unit),
        single("  CPU of the server", spent["server"] / millions, unit),
        single("  CPU of the engine", spent["engine"] / millions, unit),
        single("  CPU without a server: collector and engine", local.cpu_s / millions, unit),
        single("  peak memory of the server", peak_bytes / 2**20, "MiB"),
        single("  peak memory of the collector", usage.peak_bytes / 2**20, "MiB"),
    ]


def _collect(workspace: Workspace, url: str, log: Path) -> Usage:
    environ, workspace.environ = workspace.environ, {**workspace.environ, "PUPPYLOG_STORE": url}
    try:
        return workspace.run("collector", "-s", str(log))
    finally:
        workspace.environ = environ


def measure_posts(work: Path, lines: int) -> list[Figure]:
    """Measure JSON lines that a client posts in requests of some megabytes."""
    with serving(work) as (workspace, served):
        log = workspace.directory / "lines.json"
        write_json_log(log, lines)
        before = served.read_cpu_s()
        sent = run_json("bench.poster", served.url, str(log))
        spent = {name: cpu_s - before[name] for name, cpu_s in served.read_cpu_s().items()}
        _check_counts(workspace, lines)
    unit = "s per million lines"
    return [
        single("JSON lines by POST, to committed rows", lines / sent["wall_s"], "lines/s", _PEER_JSON_LINES_PER_S),
        single("  size of the lines", sent["bytes"] / lines, "bytes per line"),
        single("  CPU of the sender", sent["cpu_s"] / lines * 1e6, unit),
        single("  CPU of the server", spent["server"] / lines * 1e6, unit),
        single("  CPU of the engine", spent["engine"] / lines * 1e6, unit),
    ]


def write_json_log(path: Path, lines: int) -> None:
    """Write a log of JSON lines with the requests of an access log."""
    since = datetime.now(UTC) - timedelta(seconds=lines / LINES_PER_S)
    with path.open("w", encoding="utf-8") as file:
        number = 0
        for block in Traffic().iter_blocks(lines, since=since, rate_per_s=LINES_PER_S):
            for line in block.data.decode().splitlines():
                host, request = line.split(" ", 1)[0], line.split('"')
                status, size = request[2].split()
                method, _, rest = request[1].partition(" ")
                route = rest.rpartition(" ")[0]
                at = (since + timedelta(seconds=number / LINES_PER_S)).isoformat(timespec="milliseconds")
                fields = {
                    "time": at,
                    "level": "info",
                    "host": host,
                    "method": method,
                    "path": route,
                    "status": int(status),
                    "bytes": int(size) if size != "-" else 0,
                    "agent": request[5],
                    "msg": f"{method} {route} {status}",
                }
                file.write(json.dumps(fields) + "\n")
                number += 1


def measure_many_collectors(
    work: Path, collectors: int = COLLECTORS, files: int = FILES, seconds: float = SECONDS
) -> list[Figure]:
    """Measure many collectors with a few files each, into each of which a line is written every second."""
    with ExitStack() as stack:
        workspace, served = stack.enter_context(serving(work))
        logs = []
        for number in range(collectors):
            folder = workspace.directory / f"host-{number}"
            folder.mkdir()
            logs += [folder / f"app-{file}.log" for file in range(files)]
        for log in logs:
            _append(log, 0)
        environ, workspace.environ = workspace.environ, {**workspace.environ, "PUPPYLOG_STORE": served.url}
        processes = []
        for number in range(collectors):
            pattern = str(workspace.directory / f"host-{number}" / "*.log")
            options = ("-s", pattern, "--watch", "--format", "plain", "--host", f"host-{number}")
            processes.append(stack.enter_context(workspace.running("collector", *options)))
        workspace.environ = environ
        started_s = _wait_for(workspace, len(logs))
        clocks = {"collectors": [process.pid for process in processes]}
        clocks |= {"server": [served.server_pid], "engine": [served.engine_pid]}
        before = {name: sum(map(read_cpu_s, pids)) for name, pids in clocks.items()}
        began = time.perf_counter()
        rounds = 0
        while time.perf_counter() - began < seconds:
            rounds += 1
            for log in logs:
                _append(log, rounds)
            time.sleep(max(0.0, began + rounds - time.perf_counter()))
        elapsed = time.perf_counter() - began
        shares = {name: (sum(map(read_cpu_s, pids)) - before[name]) / elapsed for name, pids in clocks.items()}
        late_s = _wait_for(workspace, len(logs) * (rounds + 1))
        resident = read_resident_bytes(served.server_pid)
    return [
        single(f"{collectors} collectors of {files} files: until all files are read", started_s, "s"),
        single("  a line a second into each file: until the last is stored", late_s, "s"),
        *(single(f"  CPU of the {name}", 100 * share, "% of a core") for name, share in shares.items()),
        single("  memory of the server", resident / 2**20, "MiB"),
    ]


def measure_listening(work: Path, seconds: float, settle_s: float) -> list[Figure]:
    """Measure an idle ``puppylog up`` without and with a listener, from ``settle_s`` seconds after its start on."""
    figures = []
    for name, options in (("without", ()), ("with", ("--listen", f"127.0.0.1:{find_port()}"))):
        workspace = Workspace(work.with_name(f"{work.name}-{name}"))
        with workspace.running("up", *options) as process:
            time.sleep(settle_s)
            before = read_cpu_s(process.pid)
            time.sleep(seconds)
            share = 100 * (read_cpu_s(process.pid) - before) / seconds
            figures += [
                single(f"memory of `up`, idle, {name} a listener", read_resident_bytes(process.pid) / 2**20, "MiB"),
                single("  CPU", share, "% of a core"),
            ]
        stop(workspace.url)
    return figures


def _append(log: Path, number: int) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} line {number}\n")


@contextmanager
def serving(work: Path) -> Iterator[tuple[Workspace, Served]]:
    """Yield a workspace whose store is served until the end of the block."""
    workspace = Workspace(work)
    port = find_port()
    with connect(workspace.url), workspace.running("up", "--listen", f"127.0.0.1:{port}") as process:
        wait_for_port(port)
        yield workspace, Served(f"http://127.0.0.1:{port}", process.pid, engine_pid(workspace))
    stop(workspace.url)


def find_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def wait_for_port(port: int) -> None:
    """Wait until a server accepts connections on a port of this machine."""
    deadline = time.monotonic() + _WITHIN_S
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise BenchBroken(f"the server did not listen within {_WITHIN_S:.0f} s")


def _wait_for(workspace: Workspace, records: int) -> float:
    """Wait until the store has as many records; return how many seconds that took."""
    began = time.monotonic()
    with connect(workspace.url) as store:
        while (counts := store.query(COUNTS).to_pylist()[0])["records"] < records:
            if time.monotonic() - began > _WITHIN_S:
                raise BenchBroken(f"the store has {counts} of {records} lines after {_WITHIN_S:.0f} s")
            time.sleep(0.05)
    return time.monotonic() - began


def _check_counts(workspace: Workspace, lines: int) -> None:
    with connect(workspace.url) as store:
        (counts,) = store.query(COUNTS).to_pylist()
    if counts != {"records": lines, "rejects": 0}:
        raise BenchBroken(f"the store has {counts} of {lines} lines")
