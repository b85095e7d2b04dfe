"""Runs the real commands in a workspace and measures time, CPU and memory with the kernel's counters (Linux)."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_POLL_S = 0.01


class BenchBroken(Exception):
    """The bench cannot go on, because a command failed or a count is wrong. A slow result is not an error."""


@dataclass(frozen=True, slots=True)
class Usage:
    wall_s: float
    cpu_s: float  # user and system, of the process and of children that it waited for
    peak_bytes: int  # largest resident size, with mapped files


class Stopwatch:
    """Measures time and CPU of this process, from the construction on."""

    def __init__(self) -> None:
        self._cpu_before, self._started = _own_cpu_s(), time.perf_counter()

    def read(self) -> dict[str, float]:
        """Return ``wall_s`` and ``cpu_s`` (user and system), in seconds."""
        return {"wall_s": time.perf_counter() - self._started, "cpu_s": _own_cpu_s() - self._cpu_before}


def _own_cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def read_cpu_s(pid: int) -> float:
    """Return the CPU seconds of a running process and of children that it waited for."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS_PER_S


def read_peak_bytes(pid: int) -> int:
    """Return the largest resident size of a process, in bytes; 0 if it has ended or is ending."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def read_resident_bytes(pid: int) -> int:
    """Return the present resident size of a process, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


def read_written_bytes(pid: int) -> int:
    """Return how many bytes of files a process has made the kernel write to the disk, with each changed page whole.

    Pages that were removed before they were written do not count.
    """
    lines = Path(f"/proc/{pid}/io").read_text(encoding="ascii").splitlines()
    counters = {name: int(value) for name, _, value in (line.partition(":") for line in lines)}
    return counters["write_bytes"] - counters["cancelled_write_bytes"]


def read_device_bytes(path: Path) -> int:
    """Return how many bytes were written to the block device of a file, by all processes and by the file system."""
    device = path.stat().st_dev
    number = [str(os.major(device)), str(os.minor(device))]
    lines = Path("/proc/diskstats").read_text(encoding="ascii").splitlines()
    return next((int(fields[9]) * 512 for line in lines if (fields := line.split())[:2] == number), 0)


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of a process at one moment, in bytes."""

    resident_bytes: int
    proportional_bytes: int  # a page that several processes have counts by its share
    anonymous_bytes: int  # pages of no file: what the process has allocated


def read_memory(pid: int) -> Memory:
    """Return the present memory of a process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii", errors="replace").splitlines()[1:]
    sizes = {name: int(value.split()[0]) * 1024 for name, _, value in (line.partition(":") for line in lines)}
    return Memory(sizes["Rss"], sizes["Pss"], sizes["Anonymous"])


class Workspace:
    """A directory with a fresh store (embedded unless ``url`` names another), and commands that run against it."""

    def __init__(self, directory: Path, url: str | None = None) -> None:
        directory.mkdir()
        self.directory = directory
        self.store = directory / "store"
        self.url = url or f"duckdb://{self.store}"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PUPPYLOG_")}
        nowhere = str(directory / "no-configuration")
        self.environ = {**kept, "PUPPYLOG_STORE": self.url, "XDG_CONFIG_HOME": nowhere, "NO_COLOR": "1"}

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start ``puppylog`` with these arguments. Its output goes to a file of the workspace."""
        with (self.directory / "output.txt").open("ab") as output:
            command = [sys.executable, "-m", "puppylog", *arguments]
            return subprocess.Popen(command, env=self.environ, stdin=subprocess.DEVNULL, stdout=output, stderr=output)

    def run(self, *arguments: str) -> Usage:
        """Run ``puppylog`` and wait until it ends; return its cost.

        Raises:
            BenchBroken: its exit code is not 0.
        """
        return self.finish(self.start(*arguments))

    def finish(self, process: subprocess.Popen[bytes]) -> Usage:
        """Wait for a command that was started right before; return its cost. Raises as `run`."""
        started = time.perf_counter()
        peak_bytes = 0
        while True:
            # The peak in rusage would include the parent's memory, which the child shared before exec.
            peak_bytes = max(peak_bytes, read_peak_bytes(process.pid))
            pid, status, rusage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(_POLL_S)
        wall_s = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said = (self.directory / "output.txt").read_text(encoding="utf-8", errors="replace")
            raise BenchBroken(f"cannot run puppylog: exit code {process.returncode}\n{said[-2000:]}")
        return Usage(wall_s, rusage.ru_utime + rusage.ru_stime, peak_bytes)

    @contextmanager
    def running(self, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
        """Run a command until the end of the block, then send SIGTERM to it."""
        process = self.start(*arguments)
        try:
            yield process
            if process.poll() is not None:
                raise BenchBroken(f"puppylog {' '.join(arguments)} has ended by itself")
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def size_bytes(self) -> int:
        """Return the size of all files in the store's directory, in bytes."""
        return sum(path.stat().st_size for path in self.store.rglob("*") if path.is_file())


def run_json(module: str, *arguments: str) -> dict[str, float]:
    """Run a module of the bench in a process of its own; return the JSON that it prints.

    Raises:
        BenchBroken: the process failed.
    """
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchBroken(f"cannot run {module}: {done.stderr[-2000:]}")
    answer: dict[str, float] = json.loads(done.stdout)
    return answer
