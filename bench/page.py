"""What a reader of the page waits for, over many records; and what live tails cost those who collect.

Server, engine and browser run on one machine and share its cores.
"""

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import urllib3

from bench.ingest import write_log
from bench.network import Served, serving
from bench.processes import BenchBroken, Workspace, read_cpu_s
from bench.report import Figure, Target, percentile, single
from puppylog.serve.page.files import read_files
from puppylog.stores.base import Store
from puppylog.stores.connect import connect

RECORDS: Final = 20_000_000
TAILS: Final = 10
TAIL_RATE: Final = 5_000
SECONDS: Final = 20.0
TIMES: Final = 7

_CHROMIUM: Final = Path("/usr/bin/chromium")
_PAINTED: Final = Target(at_most=1000)
_SEARCHED: Final = Target(at_most=300)
_COUNTED: Final = Target(at_most=200)
_SIZE: Final = Target(at_most=200)
_SLOWED: Final = Target(at_most=1.1)
_FIELDS: Final = ("severity", "status_code", "request_method", "request_route", "host", "user_agent", "source", "group")
_COUNT: Final = "SELECT count(*) AS lines FROM puppylog.log_records"


def measure_page(work: Path, records: int, times: int = TIMES) -> list[Figure]:
    """Measure the requests of the page over a store of many records, and the page in a browser if there is one.

    Args:
        work: a directory that does not exist.
        records: how many records the store has.
        times: how often each answer is measured; the figure is the median.
    """
    with serving(work) as (workspace, served):
        log = workspace.directory / "access.log"
        write_log(log, records)
        workspace.run("collector", "-s", str(log))
        log.unlink()
        return [*_measure_requests(served, records, times), *_measure_browser(served, times), _measure_size()]


def _measure_requests(served: Served, records: int, times: int) -> list[Figure]:
    reader = _Reader(served.url, times)
    fields = [("field", name) for name in _FIELDS]
    searches = {"everything": "", "status_code>=500": "status_code>=500", "a word of many records": "mozilla"}
    figures = []
    for name, query in searches.items():
        asked, counted = [("q", query)], _COUNTED if name == "everything" else None
        figures += [
            reader.ask(f"search for {name}, {records:,} records", "records", [*asked, ("limit", "100")], _SEARCHED),
            reader.ask("  histogram", "histogram", [*asked, ("by", "auto")], counted),
            reader.ask(f"  top values of {len(_FIELDS)} fields", "top", [*asked, *fields], _SEARCHED),
        ]
    return [*figures, reader.ask("search for a word of no record", "records", [("q", "zebra")])]


@dataclass(frozen=True, slots=True)
class _Reader:
    url: str
    times: int

    def ask(self, name: str, path: str, parameters: Sequence[tuple[str, str]], target: Target | None = None) -> Figure:
        """Ask several times; return the median, in milliseconds."""
        taken = []
        with urllib3.PoolManager() as pool:
            for _ in range(self.times):
                started = time.perf_counter()
                answer = pool.request("GET", f"{self.url}/api/v1/{path}", fields=parameters, timeout=120)
                taken.append((time.perf_counter() - started) * 1000)
                if answer.status != 200:
                    raise BenchBroken(f"cannot ask for {path}: {answer.status} {answer.data[:500]!r}")
        return single(name, statistics.median(taken), "ms", target)


def _measure_browser(served: Served, times: int) -> list[Figure]:
    """Return how long the page takes until its first paint, and until it shows lines; nothing without a browser."""
    try:
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only tests install it
    except ImportError:
        return []
    if not _CHROMIUM.exists():
        return []
    painted, shown = [], []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
        for _ in range(times):
            page = browser.new_page()
            started = time.perf_counter()
            page.goto(f"{served.url}/#/search?since=all")
            page.wait_for_selector(".line-list > *", timeout=60_000)
            shown.append((time.perf_counter() - started) * 1000)
            painted.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
            page.close()
        browser.close()
    return [
        single("page in Chromium, first paint", statistics.median(painted), "ms", _PAINTED),
        single("  until it shows lines", statistics.median(shown), "ms"),
    ]


def _measure_size() -> Figure:
    files = read_files()
    size = sum(len(file.compressed or file.body) for file in (files.index, *files.by_name.values()))
    return single("  its own files, as a browser loads them", size / 1000, "kB", _SIZE)


def measure_tails(work: Path, tails: int = TAILS, rate: int = TAIL_RATE, seconds: float = SECONDS) -> list[Figure]:
    """Measure a collector that follows a growing file, without readers and with some that follow it live."""
    figures = []
    delays: dict[int, float] = {}
    for count in (0, tails):
        with serving(work.with_name(f"{work.name}-{count}")) as (workspace, served), _tailing(served, count):
            delays[count], cpu = _follow(workspace, served, rate, seconds)
        figures.append(single(f"{rate:,} lines/s, {count} live tails: until a line is stored", delays[count], "ms"))
        figures += [single(f"  CPU of the {name}", 100 * share, "% of a core") for name, share in cpu.items()]
    return [*figures, single("  slowed by the tails", delays[tails] / delays[0], "times", _SLOWED)]


def _follow(workspace: Workspace, served: Served, rate: int, seconds: float) -> tuple[float, dict[str, float]]:
    """Append lines at a rate; return the median delay until they are stored in ms, and the CPU of each process."""
    log = workspace.directory / "app.log"
    log.touch()
    delays: list[float] = []
    with connect(workspace.url) as store, workspace.running("collector", "-s", str(log), "--watch") as collector:
        written = _append(log, 0, 10)
        _wait_for(store, written)
        clocks = {"collector": collector.pid, "engine": served.engine_pid, "server": served.server_pid}
        before, began = {name: read_cpu_s(pid) for name, pid in clocks.items()}, time.perf_counter()
        while (now := time.perf_counter() - began) < seconds:
            written = _append(log, written, max(1, int(rate * now) - written))
            appended = time.perf_counter()
            _wait_for(store, written)
            delays.append((time.perf_counter() - appended) * 1000)
        elapsed = time.perf_counter() - began
        shares = {name: (read_cpu_s(pid) - before[name]) / elapsed for name, pid in clocks.items()}
    return percentile(delays, 50), shares


def _append(log: Path, written: int, lines: int) -> int:
    with log.open("a", encoding="utf-8") as file:
        file.writelines(f'level=info msg="line {number} of a program"\n' for number in range(written, written + lines))
    return written + lines


def _wait_for(store: Store, lines: int) -> None:
    deadline = time.monotonic() + 30
    while store.query(_COUNT).to_pylist() != [{"lines": lines}]:
        if time.monotonic() > deadline:
            raise BenchBroken(f"line {lines} was not stored within 30 s")
        time.sleep(0.005)


@contextmanager
def _tailing(served: Served, tails: int) -> Iterator[None]:
    """Follow new records with so many readers until the end of the block."""
    with ExitStack() as stack:
        pool = stack.enter_context(urllib3.PoolManager(num_pools=1, maxsize=max(1, tails)))
        received = [0] * tails
        for index in range(tails):
            answer = pool.request("GET", f"{served.url}/api/v1/records/tail", preload_content=False, timeout=60)
            if answer.status != 200:
                raise BenchBroken(f"cannot follow new records: {answer.status}")
            stack.callback(answer.close)
            threading.Thread(target=_read, args=(answer.stream, received, index), daemon=True).start()
        yield
        if tails and not min(received):
            raise BenchBroken("a live tail received nothing")


def _read(stream: Callable[[int], Iterator[bytes]], received: list[int], index: int) -> None:
    # The measurement closes the answer, which urllib3 reports in all of these ways.
    with suppress(urllib3.exceptions.HTTPError, ValueError, OSError, AttributeError):
        for piece in stream(65_536):
            received[index] += len(piece)
