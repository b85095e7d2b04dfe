"""The engine's log, with a limit: an engine that runs for years must not fill the disk with it."""

import logging
import os
import stat
from typing import TextIO


class LimitedLog(logging.StreamHandler[TextIO]):
    """Writes to a file that is opened for appending. If the file has reached the limit, it is emptied first."""

    def __init__(self, stream: TextIO, limit_bytes: int) -> None:
        """Write to ``stream``. A stream that is not a regular file, such as a terminal, has no limit."""
        super().__init__(stream)
        self._limit_bytes = limit_bytes

    def emit(self, record: logging.LogRecord) -> None:
        try:
            status = os.fstat(self.stream.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_size >= self._limit_bytes:
                os.ftruncate(self.stream.fileno(), 0)
        except OSError:
            pass  # the write below reports the error
        super().emit(record)
