"""Where Parquet and Arrow are written to: stdout, but not a terminal, and only until an error."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from puppylog.errors import UsageError


def open_binary_stdout(format_: str) -> IO[bytes]:
    """Return stdout for bytes in the format called ``format_``.

    Raises:
        UsageError: stdout is a terminal.
    """
    if sys.stdout.isatty():
        advice = f"write into a file: > rows.{format_}"
        raise UsageError("write", f"{format_.title()} to a terminal", "it is not text", advice)
    sys.stdout.flush()
    return sys.stdout.buffer


class Sink(io.RawIOBase):
    """Passes bytes on while a writer writes, and refuses them at any other time.

    Arrow's destructors write the end of the file. After an error this would make a part of the answer look complete.
    """

    def __init__(self, out: IO[bytes]) -> None:
        super().__init__()
        self._out = out
        self._is_accepting = False

    @contextmanager
    def accepting(self) -> Iterator[None]:
        self._is_accepting = True
        try:
            yield
        except BaseException:
            self._is_accepting = False
            raise
        self._is_accepting = False

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - any object with a buffer
        if not self._is_accepting:
            raise OSError
        return self._out.write(data)
