"""Stores whose servers the tests do not start. A variable of the environment gives the URL of each."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from contract.differences import CITUS, TIMESCALEDB, TIMESCALEDB_DISTRIBUTED
from support.database_elsewhere import citus_database, database_elsewhere, timescaledb_distributed_database


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A store on a server that the tests did not start."""

    title: str
    variable: str
    place: str
    database: Callable[[str], AbstractContextManager[str]]
    is_distributed: bool = False

    @property
    def url(self) -> str:
        """The URL of the server; empty if the variable is not set."""
        return os.environ.get(self.variable, "")

    @property
    def missing(self) -> str:
        """The reason for a skipped test: what is not tested, and how to test it."""
        return f"NOT TESTED: {self.title}; set {self.variable} to the URL of {self.place}, as a superuser"


# Used instead of the server that the tests start: an older PostgreSQL, or TimescaleDB's Apache edition.
OTHER_POSTGRES = Elsewhere("another PostgreSQL", "PUPPYLOG_TEST_POSTGRESQL", "a server", database_elsewhere)

ELSEWHERE = {
    TIMESCALEDB: Elsewhere("TimescaleDB", "PUPPYLOG_TEST_TIMESCALEDB", "a server", database_elsewhere),
    TIMESCALEDB_DISTRIBUTED: Elsewhere(
        "TimescaleDB on several machines",
        "PUPPYLOG_TEST_TIMESCALEDB_DISTRIBUTED",
        "a database with data nodes",
        timescaledb_distributed_database,
        is_distributed=True,
    ),
    CITUS: Elsewhere("Citus", "PUPPYLOG_TEST_CITUS", "a database with workers", citus_database, is_distributed=True),
}
