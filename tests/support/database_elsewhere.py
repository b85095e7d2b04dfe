"""A new database on servers that the user of the tests names: on one server, or on all nodes of a cluster."""

import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import psycopg
import pytest
from psycopg import sql

from support.embedded import wait_until

_WORKERS = "SELECT nodename, nodeport FROM pg_dist_node WHERE groupid <> 0 AND isactive ORDER BY 2"
_COORDINATOR = "SELECT nodename, nodeport FROM pg_dist_node WHERE groupid = 0"
_DATA_NODES = """
    SELECT (SELECT option_value FROM pg_options_to_table(srvoptions) WHERE option_name = 'host'),
           (SELECT CAST(option_value AS integer) FROM pg_options_to_table(srvoptions) WHERE option_name = 'port')
    FROM pg_foreign_server JOIN pg_foreign_data_wrapper AS wrapper ON wrapper.oid = srvfdw
    WHERE fdwname = 'timescaledb_fdw' ORDER BY srvname
"""

_RUNNING_JOBS = """
    SELECT pid FROM pg_stat_activity WHERE datname = current_database()
    AND backend_type NOT IN ('client backend', 'autovacuum worker', 'TimescaleDB Background Worker Scheduler')
"""


def server_of(variable: str, tested: str, place: str = "a server, as a superuser") -> str:
    """Return the URL of a server from the environment. Without it, skip the test and say what is not tested.

    Args:
        variable: the name of the variable.
        tested: what the test is about, such as "TimescaleDB".
        place: where the URL must lead.
    """
    server = os.environ.get(variable)
    if server is None:
        pytest.skip(f"NOT TESTED: {tested}; set {variable} to the URL of {place}")
    return server


@contextmanager
def database_elsewhere(server: str) -> Iterator[str]:
    """Create an empty database on the server of this URL; yield its URL, and drop it at the end."""
    with _own_database(server, _new_name()) as url:
        yield url


@contextmanager
def timescaledb_distributed_database(access_node: str) -> Iterator[str]:
    """Create a database on an access node of TimescaleDB and on its data nodes; yield its URL."""
    name = _new_name()
    nodes = _run(access_node, _DATA_NODES)
    assert nodes, f"{urlsplit(access_node).path} has no data nodes: add_data_node has not been called there"
    with ExitStack() as stack:
        for host, port in nodes:
            stack.enter_context(_own_database(_elsewhere(access_node, host, port), f"{name}_data"))
        url = stack.enter_context(_own_database(access_node, name))
        _run(url, "CREATE EXTENSION IF NOT EXISTS timescaledb")
        for number, (host, port) in enumerate(nodes):
            _run(
                url,
                "SELECT add_data_node(%s, host => %s, port => %s, database => %s)",
                *(f"{name}_{number}", host, port, f"{name}_data"),
            )
        yield url
        _end_jobs(url)


def _end_jobs(url: str) -> None:
    """Prevent that a job of TimescaleDB runs, and wait until running ones have ended.

    TimescaleDB 2.13 crashes if a job that uses data nodes is ended, by dropping the database or by unscheduling the
    job. So all jobs are postponed, repeatedly, until those that were running have ended by themselves.
    """

    def are_over() -> bool:
        _run(url, "SELECT alter_job(job_id, next_start => 'infinity') FROM timescaledb_information.jobs")
        return not _run(url, _RUNNING_JOBS)

    for _ in range(2):  # a job may start during the first check
        wait_until(are_over, within_s=60, what="the end of TimescaleDB's jobs")


@contextmanager
def citus_database(coordinator: str) -> Iterator[str]:
    """Create a database on a coordinator of Citus and on its workers; yield its URL."""
    name = _new_name()
    workers = _run(coordinator, _WORKERS)
    assert workers, f"{urlsplit(coordinator).path} has no workers: citus_add_node has not been called there"
    with ExitStack() as stack:
        for host, port in workers:
            worker = stack.enter_context(_own_database(_elsewhere(coordinator, host, port), name))
            _run(worker, "CREATE EXTENSION citus")
        url = stack.enter_context(_own_database(coordinator, name))
        _run(url, "CREATE EXTENSION citus")
        for host, port in _run(coordinator, _COORDINATOR):
            _run(url, "SELECT citus_set_coordinator_host(%s, %s)", host, port)
        for host, port in workers:
            _add_node(url, host, port)
        yield url


def _add_node(url: str, host: str, port: int) -> None:
    """Add a worker. This alters roles, which all databases share, and fails if another database does so meanwhile."""

    def add() -> bool:
        try:
            _run(url, "SELECT citus_add_node(%s, %s)", host, port)
        except psycopg.errors.InternalError_:
            return False
        return True

    wait_until(add, what="a worker")


@contextmanager
def _own_database(server: str, name: str) -> Iterator[str]:
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
    try:
        yield _with_path(server, name)
    finally:
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _run(url: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode(), values)
        return cursor.fetchall() if cursor.description else []


def _new_name() -> str:
    """Return a name that no other database has, not even one of another run of the tests."""
    return f"puppylog_test_{secrets.token_hex(6)}"


def _with_path(url: str, database: str) -> str:
    return urlsplit(url)._replace(path=f"/{database}").geturl()


def _elsewhere(url: str, host: str, port: int) -> str:
    """Return the URL of the same user, with the same options, on another server."""
    parts = urlsplit(url)
    user, at, _ = parts.netloc.rpartition("@")
    options = [(name, value) for name, value in parse_qsl(parts.query) if name not in ("host", "hostaddr", "port")]
    address = f"{user}{at}{quote(host, safe='')}:{port}"
    return parts._replace(netloc=address, query=urlencode(options, quote_via=quote), path="/postgres").geturl()
