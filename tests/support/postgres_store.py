"""A database with Puppylog's schema as a server for the contract suite, whatever the flavour."""

from contextlib import ExitStack
from datetime import datetime
from types import TracebackType
from typing import Self

import psycopg

from puppylog.stores.base import Store
from puppylog.stores.connect import connect
from puppylog.stores.postgres.runner import JobRunner


class PostgresStoreServer:
    """Usable with ``with``. It runs the jobs where the server has nobody who does, as ``puppylog up`` would."""

    def __init__(self, name: str, url: str, *, runs_jobs: bool) -> None:
        """Take a database that has been bootstrapped; ``url`` is its owner's."""
        self.name = name
        self.url = url
        self._runs_jobs = runs_jobs
        self._stack = ExitStack()

    def connect(self) -> Store:
        return self._stack.enter_context(connect(self.url))

    def is_settled(self, store: Store) -> bool:
        # In this order: what is handed out leaves the first table and is in the second, in one transaction.
        tables = ("puppylog.invalidations", "puppylog.touched_ranges")
        return not any(store.query(f"SELECT 1 AS one FROM {table} LIMIT 1") for table in tables)

    def away_since(self, evaluated_at: datetime) -> None:
        with psycopg.connect(self.url) as connection:
            # Whoever evaluates ends first, so that it does not overwrite this afterwards.
            connection.execute("LOCK TABLE puppylog.alerts IN ACCESS EXCLUSIVE MODE")
            connection.execute("UPDATE puppylog.alerts SET evaluated_at = %s", [evaluated_at])

    def __enter__(self) -> Self:
        if self._runs_jobs:
            self._stack.enter_context(JobRunner(self.url))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()
