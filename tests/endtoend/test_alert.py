"""The default alert fires within 15 seconds after a burst, and a similar alert with a short window recovers."""

import json
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from puppylog.monitor.alerts import list_transitions_after
from puppylog.stores.base import Store
from puppylog.stores.connect import connect
from support.commands import Puppylog
from support.embedded import wait_until

BURST = 3000
LINE = '10.0.0.1 - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "GET /shop/1 HTTP/1.1" 200 5 "-" "-"\n'


def history(puppylog: Puppylog, name: str) -> list[dict[str, Any]]:
    ran = puppylog("monitor", "alerts", "get", name, "-o", "json")
    assert ran.code == 0, ran
    found: list[dict[str, Any]] = json.loads(ran.out)
    return sorted(found, key=lambda signal_: str(signal_["evaluated_at"]))


def count_transitions(store: Store, name: str) -> int:
    return sum(transition.alert == name for transition in list_transitions_after(store, 0))


@pytest.mark.long
def test_the_default_alert_fires_and_one_with_a_short_window_recovers(puppylog: Puppylog, tmp_path: Path) -> None:
    path = tmp_path / "access.log"
    path.write_text("")
    assert puppylog("monitor", "metrics", "create", "--default", "original").code == 0
    rush = ("-i", "rush", "-m", "total_traffic", "--when", "> 10", "--window", "10s")
    assert puppylog("monitor", "alerts", "create", *rush).code == 0
    with puppylog.start("collector", "-s", str(path), "--watch") as collector:
        try:
            burst_at = datetime.now(UTC)
            with path.open("a") as log:
                log.write(LINE.format(at=burst_at) * BURST)
            with connect(puppylog.environment["PUPPYLOG_STORE"]) as store:
                wait_until(lambda: count_transitions(store, "rush") == 2, within_s=60, what="firing and recovering")
            collector.send_signal(signal.SIGTERM)
            assert collector.wait(60) == 0
        finally:
            collector.kill()
    (rang,) = history(puppylog, "totaltraffic")
    assert (rang["from_state"], rang["to_state"], rang["value"]) == ("ok", "firing", BURST / 120)
    assert datetime.fromisoformat(rang["recorded_at"]) - burst_at < timedelta(seconds=15)
    fired, recovered = history(puppylog, "rush")
    assert (fired["to_state"], fired["value"], fired["made_up"]) == ("firing", BURST / 10, False)
    assert (recovered["from_state"], recovered["to_state"], recovered["value"]) == ("firing", "ok", 0)
