"""PgBouncer in front of a PostgreSQL server, for tests: with settings that a test changes while it runs."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import pytest
from psycopg.conninfo import conninfo_to_dict

from support.embedded import wait_until
from support.postgres_binaries import PostgresBinaries

PROGRAM = shutil.which("pgbouncer", path="/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin")
needs_pgbouncer = pytest.mark.skipif(PROGRAM is None, reason="NOT TESTED: PgBouncer itself; install pgbouncer")
_RELOAD_S = 0.5  # a reload is not confirmed; it takes some milliseconds


class PgBouncer:
    """The pooler, at a Unix socket. Usable with ``with``: it runs until the end of the block."""

    def __init__(self, server_url: str, **settings: str) -> None:
        """Configure the pooler for the database of ``server_url``. ``settings`` are those of ``[pgbouncer]``."""
        self._server = conninfo_to_dict(server_url)
        self._settings = settings
        self._binaries = PostgresBinaries(Path("/usr"))
        self._place = self._binaries.directory
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL of the database through the pooler."""
        return f"postgresql://postgres@/{self._server['dbname']}?host={quote(str(self._place))}&port=6432"

    def set(self, **settings: str) -> None:
        """Change settings of the running pooler."""
        self._settings |= settings
        self._write_settings()
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)
        time.sleep(_RELOAD_S)

    def start(self) -> None:
        self._write_settings()
        self._process = self._binaries.spawn(str(PROGRAM), str(self._place / "settings"), log=self._place / "log")
        wait_until(self._accepts, what="PgBouncer's start")

    def stop(self) -> None:
        """Stop the pooler at once: it disconnects its clients."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=20)

    def _write_settings(self) -> None:
        (self._place / "users").write_text('"postgres" ""\n', encoding="utf-8")
        given = {
            "listen_addr": "",
            "listen_port": "6432",
            "unix_socket_dir": str(self._place),
            "auth_type": "trust",
            "auth_file": str(self._place / "users"),
            **self._settings,
        }
        server = f"* = host={self._server['host']} port={self._server['port']} user=postgres\n"
        lines = "".join(f"{name} = {value}\n" for name, value in given.items())
        (self._place / "settings").write_text(f"[databases]\n{server}[pgbouncer]\n{lines}", encoding="utf-8")

    def _accepts(self) -> bool:
        """Return whether the pooler listens at its socket, which is there a moment before."""
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self._place / ".s.PGSQL.6432")) == 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()
        shutil.rmtree(self._place)
