"""What a collector that watches and its store cost when nothing happens, with the default metrics and alert."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench.ingest import engine_pid
from bench.processes import Place, read_cpu_s
from bench.report import Figure, Target, single

_SETTLE_S = 5.0
_SHARE = Target(at_most=2)


def measure_idle(work: Path, seconds: float) -> list[Figure]:
    place = Place(work)
    return _measure(place, "engine", lambda: partial(read_cpu_s, engine_pid(place)), seconds)


def measure_idle_server(place: Place, server_cpu_s: Callable[[], float] | None, seconds: float) -> list[Figure]:
    """Measure on a server; without ``server_cpu_s``, its processes cannot be seen."""
    return _measure(place, "server", None if server_cpu_s is None else lambda: server_cpu_s, seconds)


def _measure(
    place: Place, store: str, find_clock: Callable[[], Callable[[], float]] | None, seconds: float
) -> list[Figure]:
    log = place.directory / "access.log"
    log.touch()
    place.run("monitor", "metrics", "create", "--default")
    with place.running("collector", "-s", str(log), "--watch") as collector:
        clocks: dict[str, Callable[[], float]] = {"  collector": partial(read_cpu_s, collector.pid)}
        if find_clock is not None:
            clocks[f"  {store}"] = find_clock()
        time.sleep(_SETTLE_S)
        before = {name: read_s() for name, read_s in clocks.items()}
        started = time.perf_counter()
        time.sleep(seconds)
        elapsed = time.perf_counter() - started
        shares = {name: 100 * (read_s() - before[name]) / elapsed for name, read_s in clocks.items()}
    total = [single(f"idle CPU of collector and {store}", sum(shares.values()), "% of a core", _SHARE)]
    return [
        *(total if len(shares) > 1 else []),
        *(single(name, share, "% of a core") for name, share in shares.items()),
    ]
