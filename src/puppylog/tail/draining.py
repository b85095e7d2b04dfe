"""A file that was rotated away, and is read until its writers have noticed it."""

from dataclasses import dataclass

from puppylog.tail.reader import Reader


@dataclass(slots=True)
class Draining:
    """A rotated file."""

    reader: Reader
    size: int  # in bytes on disk, when it was last seen to grow
    due_at: float  # when it is finished if it does not grow any more
