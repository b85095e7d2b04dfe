"""A PostgreSQL store of any flavour, for the contract suite."""

from contextlib import ExitStack
from datetime import datetime
from types import TracebackType
from typing import Self

import psycopg

from puppylog.stores.base import Store
from puppylog.stores.connect import connect
from puppylog.stores.postgres.runner import JobRunner


class PostgresStoreServer:
    """A store in a database. Usable with ``with``. It runs the jobs if the server does not, as ``puppylog up`` does."""

    def __init__(self, name: str, url: str, *, runs_jobs: bool) -> None:
        """Use a database that was bootstrapped. ``url`` is that of its owner."""
        self.name = name
        self.url = self.database_url = url
        self._runs_jobs = runs_jobs
        self._stack = ExitStack()

    def connect(self) -> Store:
        return self._stack.enter_context(connect(self.url))

    def is_settled(self, store: Store) -> bool:
        # In this order, because a transaction moves rows from the first table to the second.
        tables = ("puppylog.invalidations", "puppylog.touched_ranges")
        return not any(store.query(f"SELECT 1 AS one FROM {table} LIMIT 1") for table in tables)

    def pretend_last_evaluation(self, evaluated_at: datetime) -> None:
        with psycopg.connect(self.url) as connection:
            # The lock waits for a running evaluation, which would overwrite this update.
            connection.execute("LOCK TABLE puppylog.alerts IN ACCESS EXCLUSIVE MODE")
            connection.execute("UPDATE puppylog.alerts SET evaluated_at = %s", [evaluated_at])

    def __enter__(self) -> Self:
        if self._runs_jobs:
            self._stack.enter_context(JobRunner(self.url))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()
