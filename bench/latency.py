"""How long a line takes from being appended to being visible, and how long an answer takes during a backfill."""

import random
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from bench.processes import BenchBroken, Place
from bench.report import Figure, Target, percentile, single
from puppylog.monitor import metrics
from puppylog.stores.base import Store
from puppylog.stores.connect import connect

OpenPlace = Callable[[Path], AbstractContextManager[Place]]
"""A place in this directory, with a fresh store, for as long as it is needed."""

METRIC = "total_traffic_per_route"
_COUNT = "SELECT count(*) AS lines FROM puppylog.log_records"
_VISIBLE = Target(at_most=1000)
_ANSWERED = Target(at_most=500)
_MOST_WAIT_S = 30.0
_PAUSE_S = 0.1


def open_embedded(work: Path) -> AbstractContextManager[Place]:
    return nullcontext(Place(work))


def measure_visibility(work: Path, samples: int, open_place: OpenPlace = open_embedded) -> list[Figure]:
    """Append line after line to a followed file, at random moments, and ask until each is there."""
    with open_place(work) as place:
        place.run("monitor", "metrics", "create", "--default")
        delays = _measure_delays(place, samples)
    return [
        single("from append to visible, p50", percentile(delays, 50), "ms"),
        single("from append to visible, p99", percentile(delays, 99), "ms", _VISIBLE),
    ]


def _measure_delays(place: Place, samples: int) -> list[float]:
    """Return how many milliseconds each line took."""
    log = place.directory / "access.log"
    log.touch()
    delays: list[float] = []
    with connect(place.url) as store, place.running("collector", "-s", str(log), "--watch"):
        _append(log)
        _wait_for(store, 1)
        for number in range(samples):
            time.sleep(random.uniform(0.0, 0.2))
            appended = time.perf_counter()
            _append(log)
            _wait_for(store, number + 2)
            delays.append((time.perf_counter() - appended) * 1000)
    return delays


def _append(log: Path) -> None:
    now = datetime.now(UTC)
    line = f'198.18.0.1 - - [{now:%d/%b/%Y:%H:%M:%S +0000}] "GET /bench HTTP/1.1" 200 1 "-" "bench"\n'
    with log.open("ab") as file:
        file.write(line.encode())


def _wait_for(store: Store, lines: int) -> None:
    deadline = time.monotonic() + _MOST_WAIT_S
    while store.query(_COUNT).to_pylist() != [{"lines": lines}]:
        if time.monotonic() > deadline:
            raise BenchBroken(f"line {lines} has not become visible within {_MOST_WAIT_S:.0f} s")
        time.sleep(0.002)


def measure_answers(work: Path, log: Path, open_place: OpenPlace = open_embedded) -> list[Figure]:
    """Ask for a metric again and again while a collector backfills: on a kept connection, and by whole commands."""
    command = ("monitor", "metrics", "get", METRIC, "--limit", "10", "-o", "jsonl")
    work.mkdir(exist_ok=True)
    with _backfilling(work / "kept", log, open_place) as (place, is_over), connect(place.url) as store:
        kept = _repeat(lambda: get_metric(store), is_over)
    start_ups: list[float] = []
    commands: list[float] = []
    with _backfilling(work / "commands", log, open_place) as (place, is_over):
        while not is_over() or not commands:
            # The same imports and nothing else, under the same load, just before.
            start_ups.append(place.run(*command, "--help").wall_s * 1000)
            commands.append(place.run(*command).wall_s * 1000)
    start_up = statistics.median(start_ups)
    beyond = [max(0.0, taken - start_up) for taken in commands]
    return [
        single(f"metrics get during a backfill, {len(kept)} on a connection, p50", percentile(kept, 50), "ms"),
        single("  p99", percentile(kept, 99), "ms", _ANSWERED),
        single(f"{len(beyond)} whole commands beyond their start-up, p50", percentile(beyond, 50), "ms"),
        single("  p99", percentile(beyond, 99), "ms", _ANSWERED),
        single("  start-up, meanwhile", start_up, "ms"),
    ]


def get_metric(store: Store) -> None:
    """Ask for what ``puppylog monitor metrics get`` shows."""
    metrics.read_observations(store, metrics.get_metric(store, METRIC).metric, buckets=10)


@contextmanager
def _backfilling(work: Path, log: Path, open_place: OpenPlace) -> Iterator[tuple[Place, Callable[[], bool]]]:
    """Have a store with the default metrics take in ``log``; give the place, and whether that is over."""
    with open_place(work) as place:
        place.run("monitor", "metrics", "create", "--default")
        collector: subprocess.Popen[bytes] = place.start("collector", "-s", str(log))
        try:
            yield place, lambda: collector.poll() is not None
        finally:
            if collector.wait() != 0:
                raise BenchBroken(f"the backfill failed with exit code {collector.returncode}")


def _repeat(act: Callable[[], object], is_over: Callable[[], bool]) -> list[float]:
    """Return how many milliseconds each call took, until it is over.

    With a pause between them: as fast as possible, most of the calls would be made while there is little to read, and
    these would be what the percentiles tell of.
    """
    taken: list[float] = []
    while not is_over() or not taken:
        started = time.perf_counter()
        act()
        taken.append((time.perf_counter() - started) * 1000)
        time.sleep(_PAUSE_S)
    return taken
