"""A process ``puppylog up`` with a configuration file, the logs that it follows, and a socket of a service manager."""

import json
import signal
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from support.commands import Puppylog
from support.embedded import EmbeddedStore, wait_until
from support.warm_commands import start_command


class Permanent:
    """Usable with ``with``: afterwards no process is left."""

    def __init__(self, own: EmbeddedStore, folder: Path) -> None:
        self.own = own
        self.folder = folder
        self.file = folder / "config.toml"
        self.talk = folder / "stderr"
        self.written: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._manager.bind(str(folder / "notify"))
        self._manager.settimeout(60)
        self._environment = {
            **Puppylog(own.url, folder).environment,
            "NOTIFY_SOCKET": str(folder / "notify"),
            "WATCHDOG_USEC": "5000000",
        }

    def start(self) -> None:
        """Start the process, and wait until it says that it is ready."""
        self._process = self._run()
        self.wait_for_manager("READY=1")

    def try_start(self) -> int:
        """Run the process, which ends by itself with an error; return its exit code."""
        return self._run().wait(60)

    def _run(self) -> "subprocess.Popen[bytes]":
        with self.talk.open("ab") as talk:
            return start_command(
                ["up", "-c", str(self.file)],
                stdin=subprocess.DEVNULL,
                stdout=talk,
                stderr=talk,
                env=self._environment,
            )

    def wait_for_manager(self, text: str) -> str:
        """Return the next datagram that has the text."""
        while True:
            told = self._manager.recv(4096).decode()
            if text in told:
                return told

    def reload(self, configuration: str) -> str:
        """Write the file, let the process read it again, and return what it tells the service manager in the end."""
        self.file.write_text(configuration)
        self.send(signal.SIGHUP)
        assert "MONOTONIC_USEC=" in self.wait_for_manager("RELOADING=1")
        return self.wait_for_manager("READY=1")

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """End the process, and return its exit code."""
        assert self._process is not None
        self.send(number)
        code = self._process.wait(60)
        self._process = None
        return code

    def read_talk(self) -> str:
        return self.talk.read_text()

    def write(self, name: str, count: int) -> None:
        """Append numbered lines to a log; as JSON to a log whose name begins so."""
        lines = [f"line {len(self.written) + number}" for number in range(count)]
        is_json = name.startswith("json")
        with (self.folder / name).open("a") as log:
            log.writelines((json.dumps({"message": line}) if is_json else line) + "\n" for line in lines)
        self.written += lines

    def wait_for_lines(self) -> None:
        """Wait until every written line is stored, and assert that each is stored once."""
        with self.own.connect() as store:
            sql = "SELECT message FROM puppylog.log_records"
            wait_until(lambda: set(self.written) <= set(store.query(sql)["message"].to_pylist()), what="the lines")
            assert sorted(store.query(sql)["message"].to_pylist()) == sorted(self.written)
            assert store.query("SELECT count(*) AS n FROM puppylog.rejected_lines")["n"].to_pylist() == [0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._manager.close()
