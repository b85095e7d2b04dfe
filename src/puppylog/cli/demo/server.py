"""The shop's web server: it writes an access log, rotates the log, and counts the lines written."""

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from puppylog.cli.demo.traffic import Traffic

_TICK_S: Final = 0.1
_HISTORY_RATE_PER_S: Final = 2.0


class Server:
    """A context manager that writes an access log in its own thread, ``rate_per_s`` lines a second."""

    def __init__(self, log: Path, traffic: Traffic) -> None:
        self.log = log
        self.rate_per_s = 0.0
        self.lines = 0
        self.rejects = 0  # the number of lines among them that fit no log format
        self._traffic = traffic
        self._file = log.open("ab", buffering=0)
        self._is_renamed = False
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-server", daemon=True)

    def write_history(self, lines: int) -> None:
        """Write ``lines`` lines with times before now."""
        since = datetime.now(UTC) - timedelta(seconds=lines / _HISTORY_RATE_PER_S)
        for block in self._traffic.iter_blocks(lines, since=since, rate_per_s=_HISTORY_RATE_PER_S):
            self._file.write(block.data)
            self.lines += block.lines
            self.rejects += block.rejects

    def rotate(self) -> Path:
        """Rename the log and create a new one, as logrotate does. Return the new path of the old log.

        The server notices at its next write; that write still goes to the old log.
        """
        rotated = self.log.with_name(f"{self.log.name}.1")
        with self._lock:
            self.log.rename(rotated)
            self.log.touch()
            self._is_renamed = True
        return rotated

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()
        self._file.close()

    def _run(self) -> None:
        last, due = time.time(), 0.0
        while not self._stop.wait(_TICK_S):
            now = time.time()
            due += self.rate_per_s * (now - last)
            self._write(int(due), last, now)
            last, due = now, due % 1.0

    def _write(self, lines: int, since: float, until: float) -> None:
        begin, end = (datetime.fromtimestamp(at, UTC) for at in (since, until))
        block = self._traffic.make_block(lines, begin, end)
        # In two parts, as servers write when a buffer is full, so that a collector sometimes reads half a line.
        middle = len(block.data) // 2
        with self._lock:
            self._file.write(block.data[:middle])
            self._file.write(block.data[middle:])
            self.lines += block.lines
            self.rejects += block.rejects
            if self._is_renamed:
                self._file.close()
                self._file = self.log.open("ab", buffering=0)
                self._is_renamed = False
