"""The engine's log, which an engine that runs for years must not fill the disk with."""

import logging
import os
import stat
from typing import TextIO


class LimitedLog(logging.StreamHandler[TextIO]):
    """Writes to a stream that is a file opened for appending; a file that has reached the limit is emptied first."""

    def __init__(self, stream: TextIO, limit_bytes: int) -> None:
        """Write to ``stream``. One that is no regular file, such as a terminal, has no limit."""
        super().__init__(stream)
        self._limit_bytes = limit_bytes

    def emit(self, record: logging.LogRecord) -> None:
        try:
            status = os.fstat(self.stream.fileno())
            if stat.S_ISREG(status.st_mode) and status.st_size >= self._limit_bytes:
                os.ftruncate(self.stream.fileno(), 0)
        except OSError:
            pass  # whether the line can be written is found out by writing it
        super().emit(record)
