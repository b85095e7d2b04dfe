"""A server with TimescaleDB that the tests start, because a test must not restart a server that others use."""

import os
from pathlib import Path

import pytest

from support.postgres import PostgresServer

INSTALLATION = "PUPPYLOG_TEST_TIMESCALEDB_INSTALLATION"
SETTINGS = {"timescaledb.telemetry_level": "off", "max_worker_processes": "16"}


def timescaledb_server() -> PostgresServer:
    """Return a server that is not started yet, or skip the test if no installation is named."""
    path = os.environ.get(INSTALLATION)
    if path is None:
        pytest.skip(
            f"NOT TESTED: a TimescaleDB that is restarted; set {INSTALLATION} to the directory of a PostgreSQL with "
            "TimescaleDB (its programs in bin)"
        )
    return PostgresServer(installation=Path(path), settings={"shared_preload_libraries": "timescaledb", **SETTINGS})
