"""Which modules a command loads. Each one of these costs 20 to 120 ms of CPU at every call of a command."""

import os
import subprocess
import sys

import pytest

from support.embedded import EmbeddedStore

# numpy is loaded by Arrow, unless this is prevented; psycopg by a PostgreSQL store; duckdb by an engine.
HEAVY = {"numpy", "sqlglot", "pyarrow.compute", "pyarrow.parquet", "asyncio", "http.client", "ssl", "psycopg", "duckdb"}
RUN = """
import sys
from puppylog.cli.main import main
sys.argv[0] = "puppylog"
try:
    main()
finally:
    sys.stderr.write("\\n" + " ".join(sys.modules))
"""


def loaded_by(url: str, *arguments: str) -> set[str]:
    """Return the names of the modules that a process has loaded when the command ends."""
    environment = {**os.environ, "PUPPYLOG_STORE": url}
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("arguments", [["--help"], ["formats"], ["formats", "-o", "jsonl"]])
def test_a_command_that_asks_no_store_loads_no_arrow(arguments: list[str]) -> None:
    loaded = loaded_by("duckdb:///nowhere", *arguments)
    assert "click" in loaded
    assert loaded & {*HEAVY, "pyarrow", "puppylog.stores.base"} == set()


@pytest.mark.parametrize("arguments", [["logs", "-l", "5"], ["logs", "-o", "csv"], ["sql", "select 1"]])
def test_a_command_that_parses_no_expression_loads_no_parser(server: EmbeddedStore, arguments: list[str]) -> None:
    loaded = loaded_by(server.url, *arguments)
    assert "pyarrow.flight" in loaded
    assert loaded & {*HEAVY, "puppylog.model.query.tree", "puppylog.model.regex", "puppylog.tail"} == set()


def test_a_metric_is_read_without_a_parser(server: EmbeddedStore) -> None:
    loaded_by(server.url, "monitor", "metrics", "create", "-id", "requests", "-s", "count", "-p", "*", "-pr", "1m")
    assert loaded_by(server.url, "monitor", "metrics", "get", "requests") & HEAVY == set()


def test_records_are_found_by_a_query_without_a_parser(server: EmbeddedStore) -> None:
    assert loaded_by(server.url, "logs", "-o", "csv", "status_code>=500 -host:a* or bot") & HEAVY == set()
