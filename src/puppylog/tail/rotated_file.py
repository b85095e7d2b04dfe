"""A file that was rotated away, and is drained: programs write to it until they are told to open the new one."""

import time
from dataclasses import dataclass

from puppylog.tail.reader import Reader


@dataclass(slots=True)
class RotatedFile:
    """One rotated file that is still read."""

    reader: Reader
    size: int  # in bytes on disk, when it was last seen to grow
    due_at: float  # on the tailer's clock, in seconds: when it is finished if it does not grow any more

    @classmethod
    def found(cls, reader: Reader, now: float, wait_s: float) -> "RotatedFile":
        """Return a file that was rotated before it was opened; the time since its last change counts as waited.

        Raises:
            OSError: its status cannot be asked for.
        """
        status = reader.handle.status()
        quiet_s = max(0.0, time.time() - max(status.st_mtime, status.st_ctime))
        return cls(reader, status.st_size, now + max(0.0, wait_s - quiet_s))

    def is_quiet(self, now: float, wait_s: float) -> bool:
        """Return whether it was read to its end and has not grown for so many seconds.

        Raises:
            OSError: its status cannot be asked for.
        """
        size = self.reader.handle.status().st_size
        if size > self.size:
            self.size = size
            self.due_at = now + wait_s
        return now >= self.due_at and self.reader.is_at_end
