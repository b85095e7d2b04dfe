"""A server that a superuser's URL names: new databases, checkpoints, and CPU of its processes (Linux, same machine)."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from bench.processes import BenchBroken, read_cpu_s

_NUMBERS = itertools.count(1)


class Server:
    """One PostgreSQL server, given by the URL of a superuser."""

    def __init__(self, url: str) -> None:
        """Query version and role.

        Raises:
            BenchBroken: the server does not answer, or the role is not a superuser.
        """
        self.url = url
        with self.connect() as connection:
            (self.version, self.is_superuser) = _row(
                connection,
                "SELECT current_setting('server_version'), CAST(current_setting('is_superuser') AS boolean)",
            )
            self.postmaster = _find_postmaster(connection)
        if not self.is_superuser:
            raise BenchBroken(f"the bench makes databases and checkpoints: it needs a superuser at {self.address}")

    @property
    def address(self) -> str:
        """Host and port, without the password."""
        parts = urlsplit(self.url)
        return f"{parts.hostname or 'socket'}:{parts.port or 5432}"

    @property
    def is_here(self) -> bool:
        """Whether its processes are on this machine and visible."""
        return self.postmaster is not None

    def url_of(self, database: str) -> str:
        return urlsplit(self.url)._replace(path=f"/{database}").geturl()

    def connect(self, database: str | None = None) -> "psycopg.Connection[Any]":
        try:
            return psycopg.connect(self.url if database is None else self.url_of(database), autocommit=True)
        except psycopg.Error as error:
            raise BenchBroken(f"cannot connect to {self.address}: {error}") from None

    def run(self, statement: str, *, database: str | None = None) -> None:
        with self.connect(database) as connection:
            connection.execute(statement)

    def value(self, statement: str, *, database: str | None = None) -> Any:  # noqa: ANN401 - any type of SQL
        with self.connect(database) as connection:
            (value,) = _row(connection, statement)
        return value

    def checkpoint(self) -> None:
        """Make a checkpoint, so that the next measurement does not include writing earlier data."""
        self.run("CHECKPOINT")

    @contextmanager
    def database(self) -> Iterator[str]:
        """Create a database; yield its name, and drop it."""
        name = new_name()
        self.run(f"CREATE DATABASE {name} TEMPLATE template0")
        try:
            yield name
        finally:
            self.drop_database(name)

    def drop_database(self, name: str) -> None:
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def cpu_s(self) -> float:
        """Return the CPU seconds of all processes of the server, also of those that have ended; 0 if not visible.

        They include the work for other clients.
        """
        if self.postmaster is None:
            return 0.0
        return sum(_cpu_s_of(pid) for pid in (self.postmaster, *_children_of(self.postmaster)))

    def count_processes(self) -> int:
        """Return the number of the server's processes; 0 if they are not visible."""
        return len(_children_of(self.postmaster)) if self.postmaster is not None else 0


def new_name() -> str:
    """Return a name that no other bench uses at the same time."""
    return f"puppylog_bench_{os.getpid()}_{next(_NUMBERS)}"


def _row(connection: "psycopg.Connection[Any]", statement: str) -> Any:  # noqa: ANN401 - as above
    row = connection.execute(statement).fetchone()
    if row is None:
        raise BenchBroken(f"no row for: {statement}")
    return row


def _find_postmaster(connection: "psycopg.Connection[Any]") -> int | None:
    """Return the postmaster's process id; None if the process that serves ``connection`` is not on this machine."""
    backend = Path(f"/proc/{connection.info.backend_pid}")
    try:
        title = (backend / "cmdline").read_bytes()
        parent = int((backend / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[1])
    except OSError:
        return None
    is_ours = title.startswith(b"postgres:") and connection.info.dbname.encode() in title
    return parent if is_ours and parent > 1 else None


def _children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def _cpu_s_of(pid: int) -> float:
    try:
        return read_cpu_s(pid)
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # it has just ended; its parent's CPU time includes it
