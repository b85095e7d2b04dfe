import os
from collections.abc import Iterator

import pytest

from puppylog.cli.main import run
from support.embedded import EmbeddedStore

# The log of docs/python.md: eight requests and a line that is none.
LOG = """\
10.0.0.1 - - [01/Mar/2026:12:00:00 +0000] "GET /cart HTTP/1.1" 200 512 "-" "curl/8.5.0"
10.0.0.2 - - [01/Mar/2026:12:00:04 +0000] "GET /items/7 HTTP/1.1" 200 2048 "-" "curl/8.5.0"
10.0.0.1 - - [01/Mar/2026:12:00:09 +0000] "POST /cart HTTP/1.1" 503 0 "-" "curl/8.5.0"
10.0.0.3 - - [01/Mar/2026:12:00:31 +0000] "GET / HTTP/1.1" 200 901 "-" "curl/8.5.0"
what is this
10.0.0.2 - - [01/Mar/2026:12:01:02 +0000] "POST /cart HTTP/1.1" 503 0 "-" "curl/8.5.0"
10.0.0.3 - - [01/Mar/2026:12:01:17 +0000] "GET /items/9 HTTP/1.1" 404 0 "-" "curl/8.5.0"
10.0.0.4 - - [01/Mar/2026:12:01:40 +0000] "GET /items/7 HTTP/1.1" 200 2048 "-" "curl/8.5.0"
10.0.0.4 - - [01/Mar/2026:12:01:59 +0000] "POST /cart HTTP/1.1" 200 512 "-" "curl/8.5.0"
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a store with the log in group ``shop``, a metric and an alert. It is in PUPPYLOG_STORE."""
    folder = tmp_path_factory.mktemp("shop")
    log = folder / "access.log"
    log.write_text(LOG, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched, EmbeddedStore(folder / "store") as store:
        for name in [name for name in os.environ if name.startswith(("PUPPYLOG_", "XDG_"))]:
            patched.delenv(name)
        patched.setenv("HOME", str(folder))
        patched.setenv("PUPPYLOG_STORE", store.url)
        commands = [
            ["collector", "-q", "-s", str(log), "--group", "shop", "--host", "web1"],
            ["monitor", "metrics", "create", "-q", "-id", "requests", "-s", "count", "-p", "*", "-pr", "1m"],
            ["monitor", "alerts", "create", "-q", "-i", "busy", "-m", "requests", "--when", "> 100", "--window", "5m"],
        ]
        for command in commands:
            assert run(command) == 0, command
        yield store.url
