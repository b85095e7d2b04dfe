"""A server with TimescaleDB of the tests' own, for what nobody may do to a server that others use."""

import os
from pathlib import Path

import pytest

from support.postgres import PostgresServer

INSTALLATION = "PUPPYLOG_TEST_TIMESCALEDB_INSTALLATION"
SETTINGS = {"timescaledb.telemetry_level": "off", "max_worker_processes": "16"}


def timescaledb_server() -> PostgresServer:
    """Return one that is to be started, or skip the test: its programs are nothing that the tests bring along."""
    path = os.environ.get(INSTALLATION)
    if path is None:
        pytest.skip(
            f"NOT TESTED: a TimescaleDB that is restarted; set {INSTALLATION} to the directory of a PostgreSQL with "
            "TimescaleDB (its programs in bin)"
        )
    return PostgresServer(installation=Path(path), settings={"shared_preload_libraries": "timescaledb", **SETTINGS})
