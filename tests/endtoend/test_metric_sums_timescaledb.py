"""A backfill of the last 30 hours, and TimescaleDB's own jobs: no metric lacks a record.

Each round has a new store and a log of a random size. It takes two minutes, because the policies must run. So rounds
are only done for PUPPYLOG_TEST_SOAK_S seconds; `test_refresh_continuous` moves the clock instead.
"""

import os
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from support.asking import ask
from support.commands import Puppylog
from support.database_elsewhere import database_elsewhere
from support.embedded import wait_until

SERVER = os.environ.get("PUPPYLOG_TEST_TIMESCALEDB")
SOAK_S = float(os.environ.get("PUPPYLOG_TEST_SOAK_S", "0"))
SPAN_S = 30 * 3600
LINE = '10.0.0.1 - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET /section{section}/page HTTP/1.1" 200 {number}\n'

# How often each metric's policy has succeeded.
RUNS = """
    SELECT job_id, coalesce(total_successes, 0)
    FROM timescaledb_information.job_stats JOIN timescaledb_information.jobs USING (job_id)
    WHERE proc_name = 'policy_refresh_continuous_aggregate'
"""

pytestmark = [
    pytest.mark.skipif(
        SERVER is None or SOAK_S == 0,
        reason="NOT TESTED: hours of backfills; set PUPPYLOG_TEST_SOAK_S to seconds and "
        "PUPPYLOG_TEST_TIMESCALEDB to the URL of a server, as a superuser",
    ),
    pytest.mark.timeout(SOAK_S + 600),
]


def write_log(path: Path, lines: int) -> None:
    now = datetime.now(UTC)
    with path.open("w", encoding="ascii") as log:
        for number in range(lines):
            at = now - timedelta(seconds=SPAN_S * (1 - number / lines))
            log.write(LINE.format(at=at, section=number % 5, number=number))


def run_policies_twice(url: str) -> None:
    """Wait until the policy of each metric has started and ended a run."""
    before = dict(ask(url, RUNS))
    wait_until(
        lambda: all(runs >= before[job] + 2 for job, runs in ask(url, RUNS)), within_s=240, what="runs of the policies"
    )


def missing(url: str) -> dict[str, int]:
    """Return the number of missing records of each metric that lacks any."""
    metrics = [name for (name,) in ask(url, "SELECT name FROM puppylog.metrics ORDER BY name")]
    sql = "SELECT (SELECT count(*) FROM puppylog.log_records) - (SELECT CAST(sum(value) AS bigint) FROM metrics.{})"
    lacks = {name: int(ask(url, sql.format(name))[0][0]) for name in metrics}
    return {name: count for name, count in lacks.items() if count}


def is_complete(url: str) -> bool:
    return not missing(url)


def test_no_metric_lacks_a_record_of_a_backfill(puppylog_at: Callable[[str], Puppylog], tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)
    until = time.monotonic() + SOAK_S
    rounds = lines = 0
    while time.monotonic() < until:
        log = tmp_path / f"{rounds}.log"
        size = chance.randint(60_000, 500_000)
        with database_elsewhere(SERVER or "") as url:
            puppylog = puppylog_at(url)
            assert puppylog("bootstrap").code == 0
            assert puppylog("monitor", "metrics", "create", "--default", "original").code == 0
            write_log(log, size)
            assert puppylog("collector", "-s", str(log)).code == 0
            run_policies_twice(url)
            at_once = missing(url)
            wait_until(partial(is_complete, url), within_s=30, what=f"all of {size} records (seed {seed})")
            assert ask(url, "SELECT name, error FROM puppylog.metrics WHERE error IS NOT NULL") == []
        log.unlink()
        rounds, lines = rounds + 1, lines + size
        print(f"round {rounds}: {size:,} lines, missing at first: {at_once}", flush=True)  # noqa: T201 - for who runs it long
    print(f"{rounds} rounds, {lines:,} lines, seed {seed}")  # noqa: T201 - as above
