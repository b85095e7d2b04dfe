"""An application that logs numbered lines, its logrotate, and a collector process that reads the log."""

import os
import random
import signal
import subprocess
from io import FileIO
from pathlib import Path

from puppylog.errors import StreamBusy
from support.warm_commands import start_command

LINE = (
    '10.0.0.{host} - - [01/Mar/2026:12:00:{second:02d} +0000] "GET /item/{number} HTTP/1.1" 200 {number} "-" "test"\n'
)


class Writer:
    """An application that logs, and its logrotate."""

    def __init__(self, path: Path, chance: random.Random, *, encoding: str = "utf-8", mark: str = "") -> None:
        """Open the log; every new file, and an emptied one, begins with the byte order mark ``mark``."""
        self.path = path
        self.written = 0
        self.rotations = 0
        self._chance = chance
        self._encoding = encoding
        self._mark = mark.encode(encoding)
        self._file = self._begin()

    def _begin(self) -> FileIO:
        file = self.path.open("ab", buffering=0)
        file.write(self._mark)
        return file

    def write(self, count: int) -> None:
        """Write lines in one or two pieces: a reader may find half a line."""
        numbers = range(self.written, self.written + count)
        data = "".join(LINE.format(host=n % 250, second=n % 60, number=n) for n in numbers).encode(self._encoding)
        cut = self._chance.randrange(len(data))
        self._file.write(data[:cut])
        self._file.write(data[cut:])
        self.written += count

    def rotate(self) -> None:
        """Rename the log as logrotate does, and create a new one."""
        self._file.close()
        for number in range(self.rotations, 0, -1):
            self.path.with_suffix(f".log.{number}").rename(self.path.with_suffix(f".log.{number + 1}"))
        self.path.rename(self.path.with_suffix(".log.1"))
        self.rotations += 1
        self._file = self._begin()

    def truncate(self) -> None:
        """Empty the log, as copytruncate does."""
        self._file.truncate(0)
        self._file.write(self._mark)

    def close(self) -> None:
        self._file.close()


class Collecting:
    """A watching collector process. When it is killed, it is started again at once."""

    def __init__(self, path: Path, url: str, log: Path, *options: str) -> None:
        self._words = ["collector", "-s", str(path), "--watch", *options]
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PUPPYLOG_", "XDG_", "PG"))}
        self._environment = {**kept, "PUPPYLOG_STORE": url}
        self._path = log
        self._log = log.open("ab")
        self.peak_bytes = 0  # of memory, of any of the processes
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        return start_command(
            self._words,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=self._environment,
            start_new_session=True,
        )

    @property
    def said(self) -> str:
        """The output of all processes so far."""
        return self._path.read_text(encoding="utf-8", errors="replace")

    def check(self) -> None:
        """Assert that the process still runs, and note its peak of memory."""
        assert self.process.poll() is None, f"the collector has ended with {self.process.returncode}: {self.said}"
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        self.peak_bytes = max(self.peak_bytes, int(line.split()[1]) * 1024)

    def restart_if_busy(self) -> bool:
        """Start the collector again if it has ended because another one followed the stream, as a supervisor does.

        Returns:
            Whether it was started.
        """
        if self.process.poll() != StreamBusy.exit_code or not self.said.endswith("follows it already\n"):
            return False
        self.process = self._start()
        return True

    def kill(self) -> None:
        self.check()
        self.process.kill()
        self.process.wait()
        self.process = self._start()

    def stop(self) -> int:
        self.check()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._log.close()
