"""What a collector that watches and its engine cost when nothing happens, with the default metrics and alert."""

import time
from pathlib import Path

from bench.ingest import engine_pid
from bench.processes import Place, read_cpu_s
from bench.report import Figure, Target, single

_SETTLE_S = 5.0
_SHARE = Target(at_most=2)


def measure_idle(work: Path, seconds: float) -> list[Figure]:
    place = Place(work)
    log = work / "access.log"
    log.touch()
    place.run("monitor", "metrics", "create", "--default")
    with place.running("collector", "-s", str(log), "--watch") as collector:
        pids = {"  collector": collector.pid, "  engine": engine_pid(place)}
        time.sleep(_SETTLE_S)
        before = {name: read_cpu_s(pid) for name, pid in pids.items()}
        started = time.perf_counter()
        time.sleep(seconds)
        elapsed = time.perf_counter() - started
        shares = {name: 100 * (read_cpu_s(pid) - before[name]) / elapsed for name, pid in pids.items()}
    return [
        single("idle CPU of collector and engine", sum(shares.values()), "% of a core", _SHARE),
        *(single(name, share, "% of a core") for name, share in shares.items()),
    ]
