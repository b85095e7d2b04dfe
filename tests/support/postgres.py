"""A PostgreSQL server of the tests' own: started once, broken on purpose, and gone afterwards.

It listens on a socket in a short directory that it owns; nothing of it is elsewhere. It never syncs, and a killed one
still loses no committed row: what it has written, the system holds.
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
PORT = 5432  # the last part of the socket's name; nobody else is in its directory

SETTINGS = {
    "fsync": "off",
    "shared_buffers": "32MB",
    "io_method": "sync",  # no processes that no test needs
    "dynamic_shared_memory_type": "mmap",  # in the data directory: a killed server leaves nothing elsewhere
    "log_checkpoints": "off",
    "timezone": "UTC",
}

_SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class PostgresServer:
    """A server with its directory. Usable with ``with``: it runs within; afterwards all its processes have ended."""

    def __init__(
        self,
        *,
        over_tcp: bool = False,
        password: str | None = None,
        settings: Mapping[str, str] | None = None,
        installation: Path | None = None,
        standby_of: "PostgresServer | None" = None,
    ) -> None:
        """Say what it will be.

        Args:
            over_tcp: it listens on a port of 127.0.0.1 also, and its URLs name that.
            password: it asks for this on every connection; without one it trusts everybody.
            settings: what ``postgresql.conf`` would say, before SETTINGS.
            installation: where its programs are, in ``bin``, if not in the wheel; of any version.
            standby_of: it begins as this running server's copy, and follows it.
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
        """All that it has said."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def socket(self) -> Path:
        """Where it listens, also ``over_tcp``."""
        return self.directory / f".s.PGSQL.{self._port}"

    def url(self, database: str = SUPERUSER, *, port: int | None = None, **options: str) -> str:
        """Return the URL of a database, complete: no variable of the environment adds to it.

        Args:
            database: its name.
            port: one of 127.0.0.1 instead of the server's own, such as a `CutWire`'s.
            options: further parameters, such as ``connect_timeout``.
        """
        secret = f":{quote(self._password, safe='')}" if self._password else ""
        if port or self._over_tcp:
            door = f"127.0.0.1:{port or self._port}"
        else:
            door, options = "", {"host": str(self.directory), "port": str(self._port), **options}
        query = urlencode(options, quote_via=quote, safe="/")
        return f"postgresql://{SUPERUSER}{secret}@{door}/{quote(database, safe='')}{'?' if query else ''}{query}"

    @contextlib.contextmanager
    def connect(self, database: str = SUPERUSER) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
        """A superuser's own connection, past any wire; every statement is a transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            yield connection

    def create_database(self, *, template: str = "template0") -> str:
        """Return the name of a new database: empty, or as the template is."""
        name = f"test_{next(self._numbers)}"
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
        with self.connect() as connection:
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop_database(self, name: str) -> None:
        """Drop it, whoever is connected."""
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextlib.contextmanager
    def database(self, *, template: str = "template0") -> Iterator[str]:
        """The name of a new database, which is dropped in the end; a test that stopped the server starts it first."""
        name = self.create_database(template=template)
        try:
            yield name
        finally:
            if not self.is_running:
                self.start()
            self.drop_database(name)

    def start(self) -> None:
        """Start, and return when it takes connections."""
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
        """End it: ``fast`` ends its clients first, ``smart`` waits for them, ``immediate`` is a crash of its own."""
        assert self._process is not None, "the server does not run"
        self._process.send_signal(_SIGNALS[mode])
        self._process.wait(timeout=60)
        self._process = None

    def restart(self, mode: str = "fast") -> None:
        self.stop(mode)
        self.start()

    def kill(self) -> None:
        """End all its processes as a power cut would."""
        process, self._process, self._was_killed = self._process, None, True
        assert process is not None, "the server does not run"
        process.send_signal(signal.SIGSTOP)  # it makes no more children, and buries none: their numbers stay theirs
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
                self.start()  # it clears away the shared memory that the killed one has left
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
        """Whether the server that we started says so itself: a killed one's word may still lie there."""
        try:
            lines = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() in ("ready", "standby")


def _find_free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


def _list_children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def _is_alive(pid: int) -> bool:
    """Whether it runs; one that waits for its burial does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
