"""The CPU that a command takes before it does its work, and the speed at which records are exported."""

import resource
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.processes import BenchBroken, Workspace
from bench.report import Figure, Target, single

RUNS: Final = 7
"""How often each command is started. The least CPU of them counts."""

# A command that asks no store may take 1.3 times the CPU of bare Python, and this many milliseconds more.
_BARE_TIMES: Final = 1.3
_LIGHT: Final = Target(at_most=60)
_ASKING: Final = Target(at_most=150)
# JSON lines are twice as long as CSV. They were written at 11,000 records a second, and are to be 20 times as fast.
_EXPORTED: Final = {
    "parquet": Target(at_least=1_000_000),
    "csv": Target(at_least=1_000_000),
    "jsonl": Target(at_least=220_000),
}
_METRIC: Final = "lines_per_stream"


def measure_commands(work: Path, log: Path, lines: int, runs: int = RUNS) -> list[Figure]:
    """Measure the start of commands with a running engine, each ``runs`` times, and the export of a collected log."""
    workspace = Workspace(work)
    workspace.run("collector", "-q", "-s", str(log), "--format", "access")
    workspace.run("monitor", "metrics", "create", "--default")
    bare_ms = _cpu_ms([sys.executable, "-c", "pass"], workspace, runs)
    figures = [single("CPU of bare Python", bare_ms, "ms")]
    for words in (["--help"], ["formats"]):
        over_ms = _command_ms(words, workspace, runs) - _BARE_TIMES * bare_ms
        figures.append(single(f"CPU of {words[0]} above 1.3 bare Pythons", over_ms, "ms", _LIGHT))
    figures += [
        single(f"CPU of {' '.join(words)}", _command_ms(words, workspace, runs), "ms", _ASKING)
        for words in (["logs", "-l", "5"], ["top", "request_route"], ["monitor", "metrics", "get", _METRIC])
    ]
    for format_, target in _EXPORTED.items():
        usage = workspace.run("sql", "--timeout", "600", "select * from log_records", "-o", format_)
        speed = lines / usage.cpu_s  # of the command's core; the engine works on another
        figures.append(single(f"records exported as {format_}, per CPU second", speed, "records/s", target))
        figures.append(single("  peak memory of the command", usage.peak_bytes / 1e6, "MB"))
        (workspace.directory / "output.txt").unlink()
    return figures


def _command_ms(words: Sequence[str], workspace: Workspace, runs: int) -> float:
    return _cpu_ms([str(Path(sys.executable).with_name("puppylog")), *words], workspace, runs)


def _cpu_ms(command: Sequence[str], workspace: Workspace, runs: int) -> float:
    """Return the least CPU of ``runs`` runs of a process, in milliseconds: everything above it is disturbance."""
    environ = {**workspace.environ, "PYTHONPYCACHEPREFIX": str(workspace.directory / "compiled")}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program is compiled once
    return min(_run(command, environ) for _ in range(runs)) * 1000


def _run(command: Sequence[str], environ: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchBroken(f"{' '.join(command)} failed: {done.stderr.strip()}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
