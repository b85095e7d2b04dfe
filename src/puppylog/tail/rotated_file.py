"""A rotated file that is being drained: programs write to it until they open the new file."""

import time
from dataclasses import dataclass

from puppylog.tail.reader import Reader


@dataclass(slots=True)
class RotatedFile:
    """One rotated file that is still being read."""

    reader: Reader
    size: int  # on disk, in bytes, when it had last grown
    due_at: float  # the time at which it is finished if it does not grow; on the tailer's clock, in seconds

    @classmethod
    def found(cls, reader: Reader, now: float, wait_s: float) -> "RotatedFile":
        """Return a file that was rotated before it was opened. The time since its last change counts as waiting time.

        Raises:
            OSError: the status of the file cannot be read.
        """
        status = reader.handle.status()
        quiet_s = max(0.0, time.time() - max(status.st_mtime, status.st_ctime))
        return cls(reader, status.st_size, now + max(0.0, wait_s - quiet_s))

    def is_quiet(self, now: float, wait_s: float) -> bool:
        """Return whether the file was read to its end and has not grown for ``wait_s`` seconds.

        Raises:
            OSError: the status of the file cannot be read.
        """
        size = self.reader.handle.status().st_size
        if size > self.size:
            self.size = size
            self.due_at = now + wait_s
        return now >= self.due_at and self.reader.is_at_end
