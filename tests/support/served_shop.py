"""`puppylog up` with the logs of a shop, two metrics and an alert that fires, for pictures of the page."""

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from support.commands import Puppylog
from support.embedded import EmbeddedStore, wait_until
from support.shop_traffic import BROKEN_LINES, LOG_FORMAT, iter_access_lines, iter_shop_lines

_HOURS: Final = 6
_REQUESTS: Final = 24_000
_MESSAGES: Final = 3_000

DEFINITIONS: Final = """
[[metric]]
name = "requests"
period = "1m"
filter = "has:status_code"

[[metric]]
name = "server_errors"
period = "1m"
filter = "status_code >= 500"
segment = "host"

[[metric]]
name = "p95_request_time"
statistic = "p95"
property = "attributes.request_time"
period = "5m"
segment = "request_route"

[[alert]]
name = "shop_fails"
metric = "server_errors"
statistic = "sum"
comparison = ">"
threshold = 3
window = "5m"
severity = "critical"
summary = "The shop answers with 5xx"
"""


@contextmanager
def served_shop(folder: Path) -> Iterator[str]:
    """Serve a store with the last six hours of a shop; give the server's address.

    Args:
        folder: empty, for the store and for the definitions.
    """
    with EmbeddedStore(folder / "store") as own:
        puppylog = Puppylog(own.url, folder)
        process = puppylog.start("up", "--listen", "127.0.0.1:0")
        try:
            url = _read_address(process)
            _send_logs(url)
            definitions = folder / "definitions.toml"
            definitions.write_text(DEFINITIONS)
            applied = puppylog("apply", "-c", str(definitions))
            assert applied.code == 0, applied.err
            alerts = ("monitor", "alerts", "list", "-o", "json")
            wait_until(lambda: "firing" in puppylog(*alerts).out, what="an alert that fires")
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)


def _read_address(process: "subprocess.Popen[bytes]") -> str:
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(rb"listening on (http://\S+)$", line):
            return found[1].decode()
    message = "the server does not listen"
    raise AssertionError(message)


def _send_logs(url: str) -> None:
    end = datetime.now(UTC)
    begin = end - timedelta(hours=_HOURS)
    access = list(iter_access_lines(begin, end, _REQUESTS))
    for number, line in enumerate(BROKEN_LINES * 3):
        access.insert(1_000 + number * 1_700, line)
    _send(url, "nginx", LOG_FORMAT, access)
    _send(url, "shop", "json", list(iter_shop_lines(begin, end, _MESSAGES)))


def _send(url: str, source: str, format_: str, lines: list[str]) -> None:
    connection = HTTPConnection(url.removeprefix("http://"), timeout=120)
    query = urlencode({"source": source, "group": "shop", "format": format_})
    connection.request("POST", f"/api/v1/lines?{query}", "".join(f"{line}\n" for line in lines).encode())
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    connection.close()
