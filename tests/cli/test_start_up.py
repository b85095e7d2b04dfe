"""Which modules a command loads: those that it does not need would cost CPU at every call.

One of HEAVY costs 20 to 120 ms. One of LIGHT costs 1 to 6 ms, and a command has a hundred such modules to choose from.
"""

import os
import subprocess
import sys

import pytest

from support.embedded import EmbeddedStore

pytestmark = pytest.mark.sampled

# numpy is loaded by Arrow, unless this is prevented; psycopg by a PostgreSQL store; duckdb by an engine.
HEAVY = {"numpy", "sqlglot", "pyarrow.compute", "pyarrow.parquet", "asyncio", "http.client", "ssl", "psycopg", "duckdb"}
# Only a file of settings, a hash, a terminal, a new engine, or an error needs one of these.
LIGHT = {
    *("tomllib", "hashlib", "subprocess", "puppylog.cli.pager"),
    *("puppylog.stores.duckdb.client.doctor", "puppylog.stores.duckdb.spool"),
    *("puppylog.model.formula", "puppylog.model.finding"),
}
# Click loads the first one to format help, and the others find the samples of formats.
FILES = {"shutil", "tempfile", "importlib.resources"}
# What an answer about records does not need.
DEFINITIONS = {"puppylog.model.alert", "puppylog.model.metric", "puppylog.model.stream"}
QUERIES = {"puppylog.model.query.tree", "puppylog.model.expression.term", "puppylog.model.regex", "puppylog.tail"}
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
    assert loaded & {*HEAVY, *LIGHT, "zoneinfo", "pyarrow", "puppylog.stores.base"} == set()


@pytest.mark.parametrize("arguments", [["logs", "-l", "5"], ["logs", "-o", "csv"], ["sql", "select 1"]])
def test_a_command_that_parses_no_expression_loads_no_parser(server: EmbeddedStore, arguments: list[str]) -> None:
    loaded = loaded_by(server.url, *arguments)
    assert "pyarrow.flight" in loaded
    assert loaded & {*HEAVY, *LIGHT, *FILES, *DEFINITIONS, *QUERIES} == set()


def test_a_metric_is_read_without_a_parser(server: EmbeddedStore) -> None:
    loaded_by(server.url, "monitor", "metrics", "create", "-id", "requests", "-s", "count", "-p", "*", "-pr", "1m")
    loaded = loaded_by(server.url, "monitor", "metrics", "get", "requests")
    assert loaded & {*HEAVY, *LIGHT, *QUERIES, "puppylog.rows.text"} == set()


def test_records_are_found_by_a_query_without_a_parser(server: EmbeddedStore) -> None:
    loaded = loaded_by(server.url, "logs", "-o", "csv", "status_code>=500 -host:a* or bot")
    assert loaded & {*HEAVY, *LIGHT, *FILES, *DEFINITIONS} == set()


def test_a_comparison_of_numbers_loads_no_regular_expressions(server: EmbeddedStore) -> None:
    loaded = loaded_by(server.url, "logs", "status_code>=500")
    assert "puppylog.model.query.tree" in loaded
    assert loaded & {"puppylog.model.regex", "puppylog.model.expression.function"} == set()


@pytest.mark.parametrize(
    ("arguments", "module"),
    [
        (["top", "host"], "top"),
        (["hist"], "histogram"),
        (["stats", "status_code"], "measure"),
        (["patterns"], "patterns"),
    ],
)
def test_a_count_loads_only_its_own_module(server: EmbeddedStore, arguments: list[str], module: str) -> None:
    loaded = loaded_by(server.url, *arguments)
    counting = {name for name in loaded if name.startswith("puppylog.monitor.counting.")}
    assert counting == {f"puppylog.monitor.counting.{name}" for name in ("field", "tallied", module)}
    assert loaded & {*HEAVY, *LIGHT, *FILES} == set()


def test_a_collector_can_begin_with_the_engine_before_it_loads_arrow() -> None:
    code = "import sys, puppylog.cli.collector; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert set(done.stdout.split()) & {*HEAVY, "pyarrow", "puppylog.formats.registry"} == set()


def test_a_permanent_process_can_begin_with_the_engine_before_it_loads_arrow() -> None:
    code = "import sys, puppylog.cli.up; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert set(done.stdout.split()) & {*HEAVY, "pyarrow", "puppylog.collect.collector"} == set()
