"""A running journalctl: its output without waiting, and why it ended."""

import contextlib
import fcntl
import os
import select
import subprocess
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

_PIPE_BYTES: Final = 1 << 20  # what journalctl can write between two polls; only privileged users may set more
_END_WAIT_S: Final = 5.0
_ERROR_BYTES: Final = 4096


class JournalProcess:
    """A journalctl whose output is read. It ends with `close`, or by itself when nothing reads its output."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start the command.

        Raises:
            OSError: it cannot be started.
        """
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,  # an interrupt from the keyboard is for the collector, which ends journalctl itself
        )
        if self._process.stdout is None or self._process.stderr is None:
            raise AssertionError("the process has no pipes")
        self._output, self._errors = self._process.stdout, self._process.stderr
        self._said = b""
        os.set_blocking(self._output.fileno(), False)
        os.set_blocking(self._errors.fileno(), False)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            with contextlib.suppress(OSError):
                fcntl.fcntl(self._output, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def read(self, size: int, wait_s: float) -> bytes | None:
        """Return up to ``size`` bytes; none if no output came; None if the process has closed its output.

        Args:
            size: in bytes.
            wait_s: how long to wait for the first byte.
        """
        self._note_errors()
        if not select.select([self._output], [], [], wait_s)[0]:
            return b""
        try:
            return os.read(self._output.fileno(), size) or None
        except BlockingIOError:
            return b""

    def finish(self) -> str:
        """Wait for the end of the process, which has closed its output; return what went wrong, or nothing."""
        try:
            code = self._process.wait(_END_WAIT_S)
        except subprocess.TimeoutExpired:
            return "journalctl has closed its output"
        self._note_errors()
        lines = [line.strip() for line in self._said.decode(errors="replace").splitlines()]
        said = [line for line in lines if line and not line.startswith(("-- ", "Hint: "))]
        if code == 0:
            return ""
        if said:
            return f"{said[-1][:1].lower()}{said[-1][1:].removesuffix('.')}"
        return f"journalctl was killed by signal {-code}" if code < 0 else f"journalctl has ended with code {code}"

    def close(self) -> None:
        """End the process. It is OK to call this twice."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_END_WAIT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._output.close()
        self._errors.close()

    def _note_errors(self) -> None:
        """Read what the process has written to its standard error, so that it never waits for a reader."""
        with contextlib.suppress(BlockingIOError):
            while part := os.read(self._errors.fileno(), _ERROR_BYTES):
                self._said = (self._said + part)[-_ERROR_BYTES:]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
