"""A PostgreSQL server for tests, which a test can stop and kill.

Its data and its socket are in one temporary directory, which is in memory where there is room. It never syncs to disk.
If it is killed, it still loses no committed row, because the operating system keeps what the server has written.
"""

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, urlencode

import psycopg
from psycopg import sql

from support.embedded import wait_until
from support.postgres_binaries import PostgresBinaries

SUPERUSER = "postgres"
PORT = 5432  # the end of the socket's name; no other server uses its directory

SETTINGS = {
    "fsync": "off",
    "shared_buffers": "32MB",
    "max_wal_size": "64MB",  # the directory may be in memory
    "io_method": "sync",  # no processes that no test needs
    "dynamic_shared_memory_type": "mmap",  # in the data directory: a killed server leaves nothing elsewhere
    "log_checkpoints": "off",
    "autovacuum": "off",  # most databases exist for a second; workers for them took half of the CPU of a test
    "timezone": "UTC",
}

_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class PostgresServer:
    """A server with its directory. Usable with ``with``: it runs until the end of the block."""

    def __init__(
        self,
        *,
        over_tcp: bool = False,
        password: str | None = None,
        settings: Mapping[str, str] | None = None,
        installation: Path | None = None,
        standby_of: "PostgresServer | None" = None,
    ) -> None:
        """Configure the server; `__enter__` starts it.

        Args:
            over_tcp: it also listens on a port of 127.0.0.1, and its URLs name this port.
            password: required for every connection; None for a server that needs no password.
            settings: settings of ``postgresql.conf`` that take precedence over SETTINGS.
            installation: a directory with ``bin``; None for the programs in the wheel.
            standby_of: a running server that it copies and then follows.
        """
        usual = SETTINGS if installation is None else {k: v for k, v in SETTINGS.items() if k != "io_method"}
        self._settings = {**usual, **(settings or {})}
        self._installation = installation
        self._primary = standby_of
        self._password: str | None = standby_of._password if standby_of else password
        self._over_tcp = over_tcp
        self._port = _find_free_port() if over_tcp else PORT
        self._process: subprocess.Popen[bytes] | None = None
        self._was_killed = False
        self._numbers = itertools.count(1)

    @property
    def pid(self) -> int:
        """The server's first process, the parent of all others."""
        assert self._process is not None, "the server does not run"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None

    @property
    def log(self) -> str:
        """The log of the server."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def socket(self) -> Path:
        """The Unix socket that it listens on."""
        return self.directory / f".s.PGSQL.{self._port}"

    def url(self, database: str = SUPERUSER, *, port: int | None = None, **options: str) -> str:
        """Return the complete URL of a database, to which no environment variable adds anything.

        Args:
            database: its name.
            port: a port of 127.0.0.1 instead of the server's own, such as that of a `CutWire`.
            options: further parameters, such as ``connect_timeout``.
        """
        secret = f":{quote(self._password, safe='')}" if self._password else ""
        if port or self._over_tcp:
            address = f"127.0.0.1:{port or self._port}"
        else:
            address, options = "", {"host": str(self.directory), "port": str(self._port), **options}
        query = urlencode(options, quote_via=quote, safe="/")
        return f"postgresql://{SUPERUSER}{secret}@{address}/{quote(database, safe='')}{'?' if query else ''}{query}"

    @contextlib.contextmanager
    def connect(self, database: str = SUPERUSER) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
        """Open a superuser's connection, not through a `CutWire`. Every statement is a transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            yield connection

    def create_database(self, *, template: str = "template0") -> str:
        """Create a database from ``template``, by default an empty one; return its name."""
        name = f"test_{next(self._numbers)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        with self.connect() as connection:
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop_database(self, name: str) -> None:
        """Drop a database and end all connections to it."""
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextlib.contextmanager
    def database(self, *, template: str = "template0") -> Iterator[str]:
        """Create a database; yield its name, and drop it at the end, for which a stopped server is started."""
        name = self.create_database(template=template)
        try:
            yield name
        finally:
            if not self.is_running:
                self.start()
            self.drop_database(name)

    def start(self) -> None:
        """Start the server, and return when it accepts connections."""
        assert self._process is None, "the server runs already"
        settings = {"listen_addresses": "127.0.0.1" if self._over_tcp else "", **self._settings}
        words = ["-D", str(self._data), "-k", str(self.directory), "-p", str(self._port)]
        words += [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._process = process = self._binaries.spawn("postgres", *words, log=self._log)
        try:
            wait_until(lambda: self._is_ready() or process.poll() is not None, within_s=60, what="the server's start")
            assert process.poll() is None, f"the server ended at once: {self.log[-2000:]}"
        except BaseException:
            self.kill()
            raise
        self._was_killed = False

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: ``fast`` ends its clients, ``smart`` waits for them, ``immediate`` makes no checkpoint."""
        assert self._process is not None, "the server does not run"
        self._process.send_signal(_SIGNALS[mode])
        self._process.wait(timeout=60)
        self._process = None

    def restart(self, mode: str = "fast") -> None:
        self.stop(mode)
        self.start()

    def promote(self) -> None:
        """Make a standby a primary, with what it has received; return when it can be written to."""
        with self.connect() as connection:
            assert connection.execute("SELECT pg_promote()").fetchall() == [(True,)]

    def kill(self) -> None:
        """Kill all processes of the server."""
        process, self._process, self._was_killed = self._process, None, True
        assert process is not None, "the server does not run"
        process.send_signal(signal.SIGSTOP)  # it starts no children and reaps none, so their process ids stay valid
        children = _list_children(process.pid)
        for child in children:
            os.kill(child, signal.SIGKILL)
        process.kill()
        process.wait(timeout=60)
        wait_until(lambda: not any(map(_is_alive, children)), what="the end of the server's processes")

    def __enter__(self) -> Self:
        self._binaries = PostgresBinaries(self._installation)
        self.directory = self._binaries.directory
        self._data, self._log = self.directory / "data", self.directory / "log"
        try:
            self._initialize() if self._primary is None else self._copy(self._primary)
            self.start()
        except BaseException:
            shutil.rmtree(self.directory)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            if self._was_killed:
                self.start()  # a start removes the shared memory that the killed server has left
            if self.is_running:
                self.stop("immediate")
        finally:
            shutil.rmtree(self.directory)

    def _initialize(self) -> None:
        secret = self.directory / "password"
        secret.write_text(f"{self._password or SUPERUSER}\n", encoding="utf-8")
        self._binaries.give(secret)
        words = ["-D", str(self._data), "-U", SUPERUSER, "--no-sync", "--no-instructions"]
        words += ["--encoding=UTF8", "--locale=C.UTF-8", f"--pwfile={secret}"]
        words.append(f"--auth={'scram-sha-256' if self._password else 'trust'}")
        code = self._binaries.spawn("initdb", *words, log=self._log).wait(timeout=120)
        assert code == 0, f"initdb failed: {self.log[-2000:]}"

    def _copy(self, primary: "PostgresServer") -> None:
        words = ["-D", str(self._data), "-d", primary.url(), "--write-recovery-conf", "--checkpoint=fast", "--no-sync"]
        code = self._binaries.spawn("pg_basebackup", *words, log=self._log).wait(timeout=120)
        assert code == 0, f"pg_basebackup failed: {self.log[-2000:]}"

    def _is_ready(self) -> bool:
        """Return whether the server is ready by its own pid file. The file may be one of a server that was killed."""
        try:
            lines = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() in ("ready", "standby")


def _find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _list_children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def _is_alive(pid: int) -> bool:
    """Return whether the process runs and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
